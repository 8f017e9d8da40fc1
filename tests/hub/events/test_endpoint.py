"""The endpoint's bounds: who is let in, how much, how encoded; what is refused learns nothing and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import make_url

from hub.connect import Misconfigured
from hub.events import endpoint as bounds
from hub.events.endpoint import AT_ONCE, LARGEST
from hub.store.database import Database
from tests.hub.events.scene import PATH, Scene, letter, pushing
from tests.hub.sync.platform import NAME, connector
from tests.hub.sync.server import Brief
from tests.hub.sync.world import World


async def untouched(scene: Scene) -> bool:
    return await scene.due_in() is None and await scene.events() == [] and scene.nudged == []


@pytest.mark.parametrize("name", ["nobody", "", f"{NAME}/", "../graphql", "%00", "SCRIPTED", f"{NAME}%20"])
async def test_an_unknown_connector_is_not_found(scene: Scene, name: str) -> None:
    assert await scene.push(letter(), f"/webhooks/{name}") in (404, 405, 307)
    assert await untouched(scene)


async def test_a_connector_that_declares_no_webhook_is_not_found(world: World) -> None:
    scene = Scene.of(world, connector())
    assert await scene.push(letter()) == 404
    await scene.client.aclose()


async def test_a_webhook_without_its_secret_is_off(world: World) -> None:
    """Anybody can sign with an empty key."""
    empty = letter(secret="")
    scene = Scene.of(world, pushing(secret=""))
    assert await scene.push(empty) == 404
    await scene.client.aclose()


async def test_a_connector_that_is_not_configured_here_is_not_found(world: World) -> None:
    scene = Scene.of(world, pushing())
    scene.endpoint.equipment = replace(scene.endpoint.equipment, configs={})
    assert await scene.push(letter()) == 404
    await scene.client.aclose()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_only_post(scene: Scene, method: str) -> None:
    sent = letter()
    answer = await scene.client.request(method, PATH, content=sent.body, headers=sent.headers)
    assert answer.status_code == 405
    assert await untouched(scene)


async def test_the_body_is_bounded(scene: Scene) -> None:
    room = LARGEST - len(letter({"pad": ""}).body)
    assert await scene.push(letter({"pad": "x" * (room + 1)})) == 413
    assert await untouched(scene)
    assert await scene.push(letter({"pad": "x" * room})) == 200


@pytest.mark.parametrize("announced", [str(LARGEST + 1), "9" * 30, "-1", "1e3", "٣"])
async def test_an_announced_length_is_believed_when_it_is_too_much(scene: Scene, announced: str) -> None:
    scope = {"type": "http", "method": "POST", "path": PATH, "headers": [(b"content-length", announced.encode())], "query_string": b""}
    assert await status_of(scene, scope, never) == 413


async def test_a_body_that_announces_nothing_is_bounded_too(scene: Scene) -> None:
    """The body never ends; what was read stays below the bound, but for one piece."""
    pieces = 0

    async def endless() -> dict[str, Any]:
        nonlocal pieces
        pieces += 1
        return {"type": "http.request", "body": b"x" * 1024, "more_body": True}

    scope = {"type": "http", "method": "POST", "path": PATH, "headers": [], "query_string": b""}
    assert await status_of(scene, scope, endless) == 413
    assert pieces == LARGEST // 1024 + 1


async def test_a_sender_that_never_ends_is_left(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "PATIENCE", 0.05)
    scope = {"type": "http", "method": "POST", "path": PATH, "headers": [], "query_string": b""}
    assert await status_of(scene, scope, never) == 408


async def test_a_sender_that_goes_away_is_no_error(scene: Scene) -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "path": PATH, "headers": [], "query_string": b""}
    assert await status_of(scene, scope, gone) == 400
    assert scene.endpoint.inside == 0


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "identity, gzip", ""])
async def test_an_encoded_body_is_refused(scene: Scene, encoding: str) -> None:
    assert await scene.push(letter().with_headers(content_encoding=encoding)) == 415
    assert await untouched(scene)


async def test_a_header_that_comes_twice_is_none(scene: Scene) -> None:
    """Both are genuine; which one was meant would be a guess."""
    sent = letter()
    twice = [*sent.headers.items(), ("Webhook-Signature", sent.headers["webhook-signature"])]
    answer = await scene.client.post(PATH, content=sent.body, headers=twice)
    assert answer.status_code == 401
    assert await untouched(scene)


async def test_a_refusal_says_nothing(scene: Scene) -> None:
    for sent in (letter(secret="whsec_AAAA"), letter(age=301), letter().with_headers(webhook_id="another")):
        answer = await scene.client.post(PATH, content=sent.body, headers=sent.headers)
        assert (answer.status_code, answer.content) == (401, b"")


async def test_no_more_than_so_many_at_once(scene: Scene) -> None:
    scene.endpoint.inside = AT_ONCE
    answer = await scene.client.post(PATH, content=(sent := letter()).body, headers=sent.headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    scene.endpoint.inside = AT_ONCE - 1
    assert await scene.push(sent) == 200
    assert scene.endpoint.inside == AT_ONCE - 1


async def test_a_store_that_is_away_asks_to_come_again(scene: Scene) -> None:
    urls = scene.endpoint.equipment.database.urls
    away = Database(replace(urls, worker=make_url(urls.worker).set(database="nowhere").render_as_string(False)))
    here, sent = scene.endpoint.equipment, letter()
    scene.endpoint.equipment = replace(here, database=away)
    assert await scene.push(sent) == 503
    await away.close()
    scene.endpoint.equipment = here
    assert await scene.push(sent) == 200
    assert await scene.due()


@pytest.mark.parametrize(
    ("error", "status"),
    [(Misconfigured("the key cannot be read"), 503), (KeyError("SQBH"), 400), (RecursionError(), 400), (TypeError(), 400)],
)
async def test_a_verifier_that_stumbles_is_no_accident(world: World, error: Exception, status: int) -> None:
    def stumble(*_: object) -> Any:
        raise error

    one = pushing()
    assert one.webhook is not None
    scene = Scene.of(world, replace(one, webhook=replace(one.webhook, verify=stumble)))
    assert await scene.push(letter()) == status
    await scene.client.aclose()


async def never() -> dict[str, Any]:
    return await asyncio.get_running_loop().create_future()


async def status_of(scene: Scene, scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]]) -> int:
    """The status of a request that no client library would send."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    transport = scene.client._transport
    assert isinstance(transport, httpx.ASGITransport)
    await transport.app({**scope, "http_version": "1.1", "scheme": "http", "server": ("hub", 80)}, receive, send)  # type: ignore[arg-type]
    return int(sent[0]["status"])


async def test_a_receipt_is_given_after_the_commit_only(scene: Scene) -> None:
    """Over a real socket: whoever sees the answer sees the row, from another connection to the store, each time."""
    server = Brief(scene.client._transport.app)  # type: ignore[attr-defined]
    await server.start()
    async with httpx.AsyncClient(base_url=server.origin, trust_env=False) as client:
        for number in range(1, 21):
            sent = letter()
            assert (await client.post(PATH, content=sent.body, headers=sent.headers)).status_code == 200
            assert len(await scene.events()) == number
    await server.stop()
