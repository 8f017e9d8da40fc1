"""narrowConsent."""

from __future__ import annotations

from datetime import date
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


@strawberry.input(description="What shall become narrower. What is left out stays as it is; nothing can become wider.")
class NarrowConsentInput(OfSource):
    scenarios: list[str] | None = strawberry.field(default=None, description="The scenarios that are left.")
    kinds: list[str] | None = strawberry.field(default=None, description="The kinds of fact that are left, by their type names.")
    data_from: date | None = strawberry.field(default=None, description="First day of the data.")
    data_to: date | None = strawberry.field(default=None, description="Last day of the data.")
    data_life_days: int | None = strawberry.field(default=None, description="Days the fetched data may be kept and read.")
    expires_on: date | None = strawberry.field(default=None, description="Last day of the consent, in China Standard Time.")

    def value(self) -> services.NarrowConsent:
        scenarios, kinds = (None if names is None else tuple(names) for names in (self.scenarios, self.kinds))
        days = (self.data_from, self.data_to, self.data_life_days, self.expires_on)
        return services.NarrowConsent(str(self.customer_id), self.source, scenarios, kinds, *days)


@strawberry.type(description="The consent covers less from now on.", directives=[ANYONE])
class ConsentNarrowed(Stepped):
    """With the consent as it stands now."""


Asked = Annotated[NarrowConsentInput, strawberry.argument(description="Whose consent, for which kind of source.")]
NarrowConsentResult = Annotated[
    ConsentNarrowed | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("NarrowConsentResult", description="The consent as it stands now, or why nothing changed."),
]


@asked(
    "Passes on that the customer makes a consent narrower: fewer scenarios, kinds or days, an earlier end, a shorter life of the data.",
    access("consents:write", DataKind.CONSENT),
)
async def narrow_consent(info: HubInfo, idempotency_key: Key, input: Asked) -> NarrowConsentResult:
    async def run() -> ConsentNarrowed:
        done = await call(info, idempotency_key, info.context.services.narrow_consent, input.value())
        return ConsentNarrowed(id=node_of(done))

    return await outcome(run)  # type: ignore[no-any-return]
