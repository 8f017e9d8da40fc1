"""enableClient."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema import services
from schema.access import ANYONE, asked
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.client_step import CLIENTS, Done, WithReason
from schema.mutations.problems import (
    ConsentMissing,
    IdempotencyKeyReused,
    InvalidInput,
    NotAllowed,
    NotFound,
    TryLater,
    outcome,
)


@strawberry.input(description="Whom to let in again.")
class EnableClientInput(WithReason):
    def value(self) -> services.EnableClient:
        return services.EnableClient(str(self.client_id), self.reason)


@strawberry.type(description="The client may ask for tokens again.", directives=[ANYONE])
class ClientEnabled(Done):
    pass


Asked = Annotated[EnableClientInput, strawberry.argument(description="Which client, and why.")]
EnableClientResult = Annotated[
    ClientEnabled | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("EnableClientResult", description="That it is enabled, or why not."),
]


@asked("Lets a client that was disabled ask for tokens again. Tokens from before stay ended.", CLIENTS)
async def enable_client(info: HubInfo, idempotency_key: Key, input: Asked) -> EnableClientResult:
    async def run() -> ClientEnabled:
        done = await call(info, idempotency_key, info.context.services.enable_client, input.value())
        return ClientEnabled(client_id=strawberry.ID(done))

    return await outcome(run)  # type: ignore[no-any-return]
