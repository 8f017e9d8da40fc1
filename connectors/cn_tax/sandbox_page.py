"""The gateway's page for the taxpayer: what is asked, item by item, a login and two buttons."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from starlette.responses import HTMLResponse

_TITLES = {
    "NSRJBXX": "纳税人基本信息",
    "NSXYDJ": "纳税信用等级",
    "SBXX": "申报信息",
    "JKXX": "缴款信息",
    "QSXX": "欠税信息",
    "WFWZ": "违法违章信息",
    "GRSDMX": "个人所得明细",
    "CWBB": "财务报表",
    "FPXX": "发票信息",
}
_PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>税务数据授权</title></head><body>
<h1>税务数据授权</h1><p>纳税人 {taxpayer}</p>
<form method="post" action="authorize"><input type="hidden" name="ticket" value="{ticket}">
{items}
<p><label>登录账号 Login <input name="login" value=""></label></p>
<p><button name="decision" value="agree">同意授权 Agree</button> <button name="decision" value="refuse">拒绝 Refuse</button></p>
</form></body></html>"""
_ITEM = '<p><label><input type="checkbox" name="SJX" value="{item}" checked> {title}</label></p>'


def authorise_page(ticket: str, taxpayer: str, items: Sequence[str]) -> HTMLResponse:
    """A plain form: the items can be unticked; none sent means all."""
    boxes = "\n".join(_ITEM.format(item=escape(item), title=escape(_TITLES[item])) for item in items)
    return HTMLResponse(_PAGE.format(ticket=escape(ticket), taxpayer=escape(taxpayer), items=boxes))
