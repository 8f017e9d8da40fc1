"""Refunds by their last change: ``taobao.refunds.receive.get``. A refund's last change is its success, or its request while it has none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.taobao.fields import instant, money, text, word
from connectors.taobao.gateway import PLATFORM, call, complete_days, covered_of, result_of, rows_of
from connectors.taobao.paging import page_parameters, turn
from hub.connect import Context, Json, Page, Record, Request, Response, Window, windows
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
        return windows.months(self.name, first, complete_days(context, last))

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        span = {"start_modified": f"{window.first} 00:00:00", "end_modified": f"{window.last} 23:59:59"}
        return call(METHOD, fields="refund_id,tid,created,modified,refund_fee,status", **span, **page_parameters(cursor))

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        found = result_of(context, response, "refunds_receive_get_response")
        return turn(found, rows_of(found, "refunds", "refund"), cursor, covered_of(found, window))

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        status = word(record, "status", STATUS)
        yield Refund(
            platform=PLATFORM,
            refund_number=text(record, "refund_id"),
            order_number=text(record, "tid"),
            requested_at=instant(record, "created"),
            succeeded_at=instant(record, "modified") if status is RefundStatus.SUCCEEDED else None,
            amount=money(record, "refund_fee"),
            status=status,
        )
