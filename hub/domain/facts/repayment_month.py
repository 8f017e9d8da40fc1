"""还款记录."""

from __future__ import annotations

from hub.domain.enums import SourceKind
from hub.domain.facts.declare import about, fact
from hub.domain.periods import Month


@fact(source=SourceKind.BUREAU, key=("account_number", "month"), occurred="month")
class RepaymentMonth:
    """还款状态: repayment status of one account in one month."""

    account_number: str = about("Account number at the bureau.")
    month: Month = about("Month.")
    status: str = about("N, 1 to 7, C, D, Z, G, B, M, * (no history) or # (unknown).")
