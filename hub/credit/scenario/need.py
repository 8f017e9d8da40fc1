"""The NEED cap of enterprises with statements: working-capital need less own funds and loans (流动资金贷款需求量, domain brief, 5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hub.credit.crosscheck.observers import Observers
from hub.credit.dossier import Dossier
from hub.credit.expressions import Names
from hub.credit.policies import document
from hub.domain.enums import SourceKind
from hub.domain.facts import FinancialStatement
from hub.domain.money import ZERO
from hub.domain.periods import add_months, last_day, month_of, window

DAYS = 360


@dataclass(frozen=True, slots=True)
class Need:
    value: Decimal | None
    features: tuple[str, ...]


def need_cap(dossier: Dossier, names: Names, observers: Observers) -> Need | None:
    """revenue x (1 - profit rate) x (1 + growth) / turnover - own funds - working-capital loans. None where it does not apply."""
    months = window(dossier.as_of, 12)
    statements = dossier.of(FinancialStatement)
    sheets = {one.period_end: one.lines for one in statements if one.kind == "BS"}
    after, before = sheets.get(last_day(months[-1])), sheets.get(last_day(add_months(months[0], -1)))
    years = sorted((one for one in statements if one.kind == "PL" and month_of(one.period_end) in months), key=lambda one: one.period_end)
    enterprise = (dossier.subject.uscc or "").startswith("91")
    if not (enterprise and after and before and years and dossier.readable(SourceKind.TAX)):
        return None
    used = ("ps_cash_cycle", "ss_growth_yoy")
    revenue, cycle, loans = observers.value("TAX"), names["ps_cash_cycle"].value, names["working_capital_balances"].value
    profit = years[-1].lines
    if (
        revenue is None
        or not isinstance(cycle, Decimal | int)
        or cycle <= 0
        or not isinstance(loans, Decimal | int)
        or profit["revenue"] <= 0
    ):
        return Need(None, used)
    growth = names["ss_growth_yoy"].value
    counted = min(max(growth, ZERO), Decimal(document("engine")["growth_ceiling"])) if isinstance(growth, Decimal) else ZERO
    need = revenue * (1 - profit["net_profit"] / profit["revenue"]) * (1 + counted) * Decimal(cycle) / DAYS
    own = after["cash"] - after.get("acceptance_deposits", ZERO)
    return Need(need - own - Decimal(loans), used)
