"""Social insurance of a persona as single records: contributions, enrolments, employer months (rules E1, E14, E15)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connectors.sandbox.expand import Reach, on_day
from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import Employer, InsuredStint, SocialInsurance
from hub.domain.enums import SourceKind
from hub.domain.money import ZERO, round_money
from hub.domain.periods import Month, add_months, china_day, first_day, month_of, month_range, months_between

PERSON_DAY = 20
EMPLOYER_DAY = 12
DUE_DAY = 25
LATE_DAY = 10


@dataclass(frozen=True, slots=True)
class Enrolment:
    """``person`` is a key of the persona's people. ``active``: contributions go on at the end of the data."""

    person: str
    employer: Employer | None
    insurance: str
    first: Month
    last: Month
    active: bool


@dataclass(frozen=True, slots=True)
class Contribution:
    person: str
    employer: Employer | None
    insurance: str
    period: Month
    base: Decimal
    employer_amount: Decimal
    employee_amount: Decimal
    paid_on: date


@dataclass(frozen=True, slots=True)
class EmployerMonth:
    """``paid_on`` is None and ``arrears`` the amount due as long as it is not paid."""

    insurance: str
    month: Month
    headcount: int
    base_sum: Decimal
    due: Decimal
    due_on: date
    paid: Decimal
    paid_on: date | None
    arrears: Decimal


def horizon(persona: Persona, reach: Reach) -> date:
    """The last day whose events the source knows: its data end, and never after ``known_at``."""
    return min(reach.until, china_day(persona.known_at))


def serves_month(reach: Reach, month: Month) -> bool:
    """Whether records of the month are served; a month in progress at the data end is, as far as it goes."""
    return reach.first <= first_day(month) <= reach.until and month not in reach.gaps


def contributions(persona: Persona) -> list[Contribution]:
    """What every insured person of the persona paid, for the periods that the source serves."""
    section, reach = persona.social_insurance, Reach(persona, SourceKind.SOCIAL_INSURANCE)
    if section is None:
        return []
    end = horizon(persona, reach)
    found = [row for stint in section.persons for row in _stint(section, stint)]
    return [row for row in found if serves_month(reach, row.period) and row.paid_on <= end]


def _stint(section: SocialInsurance, stint: InsuredStint) -> Iterator[Contribution]:
    late = {row.period: row.paid_on for row in stint.back_paid}
    for period in month_range(stint.first, stint.last):
        if period in stint.missed and period not in late:
            continue
        for insurance, (employer_rate, employee_rate) in section.rates.items():
            yield Contribution(
                person=stint.person,
                employer=stint.employer,
                insurance=insurance,
                period=period,
                base=stint.base,
                employer_amount=round_money(stint.base * employer_rate) if stint.employer else ZERO,
                employee_amount=round_money(stint.base * employee_rate),
                paid_on=late.get(period, on_day(period, PERSON_DAY)),
            )


def enrolments(persona: Persona) -> list[Enrolment]:
    """One per person, employer and insurance; several stints with one employer are one enrolment."""
    section, reach = persona.social_insurance, Reach(persona, SourceKind.SOCIAL_INSURANCE)
    if section is None:
        return []
    end = month_of(horizon(persona, reach))
    stints: dict[tuple[str, str], list[InsuredStint]] = {}
    for stint in section.persons:
        if stint.first <= end:
            stints.setdefault((stint.person, stint.employer.uscc if stint.employer else ""), []).append(stint)
    found = []
    for (person, _), rows in stints.items():
        first, last = min(row.first for row in rows), max(row.last for row in rows)
        active = months_between(last, end) <= 1
        found += [Enrolment(person, rows[0].employer, insurance, first, last, active) for insurance in section.rates]
    return found


def employer_months(persona: Persona) -> list[EmployerMonth]:
    """What the business owed and paid as an employer, one record per insurance and month."""
    section, reach = persona.social_insurance, Reach(persona, SourceKind.SOCIAL_INSURANCE)
    if section is None or section.employer is None:
        return []
    end, block, found = horizon(persona, reach), section.employer, []
    for index, (heads, base) in enumerate(zip(block.headcount, block.base, strict=True)):
        month = add_months(block.first, index)
        if not serves_month(reach, month):
            continue
        paid_on = _paid_on(month, late=month in block.late, unpaid=month in block.unpaid)
        due_on = on_day(month, DUE_DAY)
        known = paid_on if paid_on and paid_on <= end else None
        if known is None and due_on > end:
            continue
        for insurance, (rate, _) in section.rates.items():
            due = round_money(base * rate)
            paid = due if known else ZERO
            found.append(EmployerMonth(insurance, month, heads, base, due, due_on, paid, known, due - paid))
    return found


def _paid_on(month: Month, *, late: bool, unpaid: bool) -> date | None:
    if unpaid:
        return None
    return on_day(add_months(month, 1), LATE_DAY) if late else on_day(month, EMPLOYER_DAY)
