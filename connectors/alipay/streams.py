"""The two streams: the accounts the customer authorised, and their account log.

A bill exists from the day after on, so the account log is never asked for the current day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from connectors.alipay import normalise, reading, requests
from connectors.alipay.authorise import held
from connectors.alipay.cursor import Days, Place, within
from hub.connect import Context, ContractBroken, Json, NoData, Page, Record, Request, Response, Stream, Window
from hub.connect.windows import months, whole
from hub.domain.enums import SourceKind
from hub.domain.facts import PaymentAccount, PaymentTransaction


@dataclass(frozen=True)
class Accounts:
    """A state, read whole in one answer. Our extension method; where the platform has none there is nothing to ask."""

    name: str = "accounts"
    source: SourceKind = SourceKind.PAYMENT
    facts: tuple[type, ...] = (PaymentAccount,)
    window_days: int | None = 0
    look_back_days: int = 0

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return whole(self.name, first, last) if requests.accounts_method(context) else []

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        return requests.accounts(context)

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        content = reading.answer(context, requests.accounts_method(context), response)
        found, ranges = reading.rows(content, "account_list"), reading.bill_ranges(content)
        if not found and ranges == ():
            raise NoData("the platform serves no bills of this customer", covered=False)
        covered = None if ranges is None else within(ranges, window.first, window.last)
        return Page(tuple(found), total=reading.number(content, "total_size"), covered=covered)

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        yield normalise.account(record)


@dataclass(frozen=True)
class AccountLog:
    """Movements by calendar month (at most 31 days, half-open), account after account."""

    name: str = "account_log"
    source: SourceKind = SourceKind.PAYMENT
    facts: tuple[type, ...] = (PaymentTransaction,)
    window_days: int | None = 31
    look_back_days: int = 3

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return months(self.name, first, min(last, context.today - timedelta(days=1)))

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        at = self._place(context, cursor)
        return requests.account_log(window, held(context.grant)[at.account].number, at.page, at.size)

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        at = self._place(context, cursor)
        records, total, covered = self._answer(context, at, response)
        after = at.read(len(records))
        if at.page * at.size < total:
            if not records:
                raise ContractBroken("a page before the last one is empty")
            return Page(records, next=after.cursor())
        done = after.account_done(total, covered)
        if done.account < done.of:
            return Page(records, next=done.cursor())
        return _end(window, records, done)

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        yield normalise.transaction(record)

    def _place(self, context: Context, cursor: Json | None) -> Place:
        return Place.of_cursor(cursor, len(held(context.grant)), requests.page_size(context))

    def _answer(self, context: Context, at: Place, response: Response) -> tuple[tuple[Record, ...], int, Days | None]:
        """Records, the account's total and the days it is complete for. Days out of reach are no fault here: other accounts go on."""
        try:
            content = reading.answer(context, requests.ACCOUNT_LOG, response)
        except NoData:
            return (), 0, ()
        account = held(context.grant)[at.account]
        own: Mapping[str, Any] = {"bill_user_id": account.number, "holder_name": account.holder}
        records = tuple({**row, **own} for row in reading.rows(content, "detail_list"))
        return records, reading.number(content, "total_size"), reading.bill_ranges(content)


def _end(window: Window, records: tuple[Record, ...], done: Place) -> Page:
    covered = None if done.covered is None else within(done.covered, window.first, window.last)
    if covered == () and not done.seen:
        raise NoData("the platform has no bill for these days", covered=False)
    return Page(records, total=done.declared, covered=covered)


STREAMS: tuple[Stream, ...] = (Accounts(), AccountLog())
