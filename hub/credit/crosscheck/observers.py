"""Revenue as three observers see it, on one basis: net of returns, without VAT, before platform fees (domain brief, 4.2).

Aligned months are those that all remaining observers cover; an observer that covers too few of them is left out. Sums are never scaled up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType

from hub.credit.dossier import Dossier, once
from hub.credit.features.series import filed, files_quarterly, is_partial, months_of_return, observed, r_vat, take_rate, vat_by_month
from hub.credit.policies import document
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import FinancialStatement
from hub.domain.money import ZERO
from hub.domain.periods import Month, add_months, last_day, month_of, window

NAMES = ("TAX", "TRADE", "CASH")
DROP_ORDER = ("CASH", "TAX", "TRADE")
QUARTER = 3


@dataclass(frozen=True, slots=True)
class Observed:
    """One observer's sum over the aligned months in yuan, or why there is none. ``partial``: a lower bound."""

    value: Decimal | None
    missing: MissingReason | None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Observers:
    """The three observers on the same months. ``trade`` and ``receipts`` are monthly, for the shape check."""

    months: tuple[Month, ...]
    by_name: Mapping[str, Observed]
    trade: Mapping[Month, Decimal]
    receipts: Mapping[Month, Decimal]

    def value(self, name: str) -> Decimal | None:
        return self.by_name[name].value

    def available(self) -> dict[str, Decimal]:
        return {name: one.value for name, one in self.by_name.items() if one.value is not None}


NOBODY = Observers((), {name: Observed(None, MissingReason.NOT_APPLICABLE) for name in NAMES}, MappingProxyType({}), MappingProxyType({}))
"""The observers of a scenario that has none."""


@once
def observe(dossier: Dossier) -> Observers:
    """The observers of a dossier."""
    reasons = _unreadable(dossier)
    quarters = _last_quarters(dossier) if files_quarterly(dossier) and "TAX" not in reasons else None
    if quarters == []:
        reasons["TAX"] = MissingReason.INSUFFICIENT_COVERAGE
    months, left = _align(dossier, reasons, quarters or None)
    for name in NAMES:
        if name not in left:
            reasons.setdefault(name, MissingReason.INSUFFICIENT_COVERAGE)
    values = {
        name: Observed(None, reasons[name], _partial(dossier, name)) if name in reasons else _observed(dossier, name, months)
        for name in NAMES
    }
    return Observers(tuple(months), values, _trade(dossier, months), observed(dossier, "CASH", months))


def _unreadable(dossier: Dossier) -> dict[str, MissingReason]:
    """Observers whose sources cannot be used, with the sources' own reasons."""
    found: dict[str, MissingReason] = {}
    for name, kinds in (("TAX", [SourceKind.TAX]), ("TRADE", [SourceKind.INVOICE, SourceKind.SHOP]), ("CASH", [SourceKind.PAYMENT])):
        reasons = [dossier.source(kind).reason for kind in kinds]
        if all(reasons):
            found[name] = next(reason for reason in reasons if reason)
    return found


def _align(dossier: Dossier, reasons: Mapping[str, MissingReason], quarters: list[Month] | None) -> tuple[list[Month], list[str]]:
    """The aligned months, and the observers that are left."""
    least = int(document("engine")["minimum_aligned_months"])
    base = quarters or window(dossier.as_of, 12)
    covered = {name: _covered(dossier, name, base) for name in NAMES if name not in reasons}
    left = [name for name in covered if len(covered[name]) >= least]
    while left:
        months = [month for month in base if all(month in covered[name] for name in left)]
        if quarters and "TAX" in left:
            months = _whole_quarters(months)
        if len(months) >= least:
            return months, left
        left.remove(min(left, key=lambda name: (len(covered[name]), DROP_ORDER.index(name))))
    return [], []


def _covered(dossier: Dossier, name: str, months: Sequence[Month]) -> set[Month]:
    if name == "TAX":
        return set(vat_by_month(dossier)) & set(months)
    source = SourceKind.PAYMENT if name == "CASH" else _trade_source(dossier)
    return {month for month in months if dossier.source(source).covers(month)}


def _trade_source(dossier: Dossier) -> SourceKind:
    return SourceKind.SHOP if dossier.readable(SourceKind.SHOP) else SourceKind.INVOICE


def _last_quarters(dossier: Dossier) -> list[Month]:
    """The months of the last four filed quarters; empty when they are not consecutive, or fewer."""
    quarters = [
        months_of_return(one) for one in filed(dossier, "VAT") if one.declared_revenue is not None and one.period_end < dossier.as_of
    ]
    last = [months for months in quarters if len(months) == QUARTER][-4:]
    months = [month for quarter in last for month in quarter]
    consecutive = all(add_months(first, 1) == second for first, second in pairwise(months))
    return months if len(last) == 4 and consecutive else []


def _whole_quarters(months: list[Month]) -> list[Month]:
    present = set(months)
    return [month for month in months if all(other in present for other in _quarter_of(month))]


def _quarter_of(month: Month) -> list[Month]:
    first = add_months(month, -((int(month[5:]) - 1) % QUARTER))
    return [add_months(first, offset) for offset in range(QUARTER)]


def _partial(dossier: Dossier, name: str) -> bool:
    if name == "TRADE":
        return dossier.readable(SourceKind.SHOP) and is_partial(dossier, "TRADE")
    return name == "CASH" and is_partial(dossier, "CASH")


def _observed(dossier: Dossier, name: str, months: list[Month]) -> Observed:
    sums = {"TAX": _tax, "TRADE": _trade_sum, "CASH": _cash}
    return Observed(sums[name](dossier, months), None, _partial(dossier, name))


def _tax(dossier: Dossier, months: list[Month]) -> Decimal:
    returns = vat_by_month(dossier)
    counted = {(returns[month].period_start, returns[month].period_end): returns[month] for month in months}
    return sum((one.declared_revenue or ZERO for one in counted.values()), ZERO)


def _trade(dossier: Dossier, months: list[Month]) -> dict[Month, Decimal]:
    return observed(dossier, "TRADE" if dossier.readable(SourceKind.SHOP) else "INVOICE", months)


def _trade_sum(dossier: Dossier, months: list[Month]) -> Decimal:
    total = sum(_trade(dossier, months).values(), ZERO)
    return total / (1 + r_vat(dossier)) if dossier.readable(SourceKind.SHOP) else total


def _cash(dossier: Dossier, months: list[Month]) -> Decimal:
    """Payouts grossed up by the take rate, plus sales receipts and the change of receivables, without VAT."""
    payouts = sum(dossier.series("IN.PLATFORM_PAYOUT", SourceKind.PAYMENT, months).values(), ZERO)
    receipts = sum(dossier.series("IN.SALES_RECEIPT", SourceKind.PAYMENT, months).values(), ZERO)
    rate = take_rate(dossier, months) if dossier.readable(SourceKind.SHOP, SourceKind.SETTLEMENT) else None
    gross = payouts / (1 - (rate or ZERO)) if (rate or ZERO) < 1 else payouts
    return (gross + receipts + _receivables_change(dossier, months)) / (1 + r_vat(dossier))


def _receivables_change(dossier: Dossier, months: list[Month]) -> Decimal:
    if not months:
        return ZERO
    sheets = {
        month_of(one.period_end): one.lines
        for one in dossier.of(FinancialStatement)
        if one.kind == "BS" and one.period_end == last_day(month_of(one.period_end))
    }
    before, after = sheets.get(add_months(months[0], -1)), sheets.get(months[-1])
    return after["receivables"] - before["receivables"] if before and after else ZERO
