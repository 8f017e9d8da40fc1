"""Live progress over both transports, against a served hub and a platform that answers when it is told to."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from websockets.exceptions import InvalidStatus

import schema.socket as socket_module
from hub.domain.enums import Verdict
from hub.store.database import Database
from hub.store.view.looking import Rules
from hub.store.view.pulse import Pulse
from schema.socket import PROTOCOL
from tests.hub.app.watching import WATCH, Hub, Message, events, heard, served, subscribe
from tests.hub.sync.platform import refund
from tests.hub.sync.world import TODAY

RULES = Rules(period=0.05, idle=10.0, per_client=2)


@pytest.fixture
async def hub(database: Database, tmp_path: Path) -> AsyncIterator[Hub]:
    async with served(database, tmp_path, RULES) as found:
        found.world.platform.rows[TODAY] = [refund(str(n)) for n in range(6)]
        yield found


async def over_socket(hub: Hub, client: str = "admin", **variables: Any) -> AsyncIterator[Message]:
    async with hub.socket(client) as socket:
        await subscribe(socket, **(variables or hub.variables()))
        async for message in heard(socket):
            yield message


async def over_events(hub: Hub, client: str = "admin", **variables: Any) -> AsyncIterator[Message]:
    async with hub.stream(client, **variables) as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        async for message in events(answer):
            yield message


Way = Callable[..., AsyncIterator[Message]]
BOTH = pytest.mark.parametrize("way", [over_socket, over_events], ids=["socket", "events"])


def state(message: Message) -> dict[str, Any]:
    (found,) = message["payload"]["data"]["syncProgress"]
    return dict(found)


def errors(message: Message) -> list[dict[str, Any]]:
    """Of either transport."""
    found = message["payload"]
    return list(found if isinstance(found, list) else found["errors"])


@BOTH
async def test_a_run_is_watched_from_before_its_beginning_to_its_verdict(hub: Hub, way: Way) -> None:
    await hub.world.make_due()
    running: asyncio.Task[Verdict | None] | None = None
    shares: list[str | None] = []
    last: dict[str, Any] = {}
    ended = ""
    async for message in way(hub):
        ended = message["type"]
        if ended != "next":
            continue
        last = state(message)
        shares += [window["progress"] for window in last["windows"]["nodes"]]
        if running is None:
            assert last["run"] is None, "nothing has begun"
            running = asyncio.create_task(hub.world.engine().run(hub.world.customer_id, hub.world.connection_id))
        elif last["run"]["verdict"] is None:
            hub.gate.open()
    assert running is not None and await running is Verdict.COMPLETE
    assert ended == "complete", "it ends with the verdict"
    assert (last["run"]["verdict"], last["lastVerdict"], last["running"], last["run"]["fetched"]) == ("COMPLETE", "COMPLETE", False, 6)
    known = [share for share in shares if share is not None]
    assert known == sorted(known) and {"0.3333", "0.6667", "1.0000"} <= set(known), "page by page, of the total that the platform states"


@BOTH
async def test_what_is_over_is_shown_once(hub: Hub, way: Way) -> None:
    messages = [message async for message in way(hub)]
    assert [message["type"] for message in messages] == ["next", "complete"]
    assert state(messages[0])["run"] is None


@BOTH
async def test_a_customer_s_connections_are_watched_together(hub: Hub, way: Way) -> None:
    messages = [message async for message in way(hub, "test", customer=str(hub.world.customer_id))]
    assert state(messages[0])["connector"] == "scripted"


async def ended_by(hub: Hub, way: Way, end: Callable[[], Awaitable[Any]], client: str = "test") -> dict[str, Any]:
    """The error a subscription ends with after ``end``; until then it goes on."""
    await hub.world.make_due()
    seen: list[str] = []
    last: Message = {}
    async for message in way(hub, client):
        seen.append(message["type"])
        if len(seen) == 1:
            await asyncio.sleep(4 * RULES.period)
            await end()
        if message["type"] == "error" or "errors" in message.get("payload", {}):
            last = message
    assert seen[0] == "next" and last, seen
    (error,) = errors(last)
    return error


@BOTH
async def test_a_withdrawal_ends_it(hub: Hub, way: Way) -> None:
    error = await ended_by(hub, way, hub.world.withdraw)
    assert error["extensions"]["code"] == "CONSENT_MISSING"


@BOTH
async def test_a_customer_that_may_no_longer_be_seen_ends_it(hub: Hub, way: Way) -> None:
    error = await ended_by(hub, way, lambda: hub.world.do("DELETE FROM customer_client WHERE client_id = 'test'"))
    assert error["extensions"]["code"] == "NOT_FOUND"


@BOTH
@pytest.mark.parametrize("how", ["disabled", "narrowed", "revoked"])
async def test_a_client_or_token_that_was_taken_back_ends_it(hub: Hub, way: Way, how: str) -> None:
    async def take_back() -> None:
        if how == "revoked":
            side = hub.sides["test"]
            form = {"token": side.token, "client_id": "test", "client_assertion_type": side.client.token_form()["client_assertion_type"]}
            answer = await side.form("/oauth/revoke", {**form, "client_assertion": side.client.assertion()})
            assert answer.status_code == 200
            return
        change = "disabled_at = now()" if how == "disabled" else "scopes = array_remove(scopes, 'operations:read')"
        await hub.world.do(f"UPDATE client SET {change} WHERE client_id = 'test'")

    assert (await ended_by(hub, way, take_back))["extensions"]["code"] == "TOKEN_INVALID"


async def test_each_answer_is_read_with_the_watcher_s_eyes(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: even a pulse that forgot to ask who may watch shows nothing, the rows are guarded themselves."""
    monkeypatch.setattr(Pulse, "_allowed", lambda self, watcher: watcher.seen)
    await hub.world.make_due()
    seen = []
    async for message in over_socket(hub, "another"):
        seen.append(message)
    assert [message["type"] for message in seen] == ["next", "complete"]
    assert seen[0]["payload"]["data"] == {"syncProgress": []}


NOTHING: dict[str, tuple[str, dict[str, str]]] = {
    "another client's": ("another", {}),
    "absent": ("admin", {"id": "PlatformConnection:00000000-0000-7000-8000-000000000000:00000000-0000-7000-8000-000000000000"}),
    "of another type": ("admin", {"id": "Consent:{customer}:{connection}"}),
    "malformed": ("admin", {"id": "' or true --"}),
    "mixed": ("admin", {"id": "PlatformConnection:{customer}:{connection}", "customer": "00000000-0000-7000-8000-000000000000"}),
}


@BOTH
async def test_what_is_foreign_absent_or_no_id_is_answered_alike(hub: Hub, way: Way) -> None:
    names = {"customer": hub.world.customer_id, "connection": hub.world.connection_id}
    for what, (client, given) in NOTHING.items():
        variables = {key: value.format(**names) for key, value in given.items()} or hub.variables()
        messages = [message async for message in way(hub, client, **variables)]
        (error,) = errors(messages[0])
        assert (error["message"], error["extensions"]["code"]) == ("There is nothing to watch under this id.", "NOT_FOUND"), what
        assert [message["type"] for message in messages[1:]] in ([], ["complete"]), f"no data of what is {what}"


async def test_without_a_proof_there_is_no_handshake_and_no_stream(hub: Hub) -> None:
    side = hub.sides["admin"]
    bound = {"Authorization": f"DPoP {side.token}"}
    wrong = {
        "nothing": {},
        "no proof": bound,
        "as bearer": {"Authorization": f"Bearer {side.token}"},
        "a proof for POST": {**bound, "DPoP": side.client.proof("POST", side.client.graphql_url, side.token)},
        "a proof for another address": {**bound, "DPoP": side.client.proof("GET", side.client.token_url, side.token)},
    }
    for what, headers in wrong.items():
        with pytest.raises(InvalidStatus) as refused:
            async with hub.socket(additional_headers=headers):
                raise AssertionError(f"accepted with {what}")
        assert refused.value.response.status_code == 401, what
        assert "DPoP" in refused.value.response.headers["www-authenticate"] and refused.value.response.headers["dpop-nonce"]
    headers = {"Accept": "text/event-stream"}
    answer = await side.http.post("/graphql", json={"query": WATCH, "variables": hub.variables()}, headers=headers)
    assert (answer.status_code, answer.headers["content-type"], "data" in answer.json()) == (401, "application/json; charset=utf-8", False)


async def test_a_proof_opens_one_socket(hub: Hub) -> None:
    side = hub.sides["admin"]
    proof = {"Authorization": f"DPoP {side.token}", "DPoP": side.client.proof("GET", side.client.graphql_url, side.token)}
    async with hub.socket(additional_headers=proof):
        with pytest.raises(InvalidStatus, match="401"):
            async with hub.socket(additional_headers=proof):
                raise AssertionError("a proof was used twice")


async def test_another_protocol_is_refused_at_the_handshake(hub: Hub) -> None:
    for protocols in (["graphql-ws"], ["graphql-sse"], None, [PROTOCOL.upper()]):
        with pytest.raises(InvalidStatus, match="400"):
            async with hub.socket(subprotocols=protocols, greet=False):
                raise AssertionError(f"accepted {protocols}")


async def test_the_newer_protocol_is_chosen_where_both_are_offered(hub: Hub) -> None:
    async with hub.socket(subprotocols=["graphql-ws", PROTOCOL]) as socket:
        assert socket.subprotocol == PROTOCOL


async def test_a_socket_for_another_host_is_refused(hub: Hub) -> None:
    with pytest.raises(InvalidStatus, match="421"):
        async with hub.socket(uri="ws://evil.example/graphql", host="127.0.0.1", port=hub.server.listener.getsockname()[1]):
            raise AssertionError("accepted")


INIT, SUBSCRIBE = '{"type": "connection_init"}', {"id": "1", "type": "subscribe", "payload": {"query": WATCH}}
BROKEN: dict[str, tuple[int, list[Any], bool]] = {
    "no JSON": (4400, ["{"], True),
    "a list": (4400, ["[]"], True),
    "bytes": (4400, [b"{}"], True),
    "an unknown type": (4400, ['{"type": "start"}'], True),
    "no id": (4400, ['{"type": "subscribe", "payload": {"query": "x"}}'], True),
    "an empty id": (4400, [json.dumps({**SUBSCRIBE, "id": ""})], True),
    "an unknown member": (4400, [json.dumps({**SUBSCRIBE, "payload": {"query": WATCH, "more": 1}})], True),
    "NUL": (4400, [json.dumps({**SUBSCRIBE, "payload": {"query": WATCH, "variables": {"id": "\0"}}})], True),
    "not greeted": (4401, [json.dumps(SUBSCRIBE)], False),
    "greeted twice": (4429, [INIT], True),
    "silence": (4408, [], False),
}


async def test_a_broken_conversation_is_closed_with_the_protocol_s_code(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    for what, (code, messages, greet) in BROKEN.items():
        monkeypatch.setattr(socket_module, "FIRST_MESSAGE", 0.2 if what == "silence" else 10.0)
        async with hub.socket(greet=greet) as socket:
            for message in messages:
                await socket.send(message)
            await socket.wait_closed()
            assert socket.close_code == code, what


async def test_an_id_is_used_once_at_a_time(hub: Hub) -> None:
    await hub.world.make_due()
    async with hub.socket() as socket:
        await subscribe(socket, "1", **hub.variables())
        await socket.recv()
        await socket.send('{"id": "1", "type": "complete"}')
        await subscribe(socket, "1", **hub.variables())
        assert json.loads(await socket.recv())["type"] == "next", "control: one that was completed may be used again"
        await subscribe(socket, "1", **hub.variables())
        await socket.wait_closed()
        assert socket.close_code == 4409


async def test_a_socket_that_watches_nothing_is_closed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_module, "UNUSED", 0.3)
    await hub.world.make_due()
    async with hub.socket() as socket:
        await socket.send('{"type": "ping"}')
        assert json.loads(await socket.recv()) == {"type": "pong"}
        await subscribe(socket, **hub.variables())
        assert json.loads(await socket.recv())["type"] == "next"
        await asyncio.sleep(0.7)
        await socket.send('{"id": "1", "type": "complete"}')
        await socket.wait_closed()
        assert socket.close_code == 1000


async def refused_by(hub: Hub, client: str, query: str, **variables: Any) -> list[str]:
    """The same refusal by both transports."""
    async with hub.socket(client) as socket:
        await subscribe(socket, "1", query, **variables)
        message = json.loads(await socket.recv())
    assert message["type"] == "error"
    async with hub.stream(client, query, **variables) as answer:
        await answer.aread()
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json; charset=utf-8")
    assert answer.json()["errors"] == message["payload"]
    return [error["message"] for error in message["payload"]]


UNSERVED = [
    ("{ syncConnections { totalCount } }", "Only subscriptions are served here"),
    ("mutation { __typename }", "Only subscriptions are served here"),
    ("subscription { __typename }", "."),
    ("{ __schema { queryType { name } } }", "."),
    ("subscription {", "Syntax Error"),
    ("subscription { syncProgress { nothing } }", "Cannot query field"),
    (WATCH + "subscription B { syncProgress { id } }", "operationName"),
    ("subscription A { a: syncProgress { id } b: syncProgress { id } }", "only one top level field"),
    ("subscription { syncProgress { runs(first: 100) { nodes { windows(first: 100) { nodes { stream } } } } } }", "too much"),
]


async def test_what_cannot_be_subscribed_to_is_refused_alike_by_both(hub: Hub) -> None:
    for query, says in UNSERVED:
        said = await refused_by(hub, "admin", query, id=hub.connection)
        assert says in said[0], (query, said)


async def test_partners_do_not_watch(hub: Hub) -> None:
    (said,) = await refused_by(hub, "partner-app", WATCH, **hub.variables())
    assert said == "Subscription.syncProgress needs the scope operations:read."


async def test_a_plain_post_does_not_subscribe(hub: Hub) -> None:
    answer = (await hub.sides["admin"].ask(WATCH, hub.variables())).json()
    assert "data" not in answer and "text/event-stream" in answer["errors"][0]["message"]


async def test_whom_to_watch_must_be_said(hub: Hub) -> None:
    messages = [message async for message in over_events(hub, "admin", id=None)]
    assert errors(messages[0])[0]["extensions"]["code"] == "INVALID_INPUT"


async def test_a_client_holds_a_bounded_number_and_gets_back_what_it_lets_go(hub: Hub) -> None:
    await hub.world.make_due()
    async with hub.socket() as socket:
        for name in ("1", "2", "3"):
            await subscribe(socket, name, **hub.variables())
            message = json.loads(await socket.recv())
            assert (message["id"], message["type"]) == (name, "error" if name == "3" else "next")
        assert message["payload"][0]["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
        async with hub.stream("test") as answer:
            assert (await anext(events(answer)))["type"] == "next", "another client's share is its own"
    await until_free(hub)


async def test_a_stream_whose_client_goes_is_let_go(hub: Hub) -> None:
    await hub.world.make_due()
    for _ in range(2 * RULES.per_client):
        async with hub.stream() as answer:
            assert (await anext(events(answer)))["type"] == "next"
        await until_free(hub)


async def until_free(hub: Hub) -> None:
    """Waits until the client can subscribe again: the server has noticed that the one before is gone."""
    while True:
        async with hub.stream() as answer:
            message = await anext(events(answer))
        if "errors" not in message["payload"]:
            return
        await asyncio.sleep(0.05)


async def test_one_statement_a_look_serves_all_who_watch(hub: Hub, database: Database) -> None:
    """And none is sent while nobody does."""
    looks: list[int] = []
    pulse = Pulse.__dict__["_look"]

    async def counted(self: Pulse, watchers: Any) -> None:
        looks.append(len(watchers))
        await pulse(self, watchers)

    await hub.world.make_due()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pulse, "_look", counted)
        async with hub.stream() as one, hub.stream("test") as other:
            reading = [events(one), events(other)]
            for each in reading:
                await anext(each)
            looks.clear()
            began = time.monotonic()
            await asyncio.sleep(10 * RULES.period)
            assert looks and set(looks) == {2} and len(looks) <= (time.monotonic() - began) / RULES.period + 2
        async with asyncio.timeout(10):
            while looks:
                looks.clear()
                await asyncio.sleep(4 * RULES.period)
    async with database.work() as tx:
        assert (await tx.execute(text("select count(*) from access_log where operation = 'Watch'"))).scalar_one() == 2
