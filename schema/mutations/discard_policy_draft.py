"""discardPolicyDraft."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema import services
from schema.access import ANYONE, asked, shown
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


@strawberry.input(description="What to discard, and why.")
class DiscardPolicyDraftInput(OfDraft):
    reason: str = shown("Why, for the audit: 1 to 500 characters, nothing personal.")

    def value(self) -> services.DiscardPolicyDraft:
        return services.DiscardPolicyDraft(str(self.draft_id), self.reason)


@strawberry.type(description="The draft is discarded, for good. It stays to be looked at.", directives=[ANYONE])
class PolicyDraftDiscarded(DraftDone):
    pass


Asked = Annotated[DiscardPolicyDraftInput, strawberry.argument(description="Which draft, and why.")]
DiscardPolicyDraftResult = Annotated[
    PolicyDraftDiscarded | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("DiscardPolicyDraftResult", description="The draft, or why not."),
]


@asked(
    "Discards a draft that is not published.",
    WRITE,
)
async def discard_policy_draft(info: HubInfo, idempotency_key: Key, input: Asked) -> DiscardPolicyDraftResult:
    async def run() -> PolicyDraftDiscarded:
        done = await call(info, idempotency_key, info.context.services.discard_policy_draft, input.value())
        return PolicyDraftDiscarded(**told(done))

    return await outcome(run)  # type: ignore[no-any-return]
