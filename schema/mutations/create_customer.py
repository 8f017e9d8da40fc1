"""createCustomer."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from hub.domain.enums import CustomerCategory, PartyRole
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
    resident_id: str = shown(
        "居民身份证号, 18 characters (GB 11643-1999), x or X at the end; no blanks, no full-width digits, not the old 15 digits. Stored sealed; shown masked."
    )
    residence_city: str | None = strawberry.field(default=None, description="City of residence, as a region code or name.")

    def value(self) -> services.PersonInput:
        return services.PersonInput(self.name, self.resident_id, self.residence_city)


@strawberry.input(description="A person in a role at the customer.")
class PartyInput:
    role: PartyRole = shown("CONTROLLER (of a business), SPOUSE or GUARANTOR.")
    person: PersonInput = shown("Who.")
    since: date | None = strawberry.field(default=None, description="First day in the role, if it is known.")

    def value(self) -> services.PartyInput:
        return services.PartyInput(self.role.value, self.person.value(), self.since)


@strawberry.input(description="A new customer.")
class CreateCustomerInput:
    kind: CustomerKind = shown("ORG for a business, PERSON for a natural person.")
    name: str | None = strawberry.field(
        default=None, description="Registered name of the business; for a PERSON the person's name is taken."
    )
    uscc: str | None = strawberry.field(
        default=None,
        description="统一社会信用代码 of a business (GB 32100-2015), small letters or capitals; no blanks, no full-width digits.",
    )
    person: PersonInput = shown(
        "Who answers for the customer: the operator of an individual business (code 92...), the legal representative of any other; for a PERSON the customer."
    )
    category: CustomerCategory | None = strawberry.field(
        default=None,
        description="客户类别. Default: by kind and code. FARMER is for a PERSON, or a business whose code begins with 92 or 93.",
    )
    people: list[PartyInput] = strawberry.field(default_factory=list, description="Up to 20 further persons in roles; more by addParty.")

    def value(self) -> services.CreateCustomer:
        person, category = self.person.value(), self.category and self.category.value
        people = tuple(one.value() for one in self.people)
        return services.CreateCustomer(self.kind.value, self.name or person.name, self.uscc, person, category, people)


@strawberry.type(description="The customer is known to the hub, and to the asking client.", directives=[ANYONE])
class CustomerCreated:
    id: strawberry.Private[str]

    @asked("The customer; one of whom the same was said before keeps its id.", access("customers:read", DataKind.PROFILE), returns=Customer)
    async def customer(self, info: HubInfo) -> Customer:
        return await read_node(info, "Customer", self.id)  # type: ignore[no-any-return]


Asked = Annotated[CreateCustomerInput, strawberry.argument(description="Who the customer is.")]
CreateCustomerResult = Annotated[
    CustomerCreated | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("CreateCustomerResult", description="The customer, or why not."),
]


@asked(
    "Makes a customer known to the hub. Two clients that say the same of a subject share one customer; one that says something else gets another customer.",
    access("customers:write", DataKind.PROFILE),
)
async def create_customer(info: HubInfo, idempotency_key: Key, input: Asked) -> CreateCustomerResult:
    async def run() -> CustomerCreated:
        return CustomerCreated(id=await call(info, idempotency_key, info.context.services.create_customer, input.value()))

    return await outcome(run)  # type: ignore[no-any-return]
