"""Consent (授权) and its history."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from hub.domain.enums import ConsentStatus, Purpose, SourceKind
from schema.access import DataKind, access, shown

_RULE = access("customers:read", DataKind.CONSENT)


@strawberry.type(description="One step in the life of a consent.", directives=[_RULE])
class ConsentEvent:
    from_status: ConsentStatus | None = shown("State before; null at the beginning.")
    to_status: ConsentStatus = shown("State after.")
    actor: str = shown("Who caused it: customer, clock, or a client's id.")
    at: datetime = shown("When.")


@strawberry.type(
    description="授权: what the customer allowed, for one kind of source, one grantee and one purpose. Immutable but for its status.",
    directives=[_RULE],
)
class Consent:
    id: strawberry.ID = shown("Opaque id; `node(id)` finds it.")
    source: SourceKind = shown("Kind of source it covers.")
    connector: str = shown("Platform the data come from.")
    grantee: str = shown("Legal name of the institution it is given to.")
    purpose: Purpose = shown("What the data may be used for.")
    scenarios: list[str] = shown("Enhancement scenarios it covers.")
    data_from: date = shown("First day of the data it covers.")
    data_to: date = shown("Last day of the data it covers.")
    status: ConsentStatus = shown("Where it stands.")
    starts_at: datetime | None = shown("When it was given; null while it is only asked for.")
    expires_at: datetime | None = shown("When it ends by itself.")
    data_life_days: int = shown("Days the fetched data may be kept and read.")
    written: bool = shown("Given in written form (征信业管理条例 14).")
    adverse_notice: bool = shown("The customer was told of possible adverse effects.")
    text_version: str = shown("Version of the text that was shown.")
    text_hash: str = shown("SHA-256 (hex) of the Chinese text that was shown.")
    changed_at: datetime = shown("Last change of status.")
    events: list[ConsentEvent] = shown("Its history, oldest first.")
