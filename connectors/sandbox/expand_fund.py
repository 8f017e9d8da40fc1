"""Housing fund of a persona as single records: accounts and their bookings (rules E1, E16). One account per row of the section."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connectors.sandbox.expand import Reach, on_day
from connectors.sandbox.expand_social import horizon
from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import FundStint
from hub.domain.enums import SourceKind
from hub.domain.money import ZERO, round_money
from hub.domain.periods import Month, first_day, month_of, month_range

BOOKING_DAY = 20


@dataclass(frozen=True, slots=True)
class FundEntry:
    """A deposit. ``balance`` is that of the account after it."""

    period: Month
    employer_amount: Decimal
    employee_amount: Decimal
    balance: Decimal
    booked_on: date

    @property
    def total(self) -> Decimal:
        return self.employer_amount + self.employee_amount


@dataclass(frozen=True, slots=True)
class FundAccount:
    """``index`` is the row's place in the section. ``balance`` counts every deposit up to the data end, ``entries`` are those that are served."""

    index: int
    stint: FundStint
    balance: Decimal
    opened_on: date
    paid_through: Month | None
    entries: tuple[FundEntry, ...]

    @property
    def monthly(self) -> tuple[Decimal, Decimal]:
        """The employer's and the employee's part of a month."""
        return round_money(self.stint.base * self.stint.employer_rate), round_money(self.stint.base * self.stint.employee_rate)


def accounts(persona: Persona) -> list[FundAccount]:
    """Every account that exists at the data end."""
    section, reach = persona.housing_fund, Reach(persona, SourceKind.HOUSING_FUND)
    if section is None:
        return []
    end = horizon(persona, reach)
    rows = [(index, stint) for index, stint in enumerate(section.accounts) if stint.first <= month_of(end)]
    return [_account(index, stint, reach, end) for index, stint in rows]


def _account(index: int, stint: FundStint, reach: Reach, end: date) -> FundAccount:
    booked = [entry for entry in _entries(stint) if entry.booked_on <= end]
    opening = stint.opening_balance or ZERO
    return FundAccount(
        index=index,
        stint=stint,
        balance=booked[-1].balance if booked else opening,
        opened_on=first_day(stint.first),
        paid_through=max((entry.period for entry in booked), default=None),
        entries=tuple(entry for entry in booked if reach.covers(entry.booked_on)),
    )


def _entries(stint: FundStint) -> Iterator[FundEntry]:
    late = {row.period: row.paid_on for row in stint.back_paid}
    months = [month for month in month_range(stint.first, stint.last) if month not in stint.missed or month in late]
    booked = sorted((late.get(month, on_day(month, BOOKING_DAY)), month) for month in months)
    balance = stint.opening_balance or ZERO
    employer = round_money(stint.base * stint.employer_rate)
    employee = round_money(stint.base * stint.employee_rate)
    for day, month in booked:
        balance += employer + employee
        yield FundEntry(month, employer, employee, balance, day)
