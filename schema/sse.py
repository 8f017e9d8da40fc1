"""Subscriptions as server-sent events: the protocol graphql-sse in its distinct connections mode, one request for one operation.

``next`` events carry answers, one ``complete`` event ends the stream. While nothing happens a comment is sent now and then, so that no proxy takes the
stream for dead and a client that went away is noticed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from schema.live import Prepared, run_to_end

EVENT_STREAM = "text/event-stream"
KEEP_ALIVE = 12.0


class EventStream(Response):
    """One subscription until it ends or its client goes. ``show`` makes an error's part of the answer."""

    def __init__(self, prepared: Prepared, show: Callable[[Exception], Mapping[str, Any]], headers: Mapping[str, str]) -> None:
        super().__init__(None, 200, {**headers, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}, EVENT_STREAM)
        del self.headers["content-length"]
        self.prepared, self.show = prepared, show

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        tasks = [asyncio.create_task(work) for work in (self._tell(send), _breathe(send), _gone(receive))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _tell(self, send: Send) -> None:
        async def emit(body: bytes) -> None:
            await _send(send, _event("next", orjson.dumps({"data": orjson.Fragment(body)})))

        error = await run_to_end(self.prepared.answers(emit))
        if isinstance(error, OSError):
            return
        if isinstance(error, Exception):
            await _send(send, _event("next", orjson.dumps({"errors": [self.show(error)]})))
        await send({"type": "http.response.body", "body": _event("complete", b"")})


def _event(name: str, data: bytes) -> bytes:
    """One event. JSON text as it is made here has no line breaks."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data)


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _breathe(send: Send) -> None:
    while True:
        await _send(send, b":\n\n")
        await asyncio.sleep(KEEP_ALIVE)


async def _gone(receive: Receive) -> None:
    """Returns when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
