"""resumeConsent."""

from __future__ import annotations

from typing import Annotated

import strawberry

from hub.domain.enums import SourceKind
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
from schema.stored import read_node
from schema.types.consent import Consent


@strawberry.input(description="What the customer resumes.")
class ResumeConsentInput:
    customer_id: strawberry.ID = shown("The customer.")
    source: SourceKind = shown("Kind of source, for the purpose of the asking token.")

    def value(self) -> services.ResumeConsent:
        return services.ResumeConsent(str(self.customer_id), self.source)


@strawberry.type(description="The consent is in force again.", directives=[ANYONE])
class ConsentResumed:
    id: strawberry.Private[str]

    @asked("The consent.", access("customers:read", DataKind.CONSENT))
    async def consent(self, info: HubInfo) -> Consent:
        return await read_node(info, "Consent", self.id)  # type: ignore[no-any-return]


Asked = Annotated[ResumeConsentInput, strawberry.argument(description="Whose consent, for which kind of source.")]
ResumeConsentResult = Annotated[
    ConsentResumed | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("ResumeConsentResult", description="The consent as it stands now, or why nothing changed."),
]


@asked("Passes on that the customer resumes a consent that was paused.", access("consents:write", DataKind.CONSENT))
async def resume_consent(info: HubInfo, idempotency_key: Key, input: Asked) -> ResumeConsentResult:
    async def run() -> ConsentResumed:
        done = await call(info, idempotency_key, info.context.services.resume_consent, input.value())
        return ConsentResumed(id=f"Consent:{done.customer_id}:{done.consent_id}")

    return await outcome(run)  # type: ignore[no-any-return]
