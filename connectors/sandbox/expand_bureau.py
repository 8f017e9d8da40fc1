"""The bureau section of a persona as single records (rules E1, E17): accounts, repayment months, inquiries.

A month's repayment status is known when the month is over: it is served if the whole month lies within what the source covers. Accounts
are a state: those opened by the data end, however long ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from connectors.sandbox.expand import Reach
from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import BureauAccount, Inquiry
from hub.domain.enums import SourceKind
from hub.domain.periods import Month, add_months, first_day, last_day


@dataclass(frozen=True, slots=True)
class ReportedAccount:
    account: BureauAccount
    borrower_id: str
    borrower_name: str


@dataclass(frozen=True, slots=True)
class ReportedMonth:
    account: str
    month: Month
    status: str


@dataclass(frozen=True, slots=True)
class CreditFile:
    """What the bureau knows of the persona: its own records and those of the persons of its file."""

    accounts: tuple[ReportedAccount, ...]
    months: tuple[ReportedMonth, ...]
    inquiries: tuple[Inquiry, ...]
    covered: tuple[tuple[date, date], ...]


def credit_file(persona: Persona) -> CreditFile:
    reach = Reach(persona, SourceKind.BUREAU)
    if persona.bureau is None or reach.source is None:
        return CreditFile((), (), (), tuple(reach.intervals()))
    known = [account for account in persona.bureau.accounts if account.opened_on <= reach.until and reach.exists(account.opened_on)]
    accounts = tuple(ReportedAccount(account, *persona.holder(account.of)) for account in known)
    months = tuple(month for account in known for month in _months(account) if _over(reach, month.month))
    inquiries = tuple(inquiry for inquiry in persona.bureau.inquiries if reach.covers(inquiry.on) and reach.exists(inquiry.on))
    return CreditFile(accounts, months, inquiries, tuple(reach.intervals()))


def _months(account: BureauAccount) -> list[ReportedMonth]:
    first = account.statuses.first
    return [ReportedMonth(account.id, add_months(first, index), code) for index, code in enumerate(account.statuses.codes)]


def _over(reach: Reach, month: Month) -> bool:
    end = last_day(month)
    return reach.covers(first_day(month)) and reach.covers(end) and reach.exists(end)
