"""Where the reading of a window of the account log stands: it walks through the accounts, and through the pages of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

from hub.connect import Interval, Json

Days = tuple[tuple[date, date], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """``account`` is the account's place in the grant, ``of`` how many there were, ``size`` the page size of the window.

    ``seen`` counts the records handed out; ``declared`` the records the platform says there are, over the accounts already read. ``covered`` are the days
    that every account already read is complete for; None: the platform has not said.
    """

    account: int = 0
    page: int = 1
    of: int = 0
    size: int = 0
    seen: int = 0
    declared: int = 0
    covered: Days | None = None

    @classmethod
    def of_cursor(cls, cursor: Json | None, accounts: int, size: int) -> Self:
        """The window's start, or where it stands. If the number of accounts has changed, the window starts again."""
        fields: dict[str, Any] = dict(cursor or {"of": accounts, "size": size})
        if fields.get("covered") is not None:
            fields["covered"] = tuple((date.fromisoformat(first), date.fromisoformat(last)) for first, last in fields["covered"])
        place = cls(**fields)
        return place if place.of == accounts else cls(of=accounts, size=size, seen=place.seen, declared=place.seen)

    def cursor(self) -> Json:
        covered = None if self.covered is None else [[first.isoformat(), last.isoformat()] for first, last in self.covered]
        fields = {name: getattr(self, name) for name in ("account", "page", "of", "size", "seen", "declared")}
        return {**fields, "covered": covered}

    def read(self, records: int) -> Self:
        return replace(self, seen=self.seen + records, page=self.page + 1)

    def account_done(self, total: int, covered: Days | None) -> Self:
        """The account has been read to its end."""
        return replace(self, account=self.account + 1, page=1, declared=self.declared + total, covered=common(self.covered, covered))


def common(one: Days | None, other: Days | None) -> Days | None:
    """The days in both; None stands for all days."""
    if one is None or other is None:
        return other if one is None else one
    cut = [(max(a, c), min(b, d)) for a, b in one for c, d in other]
    return tuple(sorted((first, last) for first, last in cut if first <= last))


def within(days: Sequence[tuple[date, date]], first: date, last: date) -> tuple[Interval, ...]:
    """Those of the days that lie from ``first`` to ``last``."""
    return tuple(Interval(start, end) for start, end in common(tuple(days), ((first, last),)) or ())
