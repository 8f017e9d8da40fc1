"""Subscriptions over WebSocket: the protocol graphql-transport-ws, and no other; the legacy one of a similar name is refused at the handshake.

The handshake proves who asks as a request does (token and DPoP proof, made for GET); it is refused with the same answers. Messages are bounded like bodies,
a socket ends with its token, and one on which nothing is subscribed is closed after a while. Close codes are the protocol's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.domain.caller import Admitted, Caller
from schema.body import MAX_BODY, BadRequest, Question, question_of
from schema.live import Live, run_to_end

PROTOCOL = "graphql-transport-ws"
FIRST_MESSAGE = 10.0
"""Seconds a client may take to begin."""
UNUSED = 60.0
"""Seconds a socket may stay open without a subscription."""
MAX_ID = 128


class Closing(Exception):
    """The client broke the protocol, or its time is over."""

    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(reason)


@dataclass(slots=True)
class Session:
    """One accepted socket. ``settle`` finds a stored document's text, and raises for what the client may not ask."""

    socket: WebSocket
    live: Live
    admitted: Admitted
    show: Callable[[Exception], Mapping[str, Any]]
    settle: Callable[[Caller, Question], Awaitable[Question]]
    acknowledged: bool = False
    running: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def run(self) -> None:
        """Until one side closes."""
        try:
            while True:
                await self._heard(await self._message())
        except Closing as end:
            await self._stop()
            await self.socket.close(end.code, end.reason)
        except (WebSocketDisconnect, OSError):
            # The client went, or the server ends: nobody is there to be told.
            return
        finally:
            await self._stop()

    async def _stop(self) -> None:
        tasks = list(self.running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _message(self) -> dict[str, Any]:
        """The next message. Raises Closing, WebSocketDisconnect."""
        while True:
            patience, code, why = self._patience()
            try:
                async with asyncio.timeout(patience):
                    return _parsed(await self.socket.receive())
            except TimeoutError:
                if not self.running or code == _FORBIDDEN:
                    raise Closing(code, why) from None

    def _patience(self) -> tuple[float, int, str]:
        """How long to wait for a message, and how to close then."""
        if not self.acknowledged:
            return FIRST_MESSAGE, 4408, "Connection initialisation timeout"
        left = max(0.0, self.admitted.expires_at - time.time())
        if left <= UNUSED:
            return left, _FORBIDDEN, "Forbidden: the token has expired"
        return UNUSED, 1000, "Nothing is subscribed"

    async def _heard(self, message: dict[str, Any]) -> None:
        match message:
            case {"type": "connection_init"} if not self.acknowledged:
                self.acknowledged = True
                await self._send({"type": "connection_ack"})
            case {"type": "connection_init"}:
                raise Closing(4429, "Too many initialisation requests")
            case {"type": "ping"}:
                await self._send({"type": "pong"})
            case {"type": "pong"}:
                return
            case {"type": "subscribe", "id": str(name), "payload": dict(payload)} if 0 < len(name) <= MAX_ID:
                self._subscribe(name, payload)
            case {"type": "complete", "id": str(name)}:
                if name in self.running:
                    self.running.pop(name).cancel()
            case _:
                raise Closing(4400, "Invalid message")

    def _subscribe(self, name: str, payload: dict[str, Any]) -> None:
        if not self.acknowledged:
            raise Closing(4401, "Unauthorized")
        if name in self.running:
            raise Closing(4409, f"Subscriber for {name} already exists")
        try:
            question = question_of(payload)
        except BadRequest as bad:
            raise Closing(4400, str(bad)) from None
        self.running[name] = asyncio.create_task(self._serve(name, question))

    async def _serve(self, name: str, question: Question) -> None:
        """One subscription until it ends. The client that completed it is told nothing more of it."""

        async def emit(body: bytes) -> None:
            await self._send({"id": name, "type": "next", "payload": {"data": orjson.Fragment(body)}})

        async def answers() -> None:
            settled = await self.settle(self.admitted.caller, question)
            await self.live.prepare(self.admitted, settled).answers(emit)

        error = await run_to_end(answers())
        if isinstance(error, WebSocketDisconnect | OSError):
            return
        if self.running.get(name) is asyncio.current_task():
            del self.running[name]
        if isinstance(error, Exception):
            await self._send({"id": name, "type": "error", "payload": shown_all(error, self.show)})
        else:
            await self._send({"id": name, "type": "complete"})

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self.socket.send_text(orjson.dumps(message).decode())


_FORBIDDEN = 4403


def shown_all(error: Exception, show: Callable[[Exception], Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The errors of a refused document, or the one error."""
    errors = getattr(error, "errors", None) or [error]
    return [show(one) for one in errors[:5]]


def _parsed(event: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object of a text message. Raises Closing, WebSocketDisconnect."""
    if event["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(event.get("code", 1005))
    text = event.get("text")
    if not isinstance(text, str) or len(text) > MAX_BODY:
        raise Closing(4400, "Send text messages of at most 64 kB")
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Closing(4400, "The message is not JSON") from None
    if not isinstance(found, dict):
        raise Closing(4400, "Invalid message")
    return found
