"""Every limit of a document: just inside passes, just outside is refused by that limit, and without the limit it would pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest
from graphql import GraphQLError, parse

import schema.plan.documents as documents_module
import schema.plan.extension as extension_module
import schema.plan.limits as limits_module
import schema.plan.remembered as remembered_module
from hub.store.driver import positional
from schema.contract import HubSchema, build_schema
from schema.plan import cost as cost_module
from schema.plan.arguments import coerced
from schema.plan.cost import MAX_COST, MOST, Costing, check_cost
from schema.plan.documents import Documents
from schema.plan.limits import INTROSPECTING, Limits, check_document
from schema.plan.prices import COUNT_COST, INTROSPECTION_COST
from tests.hub.access.side import Api

SCHEMA: HubSchema = build_schema()
LIMITS = Limits()
MANY = 1_000_000


def nested(depth: int) -> str:
    return "{" + "a{" * (depth - 1) + "a" + "}" * depth


def listed(nesting: int) -> str:
    return "{ a(b: " + "[" * nesting + "]" * nesting + ") }"


@dataclass(frozen=True)
class Bound:
    """``document`` of a size; the size at which the limit holds and the next that is refused."""

    limit: str
    document: Callable[[int], str]
    largest: int
    step: int = 1


BOUNDS = [
    Bound("tokens", lambda n: "{ a(b: [" + "1 " * (n - 9) + "]) }", 2000),
    Bound("depth", nested, 10),
    Bound("depth", lambda n: nested(n - 3).replace("a}", "...F}", 1) + "fragment F on A {...G} fragment G on A" + nested(4), 10),
    Bound("fields", lambda n: "{" + "a " * n + "}", 500),
    Bound("fields", lambda n: "{" + "...F " * (n // 10) + "} fragment F on A {" + "a " * 10 + "}", 500, 10),
    Bound("aliases", lambda n: "{" + "b: a " * n + "}", 30),
    Bound("aliases", lambda n: "{" + "...F " * (n // 3) + "} fragment F on A { b: a c: a d: a }", 30, 3),
    Bound("directives", lambda n: "{ a " + "@x " * n + "}", 20),
    Bound("directives", lambda n: "{" + "... F @x " * (n // 2) + "} fragment F on A { a @x }", 20, 2),
    Bound("directives", lambda n: "query ($v: Int " + "@x " * n + ") { a(b: $v) }", 20),
    Bound("directives", lambda n: "{ ...F } fragment F on A " + "@x " * n + "{ a }", 20),
    Bound("nesting", listed, 20),
    Bound("nesting", lambda n: "{ a(b: " + "{c: " * n + "1" + "}" * n + ") }", 20),
    Bound("nesting", lambda n: f"query ($v: Int = {'[' * n}{']' * n}) {{ a(b: $v) }}", 20),
    Bound("nesting", lambda n: f"{{ a @x(b: {'[' * n}{']' * n}) }}", 20),
    Bound("operations", lambda n: "".join(f"query Q{i} {{ a }} " for i in range(n)), 5),
    Bound("fragments", lambda n: "{ a }" + "".join(f" fragment F{i} on A {{ a }}" for i in range(n)), 30),
    Bound("fragments", lambda n: "{ a }" + " fragment F on A { a }" * n, 30),
    Bound("fields", lambda n: "{ a } fragment F on A {" + "a " * n + "}", 500),
]


def measured(text: str, limits: Limits) -> None:
    check_document(parse(text, max_tokens=limits.tokens), limits)


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.limit)
def test_a_limit_refuses_what_is_one_too_many(bound: Bound) -> None:
    measured(bound.document(bound.largest), LIMITS)
    too_much = bound.document(bound.largest + bound.step)
    with pytest.raises(GraphQLError, match=bound.limit):
        measured(too_much, LIMITS)
    measured(too_much, replace(LIMITS, **{bound.limit: MANY}))  # control: it is this limit that refuses


def test_every_limit_is_tested() -> None:
    assert {bound.limit for bound in BOUNDS} == {field.name for field in fields(Limits)}
    assert all(getattr(LIMITS, bound.limit) == bound.largest for bound in BOUNDS)


def test_introspection_may_nest_deeper_and_nothing_else() -> None:
    assert replace(INTROSPECTING, depth=LIMITS.depth) == LIMITS
    measured(nested(16), INTROSPECTING)
    with pytest.raises(GraphQLError, match="depth"):
        measured(nested(17), INTROSPECTING)


def doubling(fragments: int, first: str = "{ ...F0 }") -> str:
    chain = [f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(fragments - 1)]
    return " ".join([first, *chain, f"fragment F{fragments - 1} on Query {{ __typename }}"])


@pytest.mark.parametrize("first", ["{ ...F0 }", "{ __typename }"], ids=["spread", "not spread"])
def test_doubling_fragments_are_refused_at_once(first: str) -> None:
    """2^29 fields in 30 fragments; walked without memory they would take minutes (trust rules, section f)."""
    began = time.perf_counter()
    document = SCHEMA.documents.of(doubling(30, first), introspecting=False)
    seconds = time.perf_counter() - began
    print(f"refused in {seconds * 1000:.1f} ms")
    assert [error.message for error in document.errors] == ["The document holds too much: fields."]
    assert seconds < 0.1


def test_a_document_without_doubling_too_much_passes() -> None:
    assert SCHEMA.documents.of(doubling(9), introspecting=False).errors == []
    assert SCHEMA.documents.of(doubling(10), introspecting=False).errors != [], "2^9 fields are more than 500"


REFUSED = {
    "a fragment in itself": "{ ...F } fragment F on Query { ...F }",
    "fragments in each other": "{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }",
    "an unused fragment in itself": "{ __typename } fragment F on Query { customers { ...F } }",
    "an unknown fragment": "{ ...Nope }",
    "inline fragments without end": "{" + "... {" * 600 + "__typename" + "}" * 601,
    "a list without end": "{ customers(first: " + "[" * 900 + "]" * 900 + ") { totalCount } }",
    "a type without end": "query ($v: " + "[" * 900 + "Int" + "]" * 900 + ") { customers { totalCount } }",
    "no operation": "fragment F on Query { __typename }",
    "nothing": "   ",
    "a subscription": "subscription { customers { totalCount } }",
    "a type definition": "type A { b: Int }",
    "one name twice": "{ customers { totalCount: nodes { id } totalCount } }",
    "NUL": '{ customer(id: "\\u0000") { id } }',
    "NUL in braces": '{ customer(id: "\\u{0}") { id } }',
    "half a character": '{ customer(id: "\\uD800") { id } }',
    "500 fields of one name": "{ customers {" + "nodes { id } " * 250 + "} }",
    "many unknown fields": "{" + "nope " * 400 + "}",
    "a day that is none": '{ customers(asOf: "2026-02-30") { totalCount } }',
    "an instant before all": '{ customers(knownAt: "0001-01-01T00:00:00+14:00") { totalCount } }',
    "an instant after all": '{ customers(knownAt: "9999-12-31T23:59:59-14:00") { totalCount } }',
    "an instant without offset": '{ customers(knownAt: "2026-01-01T00:00:00") { totalCount } }',
    "a size that is none": "{ customers(first: null) { totalCount } }",
    "a size beyond 32 bits": "{ customers(first: 2147483648) { totalCount } }",
    "defer": "{ ... @defer { __typename } }",
    "an argument twice": "{ customers(first: 1, first: 2) { totalCount } }",
}


@pytest.fixture(scope="module")
def honest() -> float:
    """Seconds of this machine's processor for an honest document with nearly as many aliases as are allowed."""
    text = "{" + " ".join(f"a{n}: customers(first: 1) {{ totalCount b{n}: totalCount }}" for n in range(14)) + "}"
    times = []
    for number in range(3):
        began = time.process_time()
        assert SCHEMA.documents.of(f"{text} # {number}", introspecting=False).errors == []
        times.append(time.process_time() - began)
    return min(times)


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_document_is_refused_soon(name: str, honest: float) -> None:
    """What is refused costs no more than a small multiple of what is served. The least of three: whatever else the process does is not its fault."""
    times = []
    for number in range(3):
        began = time.process_time()
        document = SCHEMA.documents.of(REFUSED[name] + " " * number, introspecting=False)
        if name == "no operation":
            with pytest.raises(GraphQLError, match="operationName"):
                SCHEMA.documents.plan(document, None, {})
        else:
            assert 1 <= len(document.errors) <= 6
        times.append(time.process_time() - began)
    assert min(times) < 60 * honest


def test_documents_and_their_shapes_are_forgotten_in_time() -> None:
    """What a client chooses must not fill the memory: texts, and the values of flags."""
    documents = Documents(SCHEMA.core, SCHEMA.documents.planner)
    for number in range(documents_module._KEPT + 20):
        documents.of(f"{{ __typename }} # {number}", introspecting=False)
    assert len(documents._known) == documents_module._KEPT
    flags = [f"f{n}" for n in range(8)]
    given = ", ".join(f"${flag}: Boolean!" for flag in flags)
    picked = " ".join(f"a{n}: totalCount @skip(if: ${flag})" for n, flag in enumerate(flags))
    document = documents.of(f"query ({given}) {{ customers {{ totalCount {picked} }} }}", introspecting=False)
    for number in range(256):
        documents.plan(document, None, {flag: bool(number >> n & 1) for n, flag in enumerate(flags)})
    assert 0 < len(document.plans) <= documents_module._SHAPES


def test_prices_and_statements_are_forgotten_with_what_they_are_of() -> None:
    """A price is kept by its plan, which goes with its document; a statement is made of what the client calls things."""
    documents = Documents(SCHEMA.core, SCHEMA.documents.planner)
    text = "query ($n: Int!) { customers(first: $n) { nodes { id } } }"
    document = documents.of(text, introspecting=False)
    plan = documents.plan(document, None, {"n": 1})
    for number in range(1, 101):
        assert documents.price(document, plan, {"n": number}).cost == 2 + number * 3
    assert 0 < len(plan.priced) <= remembered_module._KEPT
    for number in range(3_000):
        positional(f"select {number}")
    assert positional.cache_info().currsize < 3_000


def cost_of(text: str, **variables: Any) -> int:
    document = SCHEMA.documents.of(text, introspecting=False)
    assert document.errors == []
    return SCHEMA.documents.price(document, SCHEMA.documents.plan(document, None, variables), variables).cost


PAGE = "query ($n: Int! = 7) { customers(first: $n) { totalCount nodes { id } } }"


@pytest.mark.parametrize(
    ("text", "variables", "cost"),
    [
        ("{ customers(first: 3) { totalCount } }", {}, 2 + COUNT_COST),
        ("{ customers(first: 3, stale: [TAX]) { nodes { id } } }", {}, 2 + 3 * 3 + COUNT_COST),
        ("query ($s: [SourceKind!]) { customers(first: 3, stale: $s) { nodes { id } } }", {"s": ["TAX"]}, 2 + 3 * 3 + COUNT_COST),
        ("query ($s: [SourceKind!]) { customers(first: 3, stale: $s) { nodes { id } } }", {"s": None}, 2 + 3 * 3),
        ("{ customers { nodes { id } } }", {}, 2 + 20 * 3),
        ("{ customers { edges { cursor node { id } } pageInfo { endCursor } } }", {}, 2 + 20 * (2 + 1 + 2 + 1) + 2 + 1),
        (PAGE, {}, 2 + COUNT_COST + 7 * (2 + 1)),
        (PAGE, {"n": 100}, 2 + COUNT_COST + 100 * (2 + 1)),
        ("{ customers(first: 2) { totalCount @skip(if: true) nodes @include(if: false) { id } } }", {}, 2 + COUNT_COST + 2 * (2 + 1)),
        ("{ customers(first: 9) { nodes { orders(first: 1) { totalCount } } } }", {}, 2 + 9 * (2 + 2 + COUNT_COST)),
        ("{ syncConnections(first: 2) { nodes { openWindows } } }", {}, 2 + 2 * (2 + 10)),
        ("{ __schema { types { name } } }", {}, INTROSPECTION_COST),
        ('query ($s: [SourceKind!]) { customer(id: "x") { sources(only: $s) { status } } }', {"s": ["TAX", "SHOP"]}, 2 + 2 + 2),
        ('query ($s: [SourceKind!]) { customer(id: "x") { sources(only: $s) { status } } }', {}, 2 + 2 + 15),
        ('{ customer(id: "x") { sources(only: TAX) { status } } }', {}, 2 + 2 + 1),
        ('{ node(id: "x") { ... on Evaluation { series(names: ["GMV"]) { value } } } }', {}, 2 + 2 + 24),
        ("{ customers(first: 3) { ...F ...F } } fragment F on CustomerConnection { totalCount }", {}, 2 + 2 * COUNT_COST),
    ],
)
def test_a_cost_counts_what_may_be_read(text: str, variables: dict[str, Any], cost: int) -> None:
    assert cost_of(text, **variables) == cost


def test_a_size_does_not_escape_through_a_variable() -> None:
    deep = "query ($n: Int!) { customers(first: $n) { nodes { orders(first: $n) { nodes { id } } } } }"
    assert cost_of(deep, n=2) < 50 < MOST < cost_of(deep, n=100)
    with pytest.raises(GraphQLError):
        cost_of(deep, n=None)


def test_the_limit_of_cost_is_the_audience_s() -> None:
    for audience, most in ((("PARTNER"), MAX_COST["PARTNER"]), ("INTERNAL", MOST)):
        check_cost(most, audience)
        with pytest.raises(GraphQLError, match="too much at once"):
            check_cost(most + 1, audience)
    assert (MAX_COST["PARTNER"], MOST) == (10_000, 20_000)


def test_a_cost_is_walked_once_per_fragment() -> None:
    text = doubling(9)
    node = SCHEMA.documents.of(text, introspecting=False).node
    assert node is not None
    operation, *fragments = node.definitions
    costing = Costing(SCHEMA.core, {one.name.value: one for one in fragments}, coerced(SCHEMA.core, operation, {}))  # type: ignore[attr-defined, arg-type]
    found = costing.of(SCHEMA.core.query_type, operation.selection_set)  # type: ignore[attr-defined]
    assert found.cost == 2**8 and len(costing.known) == 9


@pytest.mark.parametrize("fragments", [4, 8, 16, 30])
def test_measuring_walks_each_node_once(fragments: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linear in the document: a fragment that is spread 2^28 times is walked once."""
    walked: list[object] = []
    one_node = limits_module._Measuring._node
    monkeypatch.setattr(limits_module._Measuring, "_node", lambda self, node: walked.append(node) or one_node(self, node))
    document = parse(doubling(fragments))
    check_document(document, replace(LIMITS, fields=2**31))
    assert len(walked) == len(set(map(id, walked))) == 2 * (fragments - 1) + 2


DEAR = "query ($n: Int!) { customers(first: $n) { nodes { id evaluations(first: $n) { nodes { id outcome } } } } }"


@pytest.mark.asyncio(loop_scope="module")
class TestOverHttp:
    """The same through the endpoint, with the world behind it."""

    async def test_a_dear_operation_is_refused_before_it_is_run(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, just in (("partner-app", 40), ("risk-desk", 60)):
            side = api.sides[name]
            assert "data" in (await side.ask(DEAR, {"n": just})).json()
            refused = (await side.ask(DEAR, {"n": 100})).json()
            assert "data" not in refused and "too much at once" in refused["errors"][0]["message"]
            assert not any(character.isdigit() for character in refused["errors"][0]["message"]), "limits are not told"
        monkeypatch.setattr(cost_module, "MOST", MANY)
        assert "data" in (await api.sides["risk-desk"].ask(DEAR, {"n": 100})).json()

    async def test_an_answer_has_a_size(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        query = "{ customers { nodes { id nameMasked kind } } }"
        assert "data" in (await api.sides["risk-desk"].ask(query)).json()
        monkeypatch.setattr(extension_module, "MAX_ANSWER", 50)
        refused = (await api.sides["risk-desk"].ask(query)).json()
        assert "data" not in refused and refused["errors"][0]["extensions"]["code"] == "INVALID_INPUT"

    async def test_lists_and_pages_are_bounded(self, api: Api) -> None:
        risk = api.sides["risk-desk"]
        listed = (
            "query ($ids: [String!]) { customers(first: 1) { nodes { evaluations(first: 1) { nodes { features(ids: $ids) { id } } } } } }"
        )
        assert "data" in (await risk.ask(listed, {"ids": ["x"] * 200})).json()
        assert "200" in (await risk.ask(listed, {"ids": ["x"] * 201})).json()["errors"][0]["message"]
        for size, fits in ((0, False), (1, True), (100, True), (101, False), (-5, False)):
            answer = (await risk.ask("query ($n: Int!) { customers(first: $n) { totalCount } }", {"n": size})).json()
            assert ("data" in answer) is fits, size

    @pytest.mark.parametrize("name", REFUSED)
    async def test_a_hostile_document_is_the_caller_s_mistake(self, api: Api, name: str) -> None:
        answer = await api.sides["risk-desk"].ask(REFUSED[name], headers={"Accept": "application/graphql-response+json"})
        assert answer.status_code == 400, answer.text
        errors = answer.json()["errors"]
        assert "data" not in answer.json() and 1 <= len(errors) <= 5
        assert not any("id" in error["extensions"] for error in errors)
