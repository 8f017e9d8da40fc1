"""Loads a dossier, evaluates it, writes the result: one transaction, nothing overwritten.

The digest of the inputs is over everything that could change the result: policy, request, lender's data, source states and the digests of the fact sets.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import orjson
from sqlalchemy import insert, select

from hub.credit.dossier import Dossier
from hub.credit.evaluate import Request
from hub.credit.models.reach import Reach, unreachable
from hub.credit.models.run import Complete, complete
from hub.credit.policy import Policy
from hub.domain.enums import MissingReason, Outcome
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import NotFound
from hub.store.database import Read, Write
from hub.store.dossier import load_dossier
from hub.store.evaluations.policies import effective_policy
from hub.store.evaluations.reference import load_reference
from hub.store.evaluations.rows import Heading, head_row, part_rows
from hub.store.evaluations.watch import load_watch
from hub.store.tables import customer, evaluation


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
    policy = await effective_policy(tx, asked.scenario, asked.as_of)
    dossier = await dossier_of(tx, asked)
    if any(state.reason is MissingReason.CONSENT_APP for state in dossier.sources.values()):
        asked = replace(asked, what_if=True)
    watch = await load_watch(tx, asked.customer_id, asked.scenario, asked.purpose, asked.as_of, asked.known_at)
    found = await complete(dossier, policy, asked.request, watch, reach, str(asked.customer_id))
    heading = Heading(
        customer_id=asked.customer_id,
        evaluation_id=new_id(),
        created_at=datetime.now(UTC),
        supersedes=None if asked.what_if else await _latest(tx, asked),
        inputs_digest=inputs_digest(dossier, policy, asked.request),
        what_if=asked.what_if,
        use_purpose=asked.purpose,
        known_at=asked.known_at,
    )
    await _write(tx, heading, found)
    return Kept(heading.evaluation_id, found.made.outcome, heading, found)


async def dossier_of(tx: Write, asked: Asked) -> Dossier:
    """What an evaluation is made from. Raises NotFound."""
    found = (await tx.execute(select(customer.c.uscc).where(customer.c.customer_id == asked.customer_id))).first()
    if found is None:
        raise NotFound("There is no such customer.")
    return await load_dossier(
        tx,
        asked.customer_id,
        as_of=asked.as_of,
        known_at=asked.known_at,
        scenario=asked.scenario,
        grantee=asked.grantee,
        purpose=asked.purpose,
        reference=await load_reference(tx, found.uscc),
        app=asked.app,
    )


async def _latest(tx: Read | Write, asked: Asked) -> UUID | None:
    mine = (evaluation.c.customer_id == asked.customer_id, evaluation.c.scenario == asked.scenario, ~evaluation.c.what_if)
    newest = (evaluation.c.created_at.desc(), evaluation.c.evaluation_id.desc())
    found: UUID | None = (await tx.execute(select(evaluation.c.evaluation_id).where(*mine).order_by(*newest).limit(1))).scalar()
    return found


async def _write(tx: Write, heading: Heading, found: Complete) -> None:
    await tx.execute(insert(evaluation), head_row(heading, found.made))
    for table, rows in part_rows(heading, found):
        await tx.execute(insert(table), rows)


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
