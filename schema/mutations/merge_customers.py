"""mergeCustomers."""

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


@strawberry.input(description="Two customers that are one and the same.")
class MergeCustomersInput:
    from_id: strawberry.ID = shown("The customer that is answered for from now on.")
    into_id: strawberry.ID = shown(
        "The customer that stays. Choose the one whose platforms are connected: evaluations are of its own data."
    )
    reason: str = shown("How it is known, in 1 to 500 characters, without anybody's name or number. Kept in the history.")

    def value(self) -> services.MergeCustomers:
        return services.MergeCustomers(str(self.from_id), str(self.into_id), self.reason)


@strawberry.type(description="One customer answers for the other, for every client that sees both.", directives=[ANYONE])
class CustomersMerged:
    from_id: strawberry.ID = shown("The customer that was merged.")
    into_id: strawberry.ID = shown("The customer that stays.")


Asked = Annotated[MergeCustomersInput, strawberry.argument(description="Which customer goes into which, and why.")]
MergeCustomersResult = Annotated[
    CustomersMerged | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("MergeCustomersResult", description="The merge, or why not."),
]


@asked(
    "Makes one customer answer for another that is the same. No data moves, no consent is widened, no client sees more than before; splitCustomer undoes it.",
    access("identity:write", DataKind.PROFILE),
)
async def merge_customers(info: HubInfo, idempotency_key: Key, input: Asked) -> MergeCustomersResult:
    async def run() -> CustomersMerged:
        done = await call(info, idempotency_key, info.context.services.merge_customers, input.value())
        return CustomersMerged(from_id=strawberry.ID(done.from_id), into_id=strawberry.ID(done.into_id))

    return await outcome(run)  # type: ignore[no-any-return]
