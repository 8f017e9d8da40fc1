"""addClientKey."""

from __future__ import annotations

from typing import Annotated

import orjson
import strawberry

from hub import errors
from schema import services
from schema.access import ANYONE, asked, shown
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.client_step import CLIENTS, Done, OfClient
from schema.mutations.problems import (
    ConsentMissing,
    IdempotencyKeyReused,
    InvalidInput,
    NotAllowed,
    NotFound,
    TryLater,
    outcome,
)


@strawberry.input(description="The key that follows a client's present one.")
class AddClientKeyInput(OfClient):
    jwk: str = shown("One public JSON Web Key with a `kid` of its own: EC P-256, Ed25519, or RSA of 2048 bits and more.")

    def value(self) -> services.AddClientKey:
        try:
            jwk = orjson.loads(self.jwk)
        except orjson.JSONDecodeError:
            raise errors.InvalidInput("The key is no JSON.") from None
        return services.AddClientKey(str(self.client_id), jwk)


@strawberry.type(description="The key counts, beside the one before.", directives=[ANYONE])
class ClientKeyAdded(Done):
    thumbprint: str = shown("Thumbprint of the key (RFC 7638): `retireClientKey` names a key by it.")


Asked = Annotated[AddClientKeyInput, strawberry.argument(description="Which client, and its new public key.")]
AddClientKeyResult = Annotated[
    ClientKeyAdded | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("AddClientKeyResult", description="The key, or why not."),
]


@asked("Adds a client's next key. A client has two keys at most: the one in use, and the one that follows it.", CLIENTS)
async def add_client_key(info: HubInfo, idempotency_key: Key, input: Asked) -> AddClientKeyResult:
    async def run() -> ClientKeyAdded:
        value = input.value()
        made = await call(info, idempotency_key, info.context.services.add_client_key, value)
        return ClientKeyAdded(client_id=input.client_id, thumbprint=made)

    return await outcome(run)  # type: ignore[no-any-return]
