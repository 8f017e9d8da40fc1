"""As a subgraph: the contract of everybody else is untouched, the composed supergraph's plan is answered, under the rules of ``node(id)`` and in one statement."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select

from hub.app import build_app
from hub.domain.identifiers import new_id
from hub.store.line import Asked, Line
from hub.store.tables import access_log
from schema.contract import build_schema
from schema.federation import LINKED, subgraph_sdl
from tests import npm
from tests.hub.access.side import ORIGIN, Api, Side
from tests.schema.sdl import PRINTED

pytestmark = pytest.mark.asyncio(loop_scope="module")
APOLLO = ("@apollo/composition@2.14.4", "@apollo/query-planner@2.14.4", "graphql@16.11.0")
COMPOSE = Path(__file__).parent / "federation" / "compose.mjs"
BRANCHES = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
type Query { branch(code: ID!): Branch }
type Branch { code: ID! served: [Customer!]! }
type Customer @key(fields: "id") { id: ID! manager: String! }
"""
"""A made-up subgraph of the bank: who looks after whom."""
QUESTION = '{ branch(code: "7") { served { manager nameMasked kind consents { source status } orders { totalCount nodes { orderNumber paidAmount } } } } }'
SEEN = "id kind nameMasked createdAt parties { role nameMasked } sources { source status } orders { totalCount nodes { id orderNumber paidAmount } }"
ENTITIES = f"query E($r: [_Any!]!) {{ _entities(representations: $r) {{ __typename ... on Customer {{ {SEEN} }} }} }}"
NODE = f"query N($id: ID!) {{ node(id: $id) {{ __typename ... on Customer {{ {SEEN} }} }} }}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sides(api: Api) -> AsyncIterator[dict[str, Side]]:
    """The same clients at an API that is a subgraph."""
    app = build_app(replace(api.runtime, federated=True))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN) as http:
        yield {name: replace(side, http=http) for name, side in api.sides.items()}


def of(*ids: str) -> dict[str, Any]:
    return {"r": [{"__typename": "Customer", "id": one} for one in ids]}


async def data(side: Side, query: str, variables: dict[str, Any]) -> Any:
    answer = (await side.ask(query, variables)).json()
    assert "errors" not in answer, answer
    return answer["data"]


async def test_the_contract_of_everybody_else_is_untouched(api: Api) -> None:
    assert build_schema().sdl() == PRINTED.read_text("utf-8")
    assert not {"_entities", "_service"} & set(build_schema().core.query_type.fields)  # type: ignore[union-attr]
    for query in ("{ _service { sdl } }", "{ _entities(representations: []) { __typename } }"):
        assert "Cannot query field" in (await api.sides["risk-desk"].ask(query)).text


async def test_what_it_says_of_itself_is_for_who_may_introspect(sides: dict[str, Side]) -> None:
    assert (await data(sides["risk-desk"], "{ _service { sdl } }", {}))["_service"]["sdl"] == subgraph_sdl()
    refused = (await sides["partner-app"].ask("{ _service { sdl } }")).json()
    assert refused["errors"][0]["extensions"]["code"] == "NOT_ALLOWED" and "data" not in refused
    mixed = (await sides["risk-desk"].ask("{ _service { sdl } customers { totalCount } }")).json()
    assert "in two requests" in mixed["errors"][0]["message"]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to the store by the way of reads."""
    seen: list[str] = []
    ask_over = Line.ask

    def sent(line: Line, asked: Any, prepare: Any) -> Asked:
        # The log's own, which the hub's role commits, are not the client's.
        if line.libpq.user == b"hub_app":
            seen.extend(statement for statement, _ in asked)
        return ask_over(line, asked, prepare)

    monkeypatch.setattr(Line, "ask", sent)
    return seen


@pytest.mark.parametrize("client", ["risk-desk", "partner-app", "another", "admin"])
async def test_it_answers_as_node_does_in_one_statement(api: Api, sides: dict[str, Side], client: str, statements: list[str]) -> None:
    """Facts a partner may not read are left out of its question. Nobody learns who else is there."""
    entities, node = (query.replace(SEEN[SEEN.index(" orders") :], "") if client != "risk-desk" else query for query in (ENTITIES, NODE))
    ids = [str(new_id()), api.world.id, "no id", "", api.world.id, f"Consent:{api.world.id}:{api.world.id}"]
    if client == "admin":
        assert "needs the scope" in (await sides[client].ask(entities, of(*ids))).text
        return
    found = (await data(sides[client], entities, of(*ids)))["_entities"]
    # The log's own statements go over lines, too.
    others = [one for one in statements if " as body, " not in one]
    assert len(statements) - len(others) == 1 and not any("from customer " in one for one in others)
    alone = (await data(sides[client], node, {"id": api.world.id}))["node"]
    assert found == [None, alone, None, None, alone, None]
    assert (await data(sides[client], entities, of()))["_entities"] == []
    assert (alone is None) == (client == "another" and api.world.id not in await visible(api, client))


async def visible(api: Api, client: str) -> list[str]:
    found = (await data(api.sides[client], "{ customers(first: 100) { nodes { id } } }", {}))["customers"]["nodes"]
    return [one["id"] for one in found]


async def test_it_is_on_the_access_log(api: Api, sides: dict[str, Side]) -> None:
    await data(sides["risk-desk"], ENTITIES.replace("query E", "query Logged"), of(api.world.id, str(new_id())))
    async with api.runtime.database.work() as tx:
        rows = (await tx.execute(select(access_log).where(access_log.c.operation == "Logged"))).all()
    assert [str(one.customer_id) for one in rows] == [api.world.id]
    assert {"Query._entities", "Customer.orders", "Order.paidAmount"} <= set(rows[0].fields) and rows[0].consents


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "x"},
        {"__typename": "Evaluation", "id": "x"},
        {"__typename": "Customer"},
        {"__typename": "Customer", "id": 7},
        "Customer",
        ["x"],
        7,
        None,
    ],
)
async def test_what_names_nothing_of_this_subgraph_is_refused(sides: dict[str, Side], wrong: Any) -> None:
    answer = (await sides["risk-desk"].ask(ENTITIES, {"r": [wrong]})).json()
    assert answer["errors"] and "data" not in answer and "Internal" not in json.dumps(answer)


async def test_at_most_two_hundred(api: Api, sides: dict[str, Side]) -> None:
    few = "query E($r: [_Any!]!) { _entities(representations: $r) { ... on Customer { id } } }"
    assert len((await data(sides["risk-desk"], few, of(*[api.world.id] * 200)))["_entities"]) == 200
    assert "at most 200" in (await sides["risk-desk"].ask(few, of(*[api.world.id] * 201))).text


def composed(sdl: str) -> dict[str, Any]:
    """What Apollo's composition says, and what its planner would fetch for the question."""
    node = npm.installed(APOLLO)
    given = {"subgraphs": [{"name": "hub", "sdl": sdl}, {"name": "branches", "sdl": BRANCHES}], "query": QUESTION}
    command = ["node", str(COMPOSE), str(node)]
    made = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False, timeout=120)
    assert made.returncode == 0, made.stderr
    found: dict[str, Any] = json.loads(made.stdout)
    return found


async def test_a_supergraph_is_composed_and_its_plan_is_answered(api: Api, sides: dict[str, Side]) -> None:
    (sdl,) = (await data(sides["risk-desk"], "{ _service { sdl } }", {}))["_service"].values()
    fetches = composed(sdl)["fetches"]
    assert [(one["subgraph"], one["requires"]) for one in fetches] == [("branches", False), ("hub", True)]
    asked = fetches[1]["operation"]
    assert "_entities" in asked
    (found,) = (await data(sides["risk-desk"], asked, {"representations": of(api.world.id)["r"]}))["_entities"]
    assert (found["nameMasked"], found["kind"], found["orders"]["totalCount"]) == ("青*", "ORG", 5)


async def test_a_contract_without_its_key_is_not_composed() -> None:
    """Control."""
    key = 'extend type Customer @key(fields: "id")'
    assert LINKED.count(key) == 1
    assert "Customer.id" in json.dumps(composed(subgraph_sdl().replace(key, ""))["errors"])
