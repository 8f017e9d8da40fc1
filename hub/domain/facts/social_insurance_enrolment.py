"""参保登记."""

from __future__ import annotations

from datetime import date

from hub.domain.enums import SourceKind
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId
from hub.domain.periods import Month


@fact(source=SourceKind.SOCIAL_INSURANCE, key=("person", "employer", "insurance", "enrolled_on"), occurred=None)
class SocialInsuranceEnrolment:
    """参保登记: a person's enrolment with one employer in one insurance."""

    person: PersonalId = about("Resident ID (or personal number) of the person.", upstream=("aac001",))
    employer: str = about("USCC of the employer; empty for flexible enrolment (灵活就业).", upstream=("aab998",), party=True)
    insurance: str = about("PENSION, MEDICAL, UNEMPLOYMENT, WORK_INJURY or MATERNITY.", upstream=("aae140",))
    status: str = about("ACTIVE, SUSPENDED, TERMINATED or RETIRED.", upstream=("aac008",))
    enrolled_on: date | None = about("Day of enrolment.", upstream=("aac030",))
    first_month: Month | None = about("First month.", upstream=("aac049",))
