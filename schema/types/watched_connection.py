"""WatchedConnection and WatchedRun: how fetching goes, for operators. They point at each other, hence one file."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import strawberry

from hub.domain.enums import ConnectionStatus, Verdict
from schema.access import OPERATIONS, asked, shown, stored
from schema.types.enums import ProgressUnknown, RunKind, WindowState
from schema.types.pages import After, Connection, First
from schema.types.quarantine_group import QuarantineGroup
from schema.types.sync_attempt import SyncAttempt, SyncWait
from schema.types.watched_window import WatchedWindow

From = Annotated[date | None, strawberry.argument(name="from", description="Only windows that begin on this day or later.")]
To = Annotated[date | None, strawberry.argument(description="Only windows that begin on this day or earlier.")]
States = Annotated[list[WindowState] | None, strawberry.argument(description="Only in these states.")]
Streams = Annotated[list[str] | None, strawberry.argument(description="Only of these streams.")]
Verdicts = Annotated[list[Verdict] | None, strawberry.argument(description="Only with these verdicts.")]


@strawberry.type(description="One run of fetching, for operators.", directives=[OPERATIONS])
class WatchedRun:
    id: strawberry.ID = shown("Opaque id.")
    customer_id: strawberry.ID = shown("Opaque id of the customer.")
    connection_id: strawberry.ID = shown("Opaque id of the connection.")
    kind: RunKind = shown("What it was for.")
    epoch: int = shown("Number of the claim under which it ran; a later claim makes it powerless.")
    started_at: datetime = shown("Began (database time).")
    ended_at: datetime | None = shown("Ended; null while it runs, and for ever if its process died: a later run went on.")
    verdict: Verdict | None = shown("How it ended; null while it runs. PARKED: it goes on later.")
    fault: str | None = shown("Class of the fault that ended it.")
    fault_detail: str | None = shown("What the fault said. Never a value.")
    parked_until: datetime | None = shown("PARKED: when it is taken up again.")
    pages: int = shown("Pages committed: the requests that were answered.")
    failed_attempts: int = shown("Requests that brought no page.")
    waited_seconds: Decimal = shown("Seconds it paused, parks left out; its windows may pause side by side.")
    fetched: int = shown("Records received.")
    stored: int = shown("Records stored as new facts or new versions.")
    unchanged: int = shown("Records already known.")
    quarantined: int = shown("Records that could not be read, kept with the reason.")
    rejected: int = shown("Records outside of what was consented: counted, and not kept.")
    windows_planned: int = shown("Windows to read.")
    windows_done: int = shown("Windows read to their end so far.")
    progress: Decimal | None = shown(
        "Share of the planned windows that ended, 0 to 1; a window's own progress counts its records. Null: not known."
    )
    progress_unknown: ProgressUnknown | None = shown("Why the progress is not known.")
    watched: Annotated[WatchedConnection, strawberry.lazy("schema.types.watched_connection")] = shown("The connection as it is now.")

    @asked("The windows this run opened, the latest days first. A run that goes on for another one works on that one's.")
    def windows(
        self, first: First = 20, after: After = None, from_: From = None, to: To = None, states: States = None, streams: Streams = None
    ) -> Connection[WatchedWindow]:
        return stored()  # type: ignore[no-any-return]

    @asked("Each request it sent, newest first.")
    def attempts(self, first: First = 20, after: After = None) -> Connection[SyncAttempt]:
        return stored()  # type: ignore[no-any-return]

    @asked("Each pause it made, newest first.")
    def waits(self, first: First = 20, after: After = None) -> Connection[SyncWait]:
        return stored()  # type: ignore[no-any-return]


@strawberry.type(
    description="One customer's link to one platform, for operators: what is due, who works on it, what keeps it from going on.",
    directives=[OPERATIONS],
)
class WatchedConnection:
    id: strawberry.ID = shown("Opaque id.")
    customer_id: strawberry.ID = shown("Opaque id of the customer.")
    connector: str = shown("Platform.")
    status: ConnectionStatus = shown("Where it stands. REAUTHORISE: the customer must authorise the platform again.")
    epoch: int = shown("How often it was claimed.")
    last_verdict: Verdict | None = shown("How the last run ended.")
    last_fault: str | None = shown("Class of the fault that ended the last run; null when it ended well.")
    last_fault_detail: str | None = shown("What the fault said. Never a value.")
    due_at: datetime | None = shown("When the next run is due (database time); null: not scheduled.")
    parked_until: datetime | None = shown("The last run was PARKED and goes on then.")
    lease_until: datetime | None = shown(
        "A worker holds it until then, and renews that while it works; in the past: it died, another one may take over."
    )
    running: bool = shown("A worker holds it now.")
    failures: int = shown("Runs in a row that failed or did not come to their end; the next one waits the longer.")
    ended_at: datetime | None = shown("When it was disconnected (database time); null: it was not.")
    ended_reason: str | None = shown("REQUESTED or CONSENT_ENDED.")
    account_shared_with: int | None = shown(
        "How many other connections to this platform, of those the client may watch and that were not ended, were authorised with the same account there. More than none may be a business"
        " and its owner, or one account that stands surety for two. Null: the platform does not tell whose account it is, or was not asked since."
    )
    grant_ends_at: datetime | None = shown(
        "When the customer must authorise the platform again at the latest; null: the platform sets no such day."
    )
    consent_ends_at: datetime | None = shown(
        "When the first of the consents in force for it ends (business time); null: none ends by itself, or none is in force."
    )
    open_windows: int = shown("Windows that are not read to their end.")
    failed_windows: int = shown("Windows that failed; the next cycle asks for them again.")
    created_at: datetime = shown("Made.")
    run: WatchedRun | None = shown("The latest run; null: none yet.")
    quarantine: list[QuarantineGroup] = shown("What could not be read, by stream, path and reason.")

    @asked("Its runs, newest first.")
    def runs(self, first: First = 20, after: After = None, verdicts: Verdicts = None) -> Connection[WatchedRun]:
        return stored()  # type: ignore[no-any-return]

    @asked("Its windows, the latest days first.")
    def windows(
        self, first: First = 20, after: After = None, from_: From = None, to: To = None, states: States = None, streams: Streams = None
    ) -> Connection[WatchedWindow]:
        return stored()  # type: ignore[no-any-return]
