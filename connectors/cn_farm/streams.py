"""The streams: the plots of the season under way and the holding they belong to. Both are states, read whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.cn_farm import normalise, reading, requests
from hub.connect import Context, Json, Page, Record, Request, Response, Stream, Window
from hub.connect.snapshot import Position
from hub.connect.windows import whole
from hub.domain.enums import SourceKind
from hub.domain.facts import FarmHolding, FarmPlot


@dataclass(frozen=True)
class State:
    name: str
    service: str
    fact: type
    read_row: Callable[[Context, Record], Any]
    source: SourceKind = SourceKind.FARM
    window_days: int | None = 0
    look_back_days: int = 0

    @property
    def facts(self) -> tuple[type, ...]:
        return (self.fact,)

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return whole(self.name, first, last)

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        return requests.ask(context, self.service, Position.of(cursor))

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        return reading.page(context, window, Position.of(cursor), response)

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        yield self.read_row(context, record)


STREAMS: tuple[Stream, ...] = (
    State("plots", "parcel", FarmPlot, normalise.parcel),
    State("holding", "holding", FarmHolding, normalise.holding),
)
