"""publishPolicyDraft."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema import services
from schema.access import ANYONE, asked
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.policy_step import APPROVE, DraftDone, OfDraft, told
from schema.mutations.problems import (
    ConsentMissing,
    IdempotencyKeyReused,
    InvalidInput,
    NotAllowed,
    NotFound,
    PolicyInvalid,
    TryLater,
    outcome,
)


@strawberry.input(description="What to publish.")
class PublishPolicyDraftInput(OfDraft):
    def value(self) -> services.PublishPolicyDraft:
        return services.PublishPolicyDraft(str(self.draft_id))


@strawberry.type(description="The draft is a published version, and applies from its first day on.", directives=[ANYONE])
class PolicyDraftPublished(DraftDone):
    pass


Asked = Annotated[PublishPolicyDraftInput, strawberry.argument(description="Which draft.")]
PublishPolicyDraftResult = Annotated[
    PolicyDraftPublished | PolicyInvalid | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("PublishPolicyDraftResult", description="The draft, or why not."),
]


@asked(
    "Publishes a draft that somebody else wrote (four eyes): NotAllowed for the client that drafted it. It cannot begin on a day that is over, nor before its impact was "
    "assessed (PIPL 55): the document names the record (`assessment`).",
    APPROVE,
)
async def publish_policy_draft(info: HubInfo, idempotency_key: Key, input: Asked) -> PublishPolicyDraftResult:
    async def run() -> PolicyDraftPublished:
        done = await call(info, idempotency_key, info.context.services.publish_policy_draft, input.value())
        return PolicyDraftPublished(**told(done))

    return await outcome(run)  # type: ignore[no-any-return]
