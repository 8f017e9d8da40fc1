"""The platform of the lives, in this process, and the connector that speaks to it: a refund a day, a window a day."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import orjson

from bench.kit import speaking
from hub.connect import Connector, Context, Json, Page, Quota, Record, Request, Response, Window
from hub.connect.windows import days
from hub.domain.enums import SourceKind
from hub.domain.facts.refund import Refund

NAME = "calendar"
WINDOWS = 3


@dataclass
class Platform:
    """Stands where :class:`hub.http.Http` stands. ``asked`` counts; ``hears`` is told of every day that is asked for, while the request is on its way."""

    asked: int = 0
    hears: Callable[[date], Awaitable[None]] | None = None
    closed: list[None] = field(default_factory=list)

    async def send(self, base: str, request: Request, caller: str = "") -> Response:
        day = date.fromisoformat(dict(request.query)["day"])
        self.asked += 1
        if self.hears is not None:
            await self.hears(day)
        row = {"no": str(day), "order": f"o-{day}", "at": f"{day}T10:00:00+08:00", "amount": "1.00"}
        return Response(200, {"content-type": "application/json"}, orjson.dumps({"rows": [row]}))


@dataclass(frozen=True)
class Days:
    """The last days of the consented range."""

    name: str = "refunds"
    source: SourceKind = SourceKind.SHOP
    facts: tuple[type, ...] = (Refund,)
    window_days: int | None = 1
    look_back_days: int = 400

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return days(self.name, max(first, last - timedelta(days=WINDOWS - 1)), last)

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        return Request("GET", "/refunds", query=(("day", str(window.first)),))

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        rows = orjson.loads(response.body)["rows"]
        return Page(tuple(rows), total=len(rows))

    def normalise(self, context: Context, record: Record) -> Iterator[Refund]:
        yield speaking.refund(NAME, record)


def connector() -> Connector:
    return speaking.connector(NAME, "A platform of the lives.", Quota(10_000, 10_000, 16), Days())
