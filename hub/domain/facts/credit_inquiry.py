"""征信查询."""

from __future__ import annotations

from datetime import date

from hub.domain.enums import SourceKind
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.BUREAU, key=("inquired_on", "reason", "organisation"), occurred="inquired_on")
class CreditInquiry:
    """征信查询: one look-up of the credit report."""

    inquired_on: date = about("Day of the look-up.")
    reason: str = about("LOAN_APPROVAL, CARD_APPROVAL, GUARANTEE_REVIEW, POST_LOAN or SELF. The first three are hard inquiries.")
    organisation: str = about("Who looked.")
