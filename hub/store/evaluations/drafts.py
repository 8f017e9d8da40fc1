"""Drafts of policies: written down, tried, published by somebody else than their author, or discarded.

A trial makes evaluations once more by the draft, from the same inputs as they were made from: those that are there (a simulation over the portfolio), and those
that come (a shadow run). It changes no decision, and stands in nobody's way: whoever evaluates does not wait for it. An evaluation whose inputs are no longer what
they were (a consent ended, data erased, the lender's data changed), or may not be read any more today, cannot be compared, and is counted as such.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text, update
from sqlalchemy.dialects.postgresql import insert

from hub.credit.assessed import read_to_publish
from hub.credit.checking import text_of
from hub.credit.differences import Case, Decision, Differences
from hub.credit.evaluate import Request
from hub.credit.models.reach import Reach, unreachable
from hub.credit.models.run import complete
from hub.credit.policy import Policy, read_policy, unchecked_policy
from hub.domain.enums import Outcome
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import HubError, InvalidInput, NotAllowed, NotFound
from hub.store.database import Database, Read, Write
from hub.store.evaluations.compared import cases, to_try
from hub.store.evaluations.keep import Asked, dossier_of, inputs_digest
from hub.store.evaluations.policies import publish_policies, versions
from hub.store.evaluations.today import readable_today
from hub.store.tables import policy, policy_draft, policy_trial

OPEN, TRIED, PUBLISHED, DISCARDED = "OPEN", "TRIED", "PUBLISHED", "DISCARDED"
CHANGED, SEALED, ERASED, UNTOLD, UNMADE = (
    "its inputs are no longer what they were",
    "no consent lets its inputs be read any more",
    "its inputs are erased",
    "it does not tell under which purpose it was made",
    "it cannot be made once more",
)

_TO_TRY = to_try(":scenario", ":since")
_WAITING = text(f"""
    SELECT v.customer_id, v.evaluation_id, v.policy_id, v.policy_version, v.as_of, v.known_at, v.request_purpose, v.requested_amount, v.use_purpose,
        v.inputs_digest, v.inputs_erased_on
    FROM evaluation v
    WHERE {_TO_TRY} AND NOT EXISTS (
        SELECT 1 FROM policy_trial t WHERE t.customer_id = v.customer_id AND t.evaluation_id = v.evaluation_id AND t.draft_id = :draft)
    ORDER BY v.created_at LIMIT :at_once
""")  # noqa: S608 -- our own text
_COMPARED = text(f"{cases(':draft')} ORDER BY v.evaluation_id")
_COUNTS = text(f"""
    SELECT count(*) AS total, count(t.draft_id) AS done FROM evaluation v
    LEFT JOIN policy_trial t ON t.customer_id = v.customer_id AND t.evaluation_id = v.evaluation_id AND t.draft_id = :draft
    WHERE {_TO_TRY}
""")  # noqa: S608 -- our own text


@dataclass(frozen=True, slots=True)
class Draft:
    """``tried_since``: of a trial. ``decided_by`` published or discarded it."""

    draft_id: UUID
    policy: Policy
    state: str
    author: str
    created_at: datetime
    tried_since: datetime | None
    decided_by: str | None

    @staticmethod
    def of(row: Row[Any]) -> Draft:
        return Draft(row.draft_id, unchecked_policy(row.document), row.state, row.author, row.created_at, row.tried_since, row.decided_by)


async def draft_policy(tx: Write, document: Mapping[str, Any], author: str, now: datetime) -> Draft:
    """Writes a draft down. Raises PolicyInvalid, and InvalidInput for a version that was published before."""
    found = read_policy(document)
    if any(row.version == found.version for row in await versions(tx, found.id)):
        raise InvalidInput(f"Version {found.version} of {found.id} was published before.", remedy="Give the draft a new version.")
    draft_id = new_id()
    row = {
        "draft_id": draft_id, "policy_id": found.id, "version": found.version, "sha256": found.sha256, "effective_from": found.effective_from,
        "document": dict(document), "state": OPEN, "author": author, "created_at": now,
    }  # fmt: skip
    await tx.execute(insert(policy_draft), row)
    return await draft(tx, draft_id)


async def draft(tx: Read | Write, draft_id: UUID) -> Draft:
    """Raises NotFound."""
    row = (await tx.execute(select(policy_draft).where(policy_draft.c.draft_id == draft_id).with_for_update())).first()
    if row is None:
        raise NotFound("There is no such draft.", remedy="`hub policies list`, or the query `policyDrafts`, shows them.")
    return Draft.of(row)


async def drafts(tx: Read | Write) -> list[Draft]:
    """All of them, newest first."""
    return [Draft.of(row) for row in await tx.execute(select(policy_draft).order_by(policy_draft.c.draft_id.desc()))]


async def try_draft(tx: Write, draft_id: UUID, since: datetime | None) -> Draft:
    """Begins a trial with the evaluations made since; None ends it. Raises NotFound, InvalidInput."""
    await _undecided(tx, draft_id)
    await _change(tx, draft_id, state=OPEN if since is None else TRIED, **({} if since is None else {"tried_since": since}))
    return await draft(tx, draft_id)


async def publish_draft(tx: Write, draft_id: UUID, actor: str, now: datetime, today: date) -> Draft:
    """Publishes a draft: somebody else than its author does (four eyes), not for days that are over, and not before its impact was assessed (PIPL 55).

    It is checked by the rules of today, whenever it was written down. Raises NotFound, InvalidInput, NotAllowed, PolicyInvalid.
    """
    found = await _undecided(tx, draft_id)
    if found.author == actor:
        raise NotAllowed("Whoever wrote a policy does not publish it.", remedy="Somebody else does, under an account of his own.")
    if found.policy.effective_from < today:
        raise InvalidInput(
            f"It would apply from {found.policy.effective_from}, a day that is over: decisions were made since.",
            remedy="Draft it with a later effective_from.",
        )
    # Every expression is tried out: meanwhile others are to be answered.
    await asyncio.to_thread(read_to_publish, text_of(found.policy.document), today)
    await publish_policies(tx, [found.policy.document], now)
    await _change(tx, draft_id, state=PUBLISHED, decided_by=actor, decided_at=now)
    return await draft(tx, draft_id)


async def discard_draft(tx: Write, draft_id: UUID, actor: str, now: datetime, reason: str) -> Draft:
    """Raises NotFound, InvalidInput."""
    await _undecided(tx, draft_id)
    await _change(tx, draft_id, state=DISCARDED, decided_by=actor, decided_at=now, note=reason)
    return await draft(tx, draft_id)


async def _undecided(tx: Write, draft_id: UUID) -> Draft:
    found = await draft(tx, draft_id)
    if found.state in (PUBLISHED, DISCARDED):
        raise InvalidInput(f"The draft is {found.state.lower()}.", remedy="Write a new one.")
    return found


async def _change(tx: Write, draft_id: UUID, **values: Any) -> None:
    await tx.execute(update(policy_draft).where(policy_draft.c.draft_id == draft_id).values(**values))


async def tried(tx: Read | Write) -> list[Draft]:
    """Those on trial."""
    return [Draft.of(row) for row in await tx.execute(select(policy_draft).where(policy_draft.c.state == TRIED))]


async def waiting(tx: Read | Write, found: Draft, at_once: int) -> list[Row[Any]]:
    """Evaluations that the trial has not come to, oldest first."""
    values = {"scenario": found.policy.id, "since": found.tried_since, "draft": found.draft_id, "at_once": at_once}
    return list(await tx.execute(_WAITING, values))


async def try_one(tx: Write, found: Draft, row: Row[Any], grantee: str, now: datetime, reach: Reach = unreachable) -> None:
    """Makes one evaluation once more by the draft, and keeps what came of it."""
    try:
        left, made = await _once_more(tx, found, row, grantee, now, reach)
    except HubError:
        left, made = UNMADE, None
    mine = {"customer_id": row.customer_id, "evaluation_id": row.evaluation_id, "draft_id": found.draft_id, "at": now}
    offered = {} if made is None else {"outcome": made.outcome, "final_limit": made.limit, "rate": made.rate, "term_months": made.term}
    await tx.execute(
        insert(policy_trial).on_conflict_do_nothing(), {**mine, **offered, "left_out": left, "reasons": list(made.reasons) if made else []}
    )


async def _once_more(
    tx: Write, found: Draft, row: Row[Any], grantee: str, now: datetime, reach: Reach
) -> tuple[str | None, Decision | None]:
    """From the same inputs, which the digest proves: with the policy that was followed it would be the same."""
    if row.inputs_erased_on is not None or row.use_purpose is None:
        return (ERASED if row.inputs_erased_on is not None else UNTOLD), None
    if not await readable_today(tx, CustomerId(row.customer_id), row.evaluation_id, grantee, now):
        return SEALED, None
    request = Request(row.request_purpose, row.requested_amount)
    asked = Asked(CustomerId(row.customer_id), found.policy.id, request, row.as_of, row.known_at, grantee, row.use_purpose)
    dossier = await dossier_of(tx, asked)
    followed = select(policy.c.document).where(policy.c.policy_id == row.policy_id, policy.c.version == row.policy_version)
    before = unchecked_policy((await tx.execute(followed)).scalar_one())
    if inputs_digest(dossier, before, request) != row.inputs_digest:
        return CHANGED, None
    return None, Decision.of((await complete(dossier, found.policy, request, reach=reach, subject=str(row.customer_id))).made)


async def come_to(database: Database, found: Draft, grantee: str, now: datetime, at_once: int, reach: Reach = unreachable) -> int:
    """The next evaluations of a trial, each in a transaction of its own: a model that the draft names is tried with it, in the shadow. Returns how many there were."""
    async with database.work() as tx:
        rows = await waiting(tx, found, at_once)
    for row in rows:
        async with database.work() as tx:
            await try_one(tx, found, row, grantee, now, reach)
    return len(rows)


@dataclass(frozen=True, slots=True)
class Trial:
    """A draft on trial as an errand (:mod:`hub.store.evaluations.errands`)."""

    draft: Draft

    @property
    def title(self) -> str:
        return self.draft.policy.id

    async def progress(self, tx: Read | Write) -> tuple[int, int]:
        return await progress(tx, self.draft)

    async def come_to(self, database: Database, grantee: str, now: datetime, at_once: int, reach: Reach = unreachable) -> int:
        return await come_to(database, self.draft, grantee, now, at_once, reach)


def told(found: Draft) -> dict[str, Any]:
    """For the audit."""
    return {
        "draft": found.draft_id,
        "state": found.state,
        "sha256": found.policy.sha256,
        "assessment": found.policy.document.get("assessment"),
        "from": found.policy.effective_from,
        "tried_since": found.tried_since,
    }


async def progress(tx: Read | Write, found: Draft) -> tuple[int, int]:
    """How many evaluations the trial has come to, of how many."""
    row = (await tx.execute(_COUNTS, {"scenario": found.policy.id, "since": found.tried_since, "draft": found.draft_id})).one()
    return row.done, row.total


async def report(tx: Read | Write, draft_id: UUID) -> Differences:
    """What the draft would have changed, as far as it was tried."""
    found = Differences()
    async for case in _cases(tx, draft_id, found):
        found.add(case)
    return found


async def _cases(tx: Read | Write, draft_id: UUID, found: Differences) -> AsyncIterator[Case]:
    for row in await tx.execute(_COMPARED, {"draft": draft_id}):
        if row.left_out is not None:
            found.left[row.left_out] += 1
            continue
        before = Decision(Outcome(row.outcome), row.final_limit, row.rate, row.term_months, tuple(row.reasons))
        after = Decision(Outcome(row.other_outcome), row.other_limit, row.other_rate, row.other_term, tuple(row.other_reasons))
        yield Case(str(row.evaluation_id), before, after)
