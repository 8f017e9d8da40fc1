"""Loads a dossier, evaluates it, writes the result with what it was made from: one transaction, nothing overwritten.

The digest of the inputs is over everything that could change the result: policy, request, lender's data, source states and the digests of the fact sets.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Table, insert, select, text

from hub.credit.dossier import Dossier
from hub.credit.evaluate import Evaluation, Request, evaluate
from hub.credit.policy import Policy
from hub.credit.sources import Use
from hub.domain.enums import Outcome
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import NotFound
from hub.store.database import Read, Write
from hub.store.dossier import dossier_on, load_ground
from hub.store.dossier.moment import Moment
from hub.store.evaluations.canonical import sha256_of
from hub.store.evaluations.inputs import Prepared, inputs_row
from hub.store.evaluations.policies import effective_policy
from hub.store.evaluations.reference import load_reference
from hub.store.evaluations.rows import Heading, head_row, part_rows
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

    @property
    def use(self) -> Use:
        return Use(self.grantee, self.purpose, self.scenario, self.as_of, self.known_at)


@dataclass(frozen=True, slots=True)
class Kept:
    """An evaluation that was written."""

    evaluation_id: UUID
    outcome: Outcome


async def evaluate_customer(tx: Write, asked: Asked) -> Kept:
    """Evaluates a customer from the store and keeps the result. Raises NotFound, InvalidInput (no such scenario)."""
    policy = await effective_policy(tx, asked.scenario, asked.as_of)
    prepared = await prepare(tx, asked)
    made = evaluate(prepared.dossier, policy, asked.request)
    heading = Heading(
        customer_id=asked.customer_id,
        evaluation_id=new_id(),
        created_at=datetime.now(UTC),
        supersedes=None if asked.what_if else await _latest(tx, asked),
        inputs_digest=inputs_digest(prepared.dossier, policy, asked.request),
        what_if=asked.what_if,
        use_purpose=asked.purpose,
    )
    rows = rows_of(heading, made)
    for table, found in rows.items():
        await tx.execute(insert(table), found)
    await tx.execute(insert(evaluation_inputs), inputs_row(asked.customer_id, heading.evaluation_id, prepared, sha256_of(rows)))
    return Kept(heading.evaluation_id, made.outcome)


async def prepare(tx: Read | Write, asked: Asked) -> Prepared:
    """What an evaluation is made from. Raises NotFound."""
    uscc = await uscc_of(tx, asked.customer_id)
    used = await load_reference(tx, asked.customer_id, uscc, asked.as_of, asked.known_at)
    moment = Moment(asked.customer_id, asked.as_of, asked.known_at)
    ground = await load_ground(tx, moment, asked.use)
    return Prepared(await dossier_on(tx, moment, ground, used.reference), ground, used, asked.grantee)


async def uscc_of(tx: Read | Write, customer_id: CustomerId) -> str | None:
    """The code of a business, None of a person. Raises NotFound."""
    found = (await tx.execute(select(customer.c.uscc).where(customer.c.customer_id == customer_id))).first()
    if found is None:
        raise NotFound("There is no such customer.")
    return None if found.uscc is None else str(found.uscc)


async def dossier_of(tx: Write, asked: Asked) -> Dossier:
    """The dossier alone. Raises NotFound."""
    return (await prepare(tx, asked)).dossier


async def _latest(tx: Read | Write, asked: Asked) -> UUID | None:
    mine = (evaluation.c.customer_id == asked.customer_id, evaluation.c.scenario == asked.scenario, ~evaluation.c.what_if)
    newest = (evaluation.c.created_at.desc(), evaluation.c.evaluation_id.desc())
    found: UUID | None = (await tx.execute(select(evaluation.c.evaluation_id).where(*mine).order_by(*newest).limit(1))).scalar()
    return found


def rows_of(heading: Heading, made: Evaluation) -> dict[Table, list[dict[str, Any]]]:
    """Every row of an evaluation, by table."""
    return {evaluation: [head_row(heading, made)], **dict(part_rows(heading, made))}


def inputs_digest(dossier: Dossier, policy: Policy, request: Request) -> str:
    """Hex SHA-256 over the canonical JSON of all inputs. Sets are sorted, amounts are text."""
    inputs = {
        "policy": [policy.id, policy.version, policy.sha256],
        "request": asdict(request),
        "as_of": dossier.as_of,
        "known_at": dossier.known_at.astimezone(UTC),
        "subject": asdict(dossier.subject),
        "reference": asdict(dossier.reference),
        "sources": {kind.value: asdict(state) for kind, state in dossier.sources.items()},
        "evidence": sorted(f"{one.kind}|{one.window}|{one.facts}|{one.digest}" for one in dossier.evidence),
    }
    return hashlib.sha256(orjson.dumps(inputs, default=_plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)


_TO_REFRESH = text("""
    SELECT DISTINCT c.purpose, s.scenario FROM consent c CROSS JOIN LATERAL unnest(c.scenarios) AS s(scenario)
    WHERE c.customer_id = :customer AND c.grantee = :grantee AND c.status = 'ACTIVE'
      AND EXISTS (SELECT 1 FROM policy p WHERE p.policy_id = s.scenario)
      AND NOT EXISTS (SELECT 1 FROM connection n WHERE n.customer_id = :customer AND n.status = 'ACTIVE'
                      AND (n.due_at <= now() OR n.lease_until > now()))
      AND EXISTS (SELECT 1 FROM sync_run r WHERE r.customer_id = :customer AND r.stored > 0 AND r.ended_at > coalesce(
            (SELECT max(v.created_at) FROM evaluation v WHERE v.customer_id = :customer AND v.scenario = s.scenario AND NOT v.what_if), '-infinity'))
    ORDER BY 1, 2
""")


async def scenarios_to_refresh(tx: Read | Write, customer_id: CustomerId, grantee: str) -> list[tuple[str, str]]:
    """(purpose, scenario) to evaluate anew: consented, changed since the last evaluation, and nothing of the customer still syncing.

    The rows decide, not the job that asks: whichever run ends last finds the work, a second one finds none.
    """
    rows = (await tx.execute(_TO_REFRESH, {"customer": customer_id, "grantee": grantee})).all()
    return [(row.purpose, row.scenario) for row in rows]


_CUSTOMERS = text("""
    SELECT DISTINCT r.customer_id FROM sync_run r
    WHERE r.stored > 0 AND r.ended_at > now() - interval '7 days' AND EXISTS (
        SELECT 1 FROM consent c CROSS JOIN LATERAL unnest(c.scenarios) AS s(scenario) JOIN policy p ON p.policy_id = s.scenario
        WHERE c.customer_id = r.customer_id AND c.status = 'ACTIVE' AND NOT EXISTS (
            SELECT 1 FROM evaluation v WHERE v.customer_id = r.customer_id AND v.scenario = s.scenario AND NOT v.what_if AND v.created_at >= r.ended_at))
    LIMIT 500
""")


async def customers_to_refresh(tx: Read | Write) -> list[CustomerId]:
    """Customers of whom :func:`scenarios_to_refresh` may say something."""
    return [CustomerId(found) for found in (await tx.execute(_CUSTOMERS)).scalars()]
