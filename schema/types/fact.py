"""Fact: what every kind of fact has."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from schema.access import DataKind, access, shown
from schema.types.dispute import Dispute
from schema.types.node import Node
from schema.types.provenance import Provenance

FACT_RULE = access("facts:read", DataKind.EVIDENCE)


@strawberry.interface(
    description="What every kind of fact has. A fact is never overwritten: a change closes a version and adds the next one.",
    directives=[FACT_RULE],
)
class Fact(Node):
    id: strawberry.ID = shown("Opaque id of this version; `node(id)` finds it.")
    version: int = shown("1 for the first version.")
    occurred_on: date | None = shown("Day (China Standard Time) on which it counts; for a month its first day; null for a state.")
    known_from: datetime = shown("When the hub learned it.")
    known_to: datetime | None = shown("When a newer version replaced it; null for the current one.")
    evidence: Provenance = shown("Where it comes from.")
    disputes: list[Dispute] = shown(
        "异议: what the customer objects to in this fact, in this version or another one; the newest first, at most 20."
    )
