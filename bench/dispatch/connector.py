"""The connector of a platform with small answers: one stream, one window, so many pages as the platform likes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from hub.connect import Connector, Context, ContractBroken, Json, Manifest, Page, Quota, Record, Request, Response, RetryAt, Setting, Window
from hub.connect.answers import json_object, wait_of
from hub.connect.code_grant import CodeGrant
from hub.connect.windows import days
from hub.domain.enums import SourceKind
from hub.domain.facts.refund import Refund, RefundStatus

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
        yield Refund(
            platform=self.platform,
            refund_number=record["no"],
            order_number=record["order"],
            requested_at=datetime.fromisoformat(record["at"]),
            succeeded_at=None,
            amount=Decimal(record["amount"]),
            status=RefundStatus.SUCCEEDED,
        )


def _bearer(context: Context, request: Request) -> Request:
    assert context.grant is not None
    return request.with_headers(Authorization=f"Bearer {context.grant.access_token}")


def source_of(name: str) -> SourceKind:
    """A platform is called by the source it is: a customer consents to a source once."""
    return SourceKind(name.upper())


def connector(name: str) -> Connector:
    source = source_of(name)
    manifest = Manifest(
        name=name,
        title="Platform with small answers",
        title_zh="小答平台",
        sources=(source,),
        doc="A platform with small answers.",
        settings=(Setting("client_id", "", default="hub"), Setting("client_secret", "", secret=True, default="secret")),
        quota=QUOTA,
        pkce=True,
    )
    return Connector(manifest, CodeGrant(lambda context: ("refunds",), {"refunds": source}), (Refunds(name, source),), _bearer)
