"""What the platform would serve, by its seed alone: the platform and the auditor share this module, the hub does not know it.

A customer is a number, a day is a window, a record is a refund. Every fourth window repeats the last record of a page at the head of the next one. The newest day moves
while it is read: after its first pages newcomers appear at the head, so that everything behind them shifts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

TODAY = date(2026, 1, 15)
DAYS = 8
PAGE_SIZE = 25
NEWCOMERS = 2
"""Records that appear at the head of the newest day while it is read."""


@dataclass(frozen=True, slots=True)
class Truth:
    """``customers`` with ``per_day`` records on each of the last :data:`DAYS` days."""

    seed: int
    customers: int
    per_day: int

    @staticmethod
    def of(seed: int, records: int) -> Truth:
        """At least ``records`` in all, newcomers not counted. A small run has small customers, that they are still many."""
        per_day = 125 if records >= 50_000 else 50
        return Truth(seed, -(-records // (per_day * DAYS)), per_day)

    @property
    def records(self) -> int:
        return self.customers * DAYS * self.per_day

    def days(self) -> Sequence[date]:
        return [TODAY - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]

    def repeats(self, customer: int, day: date) -> bool:
        """Whether pages of this window overlap by a record; such a window declares no total."""
        return day != TODAY and self._dice(customer, day, "repeats") % 4 == 0

    def rows(self, customer: int, day: date, newcomers: int = 0) -> list[dict[str, Any]]:
        """The records of a window, newest first."""
        count = self.per_day + (newcomers if day == TODAY else 0)
        return [self.row(customer, day, number) for number in range(count - 1, -1, -1)]

    def row(self, customer: int, day: date, number: int) -> dict[str, Any]:
        dice = self._dice(customer, day, str(number))
        second = dice % 86_400
        at = f"{day}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}+08:00"
        return {
            "no": f"{customer}-{day}-{number}",
            "order": f"o-{dice % 10**9}",
            "at": at,
            "amount": f"{dice % 10**6}.{dice // 7 % 100:02}",
        }

    def page(self, customer: int, day: date, page: int, newcomers: int) -> dict[str, Any]:
        """What the platform answers when it is well: by offset, so a newcomer shifts what follows."""
        rows, step = self.rows(customer, day, newcomers), self._step(customer, day)
        first = (page - 1) * step
        shown, more = rows[first : first + PAGE_SIZE], first + PAGE_SIZE < len(rows)
        total = {} if self.repeats(customer, day) else {"total": len(rows)}
        return {"rows": shown, "next": page + 1 if more else None, **total}

    def pages(self, customer: int, day: date, newcomers: int = 0) -> int:
        """How many pages a window has when nothing goes wrong."""
        rows = self.per_day + newcomers
        return 1 + max(0, -(-(rows - PAGE_SIZE) // self._step(customer, day)))

    def minimum(self, customer: int, cycles: int) -> int:
        """Calls of so many cycles of a customer when nothing goes wrong: the first reads everything, the later ones the newest day."""
        return self.plain(customer, cycles) + (self.proofs(customer) if cycles else 0)

    def plain(self, customer: int, cycles: int) -> int:
        """Every page once a cycle."""
        once = sum(self.pages(customer, day) for day in self.days()[:-1])
        return (once if cycles else 0) + cycles * self.pages(customer, TODAY, NEWCOMERS)

    def proofs(self, customer: int) -> int:
        """Pages of the windows that bring records twice and do not say how many there are, or move: nothing but a second reading tells the one from the other."""
        return sum(
            self.pages(customer, day, NEWCOMERS * (day == TODAY)) for day in self.days() if day == TODAY or self.repeats(customer, day)
        )

    def everything(self, customers: Sequence[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        for customer in customers:
            for day in self.days():
                for row in self.rows(customer, day, NEWCOMERS):
                    yield customer, row

    def _step(self, customer: int, day: date) -> int:
        return PAGE_SIZE - self.repeats(customer, day)

    def _dice(self, customer: int, day: date, what: str) -> int:
        return int.from_bytes(hashlib.blake2b(f"{self.seed}|{customer}|{day}|{what}".encode(), digest_size=8).digest(), "big")
