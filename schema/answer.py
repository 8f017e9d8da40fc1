"""An answer as JSON. Its headers are bytes from the beginning: Starlette makes them of texts each time, and looks for those that it adds itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
_KINDS = {kind: (b"content-type", f"{kind}; charset=utf-8".encode()) for kind in (JSON, GRAPHQL_JSON)}
_NOT_KEPT = (b"cache-control", b"no-store")


class Answer(Response):
    """``kind`` is one of the two media types above."""

    def __init__(self, told: Mapping[str, Any], kind: str, status: int, headers: Mapping[str, str]) -> None:
        self.body, self.status_code, self.background = orjson.dumps(told), status, None
        size = (b"content-length", b"%d" % len(self.body))
        more = ((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items())
        self.raw_headers = [_NOT_KEPT, *more, size, _KINDS[kind]]
