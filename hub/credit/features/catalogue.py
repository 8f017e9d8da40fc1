"""How a formula is declared, and the catalogue of all of them.

``@formula`` registers a pure function of a :class:`~hub.credit.features.reading.Reading` with its id, unit, window and the facts it reads;
its docstring is the published text of the formula. A function that has no value raises :class:`Null` with the missing reason.
Features that need the cross-check or an offer are declared with :func:`declare` and made where these are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING

from hub.credit.dossier import Dossier, EvidenceSet, once
from hub.credit.values import Feature
from hub.domain.enums import MissingReason, Unit
from hub.domain.periods import Month, first_day, last_day, month_of, window

if TYPE_CHECKING:
    from hub.credit.features.reading import Reading

Value = Decimal | int | str | bool
_PLACE = itemgetter(0)


class Null(Exception):
    """A formula has no value; ``reason`` says why."""

    def __init__(self, reason: MissingReason) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Span:
    """A range of days relative to an as-of day: ``months`` complete months ending ``skip`` months before M0, or ``days`` days before as-of.

    With neither it is everything that is known.
    """

    months: int = 0
    skip: int = 0
    days: int = 0

    @property
    def name(self) -> str:
        if self.days:
            return f"D{self.days}"
        return f"W{self.months}" + (f"-{self.skip}" if self.skip else "") if self.months else "ALL"

    def range(self, as_of: date) -> tuple[date, date] | None:
        """First and last day, None for everything."""
        if self.days:
            return as_of - timedelta(days=self.days), as_of - timedelta(days=1)
        if not self.months:
            return None
        months = window(as_of, self.months, self.skip)
        return first_day(months[0]), last_day(months[-1])

    def ends(self, now: Month) -> tuple[Month, Month] | tuple[None, None]:
        """First and last month as of a day of month ``now``; None for everything, and for days."""
        return _ends(now, self.months, self.skip)


@cache
def _ends(now: Month, count: int, skip: int) -> tuple[Month, Month] | tuple[None, None]:
    months = window(first_day(now), count, skip)
    return (months[0], months[-1]) if months else (None, None)


ALL = Span()
W3, W6, W12, W24 = Span(3), Span(6), Span(12), Span(24)
PREV3, PREV6, PREV12 = Span(3, 12), Span(6, 12), Span(12, 12)


@dataclass(frozen=True, slots=True)
class Reads:
    """Facts a formula reads: kinds, over a span. ``sales`` stands for the kinds of whatever source the sales series comes from."""

    span: Span
    kinds: tuple[type, ...] = ()
    sales: bool = False


@dataclass(frozen=True, slots=True)
class Formula:
    """One entry of the catalogue. ``compute`` is None for a feature that is made outside, after the cross-check."""

    id: str
    unit: Unit
    span: Span
    reads: tuple[Reads, ...]
    business_only: bool
    doc: str
    version: str = "1"
    compute: Callable[[Reading], Value] | None = None

    @property
    def reads_sales(self) -> bool:
        return _reads_sales(self.id)

    @property
    def family(self) -> str:
        return self.id.split("_", 1)[0]

    def feature(
        self,
        dossier: Dossier,
        value: Value | None = None,
        missing: MissingReason | None = None,
        covered: int | None = None,
        sales_kinds: tuple[type, ...] = (),
    ) -> Feature:
        """The feature as it is published: a value or a reason, never both."""
        if (value is None) == (missing is None):
            raise ValueError(f"{self.id}: a feature has either a value or a missing reason")
        first, last = self.span.ends(month_of(dossier.as_of))
        evidence = () if missing in UNREAD else self.evidence(dossier, sales_kinds)
        return Feature(self.id, self.unit, value, missing, self.version, self.doc, first, last, covered, evidence)

    def evidence(self, dossier: Dossier, sales_kinds: tuple[type, ...]) -> tuple[EvidenceSet, ...]:
        """The non-empty sets of the dossier this formula reads."""
        return _read(dossier, _wanted(self.id, sales_kinds))


@cache
def _reads_sales(id: str) -> bool:
    return any(read.sales for read in CATALOGUE[id].reads)


@cache
def _wanted(id: str, sales_kinds: tuple[type, ...]) -> frozenset[tuple[str, str]]:
    """Kinds and windows that a formula reads; by its id, for to hash all that it reads takes longer."""
    return frozenset(
        (kind.__name__, read.span.name) for read in CATALOGUE[id].reads for kind in (*read.kinds, *(sales_kinds if read.sales else ()))
    )


@once
def _read(dossier: Dossier, wanted: frozenset[tuple[str, str]]) -> tuple[EvidenceSet, ...]:
    """In the order of the dossier. Most formulas read what some others read."""
    sets = _sets(dossier)
    return tuple(found for _, found in sorted((sets[one] for one in wanted if one in sets), key=_PLACE))


@once
def _sets(dossier: Dossier) -> dict[tuple[str, str], tuple[int, EvidenceSet]]:
    """The non-empty sets with their places, by kind and window."""
    return {(found.kind, found.window): (place, found) for place, found in enumerate(dossier.evidence) if found.facts}


UNREAD = frozenset(set(MissingReason) - {MissingReason.INSUFFICIENT_COVERAGE, MissingReason.ZERO_DENOMINATOR, MissingReason.CONFLICT})
"""Reasons for which nothing was read."""

CATALOGUE: dict[str, Formula] = {}


def declare(
    id: str, unit: Unit, doc: str, *, span: Span = ALL, reads: Iterable[Reads] = (), business_only: bool = False, version: str = "1"
) -> Formula:
    """Declares a feature that is made outside the catalogue's own run. Raises ValueError for an id that is taken."""
    return _register(Formula(id, unit, span, tuple(reads), business_only, doc, version))


def formula(
    id: str, unit: Unit, *, span: Span = ALL, reads: Iterable[Reads] = (), business_only: bool = False, version: str = "1"
) -> Callable[[Callable[[Reading], Value]], Callable[[Reading], Value]]:
    """Declares a feature by its function; the docstring is the formula's published text."""

    def register(compute: Callable[[Reading], Value]) -> Callable[[Reading], Value]:
        doc = " ".join((compute.__doc__ or "").split())
        if not doc:
            raise ValueError(f"{id}: a formula needs a docstring")
        _register(Formula(id, unit, span, tuple(reads), business_only, doc, version, compute))
        return compute

    return register


def _register(entry: Formula) -> Formula:
    if entry.id in CATALOGUE:
        raise ValueError(f"{entry.id} is declared twice")
    CATALOGUE[entry.id] = entry
    return entry
