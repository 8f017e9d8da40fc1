"""draftPolicy."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema import services
from schema.access import ANYONE, asked, shown
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.policy_step import WRITE, DraftDone, told
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


@strawberry.input(description="A policy to write down.")
class DraftPolicyInput:
    document: str = shown(
        "The policy as JSON text, at most 65,536 characters, with a version of its own. The lines of the faults are those of this text."
    )

    def value(self) -> services.DraftPolicy:
        return services.DraftPolicy(self.document)


@strawberry.type(description="The draft is kept. Nobody is evaluated by it.", directives=[ANYONE])
class PolicyDrafted(DraftDone):
    pass


Asked = Annotated[DraftPolicyInput, strawberry.argument(description="The policy.")]
DraftPolicyResult = Annotated[
    PolicyDrafted | PolicyInvalid | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("DraftPolicyResult", description="The draft, or every fault of the document."),
]


@asked(
    "Keeps a policy as a draft, under the client's name. It is checked whole: one with a fault is refused, with every fault by its line.",
    WRITE,
)
async def draft_policy(info: HubInfo, idempotency_key: Key, input: Asked) -> DraftPolicyResult:
    async def run() -> PolicyDrafted:
        done = await call(info, idempotency_key, info.context.services.draft_policy, input.value())
        return PolicyDrafted(**told(done))

    return await outcome(run)  # type: ignore[no-any-return]
