"""The hub as a client of a certified FAPI 2.0 provider: every flow goes through, everything wrong is refused (trust rules, T2)."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit
from uuid import UUID

import httpx
import pytest

from hub.connect import Context, Request, Response, dpop
from hub.connect.code_grant import CodeGrant, challenge
from hub.domain.enums import SourceKind, Verdict
from hub.domain.identifiers import CustomerId
from hub.errors import GrantRevoked
from hub.store.database import Database
from hub.store.embedded import Urls
from hub.sync import grants, linking
from hub.sync.context import load
from hub.sync.engine import Engine
from hub.sync.grants import Exchange
from hub.sync.revoking import Revoker, disconnect, settle_ended
from tests.hub.link.certified import NAME, Certified, Known, connector, installed, serving
from tests.hub.link.standing import Standing, Visitor, standing, visitor
from tests.hub.sync.world import QUICK


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certified]:
    yield from serving(installed(), tmp_path_factory.mktemp("certified") / "log")


@dataclass
class Case:
    """A hub that is a registered client, a customer, and her browser."""

    hub: Standing
    provider: Certified
    customer_id: CustomerId
    me: Visitor

    async def link(self) -> str:
        return await self.hub.link(self.customer_id, SourceKind.SHOP)

    async def callback(self) -> str:
        return await self.me.to_callback(await self.me.agree(NAME, await self.link()))

    async def connection(self) -> Mapping[str, Any]:
        return await self.hub.connection(self.customer_id, NAME)

    async def accepted(self) -> bool:
        found = await self.connection()
        return bool(found["status"] == "ACTIVE" or found["granted"])

    def with_authorisation(self, authorisation: CodeGrant) -> None:
        self.hub.linking.equipment = replace(self.hub.equipment, connectors={NAME: connector(authorisation)})


@pytest.fixture
async def case(certified: Certified, link_urls: Urls, tmp_path: Path) -> AsyncIterator[Case]:
    database = Database(link_urls)
    async with _standing(database, tmp_path, certified) as hub, visitor(hub) as me:
        certified.account("alice")
        yield Case(hub, certified, await hub.customer(), me)
    await database.close()


@asynccontextmanager
async def _standing(database: Database, home: Path, certified: Certified) -> AsyncIterator[Standing]:
    configs: dict[str, Mapping[str, str]] = {NAME: {"base_url": certified.issuer}}
    async with standing(database, home, [connector()], configs) as hub:
        configs[NAME] = certified.register(hub.links.redirect_uri(NAME))
        yield hub


def altered(url: str, **changes: str | None) -> str:
    """The URL with parameters of its query changed, or left out."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query)), **changes}
    return parts._replace(query=urlencode({name: value for name, value in query.items() if value is not None})).geturl()


def said(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


async def test_every_flow_from_authorising_to_revoking(case: Case) -> None:
    before, callback = case.provider.counts(), await case.callback()
    assert said(callback)["iss"] == case.provider.issuer
    assert (await case.me.get(callback)).headers["location"] == "/link/"
    found = await case.connection()
    assert (found["status"], found["granted"]) == ("ACTIVE", True)
    mine = (case.customer_id, UUID(str(found["connection_id"])))
    assert await Engine(case.hub.equipment, case.hub.calls, QUICK).run(*mine) is Verdict.COMPLETE
    async with case.hub.equipment.database.work() as tx:
        held = await grants.read(case.hub.equipment, tx, *mine)
        loaded = await load(case.hub.equipment, tx, *mine)
    assert (held.grant.account, held.grant.scopes) == ("alice", ("SHOP",))
    fresh = await grants.refresh(Exchange(case.hub.equipment, case.hub.calls, loaded.connector, loaded.context, *mine), held.epoch)
    assert fresh.grant.access_token != held.grant.access_token
    assert fresh.grant.extra[dpop.KEY] == held.grant.extra[dpop.KEY], "the new token is bound to the key of the connection"
    await case.hub.rows("UPDATE connection SET due_at = clock_timestamp() WHERE customer_id = :customer RETURNING 1", customer=mine[0])
    assert await Engine(case.hub.equipment, case.hub.calls, QUICK).run(*mine) is Verdict.COMPLETE
    after = case.provider.counts()
    assert {name: after[name] - before[name] for name in ("tokens", "refreshed", "revoked")} == {"tokens": 1, "refreshed": 1, "revoked": 0}
    assert after["userinfo"] - before["userinfo"] == 3, "once to know the account, twice to sync"
    await revoked(case, mine)
    assert case.provider.counts()["revoked"] - before["revoked"] == 1
    assert (await _me(case, fresh.grant.extra[dpop.KEY], fresh.grant.access_token)).status_code == 401


async def revoked(case: Case, mine: tuple[CustomerId, UUID]) -> None:
    equipment = case.hub.equipment
    async with equipment.database.work() as tx:
        await disconnect(tx, *mine)
    while await settle_ended(equipment):
        pass
    await Revoker(equipment, case.hub.calls).look(NAME)
    (row,) = await case.hub.rows("SELECT state, answer, sealed FROM revocation WHERE customer_id = :customer", customer=mine[0])
    assert (row["state"], row["answer"], row["sealed"]) == ("DONE", "status 200", None)


async def _me(case: Case, key: str, token: str, scheme: str = "DPoP") -> httpx.Response:
    """Asks for the account with a token, proving a key; with the provider's nonce, when it wants one."""
    asked, nonce = Request("GET", "/me"), ""
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(2):
            proof = dpop.proof(key, asked, case.provider.issuer, time.time(), nonce=nonce, token=token)
            answer = await client.get(f"{case.provider.issuer}/me", headers={"Authorization": f"{scheme} {token}", "DPoP": proof})
            nonce = dpop.nonce_wanted(Response(answer.status_code, answer.headers, answer.content)) or nonce
    return answer


async def test_a_token_is_worth_nothing_without_its_key(case: Case) -> None:
    await case.me.get(await case.callback())
    found = await case.connection()
    async with case.hub.equipment.database.work() as tx:
        grant = (await grants.read(case.hub.equipment, tx, case.customer_id, UUID(str(found["connection_id"])))).grant
    assert (await _me(case, grant.extra[dpop.KEY], grant.access_token)).json()["sub"] == "alice"
    assert (await _me(case, dpop.new_key(), grant.access_token)).status_code == 401
    assert (await _me(case, grant.extra[dpop.KEY], grant.access_token, "Bearer")).status_code in (400, 401)


async def refuses(case: Case, callback: str, status: int = 403) -> None:
    """Nothing comes of a callback, and no token call is made for it."""
    before = case.provider.counts()
    answer = await case.me.get(callback)
    assert answer.status_code == status, answer.text
    assert not await case.accepted()
    assert case.provider.counts()["tokens"] == before["tokens"]


async def test_a_wrong_state(case: Case) -> None:
    callback = await case.callback()
    state = said(callback)["state"]
    for wrong in (state[:-1], state + "A", secrets.token_urlsafe(32), "", None):
        await refuses(case, altered(callback, state=wrong))


@pytest.mark.parametrize("wrong", ["https://evil.example", "", "{issuer}/", "{issuer}.evil.example", None])
async def test_an_issuer_that_is_wrong_or_missing(case: Case, wrong: str | None) -> None:
    callback = await case.callback()
    await refuses(case, altered(callback, iss=wrong and wrong.replace("{issuer}", case.provider.issuer)))


async def test_control_without_the_issuer_check_a_wrong_one_is_accepted(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "_is_issuer", lambda *asked: True)
    assert (await case.me.get(altered(await case.callback(), iss="https://evil.example"))).status_code == 303
    assert await case.accepted()


class Plain(Known):
    """What no connector can say: the verifier itself for a challenge."""

    def begin(self, context: Context, *, redirect_uri: str, state: str, verifier: str, text_hash: str) -> Generator[Request, Response, str]:
        dialogue = CodeGrant.begin(self, context, redirect_uri=redirect_uri, state=state, verifier=verifier, text_hash=text_hash)
        asked = next(dialogue)
        body = asked.body.replace(b"S256", b"plain").replace(quote(challenge(verifier)).encode(), quote(verifier).encode())
        assert body != asked.body
        try:
            dialogue.send((yield replace(asked, body=body)))
        except StopIteration as end:
            return str(end.value)
        raise AssertionError("it asks more than once")


async def test_plain_pkce(case: Case) -> None:
    before = case.provider.counts()
    case.with_authorisation(Plain(lambda context: ("openid",), {"openid": SourceKind.SHOP}))
    assert (await case.me.agree(NAME, await case.link())).status_code == 502
    assert case.provider.counts()["codes"] == before["codes"], "the browser is sent nowhere"
    assert not await case.accepted()


async def test_a_replayed_callback(case: Case) -> None:
    callback, before = await case.callback(), case.provider.counts()
    answers = await asyncio.gather(*(case.me.get(callback) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [303, 403, 403, 403]
    assert case.provider.counts()["tokens"] - before["tokens"] == 1


async def test_a_replayed_code(case: Case) -> None:
    """The same code with its own verifier, past everything that the link pages look at: the provider takes it once."""
    await case.me.agree(NAME, await case.link())
    mine = (case.customer_id, UUID(str((await case.connection())["connection_id"])))
    verifier, back = secrets.token_urlsafe(48), case.hub.links.redirect_uri(NAME)
    url = await case.hub.linking.begin(*mine, back, "a-state", verifier, "0" * 64)
    callback = said(await case.me.to_callback(httpx.Response(303, headers={"location": url})))
    first = await case.hub.linking.complete(*mine, back, verifier, callback)
    assert first.access_token
    with pytest.raises(GrantRevoked):
        await case.hub.linking.complete(*mine, back, verifier, callback)


async def test_a_code_of_another_session(case: Case) -> None:
    """A code that somebody else was given, under one's own state: it was asked for with another verifier."""
    foreign = said(await case.callback())["code"]
    case.provider.account("mallory")
    customer = await case.hub.customer("110101199003070003")
    async with visitor(case.hub) as other:
        callback = await other.to_callback(await other.agree(NAME, await case.hub.link(customer, SourceKind.SHOP)))
        before = case.provider.counts()
        await other.get(altered(callback, code=foreign))
    assert case.provider.counts()["refused"] > before["refused"], "it was looked at by the provider"
    assert case.provider.counts()["tokens"] == before["tokens"]
    found = await case.hub.connection(customer, NAME)
    assert (found["status"], found["granted"]) == ("LINKING", False)


async def test_the_request_does_not_travel_with_the_browser(case: Case) -> None:
    agreed = await case.me.agree(NAME, await case.link())
    assert parse_qs(urlsplit(agreed.headers["location"]).query).keys() == {"client_id", "request_uri"}
