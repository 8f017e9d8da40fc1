"""The streams: contracts by day of signing, and the accounts that buyers pay into, a state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.cn_procurement import normalise, reading, requests
from connectors.cn_procurement.requests import LONGEST_DAYS, Place
from hub.connect import Context, Json, Page, Record, Request, Response, Stream, Window
from hub.connect.windows import days, whole
from hub.domain.enums import SourceKind
from hub.domain.facts import PurchaseOrder, ReceivableAccount


@dataclass(frozen=True)
class Service:
    """``window_days`` 0: a state, asked for whole."""

    name: str
    fact: type
    ask: Callable[[Context, Window, Place], Request]
    read_item: Callable[[Context, Record], Any]
    window_days: int | None = 0
    look_back_days: int = 0
    source: SourceKind = SourceKind.PROCUREMENT

    @property
    def facts(self) -> tuple[type, ...]:
        return (self.fact,)

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return days(self.name, first, last, self.window_days) if self.window_days else whole(self.name, first, last)

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        return self.ask(context, window, Place.of(cursor))

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        return reading.page(context, window, Place.of(cursor), response)

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        yield self.read_item(context, record)


LIFE_YEARS = 4
"""A contract is read again as long as it may still be delivered or paid."""

STREAMS: tuple[Stream, ...] = (
    Service("orders", PurchaseOrder, requests.contracts, normalise.contract, LONGEST_DAYS, LIFE_YEARS * 366),
    Service("accounts", ReceivableAccount, requests.accounts, normalise.account),
)
