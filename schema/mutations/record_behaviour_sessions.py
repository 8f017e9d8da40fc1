"""recordBehaviourSessions."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import strawberry

from hub.domain.enums import SourceKind
from schema import services
from schema.access import ANYONE, access, asked, shown
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


@strawberry.input(description="One session of the customer in the partner's app. For fraud prevention only; barred from score and price.")
class BehaviourSessionInput:
    session_number: str = shown("Number of the session at the app; the same number again is the same session.")
    at: datetime = shown("Start of the session.")
    device: str = shown("Device identifier. Stored as a keyed hash and a mask.")
    city: str = shown("City of the IP address.")
    form_seconds: int | None = strawberry.field(default=None, description="Seconds spent on the form.")
    paste_ratio: Decimal | None = strawberry.field(default=None, description="Pasted share of the input, 0 to 1.")

    def value(self) -> services.Session:
        return services.Session(self.session_number, self.at, self.device, self.city, self.form_seconds, self.paste_ratio)


@strawberry.input(description="Sessions of one customer, and the days for which they are all there are.")
class RecordBehaviourSessionsInput:
    customer_id: strawberry.ID = shown("The customer, who must have consented to DEVICE.")
    sessions: list[BehaviourSessionInput] = shown("At most 500 sessions.")
    complete_from: date = shown(
        "First day for which the sessions are complete. A day without a session in this range is known to have none."
    )
    complete_until: date = shown("Last day for which they are complete.")

    def value(self) -> services.RecordBehaviourSessions:
        sessions = tuple(one.value() for one in self.sessions)
        return services.RecordBehaviourSessions(str(self.customer_id), sessions, self.complete_from, self.complete_until)


@strawberry.type(description="The sessions are facts now.", directives=[ANYONE])
class BehaviourSessionsRecorded:
    stored: int = shown("Sessions stored as new facts or new versions.")
    unchanged: int = shown("Sessions already known.")


Asked = Annotated[RecordBehaviourSessionsInput, strawberry.argument(description="The sessions, and the days for which they are complete.")]
RecordBehaviourSessionsResult = Annotated[
    BehaviourSessionsRecorded | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("RecordBehaviourSessionsResult", description="How many sessions were new, or why none was taken."),
]


@asked("Sends device and behaviour sessions of the partner's own app.", access("behaviour:write", SourceKind.DEVICE))
async def record_behaviour_sessions(info: HubInfo, idempotency_key: Key, input: Asked) -> RecordBehaviourSessionsResult:
    async def run() -> BehaviourSessionsRecorded:
        done = await call(info, idempotency_key, info.context.services.record_behaviour_sessions, input.value())
        return BehaviourSessionsRecorded(stored=done.stored, unchanged=done.unchanged)

    return await outcome(run)  # type: ignore[no-any-return]
