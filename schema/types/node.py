"""Node: what has an id of its own (Relay)."""

from __future__ import annotations

import strawberry

from schema.access import DataKind, access, shown


@strawberry.interface(
    description="What has an id of its own: `node(id)` and `nodes(ids)` find it again. An id is opaque, the same in every answer, and of no use to anybody who may not see what it names.",
    directives=[access("customers:read", DataKind.PROFILE)],
)
class Node:
    id: strawberry.ID = shown("Opaque id.")
