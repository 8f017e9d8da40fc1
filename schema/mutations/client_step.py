"""What the mutations of a registered client have in common: which client, why, and that it is done."""

from __future__ import annotations

import strawberry

from schema.access import DataKind, access, shown

CLIENTS = access("clients:write", DataKind.CLIENT)


@strawberry.input
class OfClient:
    client_id: strawberry.ID = shown("The client.")


@strawberry.input
class WithReason(OfClient):
    reason: str = shown("Why, for the audit: 1 to 500 characters, nothing personal.")


@strawberry.type
class Done:
    client_id: strawberry.ID = shown("The client.")
