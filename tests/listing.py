"""Platforms of the tests are on the institution's public list, unless a test is about that."""

from __future__ import annotations

from datetime import date
from typing import Any


def listing(audience: str) -> dict[str, Any]:
    """Of a client of this class, as :class:`hub.access.clients.NewClient` takes it."""
    return {"listed_from": date(2020, 1, 1), "listed_in": "the list of the tests"} if audience == "PARTNER" else {}
