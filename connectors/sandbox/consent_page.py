"""The plain-form consent page that simulated platforms show: what is asked, by whom, a login and two buttons."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from starlette.responses import HTMLResponse

_PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title></head><body>
<h1>{title}</h1><p>{asks}</p>
<form method="post" action="{action}">{hidden}
<p><label>登录账号 Login <input name="login" value="{login}"></label></p>
<p><button name="decision" value="agree">同意授权 Agree</button> <button name="decision" value="refuse">拒绝 Refuse</button></p>
</form></body></html>"""


def consent_page(title: str, asks: str, *, hidden: Mapping[str, str], login: str = "", action: str = "") -> HTMLResponse:
    """A page whose POST carries the hidden fields, ``login`` (a persona's id) and ``decision`` = agree | refuse."""
    fields = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in hidden.items())
    return HTMLResponse(_PAGE.format(title=escape(title), asks=escape(asks), hidden=fields, login=escape(login), action=escape(action)))
