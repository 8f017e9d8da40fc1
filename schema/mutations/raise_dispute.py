"""raiseDispute."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

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


@strawberry.input(description="What a customer objects to.")
class RaiseDisputeInput:
    customer_id: strawberry.ID = shown("The customer.")
    about: strawberry.ID = shown("The `id` of an evaluation or of a fact.")
    statement: str = shown("What the customer says: 1 to 2,000 characters. It is kept sealed.")
    feature_id: str | None = strawberry.field(
        default=None, description="Of an evaluation: the value that is meant, for example `ss_refund_rate`. Default: its result."
    )

    def value(self) -> services.RaiseDispute:
        return services.RaiseDispute(str(self.customer_id), str(self.about), self.feature_id, self.statement)


@strawberry.type(description="It is kept, and shown with what it is about.", directives=[ANYONE])
class DisputeRaised:
    dispute_id: strawberry.ID = shown("Its id.")
    due_on: date = shown("Day by which it must be answered.")


Asked = Annotated[RaiseDisputeInput, strawberry.argument(description="Who objects, to what, and why.")]
RaiseDisputeResult = Annotated[
    DisputeRaised | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("RaiseDisputeResult", description="Its id and when it is due, or why it was not kept."),
]


@asked("异议: passes on that a customer objects to a fact or to a value of an evaluation.", access("disputes:write", DataKind.PROFILE))
async def raise_dispute(info: HubInfo, idempotency_key: Key, input: Asked) -> RaiseDisputeResult:
    async def run() -> DisputeRaised:
        done = await call(info, idempotency_key, info.context.services.raise_dispute, input.value())
        return DisputeRaised(dispute_id=strawberry.ID(done.dispute_id), due_on=done.due_on)

    return await outcome(run)  # type: ignore[no-any-return]
