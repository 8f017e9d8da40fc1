"""Provenance."""

from __future__ import annotations

import strawberry

from schema.access import DataKind, access, shown
from schema.types.consent import Consent
from schema.types.platform_connection import PlatformConnection
from schema.types.raw_page import RawPage


@strawberry.type(
    description="Where a fact comes from: the page and the place in it, the connection it came through, the consent it was fetched by.",
    directives=[access("facts:read", DataKind.EVIDENCE)],
)
class Provenance:
    page: RawPage = shown("The page.")
    position: int = shown("Place of the record in the page, from 0.")
    source_key: str = shown("Natural key of the record at its platform; personal parts are keyed hashes.")
    content_hash: str = shown("SHA-256 (hex) of the fact's canonical content.")
    connection: PlatformConnection = shown("The connection it came through.")
    consent: Consent = shown(
        "The consent it was fetched by. Where that is one for another purpose, the one for the asking client's purpose, by which it is read."
    )
