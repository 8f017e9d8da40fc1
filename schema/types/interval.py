"""Interval."""

from __future__ import annotations

from datetime import date

import strawberry

from schema.access import DataKind, access, shown


@strawberry.type(description="Days from first to last, both included.", directives=[access("customers:read", DataKind.CONSENT)])
class Interval:
    first: date = shown("First day.")
    last: date = shown("Last day.")
