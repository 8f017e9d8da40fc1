"""Cost truth: what an operation is said to read at most is never less than what it reads, from a real store with more rows than its pages hold (trust rules, T16).

Read is what the statement hands on: each row that is shown, each that is counted, and the one behind a page that tells whether there are more.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

import orjson
import pytest
import pytest_asyncio
from graphql import GraphQLError
from graphql.execution.values import VariableValues
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import schema.plan.cost as cost_module
import schema.plan.documents as documents_module
from hub.domain.facts import all_specs
from hub.domain.selection import Pick, Selection
from hub.store.database import Database
from hub.store.embedded import Embedded
from schema.plan.cost import is_page
from schema.plan.prices import LISTS, Rows
from tests.databases import own
from tests.hub.view.world import RISK, World, build, reader
from tests.schema.operations import Maker, Operation
from tests.schema.oracle import Oracle
from tests.schema.rich import fill
from tests.schema.test_random_operations import DOCUMENTS, SCHEMA, Both, Unwritten, enrich, pools_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
WRAPPERS = {"PageInfo", "Provenance", "PageRequest"}
COUNTS = {"totalCount", "openWindows", "failedWindows", "failedAttempts"}


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """A price that was worked out while it was spoilt is not another test's."""
    DOCUMENTS._known.clear()


IN_SUITE, AT_LOAD = 60, 1500


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(cluster: Embedded) -> AsyncIterator[Both]:
    database = Database(await cluster.prepare(own("cost_truth"), template="template"))
    world = await build(database)
    async with database.work() as tx:
        await enrich(tx, world)
        await fill(tx, world)
    oracle = Oracle(SCHEMA.core)
    of_mine = {"Evaluation": world.evaluation, "Consent": world.shop_consent, "PlatformConnection": world.shop}
    oracle.nodes = {world.id: {}, **{f"{kind}:{world.mine}:{key}": {} for kind, key in of_mine.items()}}
    oracle.cursors = {spec.name: {cursor_of(spec.name, day, world.mine) for day in ("2026-01-01", "2025-12-03")} for spec in all_specs()}
    yield Both(reader(database, log=Unwritten()), oracle, {**pools_of(oracle, world), "first": [1, 2, 7, 50, 100]})
    await database.close()


def cursor_of(of: str, day: str, row_id: object) -> str:
    """As ``hub.store.view.binding.cursor_sql`` makes it."""
    text = f"{of}|{day}|{row_id}"
    return base64.b64encode(f"{text}|{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:8]}".encode()).decode()


def read_of(selection: Selection, value: Any) -> int:
    """The rows that an answer tells of."""
    if isinstance(value, list):
        return sum(read_of(selection, one) for one in value)
    if not isinstance(value, dict):
        return 0
    wraps = selection.type in WRAPPERS | {"Query"} or selection.type.endswith("Edge") or is_page(SCHEMA.core.type_map[selection.type])
    picks: dict[str, Pick] = {pick.key: pick for case in selection.cases for pick in case.picks} | {
        pick.key: pick for pick in selection.picks
    }
    return (not wraps) + sum(_told(picks[key], found) for key, found in value.items())


def _told(pick: Pick, found: Any) -> int:
    if pick.name in COUNTS or pick.name == "hasNextPage":
        return int(found)
    return read_of(pick.of, found) if pick.of is not None else 0


def drawn(both: Both, seed: int) -> Operation:
    return Maker(SCHEMA.core, both.pools, Random(seed), defaults=True).operation()


async def predicted_and_read(both: Both, operation: Operation) -> tuple[int, int]:
    document = DOCUMENTS.of(operation.text, introspecting=False)
    assert document.errors == [], (document.errors, operation.text)
    plan = DOCUMENTS.plan(document, None, operation.variables)
    if plan.read is None:
        return 0, 0
    bound = DOCUMENTS.price(document, plan, operation.variables).rows
    body = await both.reader.read(RISK, plan.read, plan.values(SCHEMA.core, operation.variables))
    return bound, read_of(plan.read.selection, orjson.loads(body))


def every(examples: int) -> Any:
    return settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)


@given(st.integers(0, 2**64 - 1))
@every(IN_SUITE)
async def test_no_operation_reads_more_than_was_said(both: Both, seed: int) -> None:
    operation = drawn(both, seed)
    bound, read = await predicted_and_read(both, operation)
    assert read <= bound, operation


READ: list[int] = []


@pytest.mark.load
class TestAtLength:
    @given(st.integers(0, 2**64 - 1))
    @every(AT_LOAD)
    async def test_no_operation_reads_more_than_was_said(self, both: Both, seed: int) -> None:
        operation = drawn(both, seed)
        bound, read = await predicted_and_read(both, operation)
        READ.append(read)
        assert read <= bound, operation

    async def test_they_read_enough_to_say_something(self, both: Both) -> None:
        for seed in range(AT_LOAD - len(READ)):
            READ.append((await predicted_and_read(both, drawn(both, seed)))[1])
        print(f"\n{len(READ)} operations read {sum(READ):,} rows, the most by one {max(READ):,}")
        assert len(READ) >= 1000 and sum(read > 20 for read in READ) > len(READ) / 10


POINTED = [
    Operation("query ($n: Int!) { customers(first: $n) { nodes { id } } }", {"n": 100}),
    Operation("query ($n: Int! = 90) { customers(first: $n) { nodes { id } pageInfo { hasNextPage } } }", {}),
    Operation("query ($no: Boolean!) { customers(first: 50) { nodes { id } totalCount @skip(if: $no) } }", {"no": False}),
    Operation(
        "{ customers(first: 100) { nodes { orders(first: 100) { totalCount nodes { id } } evaluations(first: 9) { nodes { features { id } } } } } }",
        {},
    ),
    Operation(f'{{ customer(id: "{World().id}") {{ consents {{ id }} parties {{ id }} sources(only: [SHOP, TAX]) {{ status }} }} }}', {}),
    Operation("{ syncConnections(first: 100) { totalCount nodes { openWindows runs(first: 100) { nodes { id failedAttempts } } } } }", {}),
]
"""Operations that read as much as they may."""


@pytest.mark.parametrize("number", range(len(POINTED)))
async def test_what_reads_most_reads_no_more_than_was_said(both: Both, number: int) -> None:
    bound, read = await predicted_and_read(both, POINTED[number])
    assert 50 < read <= bound


async def caught(both: Both) -> bool:
    """Whether one of them reads more than was said. What was worked out before is forgotten, so that a spoilt price is asked for."""
    DOCUMENTS._known.clear()
    for operation in POINTED:
        try:
            bound, read = await predicted_and_read(both, operation)
        except GraphQLError:
            continue
        if read > bound:
            return True
    return False


def _without_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents_module, "coerced", lambda *_: VariableValues({}, {}))


def _counts_are_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_module, "COUNTED", 1)


def _lists_are_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = {name: Rows(rows.usual, rows.usual) for name, rows in LISTS.items()}
    monkeypatch.setattr(cost_module, "LISTS", usual)


def _a_page_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_module.Costing, "_times", lambda *_: Rows(1, 1))


@pytest.mark.parametrize("spoil", [_without_variables, _counts_are_values, _lists_are_usual, _a_page_is_a_row])
async def test_a_price_that_forgets_something_is_noticed(
    both: Both, spoil: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: sizes that escape through a variable, counts for the price of a value, lists that are longer than usual, pages that are free."""
    assert not await caught(both)
    spoil(monkeypatch)
    assert await caught(both)
