"""revokeClientTokens."""

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


@strawberry.input(description="Whose tokens to end.")
class RevokeClientTokensInput(WithReason):
    def value(self) -> services.RevokeClientTokens:
        return services.RevokeClientTokens(str(self.client_id), self.reason)


@strawberry.type(description="Every token that the client held is refused from its next request on.", directives=[ANYONE])
class ClientTokensRevoked(Done):
    pass


Asked = Annotated[RevokeClientTokensInput, strawberry.argument(description="Which client, and why.")]
RevokeClientTokensResult = Annotated[
    ClientTokensRevoked | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("RevokeClientTokensResult", description="That they have ended, or why not."),
]


@asked(
    "Ends every token that a client holds, from its next request on. It may ask for new ones at once: where its key is in wrong hands, retire the key first, or disable the client.",
    CLIENTS,
)
async def revoke_client_tokens(info: HubInfo, idempotency_key: Key, input: Asked) -> RevokeClientTokensResult:
    async def run() -> ClientTokensRevoked:
        done = await call(info, idempotency_key, info.context.services.revoke_client_tokens, input.value())
        return ClientTokensRevoked(client_id=strawberry.ID(done))

    return await outcome(run)  # type: ignore[no-any-return]
