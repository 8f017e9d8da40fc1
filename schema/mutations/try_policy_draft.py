"""tryPolicyDraft."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from schema import services
from schema.access import ANYONE, asked
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.policy_step import WRITE, DraftDone, OfDraft, told
from schema.mutations.problems import (
    ConsentMissing,
    IdempotencyKeyReused,
    InvalidInput,
    NotAllowed,
    NotFound,
    TryLater,
    outcome,
)


@strawberry.input(description="What to try, and over which evaluations.")
class TryPolicyDraftInput(OfDraft):
    since: datetime | None = strawberry.field(default=None, description="Only evaluations made since this instant. Default: all.")
    stop: bool = strawberry.field(default=False, description="End the trial instead. What it has found stays.")

    def value(self) -> services.TryPolicyDraft:
        return services.TryPolicyDraft(str(self.draft_id), self.since, self.stop)


@strawberry.type(description="The trial has begun, or has ended.", directives=[ANYONE])
class PolicyDraftTried(DraftDone):
    pass


Asked = Annotated[TryPolicyDraftInput, strawberry.argument(description="Which draft, and since when.")]
TryPolicyDraftResult = Annotated[
    PolicyDraftTried | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("TryPolicyDraftResult", description="The draft, or why not."),
]


@asked(
    "Begins a trial: the workers make evaluations once more by the draft, those that are there and those that come, and no decision changes. `policyDrafts` shows how far it is, and what would change.",
    WRITE,
)
async def try_policy_draft(info: HubInfo, idempotency_key: Key, input: Asked) -> TryPolicyDraftResult:
    async def run() -> PolicyDraftTried:
        done = await call(info, idempotency_key, info.context.services.try_policy_draft, input.value())
        return PolicyDraftTried(**told(done))

    return await outcome(run)  # type: ignore[no-any-return]
