"""欠税."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.TAX, key=("arrear_number",), occurred="since")
class TaxArrear:
    """欠税: tax owed."""

    arrear_number: str = about("Number of the arrear.", upstream=("QSUUID",))
    tax_kind: str = about("Kind of tax.", upstream=("ZSXM_DM",))
    since: date = about("Due day that was missed.", upstream=("JKQX",))
    amount: Decimal = about("Amount owed.", unit=Unit.YUAN, upstream=("QSYE",))
    late_fee: Decimal = about("Late fee.", unit=Unit.YUAN, upstream=("ZNJ",))
    cleared_on: date | None = about("Day of clearing; null while open.", upstream=("QJRQ",))
