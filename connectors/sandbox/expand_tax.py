"""The tax section of a persona as single records: returns, payments, ratings, wage incomes, arrears (rules E11, E12, E19).

What the rules leave open is decided here: the wage-withholding return of a month is filed on the 15th of the next one, or on the last day the
source covers if that comes first. A return is served when its whole period is within the source's reach and it was filed
by the source's data end; a payment by the day it was paid. Ratings and arrears are states: they are served from the day they are known,
whenever they began.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from connectors.sandbox.expand import Reach, monthly, on_day
from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import Tax, TaxPaymentSeries, VatReturns
from hub.domain.enums import SourceKind
from hub.domain.money import ZERO
from hub.domain.periods import Month, add_months, china_day, first_day, last_day, month_of, month_range

DUE_DAY = 15


@dataclass(frozen=True, slots=True)
class VatReturn:
    """One VAT return. ``superseded``: a later one of the same period exists."""

    first: date
    last: date
    amendment: int
    superseded: bool
    filed_on: date
    due_on: date
    declared: Decimal
    exempt: Decimal
    tax_payable: Decimal

    @property
    def taxable(self) -> Decimal:
        return self.declared - self.exempt


@dataclass(frozen=True, slots=True)
class WithholdingReturn:
    first: date
    last: date
    filed_on: date
    due_on: date
    headcount: int
    wages: Decimal


@dataclass(frozen=True, slots=True)
class Payment:
    voucher: str
    kind: str
    first: date
    last: date
    paid_on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class RatingRow:
    year: int
    grade: str
    published_on: date


@dataclass(frozen=True, slots=True)
class Income:
    person: str
    month: Month
    payer: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Arrear:
    number: str
    since: date
    amount: Decimal
    cleared_on: date | None


def period_of(text: str) -> tuple[Month, int]:
    """First month and number of months of ``2025-03`` or ``2025Q1``."""
    if "Q" in text:
        return Month(f"{text[:4]}-{int(text[5:]) * 3 - 2:02d}"), 3
    return Month(text), 1


def vat_returns(persona: Persona) -> list[VatReturn]:
    """E11: by period, then by amendment."""
    tax, reach = persona.tax, Reach(persona, SourceKind.TAX)
    if tax is None:
        return []
    found: list[VatReturn] = []
    for filings in [*(one for block in tax.vat_returns for one in _periods(tax, block)), *_late_filings(tax)]:
        served = [one for one in filings if _reached(reach, one.first, one.last) and _filed(reach, one.filed_on)]
        found += [replace(one, superseded=one is not served[-1]) for one in served]
    return sorted(found, key=lambda one: (one.first, one.amendment))


def withholding_returns(persona: Persona) -> list[WithholdingReturn]:
    """E12: one a month; a month of no employees is a return that says so."""
    rows = persona.tax.withholding if persona.tax else None
    if rows is None:
        return []
    reach, found = Reach(persona, SourceKind.TAX), []
    for index, (headcount, wages) in enumerate(zip(rows.headcount, rows.wages, strict=False)):
        month = add_months(rows.first, index)
        if _reached(reach, first_day(month), last_day(month)):
            due = on_day(add_months(month, 1), DUE_DAY)
            filed = min(due, reach.until, china_day(reach.known_at))
            found.append(WithholdingReturn(first_day(month), last_day(month), filed, due, headcount, wages))
    return found


def payments(persona: Persona) -> list[Payment]:
    """E12: in the order of paying."""
    tax, reach = persona.tax, Reach(persona, SourceKind.TAX)
    if tax is None:
        return []
    found = []
    for number, series in enumerate(tax.payments):
        for month, amount in monthly(series):
            paid = on_day(month, series.day)
            if reach.covers(paid) and reach.exists(paid):
                first, last = _paid_for(tax, series, month)
                found.append(Payment(f"3{paid:%Y%m%d}{number + 1:09d}", series.kind, first, last, paid, amount))
    return sorted(found, key=lambda one: one.voucher)


def ratings(persona: Persona) -> list[RatingRow]:
    """E19: by year, from the day of publication."""
    reach = Reach(persona, SourceKind.TAX)
    rows = [one for one in (persona.tax.ratings if persona.tax else ()) if _filed(reach, one.published_on)]
    return sorted((RatingRow(one.year, one.grade, one.published_on) for one in rows), key=lambda one: one.year)


def incomes(persona: Persona) -> list[Income]:
    """E12: by person, month and payer; the payer is empty when the persona names none."""
    reach, total = Reach(persona, SourceKind.TAX), defaultdict[tuple[str, Month, str], Decimal](Decimal)
    for series in persona.tax.personal_income if persona.tax else ():
        for month, amount in monthly(series):
            if _reached(reach, first_day(month), last_day(month)):
                total[persona.person(series.person).resident_id, month, series.payer or ""] += amount
    return [Income(*key, amount) for key, amount in sorted(total.items())]


def arrears(persona: Persona) -> list[Arrear]:
    """E19. One that will be cleared after the source's data end is still open."""
    reach, found = Reach(persona, SourceKind.TAX), []
    for number, one in enumerate(persona.tax.arrears if persona.tax else ()):
        if _filed(reach, one.since):
            cleared = None if one.open else one.cleared_on or one.since
            known = cleared if cleared and _filed(reach, cleared) else None
            found.append(Arrear(f"QS{one.since:%Y%m%d}{number + 1:03d}", one.since, one.amount, known))
    return sorted(found, key=lambda one: one.number)


def _periods(tax: Tax, block: VatReturns) -> Iterator[list[VatReturn]]:
    """The filings of each period of a block, the original first."""
    first, length = period_of(block.first)
    paid = _vat_paid(tax)
    for label, index, declared in zip(labels_of(block), range(len(block.declared)), block.declared, strict=True):
        month = add_months(first, index * length)
        following = add_months(month, length)
        exempt = block.exempt[index] if block.exempt and index < len(block.exempt) else ZERO
        original = VatReturn(
            first_day(month),
            last_day(add_months(month, length - 1)),
            0,
            False,
            on_day(following, block.filed_day),
            on_day(following, DUE_DAY),
            declared,
            exempt,
            paid[following],
        )
        yield _filings(tax, label, original)


def labels_of(block: VatReturns) -> list[str]:
    """The periods of a block as the persona writes them."""
    first, length = period_of(block.first)
    months = [add_months(first, index * length) for index in range(len(block.declared))]
    return [f"{month[:4]}Q{(int(month[5:]) + 2) // 3}" if length == 3 else str(month) for month in months]


def _late_filings(tax: Tax) -> Iterator[list[VatReturn]]:
    """Returns of periods that no block tells: their first filing is the amendment, as of a missed period that was filed late."""
    told = {label for block in tax.vat_returns for label in labels_of(block)}
    for row in sorted((row for row in tax.amendments if row.period not in told), key=lambda row: row.filed_on):
        if row.period not in told:
            told.add(row.period)
            block = VatReturns.model_validate({"first": row.period, "declared": ["0.00"], "filed_day": DUE_DAY})
            yield from _periods(_with_missed(tax, row.period), block)


def _with_missed(tax: Tax, period: str) -> Tax:
    """The same tax affairs with one more period that was not filed when it was due."""
    return tax.model_copy(update={"missed": (*tax.missed, period)})


def _filings(tax: Tax, label: str, original: VatReturn) -> list[VatReturn]:
    """The original unless it was missed, then the amendments by day. An amendment of a wholly exempt period stays wholly exempt."""
    filings = [] if label in tax.missed else [original]
    for row in sorted((row for row in tax.amendments if row.period == label), key=lambda row: row.filed_on):
        wholly = ZERO < original.exempt == original.declared
        exempt = row.declared if wholly else min(original.exempt, row.declared)
        filings.append(replace(original, amendment=len(filings), filed_on=row.filed_on, declared=row.declared, exempt=exempt))
    return filings


def _vat_paid(tax: Tax) -> dict[Month, Decimal]:
    """E11: tax payable is the VAT payment made in the month after the period."""
    paid: dict[Month, Decimal] = defaultdict(Decimal)
    for series in tax.payments:
        for month, amount in monthly(series) if series.kind == "VAT" else ():
            paid[month] += amount
    return paid


def _paid_for(tax: Tax, series: TaxPaymentSeries, month: Month) -> tuple[date, date]:
    """The last whole period before a month: ``step`` months, or the taxpayer's VAT frequency."""
    length = series.step if series.step > 1 else 3 if series.kind == "VAT" and tax.frequency == "QUARTER" else 1
    end = add_months(month, -1)
    while 12 % length == 0 and int(end[5:]) % length:
        end = add_months(end, -1)
    return first_day(add_months(end, 1 - length)), last_day(end)


def _reached(reach: Reach, first: date, last: date) -> bool:
    """E1: the whole period is served and over."""
    whole = reach.first <= first and last <= reach.until and reach.exists(last)
    return whole and not reach.gaps.intersection(month_range(month_of(first), month_of(last)))


def _filed(reach: Reach, day: date) -> bool:
    return day <= reach.until and reach.exists(day)
