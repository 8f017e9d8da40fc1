"""resumeConsent."""

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


@strawberry.input(description="What the customer resumes.")
class ResumeConsentInput(OfSource):
    def value(self) -> services.ResumeConsent:
        return services.ResumeConsent(str(self.customer_id), self.source)


@strawberry.type(description="The consent is in force again.", directives=[ANYONE])
class ConsentResumed(Stepped):
    """With the consent as it stands now."""


Asked = Annotated[ResumeConsentInput, strawberry.argument(description="Whose consent, for which kind of source.")]
ResumeConsentResult = Annotated[
    ConsentResumed | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("ResumeConsentResult", description="The consent as it stands now, or why nothing changed."),
]


@asked("Passes on that the customer resumes a consent that was paused.", access("consents:write", DataKind.CONSENT))
async def resume_consent(info: HubInfo, idempotency_key: Key, input: Asked) -> ResumeConsentResult:
    async def run() -> ConsentResumed:
        done = await call(info, idempotency_key, info.context.services.resume_consent, input.value())
        return ConsentResumed(id=node_of(done))

    return await outcome(run)  # type: ignore[no-any-return]
