"""pauseConsent."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema import services
from schema.access import ANYONE, DataKind, access, asked
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.consent_step import OfSource, Stepped, node_of
from schema.mutations.problems import (
    ConsentMissing,
    IdempotencyKeyReused,
    InvalidInput,
    NotAllowed,
    NotFound,
    TryLater,
    outcome,
)


@strawberry.input(description="What the customer pauses.")
class PauseConsentInput(OfSource):
    def value(self) -> services.PauseConsent:
        return services.PauseConsent(str(self.customer_id), self.source)


@strawberry.type(description="The consent rests: nothing is fetched or read until it is resumed.", directives=[ANYONE])
class ConsentPaused(Stepped):
    """With the consent as it stands now."""


Asked = Annotated[PauseConsentInput, strawberry.argument(description="Whose consent, for which kind of source.")]
PauseConsentResult = Annotated[
    ConsentPaused | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("PauseConsentResult", description="The consent as it stands now, or why nothing changed."),
]


@asked(
    "Passes on that the customer pauses a consent: like a withdrawal, but it can be resumed.", access("consents:write", DataKind.CONSENT)
)
async def pause_consent(info: HubInfo, idempotency_key: Key, input: Asked) -> PauseConsentResult:
    async def run() -> ConsentPaused:
        done = await call(info, idempotency_key, info.context.services.pause_consent, input.value())
        return ConsentPaused(id=node_of(done))

    return await outcome(run)  # type: ignore[no-any-return]
