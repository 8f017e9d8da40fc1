"""The dossier: everything an evaluation reads, as of a day and as known at an instant, already out of the store.

Pure values: formulas take a dossier and never ask the store. A month that its source does not cover is absent from a series, a covered
month without records is 0 (domain brief, rule G5): so no formula can take null for zero. What was read is in ``evidence``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import msgspec

from hub.connect.message import Interval
from hub.credit.objections import NONE, Objections
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.money import ZERO
from hub.domain.ownership import OwnerStanding, standing
from hub.domain.periods import Month, first_day, last_day

F = TypeVar("F")
P = ParamSpec("P")

Series = Mapping[Month, Decimal]
"""Amount by month, covered months only."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """Whether a source may be used (``reason`` None) and which days it covers. An unreadable source covers nothing."""

    kind: SourceKind
    reason: MissingReason | None
    intervals: tuple[Interval, ...] = ()
    data_end: date | None = None
    _covered: dict[Month, bool] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def readable(self) -> bool:
        return self.reason is None

    def covers(self, month: Month) -> bool:
        """The source is readable and one of its intervals contains the whole month."""
        if month not in self._covered:
            first, last = first_day(month), last_day(month)
            self._covered[month] = self.readable and any(i.first <= first and last <= i.last for i in self.intervals)
        return self._covered[month]

    def covered_of(self, months: Iterable[Month]) -> list[Month]:
        """Those that it :meth:`covers`."""
        known = self._covered
        return [month for month in months if (known[month] if month in known else self.covers(month))]


@dataclass(frozen=True, slots=True)
class SubjectProfile:
    """Who is evaluated. Hashes are the keyed hashes of the store; a holder matches when its hash is one of ``own_hashes``.

    ``is_farmer``: said when the customer was made known (农户, 三农个体户).
    """

    is_business: bool
    uscc: str | None
    own_hash: str
    responsible_hash: str | None
    birth_on: date | None
    residence_city: str | None
    is_farmer: bool = False

    @property
    def own_hashes(self) -> frozenset[str]:
        return frozenset(h for h in (self.own_hash, self.responsible_hash) if h)

    def has(self, holder: str) -> bool:
        """The holder is the subject or the person who answers for it."""
        return standing([holder], self.own_hash, [self.responsible_hash]) is not OwnerStanding.DIFFERS


@dataclass(frozen=True, slots=True)
class OrderMeasures:
    """What is read off single orders in one pass of the store, over months served order by order (``months``).

    ``buyers`` distinct buyers with a paid order in W12 and ``repeat_buyers`` those with paid orders on at least two days (None when an
    order carries no buyer); the rest is over W3. ``top_address_orders`` is None when an order carries no address. ``completed`` is, by
    month of payment, the amount of completed orders and the sum of amount times days from the first of that month to completion.
    """

    months: frozenset[Month]
    buyers: int | None
    repeat_buyers: int | None
    city_orders: Mapping[str, int]
    top_address_orders: int | None
    off_hours_orders: int
    orders_w3: int
    completed: Mapping[Month, tuple[Decimal, Decimal]] = field(default_factory=dict)
    last_paid_on: date | None = None
    """Day of the last paid order that is served by itself."""


class EvidenceSet(msgspec.Struct, frozen=True, gc=False):
    """Fact versions of one kind that were read: their number and the SHA-256 over their sorted ids, by day range.

    ``window`` is the name of the span they were read for (``W12``, ``W12-12``, ``D90``, ``ALL``). The days may reach beyond it: an order
    paid in a month may have been created in the one before, and the set is selected by the day the fact is dated.
    """

    kind: str
    source: SourceKind
    first: date | None
    last: date | None
    facts: int
    digest: str
    window: str = "ALL"


@dataclass(frozen=True, slots=True)
class Related:
    """A party linked to the customer by ownership >= 25 %, the same legal representative, spouse, phone or address."""

    uscc: str
    type: str


@dataclass(frozen=True, slots=True)
class Crop:
    """What the lender's dated crop table says of a crop in the county: kg per mu, yuan per kg, yuan of input per mu."""

    yield_norm: Decimal
    price: Decimal
    input_cost: Decimal


@dataclass(frozen=True, slots=True)
class Reference:
    """What the lender knows or has configured; no customer fact.

    ``margin_bands``: industry prefix -> (low, high). ``related``: None when no relationship graph is loaded. ``insurance_base``: floor and ceiling of the city.
    ``crops``: by name; a crop that is not there is not financed. ``service_area``: cities, as registers name them; None: the lender is bound to no area.
    """

    lender: str
    margin_bands: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    core_enterprises: frozenset[str] = frozenset()
    approved_buyers: frozenset[str] = frozenset()
    prohibited_industries: frozenset[str] = frozenset()
    insurance_base: tuple[Decimal, Decimal] | None = None
    related: tuple[Related, ...] | None = None
    crops: Mapping[str, Crop] = field(default_factory=dict)
    service_area: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Dossier:
    """See the module. ``amounts`` holds plain monthly sums by series name, without coverage; use :meth:`series`. ``parties``: ids of those in a role, of whom ``subject`` tells.

    ``memo`` is what was derived from this dossier before (:func:`once`): all scenarios of a customer share it. A dossier made from another has none of it.
    """

    as_of: date
    known_at: datetime
    subject: SubjectProfile
    reference: Reference
    sources: Mapping[SourceKind, SourceState]
    facts: Mapping[type, tuple[Any, ...]]
    amounts: Mapping[str, Series]
    orders: OrderMeasures | None = None
    evidence: tuple[EvidenceSet, ...] = ()
    objections: Objections = NONE
    parties: tuple[str, ...] = ()
    memo: dict[Any, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def of(self, kind: type[F]) -> tuple[F, ...]:
        """The live fact versions of a kind, empty if its source is not readable."""
        return cast("tuple[F, ...]", self.facts.get(kind, ()))

    def source(self, kind: SourceKind) -> SourceState:
        return self.sources.get(kind) or SourceState(kind, MissingReason.NOT_CONNECTED)

    @property
    def unreadable(self) -> tuple[SourceKind, ...]:
        """Every kind of source that may not be used, in the order of the kinds."""
        if SourceState not in self.memo:
            self.memo[SourceState] = tuple(kind for kind in SourceKind if not self.readable(kind))
        return cast("tuple[SourceKind, ...]", self.memo[SourceState])

    def readable(self, *kinds: SourceKind) -> bool:
        return all(self.source(kind).readable for kind in kinds)

    def series(self, name: str, source: SourceKind, months: list[Month]) -> dict[Month, Decimal]:
        """The covered ones of ``months`` with their amounts, 0 where covered without records.

        Names: ``GMV``, ``REF``, ``ORDERS`` (SHOP, by month of paidAt / succeededAt), ``IO``, ``II``, ``IO_TAX`` (INVOICE, net blue plus red, by month of issue),
        ``IN.<category>`` and ``OUT.<category>`` (PAYMENT, posted transactions).
        """
        amounts = self.amounts.get(name, {})
        return {month: amounts.get(month, ZERO) for month in self.source(source).covered_of(months)}


def once(derive: Callable[Concatenate[Dossier, P], F]) -> Callable[Concatenate[Dossier, P], F]:
    """Derives a value from a dossier the first time it is asked for. What it gives is shared, so nobody changes it."""

    @wraps(derive)
    def derived(dossier: Dossier, *args: P.args, **names: P.kwargs) -> F:
        key = (derive, *args)
        if key not in dossier.memo:
            dossier.memo[key] = derive(dossier, *args, **names)
        return cast(F, dossier.memo[key])

    return cast("Callable[Concatenate[Dossier, P], F]", derived)
