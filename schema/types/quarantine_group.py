"""QuarantineGroup and RecordDrift: what of a platform's records the hub does not understand. By path and reason, never by value."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.access import OPERATIONS, shown


@strawberry.type(
    description="Records of one stream that could not be read at the same place for the same reason. They are kept sealed, and read again by `hub replay`.",
    directives=[OPERATIONS],
)
class QuarantineGroup:
    stream: str = shown("Stream of the connector.")
    path: str = shown("Field of the record; empty: the record as a whole.")
    reason: str = shown("Why it cannot be read.")
    records: int = shown("How many.")
    unresolved: int = shown("How many are still not read.")
    first_at: datetime = shown("The first of them (business time).")
    last_at: datetime = shown("The latest of them (business time).")


@strawberry.type(
    description="A field, or a type of a field, that a platform's records did not have when their shape was learned.",
    directives=[OPERATIONS],
)
class RecordDrift:
    connector: str = shown("Platform.")
    stream: str = shown("Stream of the connector.")
    path: str = shown("Where in the record.")
    type: str = shown("bool, int, number, text, list or object.")
    sightings: int = shown("How many of the sampled records had it.")
    first_seen: datetime = shown("First seen (real time).")
    last_seen: datetime = shown("Last seen (real time).")
