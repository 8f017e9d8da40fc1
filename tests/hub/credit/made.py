"""Dossiers by hand: facts with defaults, sources that cover what a test says. As-of is 2026-01-20, so M0 is 2025-12 and W12 is 2025."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from hub.connect.message import Interval
from hub.credit.dossier import Dossier, OrderMeasures, Reference, SourceState, SubjectProfile
from hub.credit.features import SeriesProfile, compute_features
from hub.credit.features.amounts import monthly_amounts
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import FieldSpec, FieldType, Invoice, PaymentTransaction, spec_of
from hub.domain.periods import Month, first_day, last_day, window
from tests.hub.credit.dossiers import by_kind

F = TypeVar("F")

AS_OF = date(2026, 1, 20)
KNOWN_AT = datetime(2026, 1, 20, 2, tzinfo=UTC)
OWN, PERSON = "h:own", "h:person"
SHOP, PLAIN, TAX = SeriesProfile("TRADE", names_shop=True), SeriesProfile(), SeriesProfile("TAX")
YEAR = window(AS_OF, 12)

_DEFAULTS: dict[FieldType, Any] = {
    FieldType.TEXT: "",
    FieldType.PARTY: "",
    FieldType.INT: 0,
    FieldType.MONEY: Decimal(0),
    FieldType.NUMBER: Decimal(0),
    FieldType.COORDINATE: 0.0,
    FieldType.DATE: date(2025, 6, 15),
    FieldType.INSTANT: datetime(2025, 6, 15, 4, tzinfo=UTC),
    FieldType.MONTH: "2025-06",
    FieldType.BOOL: False,
    FieldType.PERSONAL: PERSON,
    FieldType.LINES: {},
}


def fact(cls: type[F], **values: Any) -> F:
    """A fact; what a test does not care about is null, or empty where it may not be null."""
    return cls(**{field.name: _default(field) for field in spec_of(cls).fields} | values)


def _default(field: FieldSpec) -> Any:
    if field.nullable:
        return None
    return next(iter(field.enum)) if field.enum else _DEFAULTS[field.kind]


def covering(first: str = "2023-01", last: date = date(2026, 1, 19), *, gaps: tuple[str, ...] = ()) -> tuple[Interval, ...]:
    """What a source covers: from a month to a day, without the gaps."""
    intervals, begin = [], first_day(Month(first))
    for gap in sorted(gaps):
        start = first_day(Month(gap))
        if begin < start:
            intervals.append(Interval(begin, date.fromordinal(start.toordinal() - 1)))
        begin = date.fromordinal(last_day(Month(gap)).toordinal() + 1)
    return (*intervals, Interval(begin, last))


def state(kind: SourceKind, *intervals: Interval, reason: MissingReason | None = None) -> SourceState:
    found = intervals or covering()
    return SourceState(kind, reason, () if reason else found, found[-1].last)


def made(
    *facts: Any,
    on: tuple[SourceKind, ...] = (),
    states: tuple[SourceState, ...] = (),
    amounts: Mapping[str, Mapping[str, Any]] | None = None,
    orders: OrderMeasures | None = None,
    reference: Reference | None = None,
    uscc: str | None = "92330110MA2XXX0280",
) -> Dossier:
    """A dossier of an individual business. Sources of ``on`` and those of the facts cover 2023-01 to the day before as-of."""
    rows = by_kind(facts)
    readable = {*on, *(spec_of(kind).source for kind in rows)}
    sources = {kind: state(kind) for kind in readable} | {one.kind: one for one in states}
    sums = {name: {Month(month): Decimal(value) for month, value in months.items()} for name, months in (amounts or {}).items()}
    return Dossier(
        as_of=AS_OF,
        known_at=KNOWN_AT,
        subject=SubjectProfile(uscc is not None, uscc, OWN, PERSON, date(1988, 5, 12), None),
        reference=reference or Reference("a lender"),
        sources=sources,
        facts={kind: found for kind, found in rows.items() if sources[spec_of(kind).source].readable},
        amounts={**monthly_amounts(rows.get(Invoice, ()), rows.get(PaymentTransaction, ())), **sums},
        orders=orders,
    )


def monthly(values: Any, last: str = "2025-12") -> dict[str, Decimal]:
    """Amounts by month; the last one is that of ``last``."""
    amounts = list(values)
    year, month = int(last[:4]), int(last[5:])
    end = year * 12 + month - 1
    ordinals = range(end - len(amounts) + 1, end + 1)
    return {f"{ordinal // 12:04d}-{ordinal % 12 + 1:02d}": Decimal(value) for ordinal, value in zip(ordinals, amounts, strict=True)}


def value(dossier: Dossier, feature: str, profile: SeriesProfile = SHOP) -> Any:
    """The value of one feature, or its missing reason."""
    found = compute_features(dossier, profile)[feature]
    return found.missing if found.value is None else found.value


def shop(gmv: Any, refunds: Any = None, **more: Any) -> Dossier:
    """A shop with monthly GMV up to M0."""
    amounts = {"GMV": monthly(gmv), "REF": monthly(refunds or [])}
    return made(on=(SourceKind.SHOP, *more.pop("on", ())), amounts={**amounts, **more.pop("amounts", {})}, **more)


def measures(**values: Any) -> OrderMeasures:
    base = OrderMeasures(frozenset(window(AS_OF, 24)), 0, 0, {}, 0, 0, 0)
    return replace(base, **values)
