"""The three streams: the sections of one report. Each orders, polls and reads; the idempotency key makes it the same report for all.

A report says everything the bureau knows, so every stream is a state that is read whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.cn_credit_bureau import normalise, reading, requests
from connectors.cn_credit_bureau.requests import Place
from hub.connect import Context, Json, Page, Record, Request, Response, Stream, Window
from hub.connect.windows import whole
from hub.domain.enums import SourceKind
from hub.domain.facts import CreditAccount, CreditInquiry, RepaymentMonth


@dataclass(frozen=True)
class Section:
    name: str
    fact: type
    read_row: Callable[[Record], Any]
    source: SourceKind = SourceKind.BUREAU
    window_days: int | None = 0
    look_back_days: int = 0

    @property
    def facts(self) -> tuple[type, ...]:
        return (self.fact,)

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return whole(self.name, first, last)

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        return requests.request(context, self.name, window, Place.of(cursor))

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        at, found = Place.of(cursor), reading.answer(context, response)
        if found.code == reading.GONE:
            return reading.lost(at)
        if not at.report:
            return reading.ordered(at, found.data)
        return reading.rows(at, window, found.data) if at.page else reading.polled(at, found.data)

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        yield self.read_row(record)


STREAMS: tuple[Stream, ...] = (
    Section("accounts", CreditAccount, normalise.account),
    Section("repayments", RepaymentMonth, normalise.repayment),
    Section("inquiries", CreditInquiry, normalise.inquiry),
)
