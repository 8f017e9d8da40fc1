"""revealPersonalField."""

from __future__ import annotations

from typing import Annotated

import strawberry

from hub.domain.enums import PersonalField, Sensitivity
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

_REVEALED = access("personal:reveal", DataKind.PROFILE, Sensitivity.C2)


@strawberry.input(description="Which value of whom.")
class RevealPersonalFieldInput:
    customer_id: strawberry.ID = shown("The customer.")
    role: str = shown("Role of the party, as `Party.role`.")
    field: PersonalField = shown("What is asked for.")
    party_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Which party, as `Party.id`: needed where several have the role, or where it is a former party. Default: the one that has the role today.",
    )

    def value(self) -> services.RevealPersonalField:
        party_id = None if self.party_id is None else str(self.party_id)
        return services.RevealPersonalField(str(self.customer_id), self.role, self.field, party_id)


@strawberry.type(
    description="One value in plain text. It is on the access log, with client and purpose, before it is answered.", directives=[ANYONE]
)
class PersonalFieldRevealed:
    value: str = shown("The value.", _REVEALED)


Asked = Annotated[RevealPersonalFieldInput, strawberry.argument(description="Which value of whom.")]
RevealPersonalFieldResult = Annotated[
    PersonalFieldRevealed | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("RevealPersonalFieldResult", description="The value, or why it is not shown."),
]


@asked("Shows one personal value that is masked everywhere else, for the purpose of the asking token.", _REVEALED)
async def reveal_personal_field(info: HubInfo, idempotency_key: Key, input: Asked) -> RevealPersonalFieldResult:
    async def run() -> PersonalFieldRevealed:
        return PersonalFieldRevealed(value=await call(info, idempotency_key, info.context.services.reveal_personal_field, input.value()))

    return await outcome(run)  # type: ignore[no-any-return]
