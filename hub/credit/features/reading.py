"""What a formula sees: the dossier through the rules every feature shares (domain brief, section 0).

Each question either answers with values or raises :class:`~hub.credit.features.catalogue.Null` with the reason, so that a formula reads like its
text. One reading is made per formula: it remembers how many months were covered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from operator import itemgetter
from typing import Any, TypeVar

from hub.credit.dossier import Dossier, once
from hub.credit.features.catalogue import Null
from hub.credit.features.series import SalesSeries, SeriesProfile, is_individual_business, r_vat, sales_series
from hub.credit.parameters import Parameters, parameters
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.money import ZERO
from hub.domain.periods import Month, month_of, window

T = TypeVar("T")
F = TypeVar("F")


def ratio(part: Decimal, whole: Decimal) -> Decimal:
    """A share; ZERO_DENOMINATOR when the whole is not positive."""
    if whole <= 0:
        raise Null(MissingReason.ZERO_DENOMINATOR)
    return part / whole


def positive(value: Decimal | None) -> Decimal:
    """What a helper function gave, ZERO_DENOMINATOR when it had no value because a mean or maximum is not positive."""
    if value is None:
        raise Null(MissingReason.ZERO_DENOMINATOR)
    return value


@once
def _by_month(dossier: Dossier, kind: type, day: str) -> dict[str, list[tuple[int, Any]]]:
    """The facts of a kind with their places, by month of a field."""
    found: dict[str, list[tuple[int, Any]]] = {}
    for place, fact in enumerate(dossier.facts.get(kind, ())):
        at = getattr(fact, day)
        found.setdefault(at if isinstance(at, str) else month_of(at), []).append((place, fact))
    return found


_ORDER = tuple(SourceKind)
_PLACE = itemgetter(0)
SALES = "sales"


class Shared:
    """What all formulas of one run share, computed once.

    Of the profile a formula sees no more than these aspects: which source S comes from, whether the scenario names SHOP, whether it judges by plots, and what is
    asked for. One that looked at none of them has the same value in every scenario of the dossier.
    """

    def __init__(self, dossier: Dossier, profile: SeriesProfile) -> None:
        self.dossier, self.profile = dossier, profile
        self._windows = dict[tuple[int, int], dict[Month, Decimal]]()

    @cached_property
    def sales(self) -> SalesSeries:
        return sales_series(self.dossier, self.profile)

    @property
    def r_vat(self) -> Decimal:
        return r_vat(self.dossier)

    @cached_property
    def aspects(self) -> dict[str, object]:
        """Each aspect by its name."""
        return {
            SALES: (self.sales.source, self.sales.missing),
            **{name: getattr(self.profile, name) for name in ("names_shop", "farmer", "requested")},
        }

    def aspect(self, name: str) -> object:
        return self.aspects[name]

    def sales_of(self, count: int, skip: int) -> dict[Month, Decimal]:
        """S over the covered months of a window. Shared: nobody changes it."""
        if (count, skip) not in self._windows:
            months = self.sales.months
            self._windows[count, skip] = {month: months[month] for month in window(self.dossier.as_of, count, skip) if month in months}
        return self._windows[count, skip]


class Reading:
    """See the module. ``covered`` is the number of covered months of the last series read; ``seen`` what the formula saw of the profile."""

    def __init__(self, shared: Shared) -> None:
        self.shared, self.dossier = shared, shared.dossier
        self.covered: int | None = None
        self.seen: dict[str, object] = {}

    def see(self, name: str) -> Any:
        """An aspect of the profile, see :class:`Shared`."""
        self.seen[name] = self.shared.aspect(name)
        return self.seen[name]

    @property
    def parameters(self) -> Parameters:
        return parameters()

    def window(self, count: int, skip: int = 0) -> list[Month]:
        return window(self.dossier.as_of, count, skip)

    @property
    def is_business(self) -> bool:
        """The subject is judged as a business: it is one, and the scenario does not look at his plots instead."""
        return self.dossier.subject.is_business and not self.see("farmer")

    # Sources

    def need(self, *kinds: SourceKind) -> None:
        """All of them readable; otherwise the reason of the first one, in the order of the source kinds, that is not."""
        for kind in kinds if len(kinds) == 1 else sorted(kinds, key=_ORDER.index):
            reason = self.dossier.source(kind).reason
            if reason:
                raise Null(reason)

    def need_shop(self) -> None:
        """Without a shop, in a scenario that does not name one, shop facts are NOT_APPLICABLE."""
        reason = self.dossier.source(SourceKind.SHOP).reason
        if reason is MissingReason.NOT_CONNECTED and not self.see("names_shop"):
            raise Null(MissingReason.NOT_APPLICABLE)
        self.need(SourceKind.SHOP)

    # Months

    def enough(self, months: Iterable[Month], count: int) -> list[Month]:
        """The months, if they reach the minimum of a window of that length."""
        found = sorted(months)
        self.covered = len(found)
        if len(found) < self.parameters.minimum_months.get(count, 1):
            raise Null(MissingReason.INSUFFICIENT_COVERAGE)
        return found

    def months(self, source: SourceKind, count: int, skip: int = 0) -> list[Month]:
        """The covered months of a window, if they are enough."""
        self.need(source)
        return self.enough(self.dossier.source(source).covered_of(self.window(count, skip)), count)

    def covers_enough(self, source: SourceKind, count: int) -> bool:
        """Whether :meth:`months` would answer."""
        covered = self.dossier.source(source).covered_of(self.window(count))
        return len(covered) >= self.parameters.minimum_months.get(count, 1)

    def total(self, source: SourceKind, names: Iterable[str], months: list[Month]) -> Decimal:
        """Sum of some series of a source over months."""
        covered, amounts = self.dossier.source(source).covered_of(months), self.dossier.amounts
        return sum((series[month] for name in names if (series := amounts.get(name)) for month in covered if month in series), ZERO)

    def dated(self, kind: type[F], months: Iterable[Month], day: str) -> list[F]:
        """The facts of a kind whose date in field ``day`` (a date or a month) lies in one of the months."""
        placed = _by_month(self.dossier, kind, day)
        return [fact for _, fact in sorted((one for month in frozenset(months) for one in placed.get(month, ())), key=_PLACE)]

    # Sales

    def sales(self, count: int, skip: int = 0) -> dict[Month, Decimal]:
        """S over a window on its own basis, if enough months are covered. Nobody changes it."""
        self.series()
        found = self.shared.sales_of(count, skip)
        self.enough(found, count)
        return found

    def series(self) -> SalesSeries:
        """The sales series; its reason when there is none."""
        self.see(SALES)
        if self.shared.sales.missing:
            raise Null(self.shared.sales.missing)
        return self.shared.sales

    def sales_pairs(self, count: int) -> tuple[Decimal, Decimal]:
        """Σ S of a window and of the same months a year before, over the pairs covered in both years."""
        series = self.series().months
        pairs = zip(self.window(count), self.window(count, 12), strict=True)
        found = [(now, before) for now, before in pairs if now in series and before in series]
        self.enough((now for now, _ in found), count)
        return sum((series[now] for now, _ in found), ZERO), sum((series[before] for _, before in found), ZERO)

    def against_sales(self, amounts: Mapping[Month, Decimal], count: int, *, with_vat: bool) -> Decimal:
        """Ratio of a monthly series to S on the wanted basis, over the months both cover."""
        series = self.series()
        months = self.enough((month for month in amounts if month in series.months), count)
        convert = series.including_vat if with_vat else series.excluding_vat
        whole = sum((series.months[month] for month in months), ZERO)
        return ratio(sum((amounts[month] for month in months), ZERO), convert(whole, self.shared.r_vat))

    # Persons

    @property
    def person_hash(self) -> str:
        """The natural person behind the subject: operator, legal representative, or the subject himself."""
        return self.dossier.subject.responsible_hash or self.dossier.subject.own_hash

    @property
    def debtors(self) -> frozenset[str]:
        """Whose credit accounts count: an individual business and its operator are one risk, an enterprise stands for itself."""
        subject = self.dossier.subject
        return subject.own_hashes if is_individual_business(self.dossier) else frozenset({subject.own_hash})

    def known(self, value: T | None) -> T:
        """A value of a readable source that may have no record."""
        if value is None:
            raise Null(MissingReason.INSUFFICIENT_COVERAGE)
        return value
