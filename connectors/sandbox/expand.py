"""The rules that turn a persona's blocks into single records (rules E2, E3, E4), exact to the cent and the day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import ROUND_DOWN, Decimal

from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import Series, Source
from hub.domain.enums import SourceKind
from hub.domain.money import CENT
from hub.domain.periods import CHINA, Month, add_months, china_day, days_in, first_day, last_day, month_of


def split(amount: Decimal, parts: int) -> list[Decimal]:
    """E2: the first n-1 parts are amount/n, cut to the cent; the last part is the rest."""
    each = (amount / parts).quantize(CENT, ROUND_DOWN)
    return [each] * (parts - 1) + [amount - each * (parts - 1)]


def spread(month: Month, index: int, count: int) -> date:
    """E3: item i of n in a month of D days falls on day 1 + floor((2i+1)·D / 2n)."""
    return first_day(month).replace(day=1 + (2 * index + 1) * days_in(month) // (2 * count))


def on_day(month: Month, day: int) -> date:
    """E3: an explicit day beyond the end of a month means its last day."""
    return first_day(month).replace(day=min(day, days_in(month)))


def monthly(series: Series) -> Iterator[tuple[Month, Decimal]]:
    """E4: month and amount of a series; an amount of 0 makes no record."""
    amounts = series.amounts if series.amounts is not None else split(series.total or Decimal(0), series.months or 1)
    for index, amount in enumerate(amounts):
        if amount:
            yield add_months(series.first, index * series.step), amount


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """An instant in China Standard Time."""
    return datetime.combine(day, time(hour, minute), CHINA)


class Reach:
    """What a source of a persona serves (rule E1): complete from the first day of ``from`` to the end of ``until``, except ``gaps``."""

    def __init__(self, persona: Persona, kind: SourceKind) -> None:
        self.source: Source | None = persona.sources.get(kind)
        self.known_at = persona.known_at
        self.first = first_day(self.source.first) if self.source else date.max
        self.until = (self.source.until if self.source else None) or date.fromordinal(persona.as_of.toordinal() - 1)
        self.gaps = frozenset(self.source.gaps if self.source else ())

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.until and month_of(day) not in self.gaps

    def exists(self, moment: date | datetime) -> bool:
        """A record dated after ``known_at`` does not exist yet."""
        if isinstance(moment, datetime):
            return moment <= self.known_at
        return moment <= china_day(self.known_at)

    def intervals(self, first: date | None = None, last: date | None = None) -> list[tuple[date, date]]:
        """The covered intervals within ``first`` and ``last``, oldest first."""
        first, last = max(first or self.first, self.first), min(last or self.until, self.until)
        found: list[tuple[date, date]] = []
        while first <= last:
            end = min(last, last_day(month_of(first)))
            if month_of(first) not in self.gaps:
                if found and found[-1][1].toordinal() + 1 == first.toordinal():
                    found[-1] = (found[-1][0], end)
                else:
                    found.append((first, end))
            first = date.fromordinal(end.toordinal() + 1)
        return found
