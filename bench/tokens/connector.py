"""The tiny connector of the platform: a code grant, and one call that shows whether a token works."""

from __future__ import annotations

from hub.connect import Connector, Context, Manifest, Quota, Request, Setting
from hub.connect.code_grant import CodeGrant
from hub.domain.enums import SourceKind

NAME = "tokens"


def _bearer(context: Context, request: Request) -> Request:
    assert context.grant is not None
    return request.with_headers(Authorization=f"Bearer {context.grant.access_token}")


def connector() -> Connector:
    manifest = Manifest(
        name=NAME,
        title="Strict platform",
        title_zh="严格平台",
        sources=(SourceKind.SHOP,),
        doc="A platform that revokes a family of tokens when one of them is used twice.",
        settings=(Setting("client_id", "", default="hub"), Setting("client_secret", "", secret=True, default="secret")),
        quota=Quota(10_000, 10_000, 1_000),
    )
    return Connector(manifest, CodeGrant(lambda context: ("data",), {"data": SourceKind.SHOP}), (), _bearer)
