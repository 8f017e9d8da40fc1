"""registerClient."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import orjson
import strawberry

from hub import errors
from hub.domain.caller import documents_at_first
from hub.domain.enums import Purpose
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
from schema.types.enums import Audience, DocumentMode


@strawberry.input(description="A client of this hub.")
class RegisterClientInput:
    client_id: strawberry.ID = shown("2 to 64 lower case letters, digits, dots, dashes or underscores.")
    name: str = shown("Name for people.")
    audience: Audience = shown("Class of the client; it bounds the scopes.")
    scopes: list[str] = shown("Scopes it may ask for.")
    purposes: list[Purpose] = shown("Purposes it may name.")
    jwks: str = shown("JSON Web Key Set with one public key, or two while they are exchanged.")
    return_urls: list[str] = strawberry.field(default_factory=list, description="Addresses the link pages may send a customer back to.")
    bearer: bool = strawberry.field(default=False, description="May use unbound tokens; never for partners.")
    documents: DocumentMode | None = strawberry.field(
        default=None,
        description="With which documents it may ask. Default: ONLY for a PARTNER, whose documents `registerDocument` stores; OPEN for others.",
    )
    cost_per_minute: int | None = strawberry.field(
        default=None, description="What its operations may cost in one minute, altogether. Default: as its audience."
    )
    listed_from: date | None = strawberry.field(
        default=None,
        description="Of a PARTNER: first day on the institution's public list of platforms (白名单). Without it `enhancement:*` is worth nothing to it.",
    )
    listed_to: date | None = strawberry.field(default=None, description="Last day on it. Default: until further notice.")
    listed_in: str | None = strawberry.field(default=None, description="Where the list is published; goes with `listedFrom`.")

    @property
    def mode(self) -> DocumentMode:
        return self.documents or DocumentMode(documents_at_first(self.audience.value))

    def value(self) -> services.RegisterClient:
        try:
            jwks = orjson.loads(self.jwks)
        except orjson.JSONDecodeError:
            raise errors.InvalidInput("The key set is no JSON.") from None
        return services.RegisterClient(
            client_id=str(self.client_id),
            name=self.name,
            audience=self.audience.value,
            scopes=tuple(self.scopes),
            purposes=tuple(self.purposes),
            jwks=jwks,
            return_urls=tuple(self.return_urls),
            bearer=self.bearer,
            documents=self.mode.value,
            cost_per_minute=self.cost_per_minute,
            listed_from=self.listed_from,
            listed_to=self.listed_to,
            listed_in=self.listed_in,
        )


@strawberry.type(description="The client can ask for tokens.", directives=[ANYONE])
class ClientRegistered:
    client_id: strawberry.ID = shown("Its id.")
    documents: DocumentMode = shown(
        "With which documents it may ask. ONLY: store them with `registerDocument`, else it is answered nothing."
    )


Asked = Annotated[RegisterClientInput, strawberry.argument(description="The client, its scopes and its public keys.")]
RegisterClientResult = Annotated[
    ClientRegistered | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("RegisterClientResult", description="The client, or why not."),
]


@asked("Registers a client.", access("clients:write", DataKind.CLIENT))
async def register_client(info: HubInfo, idempotency_key: Key, input: Asked) -> RegisterClientResult:
    async def run() -> ClientRegistered:
        done = await call(info, idempotency_key, info.context.services.register_client, input.value())
        return ClientRegistered(client_id=strawberry.ID(done), documents=input.mode)

    return await outcome(run)  # type: ignore[no-any-return]
