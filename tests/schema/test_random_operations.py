"""Random valid operations: one statement must answer what graphql-core's ordinary execution answers (design, idea 4)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import orjson
import psycopg
import pytest
import pytest_asyncio
from graphql import FragmentDefinitionNode, execute, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey, RSAKey
from sqlalchemy import insert, select

from bench.read.counting import kind_of, statements
from hub.domain.audit import Accessed
from hub.domain.caller import Pending
from hub.domain.selection import Pick, Selection
from hub.store import database as store
from hub.store import tables
from hub.store.database import Database, Write
from hub.store.embedded import Embedded
from hub.store.fact_tables import FACT_TABLES
from hub.store.view import Reader
from schema.contract import HubSchema, build_schema
from schema.plan.documents import Documents
from schema.plan.limits import Limits
from tests.databases import own
from tests.hub.view import test_watching as watching
from tests.hub.view.world import KNOWN, RISK, World, build, consent_row, order_row, reader
from tests.schema.drafted import policies
from tests.schema.lending import lend
from tests.schema.operations import Maker, Operation, Pools
from tests.schema.oracle import Moment, Oracle
from tests.schema.portfolios import screened

pytestmark = pytest.mark.asyncio(loop_scope="module")
SCHEMA: HubSchema = build_schema()
WIDE = Limits(tokens=10**6, depth=100, fields=10**6, aliases=10**6, directives=10**6, fragments=10**6)
DOCUMENTS = Documents(SCHEMA.core, SCHEMA.documents.planner, WIDE)
DAY, THEN = "2025-12-05", (KNOWN - timedelta(hours=2)).isoformat()
MOMENTS: list[Moment] = [(None, None), (DAY, None), (None, THEN), (DAY, THEN)]
EXAMPLES = 250
PREFERRED = [
    *("customer", "customers", "nodes", "edges", "node", "orders", "taxReturns", "financialStatements", "evaluation", "evaluations"),
    *("access", "totals", "profile", "policyDrafts", "trial", "refunds", "settlements", "invoices", "paymentTransactions"),
    *("portfolioScreenings", "counts", "portfolioResults", "fairnessCells", "partnerConcentration"),
    *("limitParts", "features", "evidence", "sample", "sources", "consent", "consents", "connections", "connection", "page", "run"),
    *("runs", "events", "series", "scorePoints", "feature", "pageInfo", "syncConnections", "syncRuns", "clients", "keys", "windows"),
    *("attempts", "waits", "run"),
]
"""Fields that lead to what the world has."""


@dataclass(repr=False)
class Both:
    """The same world behind both ways of answering."""

    reader: Reader
    oracle: Oracle
    pools: Pools

    async def planned(self, text: str, variables: dict[str, Any]) -> Any:
        """By the plan; what selects nothing but the type of the root is not planned."""
        document = DOCUMENTS.of(text, introspecting=False)
        assert document.errors == [], (document.errors, text)
        plan = DOCUMENTS.plan(document, None, variables)
        if plan.read is None:
            return self.ordinary(text, variables)
        return orjson.loads(await self.reader.read(RISK, plan.read, plan.values(SCHEMA.core, variables)))

    def ordinary(self, text: str, variables: dict[str, Any]) -> Any:
        result: Any = execute(SCHEMA.core, parse(text), self.oracle.root, variable_values=variables)
        assert result.errors is None, (result.errors, text)
        return result.data


async def enrich(tx: Write, world: World) -> None:
    """More of what the small world has little of, so that lists have an order and rows to choose from."""
    mine = {"customer_id": world.mine}
    for number in (3, 4):
        await another(tx, world, number)
    await tx.execute(insert(tables.consent), consent_row(world, uid(61), "FINANCIALS"))
    steps = [(None, "PENDING"), ("PENDING", "ACTIVE")]
    events = [{"event_id": uid(70 + n), "from_status": a, "to_status": b, "actor": "clock", "at": KNOWN} for n, (a, b) in enumerate(steps)]
    await tx.execute(insert(tables.consent_event), [{**mine, **one, "consent_id": world.shop_consent} for one in events])
    reads = [{"log_id": uid(90 + n), "client_id": f"c{n % 2}", "consents": [world.shop_consent, uid(61)][: n % 3]} for n in range(4)]
    told = {
        "purpose": "MARKETING",
        "operation": "Look",
        "document_sha256": "00",
        "fields": ["Customer.id"],
        "outcome": "ANSWERED",
        "at": KNOWN,
    }
    await tx.execute(insert(tables.access_log), [{**mine, **told, **one} for one in reads])
    await tx.execute(insert(tables.sync_event), watching.events(world, uid(85)))
    await tx.execute(insert(tables.sync_window), watching.windows(world, uid(85)))
    await tx.execute(insert(tables.quarantine), watching.refused(world))
    await tx.execute(insert(tables.quota_ledger), [{"connector": name, "credential": name} for name in ("market", "bureau_of_tax")])
    shape = {"stream": "orders", "path": "a", "type": "text", "first_seen": KNOWN, "last_seen": KNOWN, "drifted": True}
    await tx.execute(insert(tables.record_shape), [{**shape, "connector": name} for name in ("market", "bureau_of_tax")])
    await tx.execute(insert(tables.client), list(clients()))
    await screened(tx, world, uid)
    await lend(tx, world)
    runs = [{"run_id": uid(80 + n), "epoch": n, "started_at": KNOWN + timedelta(hours=n), "connection_id": world.shop} for n in range(2, 9)]
    await tx.execute(insert(tables.sync_run), [{**mine, **run} for run in runs])
    of = {**mine, "evaluation_id": world.evaluation}
    other = {
        **of,
        "evaluation_id": uid(55),
        "what_if": True,
        "created_at": KNOWN + timedelta(hours=1),
        "outcome": "BASE_ONLY",
        "tier": "LOW",
        "reasons": ["Y"],
    }
    copied = select(tables.evaluation).where(tables.evaluation.c.evaluation_id == world.evaluation)
    await tx.execute(insert(tables.evaluation), {**(await tx.execute(copied)).mappings().one(), **other})
    await policies(tx, world, uid)
    months = [{"series": name, "month": f"2025-{n:02}", "source": "SHOP"} for name in ("GMV", "TAX") for n in range(7, 13)]
    await tx.execute(
        insert(tables.series_month), [{**of, **one, "value": Decimal(n) / 4 if n % 5 else None} for n, one in enumerate(months)]
    )
    parts = [("UPLIFT", "S03.U1", None, True), ("CAP", "PRODUCT", Decimal(500000), False), ("BASE_CAP", "DEBT", None, False)]
    rows = [{"part": part, "code": code, "amount": amount, "earned": earned} for part, code, amount, earned in parts]
    await tx.execute(
        insert(tables.limit_part), [{**of, **row, "binding": False, "feature_ids": ["rr_none", "ss_gmv_mean"]} for row in rows]
    )
    points = [
        {"characteristic": f"{n:02}", "feature_id": name, "points": n, "maximum": 9} for n, name in enumerate(["ss_gmv_mean", "nowhere"])
    ]
    await tx.execute(insert(tables.score_point), [{**of, **one} for one in points])


def clients() -> Iterator[dict[str, Any]]:
    """Of each kind of key one, of one day two, and one that is disabled."""
    for n, key in enumerate((ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519"), RSAKey.generate_key(2048))):
        own = {"client_id": f"app-{n}", "name": f"App {n}", "audience": ("PARTNER", "INTERNAL")[n % 2], "scopes": ["customers:read"]}
        since = {"created_at": KNOWN + timedelta(days=n // 2), "disabled_at": KNOWN if n == 1 else None}
        jwk = {**key.as_dict(private=False), "kid": f"k{n}"}
        yield {**own, **since, "purposes": ["CREDIT_APPROVAL"], "jwks": {"keys": [jwk]}, "return_urls": [f"https://p{n}.example/"]}


async def another(tx: Write, world: World, number: int) -> None:
    """One more customer whom the client sees, with a connection and orders of its own, under a consent that ends at another day."""
    own = {"customer_id": uid(number)}
    row = {**own, "kind": "PERSON", "name_masked": f"{number}*", "subject_hash": str(number), "created_at": KNOWN}
    await tx.execute(insert(tables.customer), row)
    await tx.execute(insert(tables.customer_client), {**own, "client_id": RISK.client_id})
    until = {"data_to": date(2025, 12, number), "kinds": ["Order"]}
    await tx.execute(insert(tables.consent), consent_row(world, uid(100 + number), "SHOP", **own, **until))
    linked = {**own, "connection_id": uid(110 + number), "connector": "market", "status": "REAUTHORISE", "created_at": KNOWN}
    await tx.execute(insert(tables.connection), linked)
    at = {**own, "connection_id": uid(110 + number), "consent_id": uid(100 + number), "page_id": uid(130 + number)}
    run = {**own, "run_id": uid(120 + number), "connection_id": uid(110 + number), "epoch": 1, "started_at": KNOWN}
    await tx.execute(insert(tables.sync_run), {**run, "verdict": "COMPLETE", "fetched": 5, "stored": 5})
    await tx.execute(insert(tables.raw_page), page_row(**at, run_id=run["run_id"]))
    facts = [order_row(world, 10 * number + n, date(2025, 12, n), f"{n}.25", **at) for n in range(1, 6)]
    await tx.execute(insert(FACT_TABLES["Order"]), facts)


def page_row(**more: Any) -> dict[str, Any]:
    request = {"method": "GET", "path": "/router/rest", "query": {}, "body_sha256": None}
    told = {"stream": "orders", "first_day": date(2025, 12, 1), "request": request, "status": 200, "fetched_at": KNOWN, "sha256": "ab" * 32}
    return {**told, "size": 1, "body": b"x", **more}


def uid(number: int) -> Any:
    return type(World().mine)(int=World().mine.int - 1 + number)


class Unwritten:
    """What is asked here is itself in the answers, and must not change with them."""

    async def write(self, rows: Sequence[Accessed], pending: Pending | None) -> None:
        assert all(row.fields for row in rows)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(cluster: Embedded) -> Any:
    database = Database(await cluster.prepare(own("random_operations"), template="template"))
    world = await build(database)
    async with database.work() as tx:
        await enrich(tx, world)
    found = Both(reader(database, log=Unwritten()), Oracle(SCHEMA.core), {})
    # It asks for everything at once, in half a million characters of SQL: that may take its time on a machine that has other work.
    with pytest.MonkeyPatch.context() as patient:
        patient.setattr(store, "ANSWER_SECONDS", 60)
        await found.oracle.look(found.planned, MOMENTS)
    yield replace(found, pools=pools_of(found.oracle, world))
    await database.close()


def pools_of(oracle: Oracle, world: World) -> Pools:
    sources = ["SHOP", "TAX", "FINANCIALS", "DEVICE"]
    return {
        "prefer": PREFERRED,
        "customer.id": [world.id, world.id, world.id, str(world.theirs), str(world.page)],
        "node.id": [*oracle.nodes, *oracle.nodes, str(world.theirs), "x"],
        "ids": [None],
        "nodes.ids": [list(oracle.nodes)[:2], [*oracle.nodes, "x"], ["x", str(world.theirs)], [], world.id],
        "first": [1, 2, 3, 100],
        **oracle.afters(),
        "whatIf": [False, False, True],
        "categories": [None, ["ENTERPRISE"], "FARMER"],
        "customerTypes": [None, ["INDIVIDUAL_BUSINESS", "OTHER"], "FARMER"],
        "overlays": [None, "NEW_CITIZEN", []],
        "clusters": [None, ["MODERN_SERVICE"], "QUALITY_TRADE"],
        "sizes": [None, "MICRO", ["LARGE", "MICRO"], "SMALL"],
        "productClasses": [None, ["LIGHT_ASSET"], "TRADITIONAL"],
        "industries": [None, ["F5292"], ["F"], "F52"],
        "regions": [None, "宁波市", ["北京市", "宁波市"], "330101"],
        "outcomes": [None, ["ENHANCED"], "BASE_ONLY"],
        "tiers": [None, ["HIGH", "LOW"], "LOW"],
        "evaluatedSince": [None, "2026-01-20", "2026-01-21"],
        "evaluatedBefore": [None, "2026-01-21", "2026-01-20"],
        "available": [None, ["SHOP"], ["SHOP", "TAX"], []],
        "stale": [None, ["SHOP"], "TAX"],
        "series.from": [None, "2025-09"],
        "series.to": [None, "2025-11"],
        "series.scenario": [None, "S03", "S01"],
        **{"status": [None, [], ["COMPLETED"], "PAID"], "refunds.status": [None, [], ["SUCCEEDED"]]},
        "platform": [None, "market", ["x"]],
        "orderNumber": [None, ["N1", "N4"], "N5"],
        "taxKind": [None, ["VAT"], "CIT"],
        "kind": [None, "BS", ["PL", "BS"]],
        "from": [None, "2025-12-02", "2026-01-01"],
        "to": [None, "2025-12-04", "2025-11-30"],
        "asOf": [None, DAY],
        "knownAt": [None, THEN],
        "scenario": ["S03", "S03", "S01"],
        "connector": [None, "market", "bureau_of_tax", "x"],
        "customerId": [None, world.id, str(world.theirs), "x"],
        "connectionId": [None, f"PlatformConnection:{world.mine}:{world.shop}", f"PlatformConnection:{world.mine}:{world.tax}", "x"],
        "statuses": [None, ["ACTIVE"], "REAUTHORISE", []],
        "verdicts": [None, ["COMPLETE"], "FAILED", ["COMPLETE", "PARKED"]],
        "states": [None, ["OPEN"], "DONE", ["FAILED", "DONE"]],
        "streams": [None, ["orders"], "bills"],
        "accountShared": [None, True, False],
        "disabled": [None, True, False],
        "open": [None, True, False],
        "references.names": [None, ["lender"], "crops", ["crops", "lender"], ["x"]],
        "clientId": [None, "app-1", "x"],
        "draftId": [None, str(uid(903)), "x"],
        "policyDrafts.states": [None, ["TRIED", "OPEN"], "DISCARDED"],
        "relations.uscc": [None, "92330203MA2DEMKX0M", "91999900MA9XXXX34X", "x"],
        "relations.types": [None, ["SHAREHOLDING"], "BUYS", ["BUYS", "SHAREHOLDING"]],
        "inForce": [None, True, False],
        "fairnessCells.month": [None, "2025-12", "x"],
        "partnerConcentration.month": [None, "2025-11", "x"],
        "fairnessCells.axis": [None, "region", "x"],
        "screeningId": [None, str(uid(301)), str(uid(302)), "x"],
        "audience": [None, "PARTNER", "INTERNAL"],
        "endsBefore": [None, "2027-02-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"],
        "only": [None, [], "SHOP", sources, [sources[2], sources[0]]],
        **{"products.kinds": [None, ["LOAN", "SERVICE"], "DEPOSIT"], "holder": [None, "OWN", "PEER"], "fits": [None, ["FITS"], "UNKNOWN"]},
        **{"products.codes": [None, ["S03", "X"], "PAYROLL"], "products.scenarios": [None, ["S03"], "S01"]},
        "scenarios.ids": [None, ["S03"], "x"],
        "families": [None, "rr", ["ss", "cb"]],
        "features.ids": [None, [], ["ss_gmv_mean"], ["ss_cv", "ss_gmv_mean"], ["rr_none", "ss_gmv_mean", "x"], "rr_none"],
        "parts": [None, ["LEG"], ["UPLIFT", "CAP"], "BASE_CAP", []],
        "names": [None, ["GMV"], "TAX", ["TAX", "GMV"], ["x"]],
    }


def made(pools: Pools, random: Random) -> Operation:
    return Maker(SCHEMA.core, pools, random).operation()


async def test_the_oracle_has_something_to_say(both: Both) -> None:
    orders, world = {}, World()
    for moment, edges in both.oracle.at.items():
        customers = {edge["node"]["id"]: edge["node"] for edge in edges}
        customer = customers[world.id]
        orders[moment] = [(edge["node"]["orderNumber"], edge["node"]["version"]) for edge in customer["orders"]["edges"]][:2]
        assert len(customer["financialStatements"]["edges"]) == (moment[0] is None)
    now, then = [("N5", 2), ("N4", 1)], [("N6", 1), ("N4", 1)]
    assert orders == {(None, None): now, (DAY, None): now, (None, THEN): then, (DAY, THEN): then}
    others = [edge["node"] for edge in both.oracle.at[None, None] if edge["node"]["id"] != world.id]
    assert sorted(len(one["orders"]["edges"]) for one in others) == [3, 4], "as far as each one's consent reaches"
    assert len(both.oracle.nodes) >= 7 and sum(map(len, both.oracle.cursors.values())) >= 8


async def agrees(both: Both, seed: int) -> None:
    operation = made(both.pools, Random(seed))
    planned = await both.planned(operation.text, operation.variables)
    assert orjson.dumps(planned) == orjson.dumps(both.ordinary(operation.text, operation.variables)), operation


@given(st.integers(0, 2**64 - 1))
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
async def test_one_statement_answers_what_resolvers_would(both: Both, seed: int) -> None:
    await agrees(both, seed)


@pytest.mark.load
@given(st.integers(0, 2**64 - 1))
@settings(max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
async def test_one_statement_answers_what_resolvers_would_five_thousand_times(both: Both, seed: int) -> None:
    await agrees(both, seed)


@pytest.mark.parametrize("reads", [40, pytest.param(1_000, marks=pytest.mark.load)])
async def test_a_stored_read_is_one_statement_as_postgresql_counts(both: Both, cluster: Embedded, reads: int) -> None:
    """PostgreSQL's own log: beside the statement of each read there is the one that says who asks, and nothing."""
    log, random, asked = Path(cluster._server.pgdata) / "log", Random(reads), 0
    with logging_statements(cluster, "hub_app"):
        lines = both.reader.database.lines
        while lines._free:
            await lines._free.pop().close()
            lines._open -= 1
        at = log.stat().st_size
        while asked < reads:
            operation = made(both.pools, random)
            document = DOCUMENTS.of(operation.text, introspecting=False)
            if DOCUMENTS.plan(document, None, operation.variables).read is not None:
                await both.planned(operation.text, operation.variables)
                asked += 1
        found = Counter(kind_of(one) for one in statements(log, at, log.stat().st_size))
    assert found == {"reads": reads, "who asks": reads}


@contextmanager
def logging_statements(cluster: Embedded, role: str) -> Iterator[None]:
    """In the sessions that the role opens from now on."""
    with psycopg.connect(cluster.dsn("postgres"), autocommit=True) as admin:
        admin.execute(f"alter role {role} set log_statement = 'all'".encode())
        try:
            yield
        finally:
            admin.execute(f"alter role {role} reset log_statement".encode())


async def test_what_is_drawn_is_worth_asking(both: Both) -> None:
    """The drawn operations use every feature of the language that the plan handles, and most find data."""
    began, seen, random = time.monotonic(), Counter[str](), Random(7)
    for _ in range(400):
        operation = made(both.pools, random)
        answer = orjson.dumps(both.ordinary(operation.text, operation.variables))
        seen["found"] += len(answer) > 60
        for what in (
            "@skip",
            "@include",
            "... on",
            "...F",
            "($v",
            "asOf",
            "after",
            "pageInfo",
            "sample",
            "__typename",
            ": [",
            "node(",
            "nodes(",
            "totals",
            "access {",
        ):
            seen[what] += what in operation.text
        seen["fragments"] += any(isinstance(one, FragmentDefinitionNode) for one in parse(operation.text).definitions)
    print(f"{dict(seen)} in {time.monotonic() - began:.1f} s")
    assert min(seen.values()) >= 3 and seen["found"] > 50


async def test_a_plan_that_loses_a_field_is_noticed(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: a compiler that leaves out the last member of objects, and one that forgets an argument."""
    query = "query ($n: Int!) { customers(first: $n) { nodes { id kind orders(first: $n) { totalCount nodes { orderNumber } } } } }"
    right = both.ordinary(query, {"n": 2})
    assert await both.planned(query, {"n": 2}) == right
    document = DOCUMENTS.of(query, introspecting=False)
    plan = DOCUMENTS.plan(document, None, {"n": 2})
    assert plan.read is not None
    for spoilt in (_shorter, _deaf):
        read = replace(plan.read, selection=spoilt(plan.read.selection))
        answer = orjson.loads(await both.reader.read(RISK, read, plan.values(SCHEMA.core, {"n": 2})))
        assert answer != right


def _shorter(selection: Selection) -> Selection:
    picks = selection.picks[: max(1, len(selection.picks) - 1)]
    return Selection(selection.type, tuple(Pick(one.key, one.name, one.arguments, one.of and _shorter(one.of)) for one in picks))


def _deaf(selection: Selection) -> Selection:
    return Selection(selection.type, tuple(Pick(one.key, one.name, (), one.of and _deaf(one.of)) for one in selection.picks))
