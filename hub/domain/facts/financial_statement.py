"""财务报表."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import SourceKind
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.FINANCIALS, key=("kind", "period_start", "period_end"), occurred="period_end")
class FinancialStatement:
    """财务报表: one balance sheet (BS) or profit-and-loss statement (PL)."""

    kind: str = about("BS (资产负债表), PL (利润表) or CF (现金流量表).", upstream=("BBZL_DM",))
    period_start: date = about("First day.", upstream=("SSQQ",))
    period_end: date = about("Last day; the day of the balance.", upstream=("SSQZ",))
    basis: str = about("TAX_FILED, MANAGEMENT or AUDITED.")
    lines: dict[str, Decimal] = about(
        "Amounts in yuan by line. BS: total_assets, total_liabilities, equity, fixed_assets, cash, acceptance_deposits, receivables, inventory, "
        "prepayments, payables, advances_received. PL: revenue, cost, net_profit, research_cost (研究费用), owner_withdrawals, injections, appreciation, depreciation."
    )
