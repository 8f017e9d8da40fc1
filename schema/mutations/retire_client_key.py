"""retireClientKey."""

from __future__ import annotations

from typing import Annotated

import strawberry

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


@strawberry.input(description="The key that a client uses no more.")
class RetireClientKeyInput(OfClient):
    thumbprint: str = shown("Thumbprint of the key, as `Client.keys` has it.")

    def value(self) -> services.RetireClientKey:
        return services.RetireClientKey(str(self.client_id), self.thumbprint)


@strawberry.type(description="The key counts no more.", directives=[ANYONE])
class ClientKeyRetired(Done):
    pass


Asked = Annotated[RetireClientKeyInput, strawberry.argument(description="Which client, and which of its keys.")]
RetireClientKeyResult = Annotated[
    ClientKeyRetired | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("RetireClientKeyResult", description="That it is retired, or why not."),
]


@asked(
    "Retires a client's key: nothing that is signed with it proves the client any more. Tokens that it got before go on to their end; `revokeClientTokens` ends them.",
    CLIENTS,
)
async def retire_client_key(info: HubInfo, idempotency_key: Key, input: Asked) -> RetireClientKeyResult:
    async def run() -> ClientKeyRetired:
        done = await call(info, idempotency_key, info.context.services.retire_client_key, input.value())
        return ClientKeyRetired(client_id=strawberry.ID(done))

    return await outcome(run)  # type: ignore[no-any-return]
