"""What the connectors of the benchmarks have in common: a bearer token, a code grant, and refunds as a small fact."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from hub.connect import Connector, Context, Manifest, OAuth, Quota, Request, Setting, Stream
from hub.connect.code_grant import CodeGrant
from hub.connect.language import Signer
from hub.domain.enums import SourceKind
from hub.domain.facts.refund import Refund, RefundStatus

SHOP = SourceKind.SHOP


def bearer(context: Context, request: Request) -> Request:
    assert context.grant is not None
    return request.with_headers(Authorization=f"Bearer {context.grant.access_token}")


def connector(name: str, doc: str, quota: Quota, *streams: Stream, source: SourceKind = SHOP, sign: Signer = bearer) -> Connector:
    """Of one source, called by its name."""
    settings = (Setting("client_id", "", default="hub"), Setting("client_secret", "", secret=True, default="secret"))
    manifest = Manifest(name=name, title=name, title_zh=name, sources=(source,), doc=doc, settings=settings, quota=quota, oauth=OAuth())
    return Connector(manifest, CodeGrant(lambda context: ("data",), {"data": source}), streams, sign)


def refund(platform: str, record: Mapping[str, str]) -> Refund:
    return Refund(
        platform=platform,
        refund_number=record["no"],
        order_number=record["order"],
        requested_at=datetime.fromisoformat(record["at"]),
        succeeded_at=None,
        amount=Decimal(record["amount"]),
        status=RefundStatus.SUCCEEDED,
    )
