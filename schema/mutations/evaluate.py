"""evaluate."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
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
from schema.stored import read_node
from schema.types.enums import LoanPurpose
from schema.types.evaluation import Evaluation


@strawberry.input(description="What to evaluate.")
class EvaluateInput:
    customer_id: strawberry.ID = shown("The customer.")
    scenario: str = shown("Scenario, for example `S03`.")
    purpose: LoanPurpose = strawberry.field(default=LoanPurpose.OPERATING, description="What the money is for.")
    requested_amount: Decimal | None = strawberry.field(default=None, description="Amount asked for, in yuan.")
    as_of: date | None = strawberry.field(default=None, description="Day the evaluation speaks of. Default: today.")
    known_at: datetime | None = strawberry.field(default=None, description="Facts known up to this instant are used. Default: now.")

    def value(self) -> services.Evaluate:
        return services.Evaluate(str(self.customer_id), self.scenario, self.purpose.value, self.requested_amount, self.as_of, self.known_at)


@strawberry.type(description="An evaluation was made and stored. Whatever came out of it is in its outcome.", directives=[ANYONE])
class EvaluationMade:
    id: strawberry.Private[str]

    @asked("The evaluation.", access("enhancement:read", DataKind.RESULT))
    async def evaluation(self, info: HubInfo) -> Evaluation:
        return await read_node(info, "Evaluation", self.id)  # type: ignore[no-any-return]


Asked = Annotated[EvaluateInput, strawberry.argument(description="Whom to evaluate, for which scenario.")]
EvaluateResult = Annotated[
    EvaluationMade | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("EvaluateResult", description="The evaluation, or why none was made."),
]


@asked("Evaluates a customer for a scenario, from the facts the hub has.", access("enhancement:evaluate", DataKind.RESULT))
async def evaluate(info: HubInfo, idempotency_key: Key, input: Asked) -> EvaluateResult:
    async def run() -> EvaluationMade:
        made = await call(info, idempotency_key, info.context.services.evaluate, input.value())
        return EvaluationMade(id=f"Evaluation:{made.customer_id}:{made.evaluation_id}")

    return await outcome(run)  # type: ignore[no-any-return]
