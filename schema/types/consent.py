"""Consent (授权) and its history."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from hub.domain.enums import ConsentMode, ConsentStatus, ConsentStep, FetchType, Purpose, SourceKind
from schema.access import DataKind, access, shown
from schema.types.node import Node

_RULE = access("customers:read", DataKind.CONSENT)


@strawberry.type(description="What one step changed of a consent.", directives=[_RULE])
class ConsentChange:
    field: str = shown("What changed, for example `data_from`.")
    was: str | None = shown("Before, as text: a day, an instant, a number, or a JSON list. Null: nothing.")
    became: str | None = shown("After.")


@strawberry.type(description="One step in the life of a consent.", directives=[_RULE])
class ConsentEvent:
    step: ConsentStep = shown("What happened.")
    from_status: ConsentStatus | None = shown("State before; null at the beginning.")
    to_status: ConsentStatus = shown("State after.")
    actor: str = shown("Who caused it: customer, clock, or a client's id.")
    at: datetime = shown("When.")
    changes: list[ConsentChange] = shown(
        "What became of its terms when it was narrowed or renewed; when it ends, where that was announced."
    )


@strawberry.type(
    description="授权: what the customer allowed, for one kind of source, one grantee and one purpose. It may become narrower, never wider.",
    directives=[_RULE],
)
class Consent(Node):
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
    changed_at: datetime = shown("Last change.")
    narrowed_at: datetime | None = shown("When it last became narrower. Results that were known before are not shown any more.")
    kinds: list[str] | None = shown("Kinds of fact it covers, by their type names. Null: every kind of its source.")
    mode: ConsentMode = shown("What may be done with the data.")
    fetch_type: FetchType = shown("Whether the data may be fetched once, or again and again.")
    fetches_per_day: int | None = shown("How often a day they may be fetched. Null: as often as needed.")
    supersedes: strawberry.ID | None = shown("The consent in whose place it was asked for.")
    ends_soon: bool = shown("In force or paused, and over within 30 days. Ask anew with `createLinkSession`.")
    apps: list[str] = shown(
        "Clients of partner apps that the customer has agreed to hand its data and results to (PIPL 23). An app is told of itself alone; the institution sees all."
    )
    events: list[ConsentEvent] = shown("Its history, oldest first.")
