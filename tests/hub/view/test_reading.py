"""One operation, one statement: consent, masking, paging and time travel are part of it. On the embedded PostgreSQL."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import create_engine, insert, pool, select, text, update
from sqlalchemy.exc import DBAPIError

from hub.domain.caller import Caller
from hub.domain.selection import Argument, Pick, Selection, StoredRead
from hub.errors import InvalidInput
from hub.store.database import Database
from hub.store.embedded import Urls
from hub.store.line import Asked, Line
from hub.store.tables import access_log, consent, customer_client
from schema.contract import HubSchema, build_schema
from tests.hub.view.world import KNOWN, PARTNER, RISK, World, build, consent_row, reader

SCHEMA: HubSchema = build_schema()


async def ask(database: Database, query: str, caller: Caller = RISK, now: datetime = KNOWN, **variables: Any) -> dict[str, Any]:
    """Runs a stored read as the extension does."""
    document = SCHEMA.documents.of(query, introspecting=False)
    assert document.errors == []
    plan = SCHEMA.documents.plan(document, None, variables)
    assert plan.read is not None
    body = await reader(database, now).read(caller, plan.read, plan.values(SCHEMA.core, variables))
    found: dict[str, Any] = orjson.loads(body)
    return found


ORDERS = "query ($id: ID!, $first: Int!, $after: String) { customer(id: $id) { orders(first: $first, after: $after) { totalCount nodes { orderNumber paidAmount buyerMasked } pageInfo { hasNextPage hasPreviousPage endCursor } edges { cursor node { orderNumber } } } } }"


@pytest.mark.law("JR/T 0171: masked")
async def test_facts_come_masked_counted_and_newest_first(database: Database) -> None:
    world = await build(database)
    orders = (await ask(database, ORDERS, id=world.id, first=2))["customer"]["orders"]
    assert orders["totalCount"] == 5
    assert orders["nodes"] == [
        {"orderNumber": "N5", "paidAmount": "50.50", "buyerMasked": "b5***"},
        {"orderNumber": "N4", "paidAmount": "40.50", "buyerMasked": "b4***"},
    ]
    assert orders["pageInfo"]["hasNextPage"] is True
    assert orders["pageInfo"]["endCursor"] == orders["edges"][1]["cursor"]


async def test_pages_join_without_gap_or_repetition(database: Database) -> None:
    world = await build(database)
    seen, after = [], None
    while True:
        page = (await ask(database, ORDERS, id=world.id, first=2, after=after))["customer"]["orders"]
        seen += [node["orderNumber"] for node in page["nodes"]]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["N5", "N4", "N3", "N2", "N1"]
    empty = (await ask(database, ORDERS, id=world.id, first=2, after=after))["customer"]["orders"]
    assert (empty["nodes"], empty["pageInfo"]["endCursor"], empty["pageInfo"]["hasNextPage"]) == ([], None, False)


@pytest.mark.parametrize("first", [0, 101, -1])
async def test_page_sizes_are_bounded(database: Database, first: int) -> None:
    with pytest.raises(InvalidInput, match="1 to 100"):
        await ask(database, ORDERS, id=World().id, first=first)


@pytest.mark.parametrize("after", ["", "x", "fDE=", "MjAyNi0wMS0wMXx4", "é"])
async def test_a_foreign_cursor_is_refused(database: Database, after: str) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        await ask(database, ORDERS, id=World().id, first=1, after=after)


async def test_an_earlier_instant_shows_the_version_of_then(database: Database) -> None:
    world = await build(database)
    query = "query ($id: ID!, $at: DateTime, $day: Date) { customer(id: $id, knownAt: $at, asOf: $day) { orders(first: 1) { totalCount nodes { version paidAmount } } } }"
    then = (KNOWN - timedelta(hours=2)).isoformat()
    before = (KNOWN - timedelta(days=2)).isoformat()
    assert (await ask(database, query, id=world.id))["customer"]["orders"]["nodes"] == [{"version": 2, "paidAmount": "50.50"}]
    assert (await ask(database, query, id=world.id, at=then))["customer"]["orders"]["nodes"] == [{"version": 1, "paidAmount": "99.00"}]
    assert (await ask(database, query, id=world.id, at=before))["customer"]["orders"] == {"totalCount": 0, "nodes": []}
    assert (await ask(database, query, id=world.id, day="2025-12-03"))["customer"]["orders"]["totalCount"] == 3


async def test_days_bound_a_list(database: Database) -> None:
    world = await build(database)
    query = 'query ($id: ID!) { customer(id: $id) { orders(from: "2025-12-02", to: "2025-12-03") { nodes { orderNumber } } } }'
    assert (await ask(database, query, id=world.id))["customer"]["orders"]["nodes"] == [{"orderNumber": "N3"}, {"orderNumber": "N2"}]


COUNT = "query ($id: ID!) { customer(id: $id) { orders { totalCount } taxReturns { totalCount } financialStatements { totalCount } } }"


async def counts(database: Database, world: World, caller: Caller = RISK, now: datetime = KNOWN) -> tuple[int, int, int]:
    found = (await ask(database, COUNT, caller, now, id=world.id))["customer"]
    return found["orders"]["totalCount"], found["taxReturns"]["totalCount"], found["financialStatements"]["totalCount"]


async def test_facts_without_consent_do_not_show(database: Database) -> None:
    """The balance sheet is in the store, but its source was never consented."""
    world = await build(database)
    assert await counts(database, world) == (5, 1, 0)
    async with database.work() as tx:
        await tx.execute(insert(consent), consent_row(world, World().evaluation, "FINANCIALS"))
    assert await counts(database, world) == (5, 1, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "REVOKED"},
        {"status": "PENDING"},
        {"expires_at": KNOWN},
        {"purpose": "POST_LOAN"},
        {"grantee": "另一银行"},
        {"data_from": date(2025, 12, 6)},
        {"data_to": date(2025, 11, 30)},
        {"data_life_days": 0},
    ],
    ids=lambda change: next(iter(change)) if isinstance(change, dict) else "",
)
async def test_a_consent_that_does_not_fit_hides_its_facts_only(database: Database, change: dict[str, Any]) -> None:
    world = await build(database)
    async with database.work() as tx:
        await tx.execute(update(consent).where(consent.c.source == "SHOP").values(**change))
    assert await counts(database, world) == (0, 1, 0)


@pytest.mark.law("征信业管理条例 18: agreed use")
async def test_the_purpose_of_the_caller_must_be_the_consented_one(database: Database) -> None:
    world = await build(database)
    other = Caller(RISK.client_id, RISK.audience, RISK.scopes, "POST_LOAN")
    assert await counts(database, world, other) == (0, 0, 0)


async def test_foreign_absent_and_malformed_ids_answer_alike(database: Database) -> None:
    world = await build(database)
    query = "query ($id: ID!) { customer(id: $id) { id } node(id: $id) { __typename } }"
    for wrong in (
        str(world.theirs),
        "0190ffff-0000-7000-8000-000000000000",
        "x",
        "",
        "Evaluation:x:y",
        f"Customer:{world.theirs}:{world.theirs}",
    ):
        assert await ask(database, query, id=wrong) == {"customer": None, "node": None}


async def test_a_node_is_found_by_its_id(database: Database) -> None:
    world = await build(database)
    found = (
        await ask(database, 'query ($id: ID!) { customer(id: $id) { evaluation(scenario: "S03") { id } consents { id } } }', id=world.id)
    )["customer"]
    query = "query ($id: ID!) { node(id: $id) { __typename ... on Evaluation { outcome policy { sha256 } } ... on Consent { source } ... on Customer { kind } } }"
    assert (await ask(database, query, id=found["evaluation"]["id"]))["node"] == {
        "__typename": "Evaluation",
        "outcome": "ENHANCED",
        "policy": {"sha256": "ef" * 32},
    }
    assert {(await ask(database, query, id=one["id"]))["node"]["source"] for one in found["consents"]} == {"SHOP", "TAX"}
    assert (await ask(database, query, id=world.id))["node"] == {"__typename": "Customer", "kind": "ORG"}


async def test_the_sources_say_what_is_there_and_why_not(database: Database) -> None:
    world = await build(database)
    query = "query ($id: ID!) { customer(id: $id) { sources(only: [SHOP, TAX, PAYMENT]) { source status dataEnd coverage { first last } connection { connector runs { verdict } } consent { textHash } } } }"
    shop, payment = {"connector": "market", "runs": [{"verdict": "COMPLETE"}]}, None
    found = (await ask(database, query, id=world.id))["customer"]["sources"]
    assert found[1] == {
        "source": "SHOP",
        "status": "AVAILABLE",
        "dataEnd": "2026-01-19",
        "coverage": [{"first": "2025-01-01", "last": "2026-01-19"}],
        "connection": shop,
        "consent": {"textHash": "ab" * 32},
    }
    assert [(one["source"], one["status"]) for one in found] == [
        ("TAX", "UPSTREAM_ERROR"),
        ("SHOP", "AVAILABLE"),
        ("PAYMENT", "NOT_CONNECTED"),
    ]
    assert found[2]["connection"] is payment and found[2]["coverage"] == [] and found[2]["consent"] is None


@pytest.mark.parametrize(
    ("change", "later", "status"),
    [
        ({"status": "REVOKED"}, 0, "CONSENT_WITHDRAWN"),
        ({"status": "EXPIRED"}, 0, "CONSENT_EXPIRED"),
        ({"expires_at": KNOWN}, 0, "CONSENT_EXPIRED"),
        ({"status": "PENDING"}, 0, "CONSENT_MISSING"),
        ({"purpose": "POST_LOAN"}, 0, "NOT_CONNECTED"),
        ({}, 3, "STALE"),
        ({}, 2, "AVAILABLE"),
    ],
)
async def test_the_status_of_a_source(database: Database, change: dict[str, Any], later: int, status: str) -> None:
    world = await build(database)
    if change:
        async with database.work() as tx:
            await tx.execute(update(consent).where(consent.c.source == "SHOP").values(**change))
    query = "query ($id: ID!) { customer(id: $id) { sources(only: SHOP) { status } } }"
    found = await ask(database, query, now=KNOWN + timedelta(days=later), id=world.id)
    assert found["customer"]["sources"] == [{"status": status}]


WALK = """query ($id: ID!) { customer(id: $id) { evaluation(scenario: "S03") { finalLimit policy { id version sha256 } limitParts(parts: [LEG]) {
  code amount binding features { id number unit formulaVersion windowFirst coveredMonths evidence { kind facts digest sample(first: 2) {
    __typename occurredOn ... on Order { orderNumber paidAmount }
    evidence { position page { sha256 request { method path query } run { verdict } } connection { connector } consent { textHash purpose } } } } } } } } }"""


@pytest.mark.law("decision record: lineage")
async def test_a_limit_is_walked_to_its_raw_pages_in_one_statement(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    world, statements = await build(database), list[str]()
    ask_over = Line.ask

    def notice(line: Line, asked: Any, prepare: Any) -> Asked:
        if line.libpq.user == b"hub_app":
            statements.extend(statement for statement, _ in asked)
        return ask_over(line, asked, prepare)

    monkeypatch.setattr(Line, "ask", notice)
    found = (await ask(database, WALK, id=world.id))["customer"]["evaluation"]
    assert [one.split()[0] for one in statements] == ["select", "select"], "scope, the one statement; the access log is a commit of its own"
    part = found["limitParts"][0]
    feature = part["features"][0]
    assert (found["finalLimit"], found["policy"]["sha256"], part["amount"]) == ("223000.00", "ef" * 32, "195940.00")
    assert (feature["number"], feature["windowFirst"], feature["coveredMonths"]) == ("1428869.20", "2025-12", 1)
    sample = feature["evidence"][0]["sample"]
    assert [(one["__typename"], one["orderNumber"], one["paidAmount"]) for one in sample] == [
        ("Order", "N5", "50.50"),
        ("Order", "N4", "40.50"),
    ]
    assert sample[0]["evidence"] == {
        "position": 5,
        "page": {
            "sha256": "cd" * 32,
            "request": {"method": "GET", "path": "/router/rest", "query": '{"page_no": "1"}'},
            "run": {"verdict": "COMPLETE"},
        },
        "connection": {"connector": "market"},
        "consent": {"textHash": "ab" * 32, "purpose": "CREDIT_APPROVAL"},
    }


@pytest.mark.parametrize("changes", [{"status": "REVOKED"}, {"status": "PAUSED"}, {"expires_at": KNOWN}, {"grantee": "another"}])
@pytest.mark.law("征信业务管理办法 5: derived values")
async def test_what_was_derived_follows_its_inputs(database: Database, changes: dict[str, Any]) -> None:
    """The evaluation read SHOP: without a consent in force to that, it does not show, by whatever way it is asked for. TAX it did not read."""
    world = await build(database)
    node = f"Evaluation:{world.mine}:{world.evaluation}"
    every = """query ($id: ID!, $node: ID!) { customer(id: $id) { evaluation(scenario: "S03") { score } evaluations { totalCount } }
               node(id: $node) { ... on Evaluation { score } } }"""
    async with database.work() as tx:
        await tx.execute(update(consent).where(consent.c.source == "TAX").values(**changes))
    shown = await ask(database, every, id=world.id, node=node)
    assert shown == {"customer": {"evaluation": {"score": 679}, "evaluations": {"totalCount": 1}}, "node": {"score": 679}}
    async with database.work() as tx:
        await tx.execute(update(consent).where(consent.c.source == "SHOP").values(**changes))
    assert await ask(database, every, id=world.id, node=node) == {
        "customer": {"evaluation": None, "evaluations": {"totalCount": 0}},
        "node": None,
    }


async def test_every_root_of_an_operation_is_logged(database: Database) -> None:
    world = await build(database)
    async with database.work() as tx:
        await tx.execute(insert(customer_client), {"customer_id": world.theirs, "client_id": RISK.client_id})
    two = "query ($a: ID!, $b: ID!) { a: customer(id: $a) { kind } b: customer(id: $b) { kind } }"
    await ask(database, two, a=world.id, b=str(world.theirs))
    async with database.work() as tx:
        assert set((await tx.execute(select(access_log.c.customer_id))).scalars()) == {world.mine, world.theirs}


async def test_internal_reasons_are_kept_from_partners(database: Database) -> None:
    world = await build(database)
    query = 'query ($id: ID!) { customer(id: $id) { evaluation(scenario: "S03") { reasons { code } } } }'
    inside, outside = [(await ask(database, query, caller, id=world.id))["customer"]["evaluation"]["reasons"] for caller in (RISK, PARTNER)]
    assert (inside, outside) == ([{"code": "C06"}, {"code": "XL4"}], [{"code": "C06"}])


async def test_a_missing_feature_is_null_with_its_reason(database: Database) -> None:
    world = await build(database)
    query = 'query ($id: ID!) { customer(id: $id) { evaluation(scenario: "S03") { features(ids: ["rr_none"]) { number missingReason evidence { kind } } } } }'
    found = (await ask(database, query, id=world.id))["customer"]["evaluation"]["features"]
    assert found == [{"number": None, "missingReason": "NOT_CONNECTED", "evidence": []}]


async def test_the_lines_of_a_statement_are_amounts(database: Database) -> None:
    world = await build(database)
    async with database.work() as tx:
        await tx.execute(insert(consent), consent_row(world, World().evaluation, "FINANCIALS"))
    query = "query ($id: ID!) { customer(id: $id) { financialStatements { nodes { kind lines { code amount } } } } }"
    found = (await ask(database, query, id=world.id))["customer"]["financialStatements"]["nodes"]
    assert found == [{"kind": "BS", "lines": [{"code": "cash", "amount": "1.00"}, {"code": "total_assets", "amount": "2.00"}]}]


async def test_customers_are_paged_and_only_ones_own(database: Database) -> None:
    world = await build(database)
    found = await ask(database, "{ customers(first: 5) { totalCount nodes { id } } }")
    assert found == {"customers": {"totalCount": 1, "nodes": [{"id": world.id}]}}


@pytest.mark.law("征信业管理条例 22: log")
async def test_who_read_whom_is_logged_with_the_answer(database: Database) -> None:
    world = await build(database)
    await ask(database, "query Look($id: ID!) { customer(id: $id) { id nameMasked } }", id=world.id)
    await ask(database, "query Miss($id: ID!) { customer(id: $id) { id } }", id=str(world.theirs))
    async with database.work() as tx:
        rows = (await tx.execute(select(access_log))).all()
    assert [(row.customer_id, row.client_id, row.operation, row.fields, row.outcome) for row in rows] == [
        (world.mine, "risk-desk", "Look", ["Query.customer", "Customer.id", "Customer.nameMasked"], "ANSWERED")
    ]
    assert rows[0].purpose == "CREDIT_APPROVAL" and len(rows[0].document_sha256) == 64 and rows[0].at.tzinfo is UTC


@pytest.mark.law("征信业管理条例 22: log")
async def test_nothing_is_answered_when_the_log_cannot_be_written(database: Database, urls: Urls) -> None:
    world, query = await build(database), "query ($id: ID!) { customer(id: $id) { id } }"
    assert await ask(database, query, id=world.id) == {"customer": {"id": world.id}}
    engine = create_engine(urls.owner, poolclass=pool.NullPool)
    with engine.begin() as connection:
        connection.execute(text("revoke insert on access_log from hub_worker"))
    engine.dispose()
    with pytest.raises(DBAPIError, match="permission denied"):
        await ask(database, query, id=world.id)


async def test_more_fields_than_a_function_takes(database: Database) -> None:
    """PostgreSQL passes at most 100 arguments; the contract's limits allow more members of one object."""
    world = await build(database)
    picks = tuple(Pick(f"f{n}", "score") for n in range(130))
    evaluation = Pick("evaluation", "evaluation", (Argument("scenario", "s"),), Selection("Evaluation", picks))
    root = Selection("Query", (Pick("customer", "customer", (Argument("id", "i"),), Selection("Customer", (evaluation,))),))
    body = await reader(database).read(RISK, StoredRead("", "", (), root), {"i": world.id, "s": "S03"})
    found = orjson.loads(body)["customer"]["evaluation"]
    assert list(found) == [f"f{n}" for n in range(130)] and set(found.values()) == {679}


async def test_an_alias_may_be_longer_than_an_identifier(database: Database) -> None:
    world, long = await build(database), "a" * 200
    found = await ask(database, f"query ($id: ID!) {{ {long}: customer(id: $id) {{ {long}: id }} }}", id=world.id)
    assert found == {long: {long: world.id}}


BASIS = {
    "query Q($id: ID!) { customer(id: $id) { nameMasked consents { id } } }": ("ANSWERED", [], []),
    "query Q($id: ID!) { customer(id: $id) { orders { totalCount } } }": ("ANSWERED", ["SHOP"], []),
    "query Q($id: ID!) { customer(id: $id) { orders { totalCount } invoices { totalCount } } }": ("PARTLY_WITHHELD", ["SHOP"], ["INVOICE"]),
    "query Q($id: ID!) { customer(id: $id) { invoices { totalCount } } }": ("WITHHELD", [], ["INVOICE"]),
    'query Q($id: ID!) { customer(id: $id) { evaluation(scenario: "S03") { score } } }': ("ANSWERED", ["SHOP", "TAX"], []),
}


@pytest.mark.parametrize("query", BASIS)
async def test_the_log_names_the_consents_it_was_read_under(database: Database, query: str) -> None:
    world = await build(database)
    ids = {"SHOP": world.shop_consent, "TAX": world.tax_consent}
    await ask(database, query, id=world.id)
    async with database.work() as tx:
        (row,) = (await tx.execute(select(access_log))).all()
    outcome, sources, withheld = BASIS[query]
    assert (row.outcome, row.consents, row.withheld) == (outcome, [ids[one] for one in sources], withheld)
    assert row.terms == (["2026-01-01"] if sources else [])


async def test_without_any_consent_an_evaluation_is_withheld(database: Database) -> None:
    world = await build(database)
    async with database.work() as tx:
        await tx.execute(update(consent).values(status="REVOKED"))
    await ask(database, 'query Q($id: ID!) { customer(id: $id) { evaluation(scenario: "S03") { score } } }', id=world.id)
    async with database.work() as tx:
        (row,) = (await tx.execute(select(access_log))).all()
    assert (row.outcome, row.consents, row.withheld) == ("WITHHELD", [], [])


async def test_a_partner_sees_what_it_asked_itself(database: Database) -> None:
    world, log = (
        await build(database),
        "query Log($id: ID!) { customer(id: $id) { accessLog { nodes { clientId operation fields consents } } } }",
    )
    for caller in (RISK, PARTNER):
        await ask(database, "query Look($id: ID!) { customer(id: $id) { orders { totalCount } } }", caller, id=world.id)
    own = {"clientId": "partner-app", "operation": "Look", "fields": ["Query.customer", "Customer.orders", "OrderConnection.totalCount"]}
    own["consents"] = [f"Consent:{world.mine}:{world.shop_consent}"]
    assert (await ask(database, log, PARTNER, id=world.id))["customer"]["accessLog"]["nodes"] == [own]
    everybody = (await ask(database, log, RISK, id=world.id))["customer"]["accessLog"]["nodes"]
    assert [one["clientId"] for one in everybody] == ["partner-app", "partner-app", "risk-desk"]
