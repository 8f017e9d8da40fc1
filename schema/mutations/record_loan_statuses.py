"""recordLoanStatuses."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema import services
from schema.access import ANYONE, DataKind, access, asked, shown
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.loan_words import LoanStatusInput
from schema.mutations.problems import IdempotencyKeyReused, InvalidInput, NotAllowed, NotFound, TryLater, outcome


@strawberry.input(description="What the state of several loans is, of any customers the client sees.")
class RecordLoanStatusesInput:
    statuses: list[LoanStatusInput] = shown("At most 100, each loan and day once. All are kept, or none.")

    def value(self) -> services.RecordLoanStatuses:
        return services.RecordLoanStatuses(tuple(one.value() for one in self.statuses))


@strawberry.type(description="What the lender said is kept.", directives=[ANYONE])
class LoanStatusesRecorded:
    changed: int = shown("How many say something new.")
    unchanged: int = shown("How many had been said before.")


Asked = Annotated[RecordLoanStatusesInput, strawberry.argument(description="The loans.")]
RecordLoanStatusesResult = Annotated[
    LoanStatusesRecorded | InvalidInput | NotAllowed | NotFound | IdempotencyKeyReused | TryLater,
    strawberry.union("RecordLoanStatusesResult", description="That they are kept, or why none is."),
]


@asked("Records what the state of several loans is, as recordLoanStatus does of one.", access("loans:write", DataKind.PROFILE))
async def record_loan_statuses(info: HubInfo, idempotency_key: Key, input: Asked) -> RecordLoanStatusesResult:
    async def run() -> LoanStatusesRecorded:
        done = await call(info, idempotency_key, info.context.services.record_loan_statuses, input.value())
        return LoanStatusesRecorded(changed=done.changed, unchanged=done.unchanged)

    return await outcome(run)  # type: ignore[no-any-return]
