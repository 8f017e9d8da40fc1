"""Refunds by their last change: ``taobao.refunds.receive.get``. A refund's last change is its success, or its request while it has none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.taobao.gateway import PLATFORM, call, covered_of, instant, money, result_of, rows_of, text
from connectors.taobao.paging import page_parameters, turn
from hub.connect import Context, Json, Page, Record, Request, Response, Unreadable, Window, windows
from hub.domain.enums import SourceKind
from hub.domain.facts import Refund
from hub.domain.facts.refund import RefundStatus

METHOD = "taobao.refunds.receive.get"
STATUS = {
    "SUCCESS": RefundStatus.SUCCEEDED,
    "SELLER_REFUSE_BUYER": RefundStatus.REFUSED,
    "CLOSED": RefundStatus.REFUSED,
    "WAIT_SELLER_AGREE": RefundStatus.REQUESTED,
    "WAIT_BUYER_RETURN_GOODS": RefundStatus.REQUESTED,
    "WAIT_SELLER_CONFIRM_GOODS": RefundStatus.REQUESTED,
}


@dataclass(frozen=True, slots=True)
class Refunds:
    name: str = "refunds"
    source: SourceKind = SourceKind.SHOP
    facts: tuple[type, ...] = (Refund,)
    window_days: int | None = 31
    look_back_days: int = 31

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return windows.months(self.name, first, last)

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        span = {"start_modified": f"{window.first} 00:00:00", "end_modified": f"{window.last} 23:59:59"}
        return call(METHOD, fields="refund_id,tid,created,modified,refund_fee,status", **span, **page_parameters(cursor))

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        found = result_of(context, response, "refunds_receive_get_response")
        return turn(found, rows_of(found, "refunds", "refund"), cursor, covered_of(found, window))

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        status = STATUS.get(text(record, "status"))
        if status is None:
            raise Unreadable("status", "not in the code table")
        requested = instant(record, "created")
        if requested is None:
            raise Unreadable("created", "missing")
        yield Refund(
            platform=PLATFORM,
            refund_number=text(record, "refund_id"),
            order_number=text(record, "tid"),
            requested_at=requested,
            succeeded_at=instant(record, "modified") if status is RefundStatus.SUCCEEDED else None,
            amount=money(record, "refund_fee"),
            status=status,
        )
