"""splitCustomer."""

from __future__ import annotations

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


@strawberry.input(description="A customer that was merged, and is not the same after all.")
class SplitCustomerInput:
    customer_id: strawberry.ID = shown("The customer that was merged: the `fromId` of the merge.")
    reason: str = shown("How it is known, in 1 to 500 characters, without anybody's name or number. Kept in the history.")

    def value(self) -> services.SplitCustomer:
        return services.SplitCustomer(str(self.customer_id), self.reason)


@strawberry.type(description="Both customers are what they were before the merge.", directives=[ANYONE])
class CustomerSplit:
    from_id: strawberry.ID = shown("The customer that stands by itself again.")
    into_id: strawberry.ID = shown("The customer that answered for it.")


Asked = Annotated[SplitCustomerInput, strawberry.argument(description="Which customer, and why.")]
SplitCustomerResult = Annotated[
    CustomerSplit | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("SplitCustomerResult", description="The split, or why not."),
]


@asked("Undoes a merge: both customers are what they were.", access("identity:write", DataKind.PROFILE))
async def split_customer(info: HubInfo, idempotency_key: Key, input: Asked) -> SplitCustomerResult:
    async def run() -> CustomerSplit:
        done = await call(info, idempotency_key, info.context.services.split_customer, input.value())
        return CustomerSplit(from_id=strawberry.ID(done.from_id), into_id=strawberry.ID(done.into_id))

    return await outcome(run)  # type: ignore[no-any-return]
