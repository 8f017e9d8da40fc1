"""How a server ends: what it is answering is still answered, for as long as it is patient; whoever only hangs on the line keeps nobody waiting."""

from __future__ import annotations

import asyncio

from connectors.sandbox.serve import Server, bind
from hub.http import Caller


class Slow:
    """An application whose answer takes until it is let go."""

    def __init__(self) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        self.asked.set()
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"done"})  # type: ignore[operator]


async def _stopped_while_it_answers(patience: int | None, seconds: float) -> int:
    """The status that a caller gets whose answer is let go so many seconds after the server was told to stop."""
    app = Slow()
    server = Server(app, bind("127.0.0.1", 0))
    if patience is not None:
        server.config.timeout_graceful_shutdown = patience
    await server.start()
    caller = Caller(server.origin)
    asking = asyncio.create_task(caller.get("/"))
    await app.asked.wait()
    stopping = asyncio.create_task(server.stop())
    await asyncio.sleep(seconds)
    app.go.set()
    try:
        return (await asking).status
    finally:
        await stopping
        await caller.close()


async def test_an_answer_under_way_is_finished() -> None:
    assert await _stopped_while_it_answers(None, 0.3) == 200


async def test_one_that_takes_longer_than_the_server_is_patient_is_cut() -> None:
    """The control: without patience the same answer does not come."""
    assert await _stopped_while_it_answers(0, 0.3) == 500


async def test_an_idle_connection_is_closed_at_once() -> None:
    """Its caller keeps it for the next call, and would for long."""
    app = Slow()
    app.go.set()
    server = Server(app, bind("127.0.0.1", 0))
    await server.start()
    caller = Caller(server.origin)
    assert (await caller.get("/")).status == 200
    assert len(server.server_state.connections) == 1
    async with asyncio.timeout(server.config.timeout_graceful_shutdown):
        await server.stop()
    assert not server.server_state.connections
    await caller.close()
