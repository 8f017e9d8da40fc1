"""Dimension R: pairs of observers, shape, margin and the equity check of micro-lending practice (domain brief, 4.3, 4.4)."""

from __future__ import annotations

from decimal import Decimal

from hub.credit.crosscheck.observers import Observers
from hub.credit.dossier import Dossier
from hub.credit.features.series import industry
from hub.credit.maths import corr, dev
from hub.credit.policies import document
from hub.credit.values import FeatureSet
from hub.domain.enums import MissingReason
from hub.domain.facts import FinancialStatement
from hub.domain.money import ZERO
from hub.domain.periods import Month, add_months, last_day, month_of, month_range, window

SHAPE_MONTHS = 10


def pair(observers: Observers, one: str, other: str) -> Decimal | None:
    """dev of two observers; one-sided if one is partial: only what the lower bound exceeds counts. None with a null observer or two partial ones."""
    a, b = observers.by_name[one], observers.by_name[other]
    if a.value is None or b.value is None or (a.partial and b.partial):
        return None
    if not (a.partial or b.partial):
        return dev(a.value, b.value)
    bound, full = (a.value, b.value) if a.partial else (b.value, a.value)
    return max(ZERO, bound - full) / bound if bound > 0 else None


def shape(observers: Observers) -> Decimal | None:
    """1 - max(0, correlation at lag 0, at lag 1) of monthly trade and receipts; at least ten months, both varying."""
    if observers.value("TRADE") is None or observers.value("CASH") is None or len(observers.months) < SHAPE_MONTHS:
        return None
    trade = [observers.trade[month] for month in observers.months]
    cash = [observers.receipts[month] for month in observers.months]
    same = corr(trade, cash)
    if same is None:
        return None
    lagged = [
        (sold, observers.receipts[after])
        for month, sold in zip(observers.months, trade, strict=True)
        if (after := add_months(month, 1)) in observers.receipts
    ]
    later = corr([sold for sold, _ in lagged], [received for _, received in lagged])
    # Two proportional series can correlate to 1 and a last digit: a deviation is never negative.
    return max(ZERO, 1 - max(ZERO, same, later if later is not None else ZERO))


def margin(dossier: Dossier, features: FeatureSet) -> Decimal | MissingReason | None:
    """Distance of the gross margin from the industry's band over the band's midpoint; NOT_APPLICABLE without a band, None with one around nothing."""
    band = _band(dossier)
    if band is None:
        return MissingReason.NOT_APPLICABLE
    found = features["rr_gross_margin"]
    if found.number is None:
        return found.missing
    low, high = band
    middle = (low + high) / 2
    return max(ZERO, low - found.number, found.number - high) / middle if middle > 0 else None


def _band(dossier: Dossier) -> tuple[Decimal, Decimal] | None:
    """The band of the longest prefix of the industry code; the lender's own bands go before the default ones."""
    code = industry(dossier)
    if code is None:
        return None
    defaults = {prefix: (Decimal(low), Decimal(high)) for prefix, (low, high) in document("engine")["margin_bands"].items()}
    bands = {**defaults, **dossier.reference.margin_bands}
    prefixes = [prefix for prefix in bands if code.startswith(prefix)]
    return bands[max(prefixes, key=len)] if prefixes else None


def equity(dossier: Dossier) -> Decimal | MissingReason | None:
    """|expected - actual equity| / profit over W24; a shortfall suggests hidden debts. NOT_APPLICABLE without both balance sheets.

    Unknown when the profit-and-loss statements do not cover each month of W24 exactly once: what is not stated is not zero.
    """
    months = window(dossier.as_of, 24)
    statements = dossier.of(FinancialStatement)
    sheets = {
        month_of(one.period_end): one.lines
        for one in statements
        if one.kind == "BS" and one.period_end == last_day(month_of(one.period_end))
    }
    before, after = sheets.get(add_months(months[0], -1)), sheets.get(months[-1])
    if before is None or after is None:
        return MissingReason.NOT_APPLICABLE
    inside = [one for one in statements if one.kind == "PL" and _months_of(one)[0] >= months[0] and _months_of(one)[-1] <= months[-1]]
    if sorted(month for one in inside for month in _months_of(one)) != months:
        return None
    years = [one.lines for one in inside]
    profit = sum((lines["net_profit"] for lines in years), ZERO)
    if profit <= 0:
        return None
    added = sum((lines.get(name, ZERO) for lines in years for name in ("injections", "appreciation")), ZERO)
    taken = sum((lines.get(name, ZERO) for lines in years for name in ("owner_withdrawals", "depreciation")), ZERO)
    return abs(before["equity"] + profit + added - taken - after["equity"]) / profit


def _months_of(one: FinancialStatement) -> list[Month]:
    return list(month_range(month_of(one.period_start), month_of(one.period_end)))
