"""Settlement statements out of the seller's bill: ``taobao.bill.bills.get``, one day a call, amounts in fen.

A statement's rows (gross sales, refunds, commission, advertising, other fees, the amount paid out) carry the same statement number; they become one Settlement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.taobao.fields import day, month, text, word
from connectors.taobao.gateway import PLATFORM, call, complete_days, covered_of, result_of, rows_of
from connectors.taobao.paging import SIZE
from hub.connect import Context, ContractBroken, Json, Page, Record, Request, Response, Unreadable, Window, windows
from hub.domain.enums import SourceKind
from hub.domain.facts import Settlement
from hub.domain.money import CENT, fen
from hub.domain.periods import first_day, last_day

METHOD = "taobao.bill.bills.get"
FIELDS = "bid,account_id,amount,book_time,statement_no,period"
SUBJECTS = {
    "1": ("gross", 1),
    "2": ("refund", -1),
    "3": ("commission", 1),
    "4": ("ad_fee", 1),
    "5": ("other_fee", 1),
    "9": ("net", 1),
}
"""``account_id`` (科目) of a row, and the sign its amounts come with: what goes back to buyers is negative. The numbers are ours; the vendor lists his by a method."""


@dataclass(frozen=True, slots=True)
class Bills:
    name: str = "bills"
    source: SourceKind = SourceKind.SETTLEMENT
    facts: tuple[type, ...] = (Settlement,)
    window_days: int | None = 1
    look_back_days: int = 31

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return windows.days(self.name, first, complete_days(context, last))

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        span = {"start_time": f"{window.first} 00:00:00", "end_time": f"{window.last} 23:59:59"}
        return call(METHOD, fields=FIELDS, **span, time_type="2", page_no="1", page_size=str(SIZE))

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        found = result_of(context, response, "bill_bills_get_response")
        rows = rows_of(found, "bills", "bill")
        if found.get("total_results") != len(rows):
            # A day holds at most a statement or two; rows of one statement on two pages would be two statements.
            raise ContractBroken("a day's bill does not fit on one page")
        statements: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            statements.setdefault(str(row.get("statement_no", "")), []).append(row)
        records = tuple({"statement_no": number, "rows": lines} for number, lines in statements.items())
        return Page(records, total=len(records), covered=covered_of(found, window))

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        amounts = dict.fromkeys((name for name, _ in SUBJECTS.values()), Decimal(0))
        for row in record["rows"]:
            name, sign = word(row, "account_id", SUBJECTS)
            amounts[name] += sign * _fen(row)
        fees = amounts["commission"] + amounts["ad_fee"] + amounts["other_fee"]
        if abs(amounts["gross"] - amounts["refund"] - fees - amounts["net"]) > CENT:
            raise Unreadable("rows.amount", "net is not gross less refunds and fees")
        period = month(record["rows"][0], "period")
        yield Settlement(
            platform=PLATFORM,
            settlement_number=text(record, "statement_no"),
            period_start=first_day(period),
            period_end=last_day(period),
            settled_on=day(record["rows"][0], "book_time"),
            **amounts,
        )


def _fen(row: Mapping[str, Any]) -> Decimal:
    found = text(row, "amount")
    if not found.removeprefix("-").isdecimal():
        raise Unreadable("rows.amount", "not an amount in fen")
    return fen(found)
