"""The tiny connector of the misbehaving platform: one stream, a window per day, pages by number."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bench.chaos.truth import DAYS
from bench.kit import speaking
from bench.kit.speaking import bearer, refund
from hub.connect import (
    Connector,
    Context,
    ContractBroken,
    Json,
    Page,
    Quota,
    Reauthorise,
    Record,
    Request,
    Response,
    RetryAt,
    Window,
)
from hub.connect.answers import json_object, wait_of
from hub.connect.windows import days
from hub.domain.enums import SourceKind
from hub.domain.facts.refund import Refund

NAME = "chaos"
QUOTA = Quota(60, 30, 14, per_minute=2400)
"""Calls a second, burst, calls in flight, calls a minute: what the platform documents, and what it counts (:mod:`bench.chaos.book`)."""


@dataclass(frozen=True)
class Refunds:
    """The last :data:`DAYS` days; only the newest one is read again in the next cycle."""

    name: str = "refunds"
    source: SourceKind = SourceKind.SHOP
    facts: tuple[type, ...] = (Refund,)
    window_days: int | None = 1
    look_back_days: int = 0

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return days(self.name, max(first, last - timedelta(days=DAYS - 1)), last)

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        return Request("GET", "/refunds", query=(("day", str(window.first)), ("page", str(cursor["page"] if cursor else 1))))

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        answer = json_object(response, context.now)
        if response.status != 200:
            raise _refusal(response, answer, context)
        following = answer["next"]
        return Page(tuple(answer["rows"]), next=None if following is None else {"page": following}, total=answer.get("total"))

    def normalise(self, context: Context, record: Record) -> Iterator[Refund]:
        yield refund(NAME, record)


def _refusal(response: Response, answer: Mapping[str, object], context: Context) -> Exception:
    if response.status == 429 or response.status >= 500:
        return RetryAt(f"status {response.status}", seconds=wait_of(response, context.now))
    if response.status == 401:
        return Reauthorise("an unknown token")
    return ContractBroken(f"status {response.status}", code=str(answer.get("error", "")))


def _named(context: Context, request: Request) -> Request:
    """The worker's process is named, so that the auditor can freeze the one that waits for a certain answer."""
    return bearer(context, request).with_headers(X_Worker=str(os.getpid()))


def connector() -> Connector:
    return speaking.connector(NAME, "A platform that fails in every way that platforms fail.", QUOTA, Refunds(), sign=_named)
