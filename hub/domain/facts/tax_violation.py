"""税务违法."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.TAX, key=("violation_number",), occurred="decided_on")
class TaxViolation:
    """税务违法违章: a violation the tax authority decided."""

    violation_number: str = about("Number.", upstream=("WFWZUUID",))
    kind: str = about("Name of the violation.", upstream=("WFXWMC",))
    decided_on: date = about("Day of the decision.", upstream=("CLJDRQ",))
    penalty: Decimal = about("Penalty.", unit=Unit.YUAN, upstream=("CFJE",))
    open: bool = about("Whether it is still open.", upstream=("CLZT_DM",))
