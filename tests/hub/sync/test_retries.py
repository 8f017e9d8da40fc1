"""The engine repeats only what may be repeated: no answer at all, or a request to wait; with full jitter, a bounded number of times."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from connectors.sandbox.serve import bind
from hub.connect import Quota
from hub.domain.enums import Verdict
from hub.sync.remedies import backoff
from hub.sync.settings import Patience
from tests.hub.sync.platform import Refunds, connector, raw, refund
from tests.hub.sync.world import QUICK, TODAY, World


class Deaf:
    """A server that hears requests and hangs up instead of answering; after ``times`` it answers an empty page."""

    def __init__(self, times: int) -> None:
        self.times, self.heard = times, 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.heard += 1
        if self.heard > self.times:
            body = b'{"rows": [], "next": null, "total": 0}'
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            await writer.drain()
        writer.close()


async def run_against(world: World, deaf: Deaf, stream: Refunds) -> Verdict | None:
    """One run against the deaf server at the platform's address."""
    host, port = world.server.origin.removeprefix("http://").split(":")
    await world.server.stop()
    world = world.with_connector(connector(stream))
    async with await asyncio.start_server(deaf, sock=bind(host, int(port))):
        return await world.sync()


async def test_a_platform_that_hangs_up_is_asked_again(world: World) -> None:
    deaf = Deaf(times=2)
    assert await run_against(world, deaf, Refunds()) is Verdict.EMPTY_EXPECTED
    assert deaf.heard == 3


async def test_not_for_ever(world: World) -> None:
    deaf = Deaf(times=99)
    assert await run_against(world, deaf, Refunds()) is Verdict.FAILED
    assert deaf.heard == QUICK.attempts


async def test_a_request_with_an_effect_is_not_sent_twice(world: World) -> None:
    """It may have arrived: only one that certainly did not leave is repeated."""
    deaf = Deaf(times=1)
    assert await run_against(world, deaf, Refunds(idempotent=False)) is Verdict.FAILED
    assert deaf.heard == 1


@pytest.mark.parametrize("status", [400, 404, 405, 409, 422])
async def test_a_refusal_is_not_repeated(world: World, status: int) -> None:
    world.platform.says("/refunds", raw('{"error": "no"}', status))
    await world.sync()
    assert len(world.platform.asked()) == 1


async def test_a_request_to_wait_is_kept(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1")]
    world.platform.says("/refunds", raw("{}", 429, Retry_After="0"), raw("busy", 503))
    assert await world.sync() is Verdict.COMPLETE
    assert len(world.platform.asked()) == 3


async def test_a_platform_that_is_always_busy_parks_the_run(world: World) -> None:
    world.platform.says("/refunds", *(raw("<html>503</html>", 503) for _ in range(20)))
    assert await world.sync() is Verdict.PARKED
    assert len(world.platform.asked()) == QUICK.attempts
    assert (await world.one("sync_window"))["state"] == "OPEN"


def test_backing_off_is_full_jitter_below_a_bound_that_doubles() -> None:
    patience = Patience(first_wait=0.5, longest_wait=3.0)
    for attempts, bound in ((1, 1.0), (2, 2.0), (3, 3.0), (9, 3.0)):
        waits = [backoff(attempts, patience) for _ in range(400)]
        assert 0 <= min(waits) < 0.2 * bound
        assert 0.8 * bound < max(waits) <= bound


async def test_no_more_requests_are_in_flight_than_the_platform_allows(world: World) -> None:
    busy = most = 0

    async def count(request: object) -> None:
        nonlocal busy, most
        busy, most = busy + 1, max(most, busy + 1)
        await asyncio.sleep(0.01)
        busy -= 1

    world.platform.before = count
    world = world.with_connector(connector(Refunds(window_count=8), quota=Quota(10_000, 10_000, 2)))
    assert await world.sync(replace(QUICK, windows_at_once=8)) is Verdict.EMPTY_EXPECTED
    assert most == 2
