"""What to ask: a gateway call without its common parameters and signature."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

from hub.connect import Context, Request, Window

GATEWAY = "/gateway.do"
AUTHORISE = "/oauth2/appToAppAuth.htm"
TOKEN = "alipay.open.auth.token.app"  # noqa: S105 -- a method
ACCOUNT_LOG = "alipay.data.bill.accountlog.query"
SMALLEST_PAGE, LARGEST_PAGE = 1000, 2000


def call(method: str, content: Mapping[str, str], *, idempotent: bool = True) -> Request:
    """The method travels in the query, its content as JSON in the form, as the vendor's own client sends them. No value is empty."""
    filled = {name: value for name, value in content.items() if value}
    body = json.dumps(filled, ensure_ascii=False, separators=(",", ":"))
    return Request.form(GATEWAY, {"biz_content": body}, idempotent=idempotent).with_query(method=method)


def account_log(window: Window, account: str, page: int, size: int) -> Request:
    """The movements of one account; the end is the first instant that is not asked for."""
    content = {
        "bill_user_id": account,
        "start_time": f"{window.first} 00:00:00",
        "end_time": f"{window.last + timedelta(days=1)} 00:00:00",
        "page_no": str(page),
        "page_size": str(size),
    }
    return call(ACCOUNT_LOG, content)


def accounts(context: Context) -> Request:
    return call(accounts_method(context), {})


def accounts_method(context: Context) -> str:
    """The name of the extension method; empty where the platform has none."""
    return context.config.get("accounts_method", "")


def page_size(context: Context) -> int:
    return min(LARGEST_PAGE, max(SMALLEST_PAGE, int(context.config.get("page_size") or LARGEST_PAGE)))
