"""resolveDispute."""

from __future__ import annotations

from typing import Annotated

import strawberry

from hub.domain.enums import DisputeState
from schema import services
from schema.access import ANYONE, DataKind, access, asked, shown
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.problems import (
    ConsentMissing,
    IdempotencyKeyReused,
    InvalidInput,
    NotAllowed,
    NotFound,
    TryLater,
    outcome,
)


@strawberry.input(description="What became of a dispute.")
class ResolveDisputeInput:
    dispute_id: strawberry.ID = shown("The `id` of a dispute.")
    state: DisputeState = shown("CORRECTED: it was right, and the platform or the hub has corrected it. KEPT: what stands is right.")
    note: str = shown("What the customer is answered: 1 to 2,000 characters. It is kept sealed.")

    def value(self) -> services.ResolveDispute:
        return services.ResolveDispute(str(self.dispute_id), self.state.value, self.note)


@strawberry.type(description="It is answered. It goes on being shown with what it is about.", directives=[ANYONE])
class DisputeResolved:
    dispute_id: strawberry.ID = shown("The dispute.")


Asked = Annotated[ResolveDisputeInput, strawberry.argument(description="Which dispute, and the answer.")]
ResolveDisputeResult = Annotated[
    DisputeResolved | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("ResolveDisputeResult", description="That it is answered, or why not."),
]


@asked(
    "Answers what a customer objects to. A fact is corrected where it comes from, never here.", access("disputes:resolve", DataKind.PROFILE)
)
async def resolve_dispute(info: HubInfo, idempotency_key: Key, input: Asked) -> ResolveDisputeResult:
    async def run() -> DisputeResolved:
        done = await call(info, idempotency_key, info.context.services.resolve_dispute, input.value())
        return DisputeResolved(dispute_id=strawberry.ID(done))

    return await outcome(run)  # type: ignore[no-any-return]
