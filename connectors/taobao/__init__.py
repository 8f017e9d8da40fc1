"""Taobao and Tmall: shop, orders, refunds and settlement statements through the open platform's signed gateway (TOP).

Authorisation in ``authorise``, signature in ``sign``, the gateway's envelope in ``gateway``; one module per series of records. What is the vendor's and what is ours stands in
the README.
"""

from __future__ import annotations

from connectors.taobao.authorise import TopAuthorisation
from connectors.taobao.bills import Bills
from connectors.taobao.orders import Orders
from connectors.taobao.refunds import Refunds
from connectors.taobao.shop import ShopProfile
from connectors.taobao.sign import sign
from connectors.taobao.summaries import MonthlySummaries
from hub.connect import Connector, Manifest, Quota, Setting
from hub.domain.enums import SourceKind

connector = Connector(
    manifest=Manifest(
        name="taobao",
        title="Taobao / Tmall",
        title_zh="淘宝 / 天猫",
        sources=(SourceKind.SHOP, SourceKind.SETTLEMENT),
        doc="Shop, orders, refunds and settlement statements of a seller on Taobao or Tmall, through the open platform (TOP).",
        settings=(
            Setting("app_key", "AppKey of the hub's application at the open platform."),
            Setting("app_secret", "AppSecret of that application; signs every call.", secret=True),
            Setting("sign_method", "md5, hmac or hmac-sha256.", default="hmac-sha256"),
            Setting(
                "oauth_url",
                "Origin of the authorisation server, or base_url where it is the gateway's own. Must be written down to be called.",
                default="https://oauth.taobao.com",
            ),
        ),
        quota=Quota(per_second=20, burst=40, in_flight=8),
    ),
    authorisation=TopAuthorisation(),
    streams=(ShopProfile(), Orders(), Refunds(), MonthlySummaries(), Bills()),
    sign=sign,
)
