"""What to ask: rows of a service from the one at ``start`` on. The token says whose they are, so no identifier travels."""

from __future__ import annotations

import json

from hub.connect import Context, Request
from hub.connect.snapshot import Position


def ask(context: Context, service: str, at: Position) -> Request:
    rows = size(context)
    body = json.dumps({"start": (at.page - 1) * rows, "rows": rows}, separators=(",", ":")).encode()
    return Request("POST", f"/api/{service}/query", headers=(("Content-Type", "application/json; charset=utf-8"),), body=body)


def size(context: Context) -> int:
    return int(context.config.get("page_size") or 100)
