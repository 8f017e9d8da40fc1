"""Settlement statements out of the seller's bill: ``taobao.bill.bills.get``, one day a call, amounts in fen.

A statement's rows (gross sales, refunds, commission, advertising, other fees, the amount paid out) carry the same statement number; they become one Settlement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.taobao.gateway import PLATFORM, call, covered_of, result_of, rows_of, text
from connectors.taobao.paging import page_parameters
from hub.connect import Context, ContractBroken, Json, Page, Record, Request, Response, Unreadable, Window, windows
from hub.domain.enums import SourceKind
from hub.domain.facts import Settlement
from hub.domain.money import fen
from hub.domain.periods import Month, first_day, last_day

METHOD = "taobao.bill.bills.get"
KINDS = {"1": "gross", "2": "refund", "3": "commission", "4": "ad_fee", "5": "other_fee", "9": "net"}
"""``bill_type`` of a row; ours to configure, the vendor's list of account ids is longer."""


@dataclass(frozen=True, slots=True)
class Bills:
    name: str = "bills"
    source: SourceKind = SourceKind.SETTLEMENT
    facts: tuple[type, ...] = (Settlement,)
    window_days: int | None = 1
    look_back_days: int = 31

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return windows.days(self.name, first, last)

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        span = {"start_time": f"{window.first} 00:00:00", "end_time": f"{window.last} 23:59:59"}
        return call(METHOD, fields="bid,statement_no,period,bill_type,amount,book_time", **span, **page_parameters(cursor))

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        found = result_of(context, response, "bill_bills_get_response")
        rows = rows_of(found, "bills", "bill_dto")
        if not isinstance(found.get("total_results"), int) or found["total_results"] != len(rows):
            raise ContractBroken("a day's bill does not fit on one page")
        statements: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            statements.setdefault(str(row.get("statement_no", "")), []).append(row)
        records = tuple({"statement_no": number, "rows": lines} for number, lines in statements.items())
        return Page(records, total=len(records), covered=covered_of(found, window))

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        amounts = dict.fromkeys(KINDS.values(), Decimal(0))
        for row in record["rows"]:
            kind = KINDS.get(text(row, "bill_type"))
            if kind is None:
                raise Unreadable("rows.bill_type", "not in the code table")
            amounts[kind] += _fen(row)
        fees = amounts["commission"] + amounts["ad_fee"] + amounts["other_fee"]
        if amounts["net"] != amounts["gross"] - amounts["refund"] - fees:
            raise Unreadable("rows.amount", "net is not gross less refunds and fees")
        row = record["rows"][0]
        month = Month(text(row, "period"))
        yield Settlement(
            platform=PLATFORM,
            settlement_number=text(record, "statement_no"),
            period_start=first_day(month),
            period_end=last_day(month),
            settled_on=date.fromisoformat(text(row, "book_time")[:10]),
            **amounts,
        )


def _fen(row: Mapping[str, Any]) -> Decimal:
    try:
        return fen(text(row, "amount"))
    except ValueError:
        raise Unreadable("rows.amount", "not an amount in fen") from None
