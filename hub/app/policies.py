"""What is done to policies, at the machine and through the API: one function per step, each in the audit with what was and what is.

``actor`` is the client's id, or the operator's account (``operator:NAME``): whoever wrote a draft does not publish it, whichever way he comes (ADR 53).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from hub.access.audit import audited
from hub.access.audit.chain import Secrets
from hub.app.calling import Calling
from hub.credit.checking import read_text
from hub.credit.policy import Policy
from hub.domain.clock import Clock
from hub.errors import InvalidInput, NotFound
from hub.store.database import Write
from hub.store.evaluations import approvals, drafts
from hub.store.evaluations.drafts import Draft
from hub.store.evaluations.policies import end_policy
from hub.store.idempotency import Answer
from schema import services as contract

EVER = datetime(2000, 1, 1, tzinfo=UTC)
"""Before the first evaluation."""
LONGEST_REASON, LONGEST_NAME = 500, 64


@dataclass(frozen=True, slots=True)
class PolicySteps:
    """See the module. Each runs in a transaction of the hub's own, as the last thing in it."""

    secrets: Secrets
    clock: Clock

    async def draft(self, tx: Write, actor: str, document: Mapping[str, Any]) -> Draft:
        made = await drafts.draft_policy(tx, document, actor, self.clock.now())
        return await self._told(tx, actor, "policy.draft", None, made)

    async def try_out(self, tx: Write, actor: str, draft_id: UUID, since: datetime | None) -> Draft:
        """None ends the trial."""
        was = await drafts.draft(tx, draft_id)
        return await self._told(tx, actor, "policy.try", was, await drafts.try_draft(tx, draft_id, since))

    async def publish(self, tx: Write, actor: str, draft_id: UUID) -> Draft:
        was = await drafts.draft(tx, draft_id)
        now = await drafts.publish_draft(tx, draft_id, actor, self.clock.now(), self.clock.today())
        return await self._told(tx, actor, "policy.publish", was, now)

    async def discard(self, tx: Write, actor: str, draft_id: UUID, reason: str) -> Draft:
        _check_reason(reason)
        was = await drafts.draft(tx, draft_id)
        now = await drafts.discard_draft(tx, draft_id, actor, self.clock.now(), reason)
        return await self._told(tx, actor, "policy.discard", was, now, reason=reason)

    async def end(self, tx: Write, actor: str, named: tuple[str, str], on: date | None, reason: str) -> tuple[date, Policy]:
        """Takes a version (scenario and version) back from a day on, by default today. Returns that day, and what applies then."""
        _check_reason(reason)
        (scenario, version), today = named, self.clock.today()
        day = on or today
        applies = await end_policy(tx, scenario, version, (day, today), actor=actor, reason=reason, now=self.clock.now())
        after = {"ends_on": day, "reason": reason, "applies": applies.version}
        subject = f"policy:{scenario}:{version}"
        await audited(tx, self.secrets, actor=actor, action="policy.end", subject=subject, before={"ends_on": None}, after=after)
        return day, applies

    async def approve(self, tx: Write, actor: str, named: tuple[str, str], note: str) -> date:
        """Anew, by somebody who may publish; what was looked at is said. Returns the last day on which that holds."""
        _check_reason(note)
        day = await approvals.approve(tx, named, actor, note.strip(), self.clock.now())
        subject = f"policy:{named[0]}:{named[1]}"
        await audited(tx, self.secrets, actor=actor, action="policy.approve", subject=subject, after={"due_on": day, "note": note.strip()})
        return day

    async def _told(self, tx: Write, actor: str, action: str, was: Draft | None, now: Draft, **more: str) -> Draft:
        before = None if was is None else drafts.told(was)
        subject = f"policy:{now.policy.id}:{now.policy.version}"
        await audited(tx, self.secrets, actor=actor, action=action, subject=subject, before=before, after={**drafts.told(now), **more})
        return now


@dataclass(frozen=True, slots=True)
class PolicyServices:
    """The same steps for clients, once per idempotency key."""

    steps: PolicySteps
    calling: Calling

    async def draft(self, call: contract.Call, asked: contract.DraftPolicy) -> contract.DraftStep:
        # Every expression of a policy is tried out: that takes a while, in which others are to be answered.
        document = await asyncio.to_thread(read_text, asked.document)

        async def effect(tx: Write) -> Answer:
            return _answer(await self.steps.draft(tx, call.caller.client_id, document))

        return contract.DraftStep(**await self.calling.as_hub(call, effect))

    async def try_out(self, call: contract.Call, asked: contract.TryPolicyDraft) -> contract.DraftStep:
        if asked.stop and asked.since is not None:
            raise InvalidInput("A trial that is to end has no `since`.", remedy="Leave one of the two out.")
        since = None if asked.stop else asked.since or EVER

        async def effect(tx: Write) -> Answer:
            return _answer(await self.steps.try_out(tx, call.caller.client_id, _draft_id(asked.draft_id), since))

        return contract.DraftStep(**await self.calling.as_hub(call, effect))

    async def publish(self, call: contract.Call, asked: contract.PublishPolicyDraft) -> contract.DraftStep:
        async def effect(tx: Write) -> Answer:
            return _answer(await self.steps.publish(tx, call.caller.client_id, _draft_id(asked.draft_id)))

        return contract.DraftStep(**await self.calling.as_hub(call, effect))

    async def discard(self, call: contract.Call, asked: contract.DiscardPolicyDraft) -> contract.DraftStep:
        async def effect(tx: Write) -> Answer:
            return _answer(await self.steps.discard(tx, call.caller.client_id, _draft_id(asked.draft_id), asked.reason))

        return contract.DraftStep(**await self.calling.as_hub(call, effect))

    async def end(self, call: contract.Call, asked: contract.EndPolicyVersion) -> contract.PolicyEnded:
        if not 0 < len(asked.scenario) <= LONGEST_NAME or not 0 < len(asked.version) <= LONGEST_NAME:
            raise NotFound("There is no such version.", remedy="`policies` lists them.")

        async def effect(tx: Write) -> Answer:
            named = (asked.scenario, asked.version)
            day, applies = await self.steps.end(tx, call.caller.client_id, named, asked.on, asked.reason)
            return {"scenario": asked.scenario, "version": asked.version, "ends_on": day.isoformat(), "applies": applies.version}

        answer = await self.calling.as_hub(call, effect)
        return contract.PolicyEnded(**{**answer, "ends_on": date.fromisoformat(answer["ends_on"])})

    async def approve(self, call: contract.Call, asked: contract.ApprovePolicyVersion) -> contract.PolicyApproved:
        async def effect(tx: Write) -> Answer:
            day = await self.steps.approve(
                tx, call.caller.client_id, (asked.scenario[:LONGEST_NAME], asked.version[:LONGEST_NAME]), asked.note
            )
            return {"scenario": asked.scenario, "version": asked.version, "due_on": day.isoformat()}

        answer = await self.calling.as_hub(call, effect)
        return contract.PolicyApproved(**{**answer, "due_on": date.fromisoformat(answer["due_on"])})


def _answer(found: Draft) -> Answer:
    return {"draft_id": str(found.draft_id), "scenario": found.policy.id, "version": found.policy.version, "state": found.state}


def _draft_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such draft.", remedy="`policyDrafts` lists them.") from None


def _check_reason(reason: str) -> None:
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise InvalidInput(f"A reason has 1 to {LONGEST_REASON} characters.", remedy="Say why, for those who look back.")
