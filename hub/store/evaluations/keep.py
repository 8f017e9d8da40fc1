"""Loads a dossier, evaluates it, writes the result with what it was made from: one transaction, nothing overwritten.

The digest of the inputs is over everything that could change the result: policy, request, lender's data, source states and the digests of the fact sets.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from uuid import UUID

import orjson
from sqlalchemy import Table, insert, select, text

from hub.credit.dossier import Dossier, SourceState
from hub.credit.evaluate import Request
from hub.credit.models.reach import Reach, unreachable
from hub.credit.models.run import Complete, complete
from hub.credit.policy import Policy
from hub.credit.sources import Use
from hub.domain.enums import MissingReason, Outcome
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import NotFound
from hub.store.database import Read, Write
from hub.store.dossier import Open, Wanted, load_dossiers, load_grounds
from hub.store.evaluations.approvals import reaches
from hub.store.evaluations.canonical import sha256_of
from hub.store.evaluations.inputs import Prepared, inputs_row
from hub.store.evaluations.policies import effective_policies
from hub.store.evaluations.reference import load_references
from hub.store.evaluations.rows import Heading, Row, head_row, part_rows
from hub.store.evaluations.watch import load_watches
from hub.store.tables import customer, evaluation, evaluation_inputs


@dataclass(frozen=True, slots=True)
class Asked:
    """One evaluation: whose, for what, as of which day, as known when, for which grantee and purpose of use."""

    customer_id: CustomerId
    scenario: str
    request: Request
    as_of: date
    known_at: datetime
    grantee: str
    purpose: str
    what_if: bool = False
    """Of another day than today, or of what was known before: it is kept and shown, and nothing is decided by it."""
    app: str | None = None
    """The partner app that asks for it: made of what the customer lets it be handed. Where that is less than the institution has, nothing is decided by it."""
    read_at: datetime | None = None
    """When it is made, where it is of what was known before: what a consent of today forbids is not read."""
    objected: Open | None = None
    """What the hub knows of the customer's objections beyond what the transaction sees."""

    @property
    def use(self) -> Use:
        return Use(self.grantee, self.purpose, self.scenario, self.as_of, self.known_at, self.app, self.read_at)


@dataclass(frozen=True, slots=True)
class Kept:
    """An evaluation that was written, and what monitoring must know of it."""

    evaluation_id: UUID
    outcome: Outcome
    heading: Heading
    found: Complete


async def evaluate_customer(tx: Write, asked: Asked, reach: Reach = unreachable) -> Kept:
    """Evaluates a customer from the store and keeps the result. Models that the policy names are asked by ``reach`` meanwhile, all at once and for as long as the
    policy allows. Raises NotFound, InvalidInput (no such scenario)."""
    return (await evaluate_customers(tx, [asked], reach))[0]


async def evaluate_customers(tx: Write, asked: Sequence[Asked], reach: Reach = unreachable) -> list[Kept]:
    """:func:`evaluate_customer` of many, all of one day and one instant: what they read is read at once, and what they give is written at once. Each asks its models in
    its turn, so that none of them waits for our own computing."""
    if not asked:
        return []
    policies = await effective_policies(tx, (one.scenario for one in asked), asked[0].as_of, asked[0].known_at)
    asking = await reaches(tx, policies, asked[0].known_at, reach)
    prepared, watches, before = await prepare(tx, asked), await load_watches(tx, asked), await _latest(tx, asked)
    kept, rows = list[Kept](), defaultdict[Table, list[Row]](list)
    for wanted, its, looked in zip(asked, prepared, watches, strict=True):
        one = replace(wanted, what_if=wanted.what_if or _is_less_than_all(its.dossier))
        policy, which = policies[one.scenario], (one.customer_id, one.scenario)
        found = await complete(
            its.dossier, policy, one.request, looked.watch, asking[one.scenario], str(one.customer_id), its.used.catalogue
        )
        heading = _heading(one, inputs_digest(its.dossier, policy, one.request), before.get(which))
        if not one.what_if:
            before[which] = heading.evaluation_id
        mine = rows_of(heading, found)
        for table, part in mine.items():
            rows[table] += part
        rows[evaluation_inputs].append(inputs_row(heading, its, looked, found, sha256_of(mine)))
        kept.append(Kept(heading.evaluation_id, found.made.outcome, heading, found))
    await _write(tx, rows)
    return kept


def _is_less_than_all(dossier: Dossier) -> bool:
    """An app that asks may not be handed all that the institution has."""
    return any(state.reason is MissingReason.CONSENT_APP for state in dossier.sources.values())


def _heading(asked: Asked, digest: str, before: UUID | None) -> Heading:
    return Heading(
        customer_id=asked.customer_id,
        evaluation_id=new_id(),
        created_at=datetime.now(UTC),
        supersedes=None if asked.what_if else before,
        inputs_digest=digest,
        what_if=asked.what_if,
        use_purpose=asked.purpose,
        known_at=asked.known_at,
    )


async def dossier_of(tx: Write, asked: Asked) -> Dossier:
    """What an evaluation is made from, the dossier alone. Raises NotFound."""
    return (await dossiers_of(tx, [asked]))[0]


async def dossiers_of(tx: Write, asked: Sequence[Asked]) -> list[Dossier]:
    """:func:`dossier_of` of many."""
    return [one.dossier for one in await prepare(tx, asked)]


async def prepare(tx: Read | Write, asked: Sequence[Asked]) -> list[Prepared]:
    """What evaluations of one day and one instant are made from, in their order. Raises NotFound."""
    if not asked:
        return []
    codes = await codes_of(tx, [one.customer_id for one in asked])
    known = await load_references(tx, codes, asked[0].as_of, asked[0].known_at)
    grounds = await load_grounds(tx, [(one.customer_id, one.use) for one in asked])
    wanted = [
        Wanted(one.customer_id, one.use, known[one.customer_id].reference, ground, one.objected)
        for one, ground in zip(asked, grounds, strict=True)
    ]
    dossiers = await load_dossiers(tx, wanted)
    return [
        Prepared(dossier, ground, known[one.customer_id], one.grantee)
        for one, ground, dossier in zip(asked, grounds, dossiers, strict=True)
    ]


async def codes_of(tx: Read | Write, customers: Iterable[CustomerId]) -> dict[CustomerId, str | None]:
    """The codes of businesses, None of persons. Raises NotFound."""
    wanted = list(dict.fromkeys(customers))
    rows = await tx.execute(select(customer.c.customer_id, customer.c.uscc).where(customer.c.customer_id.in_(wanted)))
    codes = {CustomerId(row.customer_id): row.uscc for row in rows}
    if len(codes) < len(wanted):
        raise NotFound("There is no such customer.")
    return codes


_LATEST = text("""
    SELECT DISTINCT ON (v.customer_id, v.scenario) v.customer_id, v.scenario, v.evaluation_id
    FROM unnest(CAST(:customers AS uuid[]), CAST(:scenarios AS text[])) AS a(customer_id, scenario)
    JOIN evaluation v ON v.customer_id = a.customer_id AND v.scenario = a.scenario AND NOT v.what_if
    ORDER BY v.customer_id, v.scenario, v.created_at DESC, v.evaluation_id DESC
""")


async def _latest(tx: Read | Write, asked: Sequence[Asked]) -> dict[tuple[CustomerId, str], UUID]:
    values = {"customers": [one.customer_id for one in asked], "scenarios": [one.scenario for one in asked]}
    return {(CustomerId(row.customer_id), row.scenario): row.evaluation_id for row in await tx.execute(_LATEST, values)}


def rows_of(heading: Heading, found: Complete) -> dict[Table, list[Row]]:
    """Every row of an evaluation, by table; its own before its parts."""
    return {evaluation: [head_row(heading, found.made)], **dict(part_rows(heading, found))}


async def _write(tx: Write, rows: Mapping[Table, Sequence[Row]]) -> None:
    """The evaluations before their parts. An evaluation behind a closed gate says less of itself: what is written at once says the same of each."""
    for table, found in rows.items():
        for _, alike in groupby(found, key=lambda row: row.keys()):
            await tx.execute(insert(table), list(alike))


def inputs_digest(dossier: Dossier, policy: Policy, request: Request) -> str:
    """Hex SHA-256 over the canonical JSON of all inputs. Sets are sorted, amounts are text."""
    inputs = {
        "policy": [policy.id, policy.version, policy.sha256],
        "request": asdict(request),
        "as_of": dossier.as_of,
        "known_at": dossier.known_at.astimezone(UTC),
        "subject": asdict(dossier.subject),
        # A document that is not there is nothing that was read.
        "reference": {name: one for name, one in asdict(dossier.reference).items() if name != "service_area" or one is not None},
        "sources": {kind.value: _state(state) for kind, state in dossier.sources.items()},
        "evidence": sorted(f"{one.kind}|{one.window}|{one.facts}|{one.digest}" for one in dossier.evidence),
        **({"objections": dossier.objections.named()} if dossier.objections else {}),
    }
    return hashlib.sha256(orjson.dumps(inputs, default=_plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _state(state: SourceState) -> dict[str, object]:
    days = [asdict(one) for one in state.intervals]
    return {"kind": state.kind, "reason": state.reason, "intervals": days, "data_end": state.data_end}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)
