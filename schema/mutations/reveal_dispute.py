"""revealDispute."""

from __future__ import annotations

from typing import Annotated

import strawberry

from hub.domain.enums import Sensitivity
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


@strawberry.input(description="Which dispute.")
class RevealDisputeInput:
    dispute_id: strawberry.ID = shown("The `id` of a dispute.")

    def value(self) -> services.RevealDispute:
        return services.RevealDispute(str(self.dispute_id))


@strawberry.type(description="What was said, in plain text. Who was shown it stands in the access log.", directives=[ANYONE])
class DisputeRevealed:
    statement: str = shown("What the customer says.")
    note: str | None = shown("What was answered; null: nothing yet.")


Asked = Annotated[RevealDisputeInput, strawberry.argument(description="The dispute.")]
RevealDisputeResult = Annotated[
    DisputeRevealed | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("RevealDisputeResult", description="The text, or why it is not shown."),
]


@asked("Shows what a customer says in a dispute, and what was answered.", access("disputes:read", DataKind.PROFILE, Sensitivity.C2))
async def reveal_dispute(info: HubInfo, idempotency_key: Key, input: Asked) -> RevealDisputeResult:
    async def run() -> DisputeRevealed:
        done = await call(info, idempotency_key, info.context.services.reveal_dispute, input.value())
        return DisputeRevealed(statement=done.statement, note=done.note)

    return await outcome(run)  # type: ignore[no-any-return]
