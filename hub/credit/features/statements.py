"""What formulas take from financial statements: the year that counts, and means of two balance sheets."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from hub.credit.features.reading import Reading, ratio
from hub.domain.enums import SourceKind
from hub.domain.facts import FinancialStatement
from hub.domain.money import ZERO
from hub.domain.periods import full_months, last_day, month_of

DAYS = 360


def profit_and_loss(read: Reading) -> Mapping[str, Decimal] | None:
    """Lines of the latest yearly profit-and-loss statement that ends in W12."""
    months = frozenset(read.window(12))
    years = [
        one for one in read.dossier.of(FinancialStatement) if one.kind == "PL" and _is_year(one) and month_of(one.period_end) in months
    ]
    return max(years, key=lambda one: one.period_end).lines if years else None


def balance_sheet(read: Reading, back: int) -> Mapping[str, Decimal] | None:
    """Lines of the balance sheet at the end of M-``back``."""
    end = last_day(read.window(1, back)[0])
    found = [one for one in read.dossier.of(FinancialStatement) if one.kind == "BS" and one.period_end == end]
    return found[-1].lines if found else None


def days(read: Reading, stock: str, flow: str) -> Decimal:
    """360 x mean of a balance-sheet line at the end of M0 and of M-12, over a line of the year."""
    read.need(SourceKind.FINANCIALS)
    now, before, year = read.known(balance_sheet(read, 0)), read.known(balance_sheet(read, 12)), read.known(profit_and_loss(read))
    average = (now.get(stock, ZERO) + before.get(stock, ZERO)) / 2
    return ratio(DAYS * average, read.known(year.get(flow)))


def _is_year(one: FinancialStatement) -> bool:
    return full_months(one.period_start, one.period_end) == 11
