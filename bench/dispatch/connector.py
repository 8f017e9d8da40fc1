"""The connector of a platform with small answers: one stream, one window, so many pages as the platform likes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from bench.kit import speaking
from bench.kit.speaking import refund
from hub.connect import Connector, Context, ContractBroken, Json, Page, Quota, Record, Request, Response, RetryAt, Window
from hub.connect.answers import json_object, wait_of
from hub.connect.windows import days
from hub.domain.enums import SourceKind
from hub.domain.facts.refund import Refund

QUOTA = Quota(500, 250, 8)
"""Calls a second, burst, calls in flight at each platform."""


@dataclass(frozen=True)
class Refunds:
    """The last day."""

    platform: str
    source: SourceKind
    name: str = "refunds"
    facts: tuple[type, ...] = (Refund,)
    window_days: int | None = 1
    look_back_days: int = 400

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return days(self.name, last, last)

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        return Request("GET", "/refunds", query=(("page", str(cursor["page"] if cursor else 1)),))

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        answer = json_object(response, context.now)
        if response.status == 429:
            raise RetryAt("too fast", seconds=wait_of(response, context.now))
        if response.status != 200:
            raise ContractBroken(f"status {response.status}")
        following = answer["next"]
        return Page(tuple(answer["rows"]), next=None if following is None else {"page": following})

    def normalise(self, context: Context, record: Record) -> Iterator[Refund]:
        yield refund(self.platform, record)


def source_of(name: str) -> SourceKind:
    """A platform is called by the source it is: a customer consents to a source once."""
    return SourceKind(name.upper())


def connector(name: str) -> Connector:
    source = source_of(name)
    return speaking.connector(name, "A platform with small answers.", QUOTA, Refunds(name, source), source=source)
