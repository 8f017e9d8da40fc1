"""disableClient."""

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


@strawberry.input(description="Whom to refuse from now on.")
class DisableClientInput(WithReason):
    def value(self) -> services.DisableClient:
        return services.DisableClient(str(self.client_id), self.reason)


@strawberry.type(description="The client is refused from its next request on, and its tokens have ended for good.", directives=[ANYONE])
class ClientDisabled(Done):
    pass


Asked = Annotated[DisableClientInput, strawberry.argument(description="Which client, and why.")]
DisableClientResult = Annotated[
    ClientDisabled | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("DisableClientResult", description="That it is disabled, or why not."),
]


@asked(
    "Refuses a client from its next request on, whatever tokens it holds. Nothing of it is forgotten; `enableClient` lets it in again, with new tokens.",
    CLIENTS,
)
async def disable_client(info: HubInfo, idempotency_key: Key, input: Asked) -> DisableClientResult:
    async def run() -> ClientDisabled:
        done = await call(info, idempotency_key, info.context.services.disable_client, input.value())
        return ClientDisabled(client_id=strawberry.ID(done))

    return await outcome(run)  # type: ignore[no-any-return]
