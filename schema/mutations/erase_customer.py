"""eraseCustomer."""

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


@strawberry.input(description="Whom to erase.")
class EraseCustomerInput:
    customer_id: strawberry.ID = shown("The customer.")
    reason: str = shown("Why, for the tombstone: 1 to 200 characters, and nothing personal.")

    def value(self) -> services.EraseCustomer:
        return services.EraseCustomer(str(self.customer_id), self.reason)


@strawberry.type(
    description="The subject's data key is destroyed: nothing that it sealed is readable any more, in backups neither. The rest follows within minutes.",
    directives=[ANYONE],
)
class CustomerErased:
    customer_id: strawberry.ID = shown("The id that is left, in tombstones and decisions.")
    keys_destroyed: int = shown("How many data keys went; 0 if the subject had been erased before.")


Asked = Annotated[EraseCustomerInput, strawberry.argument(description="Whom, and why.")]
EraseCustomerResult = Annotated[
    CustomerErased | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("EraseCustomerResult", description="What is left, or why nothing was erased."),
]


@asked("Erases a whole subject, for good (PIPL 47). What was decided stays, and names nobody.", access("customers:erase", DataKind.PROFILE))
async def erase_customer(info: HubInfo, idempotency_key: Key, input: Asked) -> EraseCustomerResult:
    async def run() -> CustomerErased:
        done = await call(info, idempotency_key, info.context.services.erase_customer, input.value())
        return CustomerErased(customer_id=strawberry.ID(done.customer_id), keys_destroyed=done.keys)

    return await outcome(run)  # type: ignore[no-any-return]
