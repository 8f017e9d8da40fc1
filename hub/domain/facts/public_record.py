"""司法与行政公开记录."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.PUBLIC_RECORD, key=("case_number",), occurred="filed_on")
class PublicRecord:
    """公开记录: litigation, enforcement, dishonest-debtor, penalty or bankruptcy record. Plaintiff-side cases are not adverse."""

    case_number: str = about("Case number.")
    kind: str = about("LITIGATION, ENFORCEMENT, DISHONEST, ADMIN_PENALTY or BANKRUPTCY.")
    role: str = about("PLAINTIFF or DEFENDANT.")
    status: str = about("OPEN or CLOSED.")
    filed_on: date = about("Day of filing.")
    closed_on: date | None = about("Day of closing; negative information is kept five years after it (征信业管理条例 16).")
    amount: Decimal | None = about("Amount in dispute.", unit=Unit.YUAN)
