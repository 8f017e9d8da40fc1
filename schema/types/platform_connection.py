"""PlatformConnection."""

from __future__ import annotations

from datetime import datetime

import strawberry

from hub.domain.enums import ConnectionStatus, Sensitivity, Verdict
from hub.domain.ownership import OwnerStanding
from schema.access import DataKind, access, asked, shown, stored
from schema.types.node import Node
from schema.types.pages import First
from schema.types.sync_run import SyncRun


@strawberry.type(
    description="One customer's link to one platform. A platform may serve several kinds of source.",
    directives=[access("customers:read", DataKind.OPERATIONS)],
)
class PlatformConnection(Node):
    id: strawberry.ID = shown("Opaque id; `node(id)` finds it.")
    connector: str = shown("Platform.")
    status: ConnectionStatus = shown("Where it stands. REAUTHORISE: the customer must authorise the platform again.")
    last_verdict: Verdict | None = shown("How the last run ended.")
    last_fault: str | None = shown("Class of the fault that ended the last run; null when it ended well.")
    last_fault_detail: str | None = shown("What the fault said. Never a value.")
    created_at: datetime = shown("Made.")
    owner: OwnerStanding = shown(
        "Whose account the platform says it is: the customer's own, of one of its parties, somebody else's, or not told. Compared by keyed hashes, while"
        " consent lets the platform's answer be read.",
        access("customers:read", DataKind.PROFILE, Sensitivity.C2),
    )
    grant_expires_at: datetime | None = shown(
        "When the customer must authorise the platform again at the latest. Null: the platform sets no such day."
    )
    ends_soon: bool = shown("Authorised, and that is over within 30 days.")

    @asked("The latest runs, newest first; at most 100. None while no consent to its platform is in force for the asking purpose.")
    def runs(self, first: First = 5) -> list[SyncRun]:
        return stored()  # type: ignore[no-any-return]
