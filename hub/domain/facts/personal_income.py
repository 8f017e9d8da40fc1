"""个人工资薪金所得."""

from __future__ import annotations

from decimal import Decimal

from hub.domain.enums import Sensitivity, SourceKind, Unit
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId
from hub.domain.periods import Month


@fact(source=SourceKind.TAX, key=("person", "month", "payer"), occurred="month")
class PersonalIncome:
    """个人所得: a person's monthly wage income as declared by the payer. Needs written consent and notice of adverse effects."""

    person: PersonalId = about("Resident ID of the person.")
    month: Month = about("Month of the income.")
    payer: str = about("USCC of the payer, empty when not given.", party=True)
    amount: Decimal = about("Wage income.", unit=Unit.YUAN, sensitivity=Sensitivity.C2)
