"""Valid operations of the whole contract, mutations included, against a whole hub: three roles, no 5xx, nothing unmasked, nothing slow (trust rules, T14).

hypothesis-graphql draws them: it is what schemathesis uses for GraphQL, without schemathesis's own client, which cannot prove a key with each request.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
import pytest
import pytest_asyncio
from hypothesis import given

from hub.access.caller import ClientSide
from hub.access.clients import NewClient, make_client_keys, register_client
from hub.app.services import HubServices
from hub.cli.runtime import open_runtime
from hub.domain.caller import Caller
from hub.domain.clock import Clock
from hub.settings import Settings
from hub.store.embedded import Embedded
from hub.store.view.reader import Reader
from schema import services as contract
from schema.access import AUDIENCES
from schema.endpoint import GRAPHQL_JSON
from tests.databases import own
from tests.hub.access.side import Side
from tests.hub.app.conftest import NOW, ORIGIN, SHOP
from tests.listing import listing
from tests.schema import fuzzed
from tests.schema.fuzzed import PLACE, ROOTS, SCHEMA, every, operations

pytest.importorskip("hypothesis_graphql", reason="hypothesis-graphql is not installed: the contract was not fuzzed")
pytestmark = pytest.mark.asyncio(loop_scope="module")
ROLES = {"partner-app": "PARTNER", "risk-desk": "INTERNAL", "admin": "ADMIN"}
INTERNAL = re.compile(
    r"Traceback|psycopg|sqlalchemy|strawberry|site-packages|\.py\b|SELECT |select current_setting|/tmp/|relation \"|<class|object at 0x|Error\(",
    re.IGNORECASE,
)
"""What only the inside knows."""
IN_SUITE, AT_LOAD, DRAWERS, SLOW = 15, 5000, 2, 2.0
_count = itertools.count()


@dataclass
class Whole:
    """A wired hub with a customer, and what was seen of its answers."""

    sides: dict[str, Side]
    ids: list[str]
    seen: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    waited: float = 0.0
    late: int = 0

    async def look(self, role: str, text: str) -> None:
        """One operation. Fails for a 5xx, an internal that shows, or an answer that took long."""
        began, clock = time.process_time(), time.monotonic()
        answer = await self.ask(role, text)
        took = time.process_time() - began
        by_clock = time.monotonic() - clock
        self.slowest, self.waited, self.late = max(self.slowest, took), max(self.waited, by_clock), self.late + (by_clock > SLOW)
        codes = [error["extensions"]["code"] for error in answer.json().get("errors", ())]
        self.seen.update(codes or ["data"])
        assert answer.status_code < 500 and "INTERNAL" not in codes, (answer.status_code, answer.text, text)
        assert not INTERNAL.search(re.sub(r'"data":.*', "", answer.text)), (answer.text, text)
        assert took < SLOW, (took, text)

    async def ask(self, role: str, text: str) -> httpx.Response:
        """With a new token when the old one has expired."""
        side = self.sides[role]
        for _ in range(3):
            answer = await side.ask(text, headers={"Accept": GRAPHQL_JSON})
            if answer.status_code != 401:
                break
            side.client.heard(answer.headers)
            await side.login(" ".join(sorted(AUDIENCES[ROLES[role]])) + " purpose:CREDIT_APPROVAL")
        return answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(cluster: Embedded, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Whole]:
    urls = await cluster.prepare(own(f"fuzz_{next(_count)}"), template="template")
    chosen = Settings(home=tmp_path_factory.mktemp("home"), grantee="样例银行")
    configs = {"cn_tax": {"base_url": "http://127.0.0.1:9"}}
    async with open_runtime(chosen, urls, clock=Clock.frozen(NOW), configs=configs) as runtime:
        await runtime.publish()
        transport = httpx.ASGITransport(app=runtime.api(ORIGIN))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
            sides = {}
            for name, audience in ROLES.items():
                private, public = make_client_keys()
                new = NewClient(
                    name,
                    name,
                    audience,
                    tuple(AUDIENCES[audience]),
                    ("CREDIT_APPROVAL",),
                    public,
                    documents="OPEN",
                    cost_per_minute=10**9,
                    **listing(audience),
                )
                async with runtime.database.work() as tx:
                    await register_client(tx, new, AUDIENCES)
                sides[name] = Side(http, ClientSide(name, private, ORIGIN))
                await sides[name].login()
            services = HubServices(runtime.equipment, runtime.links(ORIGIN))
            ids = []
            for name in ("partner-app", "risk-desk"):
                caller = Caller(name, ROLES[name], AUDIENCES[ROLES[name]], "CREDIT_APPROVAL")
                ids.append(await services.identity.create_customer(contract.Call(caller, f"seed-{name}", "d"), SHOP))
            yield Whole(sides, sorted(set(ids)))


async def looked_at(whole: Whole, role: str, text: str) -> None:
    await whole.look(role, text.replace(PLACE, whole.ids[len(text) % len(whole.ids)]))


@given(operations(SCHEMA, ROOTS, [PLACE]))
@every(IN_SUITE)
@pytest.mark.parametrize("role", ROLES)
async def test_no_operation_breaks_the_hub(whole: Whole, role: str, text: str) -> None:
    await looked_at(whole, role, text)


@pytest.mark.load
async def test_no_operation_breaks_the_hub_at_length(whole: Whole) -> None:
    """Each operation by every role. They are drawn by other processes meanwhile: to draw one takes twice as long as to answer it three times."""
    began, processor, seen = time.monotonic(), time.process_time(), Counter[str]()
    async for text in drawn_beside(AT_LOAD):
        for role in ROLES:
            await looked_at(whole, role, text)
            seen[role] += 1
    minutes, busy = (time.monotonic() - began) / 60, time.process_time() - processor
    print(f"\n{dict(seen)} in {minutes:.1f} minutes, {busy / 60:.1f} of them of one processor here: {dict(whole.seen.most_common())}")
    print(
        f"0 with 5xx, 0 that show internals; the slowest took {whole.slowest:.2f} s of the processor and {whole.waited:.2f} s by the clock, ",
        end="",
    )
    print(f"{whole.late} more than {SLOW} s by the clock")
    assert seen == dict.fromkeys(ROLES, AT_LOAD)
    assert whole.seen["data"] > sum(whole.seen.values()) / 20


async def drawn_beside(count: int) -> AsyncIterator[str]:
    """So many, by turns from each of :data:`DRAWERS` processes."""
    asked = [(sys.executable, "-m", fuzzed.__name__, str(count // DRAWERS), str(number)) for number in range(DRAWERS)]
    processes = [await asyncio.create_subprocess_exec(*one, stdout=asyncio.subprocess.PIPE, limit=2**20) for one in asked]
    try:
        for number in range(count):
            source = processes[number % DRAWERS].stdout
            assert source is not None
            yield json.loads(await source.readline())
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def test_an_error_that_shows_is_noticed(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: a store that raises."""

    async def broken(*_: object) -> bytes:
        raise RuntimeError('relation "customer" at /tmp/x.py')

    monkeypatch.setattr(Reader, "read", broken)
    with pytest.raises(AssertionError, match="INTERNAL"):
        await whole.look("risk-desk", "{ customers(first: 1) { nodes { id } } }")
