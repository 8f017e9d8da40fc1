"""What a plan's slots come to for the variables of a request: the same, whether graphql-core coerces them or texts are put where they belong."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLError

from schema.contract import build_schema
from schema.plan import arguments
from schema.plan.arguments import argument_values, coerced
from schema.plan.selecting import Plan

SCHEMA = build_schema()
ONE = "query Q($id: ID!) { customer(id: $id) { id orders(first: 3) { nodes { id } } } }"
TWO = "query Q($id: ID!, $scenario: String!) { customer(id: $id) { evaluation(scenario: $scenario) { id } } }"
OPTIONAL = 'query Q($id: ID = "none") { customer(id: $id) { id } }'
NUMBER = "query Q($id: ID!, $first: Int) { customer(id: $id) { orders(first: $first) { nodes { id } } } }"
BESIDE = 'query Q($scenario: String!) { customer(id: "scenario") { evaluation(scenario: $scenario) { id } } }'
LISTED = "query Q($id: ID!) { nodes(ids: [$id]) { id } }"


def plan_of(text: str) -> Plan:
    document = SCHEMA.documents.of(text, introspecting=False)
    assert not document.errors, document.errors
    return SCHEMA.documents.plan(document, None, {})


@pytest.mark.parametrize(
    ("text", "given"),
    [
        (ONE, {"id": "a"}),
        (ONE, {"id": ""}),
        (ONE, {"id": 7}),
        (ONE, {"id": "a", "more": 1}),
        (TWO, {"id": "a", "scenario": "S03"}),
        (TWO, {"id": "S03", "scenario": "S03"}),
        (OPTIONAL, {}),
        (OPTIONAL, {"id": "b"}),
        (NUMBER, {"id": "a", "first": 2}),
        (NUMBER, {"id": "a"}),
        (LISTED, {"id": "a"}),
        (BESIDE, {"scenario": "S03"}),
    ],
)
def test_texts_come_to_what_graphql_core_makes_of_them(text: str, given: dict[str, Any]) -> None:
    plan = plan_of(text)
    whole = argument_values(plan.argued, coerced(SCHEMA.core, plan.operation, given))
    # Twice: what is kept after the first request is what the second one is filled from.
    assert [plan.values(SCHEMA.core, given) for _ in range(2)] == [whole, whole]


@pytest.mark.parametrize("given", [{}, {"id": None}, {"id": ["a"]}, {"id": 1.5}, {"id": True}])
def test_what_is_no_text_is_refused_as_graphql_core_refuses_it(given: dict[str, Any]) -> None:
    plan = plan_of(ONE)
    plan.values(SCHEMA.core, {"id": "a"})
    with pytest.raises(GraphQLError):
        plan.values(SCHEMA.core, given)


def test_nothing_is_coerced_again_where_all_are_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what holds a variable that is no text, or only a part of a value, is coerced each time."""
    plans = {text: plan_of(text) for text in (ONE, TWO, NUMBER, LISTED)}
    given = {"id": "a", "scenario": "S03", "first": 1}
    for plan in plans.values():
        plan.values(SCHEMA.core, given)
    asked: list[Any] = []
    original = arguments.coerced
    monkeypatch.setattr(arguments, "coerced", lambda *values: asked.append(values[1]) or original(*values))
    for plan in plans.values():
        plan.values(SCHEMA.core, given)
    assert asked == [plans[NUMBER].operation, plans[LISTED].operation]
