"""D3 采购与结算模式: what flows through the accounts (domain brief, section 3)."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from hub.credit.dossier import Dossier, once
from hub.credit.features.catalogue import ALL, W6, W12, Null, Reads, Value, formula
from hub.credit.features.reading import Reading, ratio
from hub.credit.features.series import RECEIPTS, movements
from hub.domain.enums import Direction, MissingReason, SourceKind, Unit
from hub.domain.facts import PaymentAccount, PaymentTransaction
from hub.domain.money import ZERO
from hub.domain.periods import Month, china_day, first_day, last_day, month_of

HALF_YEAR = (Reads(W6, (PaymentTransaction,)),)
LEFT_AGAIN, WITHIN = Decimal("0.9"), timedelta(hours=24)
LOW_SHARE = Decimal("0.01")


@formula(
    "ps_personal_account_share",
    Unit.RATIO,
    span=W12,
    reads=[Reads(W12, (PaymentTransaction,)), Reads(ALL, (PaymentAccount,))],
    business_only=True,
)
def personal_account_share(read: Reading) -> Value:
    """Share of sales receipts and platform payouts that arrive in accounts of type BANK_PERSONAL."""
    personal = {one.account_number for one in read.dossier.of(PaymentAccount) if one.type == "BANK_PERSONAL"}
    received = receipts_by_account(read, read.months(SourceKind.PAYMENT, 12))
    return ratio(sum((amount for account, amount in received.items() if account in personal), ZERO), sum(received.values(), ZERO))


def receipts_by_account(read: Reading, months: Iterable[Month]) -> dict[str, Decimal]:
    """Sales receipts and platform payouts of some months by account."""
    found: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for one in _within(read, months):
        if one.direction is Direction.IN and one.category in RECEIPTS:
            found[one.account_number] += one.amount
    return found


@formula("ps_unknown_inflow_share", Unit.RATIO, span=W6, reads=HALF_YEAR, business_only=True)
def unknown_inflow_share(read: Reading) -> Value:
    """IN[UNKNOWN, CASH] / Σ IN."""
    months = read.months(SourceKind.PAYMENT, 6)
    names = [name for name in read.dossier.amounts if name.startswith("IN.")]
    return ratio(read.total(SourceKind.PAYMENT, ["IN.UNKNOWN", "IN.CASH"], months), read.total(SourceKind.PAYMENT, names, months))


@formula("ps_fast_in_out_share", Unit.RATIO, span=W6, reads=HALF_YEAR, business_only=True)
def fast_in_out_share(read: Reading) -> Value:
    """Share of inflows of which at least 90 % leaves the same account within 24 hours; an outflow is set against the earliest inflows first and counts
    once."""
    inside = _within(read, read.months(SourceKind.PAYMENT, 6))
    total = sum((one.amount for one in inside if one.direction is Direction.IN), ZERO)
    accounts = {one.account_number for one in inside}
    fast = (_fast([one for one in inside if one.account_number == account]) for account in sorted(accounts))
    return ratio(sum(fast, ZERO), total)


def _fast(posted: list[PaymentTransaction]) -> Decimal:
    """Inflows of one account that leave again."""
    outflows = [one for one in posted if one.direction is Direction.OUT]
    times, left, found = [one.at for one in outflows], [one.amount for one in outflows], ZERO
    for one in posted:
        if one.direction is Direction.IN and _drain(one, bisect_right(times, one.at), bisect_right(times, one.at + WITHIN), left):
            found += one.amount
    return found


def _drain(inflow: PaymentTransaction, first: int, last: int, left: list[Decimal]) -> bool:
    """Takes the inflow out of the outflows that follow it; whether at least 90 % of it went."""
    rest = inflow.amount
    for index in range(first, last):
        taken = min(rest, left[index])
        left[index], rest = left[index] - taken, rest - taken
    return inflow.amount - rest >= LEFT_AGAIN * inflow.amount


@formula(
    "ps_low_balance_days", Unit.DAYS, span=W6, reads=[*HALF_YEAR, Reads(ALL, (PaymentAccount,)), Reads(W6, sales=True)], business_only=True
)
def low_balance_days(read: Reading) -> Value:
    """Number of days of W6 on which the closing balance of all accounts is below 1 % of that month's S including VAT. Null when an account states no
    balance."""
    read.months(SourceKind.PAYMENT, 6)
    series, state = read.series(), read.dossier.source(SourceKind.PAYMENT)
    months = read.enough((month for month in read.window(6) if month in series.months and state.covers(month)), 6)
    limits = {month: LOW_SHARE * series.including_vat(series.months[month], read.shared.r_vat) for month in months}
    closing = _closings(read, first_day(months[0]), last_day(months[-1]))
    return sum(1 for day, balance in closing.items() if month_of(day) in limits and balance < limits[month_of(day)])


def _closings(read: Reading, first: date, last: date) -> dict[date, Decimal]:
    """Closing balance of all accounts together by day."""
    accounts = read.dossier.of(PaymentAccount)
    if not accounts:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    total: dict[date, Decimal] = defaultdict(lambda: ZERO)
    for account in accounts:
        for day, balance in _closing(read, account, first, last):
            total[day] += balance
    return total


@once
def _posted(dossier: Dossier, account_number: str) -> tuple[list[PaymentTransaction], list[date]]:
    """The movements of an account, oldest first, and their days."""
    posted = [one for _, one in movements(dossier) if one.account_number == account_number]
    return posted, [china_day(one.at) for one in posted]


def _closing(read: Reading, account: PaymentAccount, first: date, last: date) -> Iterator[tuple[date, Decimal]]:
    """The balance after the last movement of each day, carried on; before the first movement the opening balance."""
    posted, days = _posted(read.dossier, account.account_number)
    balance = account.opening_balance
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        done = bisect_right(days, day)
        yield day, read.known(posted[done - 1].balance_after if done else balance)


@formula("ps_returned_payments", Unit.COUNT, span=W6, reads=HALF_YEAR, business_only=True)
def returned_payments(read: Reading) -> Value:
    """Number of returned or failed debits. The sources serve posted movements only, so it is always null."""
    read.need(SourceKind.PAYMENT)
    raise Null(MissingReason.INSUFFICIENT_COVERAGE)


def _within(read: Reading, months: Iterable[Month]) -> list[PaymentTransaction]:
    """Movements of some months, oldest first."""
    wanted = frozenset(months)
    return [one for month, one in movements(read.dossier) if month in wanted]
