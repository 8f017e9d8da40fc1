"""SourceAccess."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from hub.domain.enums import MissingReason, SourceKind
from schema.access import DataKind, access, shown
from schema.types.consent import Consent
from schema.types.enums import AccessStatus
from schema.types.interval import Interval
from schema.types.platform_connection import PlatformConnection


@strawberry.type(
    description="Whether one kind of source can be used for this customer by the asking institution and purpose, and if not, why not.",
    directives=[access("customers:read", DataKind.CONSENT)],
)
class SourceAccess:
    source: SourceKind = shown("Kind of source.")
    status: AccessStatus = shown("AVAILABLE, or the reason. A month that is not covered is unknown, never zero.")
    denial: MissingReason | None = shown(
        "Why the consent lets nothing be read; null when it does. Never a reason to take a value for zero. CONSENT_APP: the customer has not agreed that it be handed to"
        " this app; ask with `createLinkSession`."
    )
    data_end: date | None = shown("Last day the source declares complete; null when nothing is covered.")
    age_days: int | None = shown("Days from `dataEnd` to today; null when nothing is covered.")
    stale_after_days: int | None = shown("Age in days beyond which the source is STALE; null: it never is.")
    fetched_at: datetime | None = shown("When days were last read to their end (business time); null: never.")
    coverage: list[Interval] = shown("Days for which the source's data are complete.")
    consent: Consent | None = shown("The consent that counts: the ACTIVE one, else the one that changed last. Null: never asked.")
    connection: PlatformConnection | None = shown("The connection to the platform of that consent.")
