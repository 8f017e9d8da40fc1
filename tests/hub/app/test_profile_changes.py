"""profileChanged: each change is told once, from the transaction that makes it, over both transports, to whoever may know of it and for as long as he may."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from msgspec import structs
from sqlalchemy import text

import hub.access.guard as guard_module
from hub.access.client_life import disable_client, end_tokens
from hub.access.documents import add_document
from hub.domain.enums import Verdict
from hub.store.changes import forget_changes
from hub.store.database import Database, Write
from hub.store.view.looking import Rules
from hub.sync.ending import announce_ends
from tests.hub.app.watching import Hub, Message, events, heard, served, subscribe
from tests.hub.sync.platform import refund
from tests.hub.sync.world import TODAY

WATCH = """subscription News($customer: ID!, $after: String) {
    profileChanged(customerId: $customer, after: $after) { customerId cursor changes { kind of at knownAt } } }"""
RULES = Rules(period=0.05, per_client=3)
NOTE = text("INSERT INTO profile_change (customer_id, kind, of, known_at) VALUES (:customer, 'PARTIES', :of, now()) RETURNING change_id")


@pytest.fixture
async def hub(database: Database, tmp_path: Path) -> AsyncIterator[Hub]:
    async with served(database, tmp_path, RULES) as found:
        found.world.platform.rows[TODAY] = [refund(str(n)) for n in range(6)]
        found.gate.open(1000)
        yield found


async def over_socket(hub: Hub, client: str = "test", **variables: Any) -> AsyncIterator[Message]:
    async with hub.socket(client) as socket:
        await subscribe(socket, "1", WATCH, **{"customer": str(hub.world.customer_id), **variables})
        async for message in heard(socket):
            yield message


async def over_events(hub: Hub, client: str = "test", **variables: Any) -> AsyncIterator[Message]:
    async with hub.stream(client, WATCH, **{"customer": str(hub.world.customer_id), **variables}) as answer:
        async for message in events(answer):
            yield message


Way = Callable[..., AsyncIterator[Message]]
BOTH = pytest.mark.parametrize("way", [over_socket, over_events], ids=["socket", "events"])


def news(message: Message) -> dict[str, Any]:
    assert message["type"] == "next" and "data" in message["payload"], message
    return dict(message["payload"]["data"]["profileChanged"])


def said(message: Message) -> list[tuple[str, str]]:
    return [(one["kind"], one["of"]) for one in news(message)["changes"]]


def code(message: Message) -> str:
    found = message["payload"]
    return str((found if isinstance(found, list) else found["errors"])[0]["extensions"]["code"])


async def changed(hub: Hub, of: str) -> None:
    async with hub.world.database.work() as tx:
        await tx.execute(NOTE, {"customer": hub.world.customer_id, "of": of})


async def test_who_asks_with_stored_documents_alone_subscribes_with_them_alone(hub: Hub) -> None:
    """A socket is no way around the list, and knows it, too."""
    async with hub.world.database.work() as tx:
        sha256 = await add_document(tx, "test", WATCH, "admin")
    await hub.world.do("UPDATE client SET documents = 'ONLY'")
    asked = {"variables": {"customer": str(hub.world.customer_id)}}
    async with hub.socket("test") as socket:
        for payload, expected in (({"query": WATCH}, "DOCUMENT_REQUIRED"), ({"documentId": "0" * 64}, "DOCUMENT_UNKNOWN")):
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload | asked}))
            assert code(await anext(heard(socket))) == expected
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"documentId": sha256} | asked}))
        assert news(await anext(heard(socket)))["customerId"] == str(hub.world.customer_id)
    async with hub.stream("test", WATCH, **asked["variables"]) as answer:
        assert answer.status_code == 400 and "DOCUMENT_REQUIRED" in (await answer.aread()).decode()


@BOTH
async def test_a_sync_and_a_withdrawal_are_told_and_the_withdrawal_ends_it(hub: Hub, way: Way) -> None:
    telling = way(hub)
    first = news(await anext(telling))
    assert (first["customerId"], first["changes"]) == (str(hub.world.customer_id), []) and first["cursor"]
    await hub.world.make_due()
    assert await hub.world.engine().run(hub.world.customer_id, hub.world.connection_id) is Verdict.COMPLETE
    second = await anext(telling)
    assert said(second) == [("FACTS", "scripted")]
    (change,) = news(second)["changes"]
    assert set(change) == {"kind", "of", "at", "knownAt"}, "no data"
    await hub.world.withdraw()
    async for message in telling:
        last = message
        if message["type"] == "error" or "errors" in message.get("payload", {}):
            break
    assert code(last) == "CONSENT_MISSING"


async def test_what_commits_late_is_told_once_and_what_is_rolled_back_never(hub: Hub) -> None:
    telling, mine = over_events(hub), {"customer": hub.world.customer_id}
    await anext(telling)
    async with hub.world.database.work() as late:
        early = (await late.execute(NOTE, {**mine, "of": "began first"})).scalar_one()
        with suppress(ZeroDivisionError):
            async with hub.world.database.work() as tx:
                await tx.execute(NOTE, {**mine, "of": "rolled back"})
                raise ZeroDivisionError
        async with hub.world.database.work() as tx:
            later = (await tx.execute(NOTE, {**mine, "of": "committed first"})).scalar_one()
        assert said(await anext(telling)) == [("PARTIES", "committed first")]
        await asyncio.sleep(4 * RULES.period)
    assert early < later, "control: a mark at the highest number that was told would have lost it"
    assert said(await anext(telling)) == [("PARTIES", "began first")]
    await changed(hub, "last")
    assert said(await anext(telling)) == [("PARTIES", "last")]


async def test_under_many_writers_each_change_is_told_once(hub: Hub) -> None:
    """Also across lost lines: every third answer the client goes, and comes back with its cursor."""
    wanted, told, cursor = {f"n{number}" for number in range(60)}, list[str](), None

    async def writes(number: int) -> None:
        async with hub.world.database.work() as tx:
            await tx.execute(NOTE, {"customer": hub.world.customer_id, "of": f"n{number}"})
            await asyncio.sleep((number % 7) / 20)

    telling = over_events(hub)
    cursor = news(await anext(telling))["cursor"]
    writing = asyncio.gather(*(writes(number) for number in range(60)))
    answers = 0
    async with asyncio.timeout(30):
        while len(told) < len(wanted):
            found, answers = news(await anext(telling)), answers + 1
            told += [one["of"] for one in found["changes"]]
            cursor = found["cursor"]
            if answers % 3 == 0:
                await telling.aclose()  # type: ignore[attr-defined]
                telling = over_events(hub, after=cursor)
    await writing
    assert sorted(told) == sorted(wanted), "none lost, none twice"
    assert said(await anext(over_events(hub, after=cursor))) == [], "nor made up"


async def test_what_happened_while_the_line_was_lost_is_in_the_first_answer(hub: Hub) -> None:
    cursor = news(await anext(over_events(hub)))["cursor"]
    for of in ("a", "b", "a"):
        await changed(hub, of)
    assert said(await anext(over_socket(hub, after=cursor))) == [("PARTIES", "b"), ("PARTIES", "a")], "each thing once, the last of it"
    assert said(await anext(over_socket(hub))) == [], "without a cursor: from now on"


def cursor_of(snapshot: str, at: float | None = None) -> str:
    return base64.b64encode(f"{int(time.time() if at is None else at)}|{snapshot}".encode()).decode()


@pytest.mark.parametrize(
    "after",
    [
        "",
        "x",
        "é",
        ("1:2", 0),
        ("5:2:", 0),
        ("1:9:4,3", 0),
        ("1:9:9", 0),
        ("0:9:", 0),
        ("1:9:", 8),
    ],
    ids=str,
)
async def test_a_cursor_that_is_none_is_refused_and_disturbs_nobody(hub: Hub, after: str | tuple[str, int]) -> None:
    """Of those that have the form: the snapshot, and how many days ago."""
    if not isinstance(after, str):
        after = cursor_of(after[0], time.time() - after[1] * 86400)
    telling = over_events(hub)
    await anext(telling)
    assert code(await anext(over_events(hub, after=after))) == "INVALID_INPUT"
    await changed(hub, "goes on")
    assert said(await anext(telling)) == [("PARTIES", "goes on")]


@pytest.mark.parametrize("client", ["another", "partner-app"])
async def test_a_stranger_is_told_nothing(hub: Hub, client: str) -> None:
    for customer in (str(hub.world.customer_id), "00000000-0000-7000-8000-000000000000", "no id"):
        assert code(await anext(over_events(hub, client, customer=customer))) == "NOT_FOUND"


async def test_an_operator_is_not_told(hub: Hub) -> None:
    async with hub.stream("admin", WATCH, customer=str(hub.world.customer_id)) as answer:
        assert answer.status_code == 400 and "needs the scope customers:read" in (await answer.aread()).decode()


async def test_facts_are_told_to_whose_purpose_a_consent_is_for(hub: Hub) -> None:
    """The consent in force for the connector is another purpose's: that facts came is not told, that it ended is seen at once."""
    cursor = news(await anext(over_events(hub)))["cursor"]
    await hub.world.make_due()
    await hub.world.engine().run(hub.world.customer_id, hub.world.connection_id)
    assert ("FACTS", "scripted") in said(await anext(over_events(hub, after=cursor))), "control"
    await hub.world.do("UPDATE consent SET connector = 'elsewhere'")
    assert ("FACTS", "scripted") not in said(await anext(over_events(hub, after=cursor)))


_EVALUATED = text("""INSERT INTO evaluation (customer_id, evaluation_id, scenario, policy_id, policy_version, policy_sha256, as_of, known_at, request_purpose, outcome, document, inputs_digest,
    created_at) VALUES (:customer, :it, :of, :of, '1', 'ef', current_date, now(), 'OPERATING', 'ENHANCED', '{}', '00', now())""")
_READ = text("""INSERT INTO feature_evidence (customer_id, evaluation_id, feature_id, ordinal, kind, source, facts, digest)
    VALUES (:customer, :it, 'f', 0, 'Refund', :source, 5, '11')""")


async def test_an_evaluation_is_told_of_where_it_may_be_read(hub: Hub) -> None:
    """One read what the purpose's consent opens, the other what no consent does."""
    cursor = news(await anext(over_events(hub)))["cursor"]
    async with hub.world.database.work() as tx:
        for of, source in (("S03", "SHOP"), ("S01", "CREDIT")):
            mine = {"customer": hub.world.customer_id, "it": uuid4()}
            await tx.execute(_EVALUATED, {**mine, "of": of})
            await tx.execute(_READ, {**mine, "source": source})
    assert said(await anext(over_events(hub, after=cursor))) == [("EVALUATION", "S03")]
    await hub.world.do("UPDATE consent SET scenarios = '{}'")
    assert said(await anext(over_events(hub, after=cursor))) == [], "it may not be read any more"


async def test_a_connection_that_ends_soon_is_told_to_whose_purpose_a_consent_is_for(hub: Hub) -> None:
    cursor = news(await anext(over_events(hub)))["cursor"]
    await hub.world.do("UPDATE connection SET grant_expires_at = now() + interval '6 days'")
    assert [await announce_ends(hub.world.database), await announce_ends(hub.world.database)] == [1, 0]
    assert said(await anext(over_events(hub, after=cursor))) == [("CONNECTION", "scripted")]
    await hub.world.do("UPDATE consent SET connector = 'elsewhere'")
    assert said(await anext(over_events(hub, after=cursor))) == []


async def test_it_ends_with_the_token_and_with_the_customer(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    telling = over_events(hub)
    await anext(telling)
    await hub.world.do("DELETE FROM customer_client WHERE client_id = 'test'")
    assert code(await anext(telling)) == "NOT_FOUND"
    await hub.world.do(f"INSERT INTO customer_client VALUES ('{hub.world.customer_id}', 'test')")
    real = guard_module.open_access_token
    monkeypatch.setattr(guard_module, "open_access_token", lambda *given: structs.replace(real(*given), expires_at=time.time() + 0.5))
    telling = over_events(hub)
    await anext(telling)
    assert code(await anext(telling)) == "TOKEN_INVALID"


@pytest.mark.parametrize("end", [end_tokens, disable_client])
async def test_it_ends_when_its_client_s_tokens_do(hub: Hub, end: Callable[[Write, str], Awaitable[object]]) -> None:
    telling = over_events(hub)
    await anext(telling)
    async with hub.world.database.work() as tx:
        await end(tx, "test")
    assert code(await anext(telling)) == "TOKEN_INVALID"


async def test_each_answer_is_on_the_access_log(hub: Hub) -> None:
    telling = over_events(hub)
    await anext(telling)
    await changed(hub, "once")
    await anext(telling)
    found = await hub.world.rows("SELECT client_id, fields FROM access_log WHERE operation = 'News'")
    assert [one["client_id"] for one in found] == ["test", "test"] and "ProfileNews.changes" in found[0]["fields"]


async def test_what_is_old_is_forgotten(hub: Hub) -> None:
    await changed(hub, "old")
    await hub.world.do("UPDATE profile_change SET at = at - interval '8 days'")
    await changed(hub, "young")
    assert [await forget_changes(hub.world.database) > 0, await forget_changes(hub.world.database)] == [True, 0]
    assert [one["of"] for one in await hub.world.rows("SELECT of FROM profile_change")] == ["young"]


async def told_by(tx: Write) -> list[tuple[str, str]]:
    rows = await tx.execute(text("SELECT kind, of FROM profile_change WHERE xid = pg_current_xact_id()::text::bigint ORDER BY change_id"))
    return [(str(kind), str(of)) for kind, of in rows]


async def test_the_transaction_itself_leaves_the_row(hub: Hub) -> None:
    """Whoever writes, and whatever he knows of it."""
    who = {"customer": hub.world.customer_id}
    async with hub.world.database.work() as tx:
        await tx.execute(
            text(
                "INSERT INTO identity_event (customer_id, event_id, kind, actor, at)"
                " VALUES (:customer, gen_random_uuid(), 'PARTY_ADDED', 'a', now())"
            ),
            who,
        )
        assert await told_by(tx) == [("PARTIES", "PARTY_ADDED")]
        await tx.execute(text("UPDATE sync_run SET requests = requests + 1"))
        assert len(await told_by(tx)) == 1, "control: a page without news is none"
