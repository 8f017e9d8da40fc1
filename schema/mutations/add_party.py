"""addParty."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from hub.domain.enums import PartyRole
from schema import services
from schema.access import ANYONE, DataKind, access, asked, shown
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.create_customer import PersonInput
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


@strawberry.input(description="A person who takes a role at a customer.")
class AddPartyInput:
    customer_id: strawberry.ID = shown("The customer.")
    role: PartyRole = shown("The role. OPERATOR and LEGAL_REP are one person's at a time: end the one before first.")
    person: PersonInput = shown("Who.")
    since: date | None = strawberry.field(default=None, description="First day in the role. Default: today.")

    def value(self) -> services.AddParty:
        return services.AddParty(str(self.customer_id), self.role.value, self.person.value(), self.since)


@strawberry.type(description="The person has the role; one who had it already keeps it.", directives=[ANYONE])
class PartyAdded:
    id: strawberry.Private[str]
    party_id: strawberry.ID = shown("Id of the party, for endParty.")

    @asked("The customer with its parties.", access("customers:read", DataKind.PROFILE), returns=Customer)
    async def customer(self, info: HubInfo) -> Customer:
        return await read_node(info, "Customer", self.id)  # type: ignore[no-any-return]


Asked = Annotated[AddPartyInput, strawberry.argument(description="Who takes which role at whom.")]
AddPartyResult = Annotated[
    PartyAdded | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("AddPartyResult", description="The party, or why not."),
]


@asked("Adds a person in a role to a customer: a new operator, a spouse, a guarantor.", access("customers:write", DataKind.PROFILE))
async def add_party(info: HubInfo, idempotency_key: Key, input: Asked) -> AddPartyResult:
    async def run() -> PartyAdded:
        done = await call(info, idempotency_key, info.context.services.add_party, input.value())
        return PartyAdded(id=done.customer_id, party_id=strawberry.ID(done.party_id))

    return await outcome(run)  # type: ignore[no-any-return]
