"""The tiny connector of the misbehaving platform: one stream, a window per day, pages by number."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from bench.chaos.truth import DAYS
from hub.connect import (
    Connector,
    Context,
    ContractBroken,
    Json,
    Manifest,
    Page,
    Quota,
    Reauthorise,
    Record,
    Request,
    Response,
    RetryAt,
    Setting,
    Window,
)
from hub.connect.answers import json_object, wait_of
from hub.connect.code_grant import CodeGrant
from hub.connect.windows import days
from hub.domain.enums import SourceKind
from hub.domain.facts.refund import Refund, RefundStatus

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
        yield Refund(
            platform=NAME,
            refund_number=record["no"],
            order_number=record["order"],
            requested_at=datetime.fromisoformat(record["at"]),
            succeeded_at=None,
            amount=Decimal(record["amount"]),
            status=RefundStatus.SUCCEEDED,
        )


def _refusal(response: Response, answer: Mapping[str, object], context: Context) -> Exception:
    if response.status == 429 or response.status >= 500:
        return RetryAt(f"status {response.status}", seconds=wait_of(response, context.now))
    if response.status == 401:
        return Reauthorise("an unknown token")
    return ContractBroken(f"status {response.status}", code=str(answer.get("error", "")))


def _bearer(context: Context, request: Request) -> Request:
    """The worker's process is named, so that the auditor can freeze the one that waits for a certain answer."""
    assert context.grant is not None
    return request.with_headers(Authorization=f"Bearer {context.grant.access_token}", X_Worker=str(os.getpid()))


def connector() -> Connector:
    manifest = Manifest(
        name=NAME,
        title="Misbehaving platform",
        title_zh="混沌平台",
        sources=(SourceKind.SHOP,),
        doc="A platform that fails in every way that platforms fail.",
        settings=(Setting("client_id", "", default="hub"), Setting("client_secret", "", secret=True, default="secret")),
        quota=QUOTA,
        pkce=True,
    )
    return Connector(manifest, CodeGrant(lambda context: ("refunds",), {"refunds": SourceKind.SHOP}), (Refunds(),), _bearer)
