"""What to ask: a page of contracts signed within a range, or of accounts. The token says whose they are, so no identifier travels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from hub.connect import Context, Request, Window
from hub.connect.snapshot import Position

LONGEST_DAYS = 366
"""Days of signing that one question may name."""


@dataclass(frozen=True)
class Place(Position):
    """Where the reading of a window stands: the platform gives a ``mark`` for the next page, good as long as the night's snapshot is."""

    mark: str = ""

    def restarted(self) -> Self:
        return replace(super().restarted(), mark="")

    def turned(self, mark: str, records: int) -> Self:
        return replace(self, page=self.page + 1, mark=mark, seen=self.seen + records)


def contracts(context: Context, window: Window, at: Place) -> Request:
    days = (("signedFrom", f"{window.first:%Y%m%d}"), ("signedTo", f"{window.last:%Y%m%d}"))
    return Request("GET", "/v2/contracts", query=(*days, *_page(context, at)))


def accounts(context: Context, window: Window, at: Place) -> Request:
    return Request("GET", "/v2/accounts", query=_page(context, at))


def _page(context: Context, at: Place) -> tuple[tuple[str, str], ...]:
    limit = ("limit", context.config.get("page_size") or "50")
    return (limit, ("mark", at.mark)) if at.mark else (limit,)
