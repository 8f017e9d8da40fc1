"""requestHumanReview."""

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


@strawberry.input(description="Which decision a person shall look at.")
class RequestHumanReviewInput:
    customer_id: strawberry.ID = shown("The customer.")
    evaluation_id: strawberry.ID = shown("The `id` of the evaluation that the customer does not accept from a machine alone.")
    statement: str | None = strawberry.field(
        default=None, description="What the customer says to it: up to 2,000 characters, kept sealed. He need not say anything."
    )

    def value(self) -> services.RequestHumanReview:
        return services.RequestHumanReview(str(self.customer_id), str(self.evaluation_id), self.statement)


@strawberry.type(
    description="A person will decide. Until `resolveDispute` answers it, what is evaluated for this scenario has the outcome REFER_MANUAL, with the reason D02.",
    directives=[ANYONE],
)
class HumanReviewRequested:
    dispute_id: strawberry.ID = shown("Its id, among `disputes`.")
    due_on: date = shown("Day by which it must be answered.")


Asked = Annotated[RequestHumanReviewInput, strawberry.argument(description="Whose decision, and which.")]
RequestHumanReviewResult = Annotated[
    HumanReviewRequested | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("RequestHumanReviewResult", description="Its id and when it is due, or why it was not kept."),
]


@asked(
    "人工复核: passes on that the customer refuses a decision by automated means alone (PIPL 24).",
    access("disputes:write", DataKind.PROFILE),
)
async def request_human_review(info: HubInfo, idempotency_key: Key, input: Asked) -> RequestHumanReviewResult:
    async def run() -> HumanReviewRequested:
        done = await call(info, idempotency_key, info.context.services.request_human_review, input.value())
        return HumanReviewRequested(dispute_id=strawberry.ID(done.dispute_id), due_on=done.due_on)

    return await outcome(run)  # type: ignore[no-any-return]
