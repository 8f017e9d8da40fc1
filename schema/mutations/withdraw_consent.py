"""withdrawConsent."""

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


@strawberry.input(description="What the customer withdraws.")
class WithdrawConsentInput(OfSource):
    def value(self) -> services.WithdrawConsent:
        return services.WithdrawConsent(str(self.customer_id), self.source)


@strawberry.type(description="The consent is withdrawn: fetching and reading have ended.", directives=[ANYONE])
class ConsentWithdrawn(Stepped):
    """With the consent as it stands now."""


Asked = Annotated[WithdrawConsentInput, strawberry.argument(description="Whose consent, for which kind of source.")]
WithdrawConsentResult = Annotated[
    ConsentWithdrawn | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("WithdrawConsentResult", description="The consent as it stands now, or why nothing changed."),
]


@asked("Passes on that the customer withdraws a consent (PIPL 15).", access("consents:write", DataKind.CONSENT))
async def withdraw_consent(info: HubInfo, idempotency_key: Key, input: Asked) -> WithdrawConsentResult:
    async def run() -> ConsentWithdrawn:
        done = await call(info, idempotency_key, info.context.services.withdraw_consent, input.value())
        return ConsentWithdrawn(id=node_of(done))

    return await outcome(run)  # type: ignore[no-any-return]
