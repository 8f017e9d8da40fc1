"""PlatformStatus."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from schema.access import OPERATIONS, shown
from schema.types.enums import Circuit


@strawberry.type(
    description="One platform credential as all workers on all hosts share it: its quota and its circuit breaker. It belongs to no customer.",
    directives=[OPERATIONS],
)
class PlatformStatus:
    connector: str = shown("Platform.")
    credential: str = shown("Keyed hash of the hub's identity at the platform: tells two credentials apart, and nothing else.")
    circuit: Circuit = shown("CLOSED: calls leave. OPEN: none does. HALF_OPEN: one probe is under way.")
    circuit_failures: int = shown("Calls in a row that the platform did not answer, or answered with 5xx.")
    circuit_until: datetime | None = shown("OPEN: when a probe may leave. HALF_OPEN: until when its outcome is waited for.")
    parked_until: datetime | None = shown("The platform asked everybody to wait until then; null: it did not, or that is over.")
    in_flight: int = shown("Calls that may be under way now: places that processes hold.")
    in_flight_limit: int | None = shown("How many may be; null: the connector is not configured on the host that answers.")
    used_this_minute: int = shown("Calls of this minute, with those that the platform counted beyond the hub's own.")
    left_this_minute: int | None = shown("Calls left of this minute; null: the platform sets no limit per minute.")
    retries_this_minute: int = shown("Repetitions among the calls of this minute.")
    used_today: int = shown("Calls of today (China Standard Time), with those that the platform counted beyond the hub's own.")
    left_today: int | None = shown("Calls left today; null: the platform sets no limit per day.")
    assessment_id: str | None = shown(
        "The institution's record of the impact assessment (PIPL 55) by which the connector is enabled. Null: not stated; it was enabled before that was asked."
    )
    assessed_on: date | None = shown("The day of that assessment.")
