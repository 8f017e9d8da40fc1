"""D6 经营者个人软信息: months paid into social insurance and housing fund (domain brief, section 3).

A month counts as paid when it was paid by the last day of the third month after it, whoever the employer.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from hub.credit.features.catalogue import ALL, W6, W24, Null, Reads, Span, Value, formula
from hub.credit.features.reading import Reading, ratio
from hub.domain.enums import MissingReason, SourceKind, Unit
from hub.domain.facts import (
    BusinessRegistration,
    HousingFundAccount,
    HousingFundEntry,
    SocialInsuranceContribution,
    SocialInsuranceEnrolment,
)
from hub.domain.money import ZERO
from hub.domain.periods import Month, add_months, last_day

LONGEST = 120
LATEST_MONTHS = 3
INSURANCE = (SocialInsuranceContribution, SocialInsuranceEnrolment)
FUND = (HousingFundAccount, HousingFundEntry)
ENDED = ("SEALED", "CLOSED", "MOVED")


@formula("op_si_streak", Unit.MONTHS, reads=[Reads(ALL, INSURANCE)])
def si_streak(read: Reading) -> Value:
    """Consecutive months paid into social insurance that end at M0, or at M-1 if M0 is not paid, at most 120; any employer or flexible. A month paid later than
    the last day of the third month after it is unpaid. NOT_APPLICABLE when the source knows no record of the person."""
    read.need(SourceKind.SOCIAL_INSURANCE)
    own = _contributions(read)
    enrolled = any(one.person == read.person_hash for one in read.dossier.of(SocialInsuranceEnrolment))
    if not own and not enrolled:
        raise Null(MissingReason.NOT_APPLICABLE)
    return _streak(read, SourceKind.SOCIAL_INSURANCE, {one.period for one in own if _in_time(one.period, one.paid_on)})


@formula("op_hf_streak", Unit.MONTHS, reads=[Reads(ALL, FUND)])
def hf_streak(read: Reading) -> Value:
    """Consecutive months paid into the housing fund that end at M0, or at M-1 if M0 is not paid, at most 120. A month paid later than the last day of the third
    month after it is unpaid. NOT_APPLICABLE when the person has no account."""
    _with_account(read)
    paid = {one.period for one in _deposits(read) if one.period and _in_time(one.period, one.booked_on)}
    return _streak(read, SourceKind.HOUSING_FUND, paid)


@formula("op_hf_implied_income", Unit.YUAN, span=W6, reads=[Reads(W6, (HousingFundEntry,)), Reads(ALL, (HousingFundAccount,))])
def hf_implied_income(read: Reading) -> Value:
    """Σ monthly deposit / (employer rate + employee rate) over the covered months of W6, in yuan a month; a covered month without deposit is 0. NOT_APPLICABLE
    without an account or when all are sealed."""
    accounts = _with_account(read)
    if all(one.status in ENDED for one in accounts):
        raise Null(MissingReason.NOT_APPLICABLE)
    months = read.months(SourceKind.HOUSING_FUND, 6)
    rates = {one.account_number: one.employer_rate + one.employee_rate for one in accounts}
    deposits = [one for one in _deposits(read) if one.period in months]
    return sum((ratio(one.total, _rate(one, rates[one.account_number])) for one in deposits), ZERO) / len(months)


@formula("op_employer_changes", Unit.COUNT, span=W24, reads=[Reads(W24, (SocialInsuranceContribution,)), Reads(ALL, FUND)])
def employer_changes(read: Reading) -> Value:
    """max(0, distinct employers in social insurance and housing fund - 1) over W24; flexible enrolment is no employer. Either source is enough."""
    employers: set[str] = set()
    for kind in _enough_of(read):
        months = frozenset(read.months(kind, 24))
        if kind is SourceKind.SOCIAL_INSURANCE:
            employers |= {one.employer for one in _contributions(read) if one.period in months}
        else:
            named = {one.account_number: one.employer for one in _accounts(read)}
            employers |= {one.employer or named[one.account_number] or "" for one in _deposits(read) if one.period in months}
    return max(0, len(employers - {""}) - 1)


@formula("op_local_months", Unit.MONTHS, span=Span(60), reads=[Reads(ALL, (*INSURANCE, *FUND, BusinessRegistration))])
def local_months(read: Reading) -> Value:
    """Number of months of W60 with a payment into social insurance or housing fund in the city of operation (of residence for a person without a
    business). Either source is enough."""
    either = _readable(read)
    city, months = _operating_city(read), frozenset(read.window(60))
    read.enough((month for month in months if any(read.dossier.source(kind).covers(month) for kind in either)), 60)
    local = {one.account_number for one in _accounts(read) if one.city == city}
    paid = {one.period for one in _contributions(read) if one.city == city and one.paid_on}
    paid |= {one.period for one in _deposits(read) if one.period and one.account_number in local}
    return len(paid & months)


def _streak(read: Reading, source: SourceKind, paid: set[Month]) -> int:
    """Length of the run; null when neither M0 nor M-1 is paid and M-1 is not covered: then nobody knows."""
    month, state = read.window(1)[0], read.dossier.source(source)
    if month not in paid:
        month = add_months(month, -1)
    if month not in paid and not state.covers(month):
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    length = 0
    while length < LONGEST and month in paid:
        length, month = length + 1, add_months(month, -1)
    return length


def _in_time(period: Month, paid_on: date | None) -> bool:
    return paid_on is not None and paid_on <= last_day(add_months(period, LATEST_MONTHS))


def _contributions(read: Reading) -> list[SocialInsuranceContribution]:
    """The person's contributions; a refund is none."""
    rows = read.dossier.of(SocialInsuranceContribution)
    return [one for one in rows if one.person == read.person_hash and one.kind != "REFUND"]


def _accounts(read: Reading) -> list[HousingFundAccount]:
    return [one for one in read.dossier.of(HousingFundAccount) if one.person == read.person_hash]


def _with_account(read: Reading) -> list[HousingFundAccount]:
    read.need(SourceKind.HOUSING_FUND)
    accounts = _accounts(read)
    if not accounts:
        raise Null(MissingReason.NOT_APPLICABLE)
    return accounts


def _deposits(read: Reading) -> list[HousingFundEntry]:
    """Deposits and back payments into the person's accounts."""
    own = {one.account_number for one in _accounts(read)}
    rows = read.dossier.of(HousingFundEntry)
    return [one for one in rows if one.account_number in own and one.kind in ("DEPOSIT", "BACK_PAYMENT")]


def _rate(entry: HousingFundEntry, of_account: Decimal) -> Decimal:
    """Both rates of a deposit: its own where the centre says them, else those of the account."""
    if entry.employer_rate is None or entry.employee_rate is None:
        return of_account
    return entry.employer_rate + entry.employee_rate


def _readable(read: Reading) -> list[SourceKind]:
    """Those of the two sources that are readable; the reason of the first when none is."""
    both = (SourceKind.SOCIAL_INSURANCE, SourceKind.HOUSING_FUND)
    found = [kind for kind in both if read.dossier.readable(kind)]
    if not found:
        read.need(*both)
    return found


def _enough_of(read: Reading) -> list[SourceKind]:
    """Those of the readable sources that cover enough of W24."""
    found = [kind for kind in _readable(read) if read.covers_enough(kind, 24)]
    if not found:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return found


def _operating_city(read: Reading) -> str:
    if not read.dossier.subject.is_business:
        return read.known(read.dossier.subject.residence_city)
    read.need(SourceKind.REGISTRATION)
    own: Iterable[BusinessRegistration] = (one for one in read.dossier.of(BusinessRegistration) if one.uscc == read.dossier.subject.uscc)
    return read.known(next((one.operating_city or one.city for one in own), None))
