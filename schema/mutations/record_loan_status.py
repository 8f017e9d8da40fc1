"""recordLoanStatus."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema.access import ANYONE, DataKind, access, asked, shown
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.loan_words import LoanStatusInput
from schema.mutations.problems import IdempotencyKeyReused, InvalidInput, NotAllowed, NotFound, TryLater, outcome
from schema.stored import read_node
from schema.types.customer import Customer


@strawberry.type(description="What the lender said is kept. Running loans are evaluated anew soon after.", directives=[ANYONE])
class LoanStatusRecorded:
    id: strawberry.Private[str]
    changed: bool = shown("False: the same had been said of that day before.")

    @asked("The customer with its loans.", access("customers:read", DataKind.PROFILE), returns=Customer)
    async def customer(self, info: HubInfo) -> Customer:
        return await read_node(info, "Customer", self.id)  # type: ignore[no-any-return]


Asked = Annotated[LoanStatusInput, strawberry.argument(description="The loan, and the day.")]
RecordLoanStatusResult = Annotated[
    LoanStatusRecorded | InvalidInput | NotAllowed | NotFound | IdempotencyKeyReused | TryLater,
    strawberry.union("RecordLoanStatusResult", description="That it is kept, or why not."),
]


@asked(
    "Records what the state of a loan is: drawn, due, days past due. The lender's own data: no platform's consent is needed for it.",
    access("loans:write", DataKind.PROFILE),
)
async def record_loan_status(info: HubInfo, idempotency_key: Key, input: Asked) -> RecordLoanStatusResult:
    async def run() -> LoanStatusRecorded:
        done = await call(info, idempotency_key, info.context.services.record_loan_status, input.value())
        return LoanStatusRecorded(id=done.customers[0], changed=done.changed > 0)

    return await outcome(run)  # type: ignore[no-any-return]
