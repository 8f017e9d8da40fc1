"""SyncRun."""

from __future__ import annotations

from datetime import datetime

import strawberry

from hub.domain.enums import Verdict
from schema.access import DataKind, access, shown
from schema.types.node import Node


@strawberry.type(
    description="One run of fetching. The verdict is arithmetic: fetched = stored + unchanged + quarantined + rejected.",
    directives=[access("customers:read", DataKind.OPERATIONS)],
)
class SyncRun(Node):
    id: strawberry.ID = shown("Opaque id; `node(id)` finds it.")
    epoch: int = shown("Number of the claim under which it ran; a later claim makes it powerless.")
    started_at: datetime = shown("Began.")
    ended_at: datetime | None = shown("Ended; null while it runs.")
    verdict: Verdict | None = shown("How it ended; null while it runs.")
    requests: int = shown("Calls made to the platform.")
    fetched: int = shown("Records received.")
    stored: int = shown("Records stored as new facts or new versions.")
    unchanged: int = shown("Records already known.")
    quarantined: int = shown("Records that could not be read, kept with the reason.")
    rejected: int = shown("Records outside of what was consented: counted, and not kept.")
    windows_planned: int = shown("Windows of days to fetch.")
    windows_done: int = shown("Windows fetched so far.")
    fault: str | None = shown("Class of the fault that ended it.")
    fault_detail: str | None = shown("What the fault said. Never a value.")
