"""RawPage and PageRequest: the answer of a platform as it was received, and the request it answered."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.access import DataKind, access, shown
from schema.types.sync_run import SyncRun

_RULE = access("facts:read", DataKind.EVIDENCE)


@strawberry.type(description="The request a page answered, as it was before signing. Secrets are never kept.", directives=[_RULE])
class PageRequest:
    method: str | None = shown("HTTP method.")
    path: str | None = shown("Path at the platform.")
    query: str | None = shown("Query parameters as JSON text.")
    body_sha256: str | None = shown("SHA-256 (hex) of the request's body; null when there was none.")


@strawberry.type(
    description="One answer of a platform, stored once, compressed and sealed. The facts are a fold over these pages.", directives=[_RULE]
)
class RawPage:
    sha256: str = shown("SHA-256 (hex) of the bytes as received.")
    size: int = shown("Bytes as received.")
    status: int = shown("HTTP status.")
    content_type: str | None = shown("Content type as received.")
    fetched_at: datetime = shown("When it was received (real time).")
    stream: str = shown("Stream of the connector it belongs to.")
    request: PageRequest = shown("What was asked.")
    run: SyncRun = shown("The run that fetched it.")
