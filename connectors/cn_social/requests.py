"""What to ask: the body of every data call, the windows, and the cursor of a window."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Self

from cryptography.exceptions import InvalidTag

from connectors.cn_social.sign import sealer
from hub.connect import Context, Request, Window
from hub.connect.snapshot import Position
from hub.domain.periods import add_months, first_day, month_of

TASK = "task/result"


@dataclass(frozen=True)
class Place(Position):
    """A position that may wait for a task, and that may walk from account to account (``accounts`` is sealed)."""

    task: str = ""
    account: int = 0
    accounts: str = ""

    def restarted(self) -> Self:
        return replace(self, page=1, snapshot="", base=self.seen, again=self.again + 1, task="")

    def next_account(self, seen: int) -> Self:
        return replace(self, account=self.account + 1, page=1, snapshot="", seen=seen, base=seen, task="")


def ask(context: Context, path: str, question: Mapping[str, str], at: Place) -> Request:
    """A data call, or the call for the task that answers it."""
    paging = {"page": at.page, "pagesize": page_size(context)}
    if at.task:
        return post(context, TASK, {"taskid": at.task, **paging})
    return post(context, path, {**question, **paging})


def post(context: Context, path: str, body: Mapping[str, object]) -> Request:
    """A call below ``/sysapi/``, unsigned. The consent's number travels in the body where the grant has one."""
    sqbh = context.grant.extra.get("sqbh") if context.grant else None
    payload = ({"sqbh": sqbh} if sqbh else {}) | dict(body)
    header = (("Content-Type", "application/json; charset=utf-8"),)
    return Request("POST", f"/sysapi/{path}", headers=header, body=json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())


def page_size(context: Context) -> int:
    return int(context.config.get("pagesize") or 50)


def months(window: Window) -> dict[str, str]:
    return {"qsny": _month(window.first), "zzny": _month(window.last)}


def days(window: Window) -> dict[str, str]:
    return {"qsrq": window.first.isoformat(), "zzrq": window.last.isoformat()}


def _month(day: date) -> str:
    return f"{day.year:04d}{day.month:02d}"


def slices(stream: str, first: date, last: date, longest: int) -> list[Window]:
    """Windows that touch at most ``longest`` calendar months each."""
    windows = []
    while first <= last:
        end = min(last, first_day(add_months(month_of(first), longest)) - timedelta(days=1))
        windows.append(Window(stream, first, end))
        first = end + timedelta(days=1)
    return windows


def sealed(context: Context, numbers: Sequence[str]) -> str:
    return base64.b64encode(sealer(context).encrypt(json.dumps(list(numbers)).encode(), None)).decode()


def opened(context: Context, text: str) -> list[str] | None:
    """The account numbers of a cursor; None when there are none yet or the key has changed since: then they are asked for again."""
    if not text:
        return None
    try:
        return [str(number) for number in json.loads(sealer(context).decrypt(base64.b64decode(text), None))]
    except InvalidTag:
        return None
