"""endParty."""

from __future__ import annotations

from datetime import date
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


@strawberry.input(description="A role at a customer that has ended.")
class EndPartyInput:
    customer_id: strawberry.ID = shown("The customer.")
    party_id: strawberry.ID = shown("The party, as `parties` names it. The SUBJECT cannot be ended.")
    until: date | None = strawberry.field(default=None, description="First day no longer in the role. Default: today.")
    reason: str = shown("Why, in 1 to 500 characters, without anybody's name or number. Kept in the history.")

    def value(self) -> services.EndParty:
        return services.EndParty(str(self.customer_id), str(self.party_id), self.until, self.reason)


@strawberry.type(description="The role has ended. What was decided while it lasted stays as it is.", directives=[ANYONE])
class PartyEnded:
    id: strawberry.Private[str]
    party_id: strawberry.ID = shown("Id of the party.")

    @asked("The customer with its parties.", access("customers:read", DataKind.PROFILE), returns=Customer)
    async def customer(self, info: HubInfo) -> Customer:
        return await read_node(info, "Customer", self.id)  # type: ignore[no-any-return]


Asked = Annotated[EndPartyInput, strawberry.argument(description="Which role ends, when and why.")]
EndPartyResult = Annotated[
    PartyEnded | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("EndPartyResult", description="The party, or why not."),
]


@asked("Ends a person's role at a customer. The party stays among the former ones.", access("customers:write", DataKind.PROFILE))
async def end_party(info: HubInfo, idempotency_key: Key, input: Asked) -> EndPartyResult:
    async def run() -> PartyEnded:
        done = await call(info, idempotency_key, info.context.services.end_party, input.value())
        return PartyEnded(id=done.customer_id, party_id=strawberry.ID(done.party_id))

    return await outcome(run)  # type: ignore[no-any-return]
