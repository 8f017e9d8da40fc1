"""SyncAttempt and SyncWait: each request of a run, and each pause."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from schema.access import OPERATIONS, shown
from schema.types.enums import AttemptOutcome, WaitKind


@strawberry.type(
    description="One request that was sent to a platform. One that was ANSWERED is a raw page, one that FAILED brought no page.",
    directives=[OPERATIONS],
)
class SyncAttempt:
    id: strawberry.ID = shown("Opaque id.")
    at: datetime = shown("When its answer came, or failed to (real time).")
    stream: str = shown("Stream of the connector.")
    window_first: date = shown("First day of the window it asked for.")
    outcome: AttemptOutcome = shown("Whether it brought a page.")
    fault: str | None = shown("Class of the fault; null when it was answered.")
    detail: str | None = shown("What the fault said, at most 500 characters. Never a value.")
    status: int | None = shown("HTTP status; null: no answer came.")
    interaction: str | None = shown("Id that was sent along as X-Interaction-Id: by it the platform finds the call in its own logs.")
    repeated: bool = shown("It was the repetition of one that brought no page.")


@strawberry.type(description="One pause of a run.", directives=[OPERATIONS])
class SyncWait:
    id: strawberry.ID = shown("Opaque id.")
    kind: WaitKind = shown(
        "RETRY: before a failed request is repeated. WAIT: the platform or its quota asks for it. PARK: the run gives its worker back."
    )
    at: datetime = shown("When it began; for a WAIT for quota, when it was over (database time).")
    seconds: Decimal = shown("How long, in seconds.")
    until: datetime = shown("`at` and `seconds` together: for a PARK, when the run is taken up again.")
    stream: str = shown("Stream of the connector.")
    window_first: date = shown("First day of the window that waits.")
    fault: str | None = shown("Class of the fault that brought it about.")
    reason: str | None = shown("Why, at most 500 characters. Never a value.")
