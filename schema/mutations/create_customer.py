"""createCustomer."""

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
from schema.stored import read_node
from schema.types.customer import Customer
from schema.types.enums import CustomerKind


@strawberry.input(description="A natural person, by the resident ID.")
class PersonInput:
    name: str = shown("Full name. Stored sealed; shown masked.")
    resident_id: str = shown("居民身份证号, 18 characters (GB 11643). Stored sealed; shown masked.")
    residence_city: str | None = strawberry.field(default=None, description="City of residence, as a region code or name.")


@strawberry.input(description="A new customer.")
class CreateCustomerInput:
    kind: CustomerKind = shown("ORG for a business, PERSON for a natural person.")
    name: str | None = strawberry.field(
        default=None, description="Registered name of the business; for a PERSON the person's name is taken."
    )
    uscc: str | None = strawberry.field(default=None, description="统一社会信用代码 of a business (GB 32100-2015).")
    person: PersonInput = shown("The operator or legal representative of the business; for a PERSON the customer.")

    def value(self) -> services.CreateCustomer:
        person = services.PersonInput(self.person.name, self.person.resident_id, self.person.residence_city)
        return services.CreateCustomer(self.kind.value, self.name or person.name, self.uscc, person)


@strawberry.type(description="The customer is known to the hub, and to the asking client.", directives=[ANYONE])
class CustomerCreated:
    id: strawberry.Private[str]

    @asked("The customer; one that was known already keeps its id.", access("customers:read", DataKind.PROFILE), returns=Customer)
    async def customer(self, info: HubInfo) -> Customer:
        return await read_node(info, "Customer", self.id)  # type: ignore[no-any-return]


Asked = Annotated[CreateCustomerInput, strawberry.argument(description="Who the customer is.")]
CreateCustomerResult = Annotated[
    CustomerCreated | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("CreateCustomerResult", description="The customer, or why not."),
]


@asked("Makes a customer known to the hub.", access("customers:write", DataKind.PROFILE))
async def create_customer(info: HubInfo, idempotency_key: Key, input: Asked) -> CreateCustomerResult:
    async def run() -> CustomerCreated:
        return CustomerCreated(id=await call(info, idempotency_key, info.context.services.create_customer, input.value()))

    return await outcome(run)  # type: ignore[no-any-return]
