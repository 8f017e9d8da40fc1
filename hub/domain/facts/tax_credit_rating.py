"""纳税信用级别."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.TAX, key=("rating_year",), occurred="published_on")
class TaxCreditRating:
    """纳税信用级别. Usable from its day of publication, usually April of the next year. No rating is not a bad rating."""

    rating_year: int = about("Year that was rated.", upstream=("PJND",))
    grade: str = about("A, B, M, C or D.", upstream=("NSXYDJ",))
    points: Decimal | None = about("Points, where given.", unit=Unit.SCORE, upstream=("PJFS",))
    published_on: date = about("Day of publication.", upstream=("FBRQ",))
