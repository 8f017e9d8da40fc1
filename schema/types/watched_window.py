"""WatchedWindow."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from hub.domain.enums import SourceKind
from schema.access import OPERATIONS, shown
from schema.types.enums import ProgressUnknown, WindowState


@strawberry.type(
    description="The days of one stream that are asked for together, as far as the platform lets. What failed in the middle stays visible here.",
    directives=[OPERATIONS],
)
class WatchedWindow:
    stream: str = shown("Stream of the connector.")
    source: SourceKind = shown("Kind of source.")
    first_day: date = shown("First day.")
    last_day: date = shown("Last day, included.")
    state: WindowState = shown("Where it stands.")
    reason: str | None = shown("Why it failed or is not served; what was noticed on the way. Never a value.")
    pages: int = shown("Pages committed.")
    fetched: int = shown("Records received = stored + unchanged + quarantined + rejected, else the run is INCOMPLETE.")
    stored: int = shown("Records stored as new facts or new versions.")
    unchanged: int = shown("Records already known, or without a fact.")
    quarantined: int = shown("Records that could not be read, kept with the reason.")
    rejected: int = shown("Records outside of what was consented: counted, and not kept.")
    repeated: int = shown("Records among the fetched that came before in the same pass: the list moved while it was read.")
    passes: int = shown("How often it was read in a row because its list moved.")
    declared_total: int | None = shown("Records that the platform says there are; null: it states no total.")
    progress: Decimal | None = shown(
        "Share that was read, 0 to 1: by records, where the platform states a total; 1 when it ended. Null: not known."
    )
    progress_unknown: ProgressUnknown | None = shown("Why the progress is not known.")
    completed_at: datetime | None = shown("When it ended (business time); null while it is open or failed.")
