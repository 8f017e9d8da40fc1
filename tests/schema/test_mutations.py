"""What all mutations have in common, for each one that the contract has: success or a named problem, and nothing without a key."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLNonNull, GraphQLObjectType, GraphQLUnionType, get_named_type, print_type

from schema.contract import build_schema
from schema.examples import example
from schema.mutations.problems import BY_CLASS
from tests.hub.access.side import Api
from tests.schema.port import Port
from tests.schema.test_examples import inputs

pytestmark = pytest.mark.asyncio(loop_scope="module")
CORE = build_schema().core
assert CORE.mutation_type is not None
MUTATIONS = sorted(CORE.mutation_type.fields)
ALWAYS = {"InvalidInput", "NotAllowed", "NotFound", "IdempotencyKeyReused", "TryLater"}
"""Problems that every mutation can meet."""


def untyped(field: GraphQLField) -> list[str]:
    """What is wrong with what a mutation answers with."""
    payload = field.type.of_type if isinstance(field.type, GraphQLNonNull) else None
    if not isinstance(payload, GraphQLUnionType):
        return ["it answers with something else than a union, or with null"]
    problem = CORE.type_map["Problem"]
    assert isinstance(problem, GraphQLInterfaceType)
    problems = {one.name for one in payload.types if problem in one.interfaces}
    successes = [one for one in payload.types if one.name not in problems]
    found = [f"{name} is missing" for name in ALWAYS - problems]
    found += [f"{name} is no problem that a service can meet" for name in problems - {one.__name__ for one in BY_CLASS.values()}]
    return found + ([] if len(successes) == 1 else ["it has not exactly one success"])


@pytest.mark.parametrize("name", MUTATIONS)
async def test_it_answers_with_one_success_or_a_named_problem(name: str) -> None:
    field = CORE.mutation_type.fields[name]  # type: ignore[union-attr]
    assert untyped(field) == []
    key = field.args["idempotencyKey"].type
    assert isinstance(key, GraphQLNonNull) and get_named_type(key).name == "ID" and set(field.args) == {"idempotencyKey", "input"}


async def test_a_payload_that_is_none_is_noticed() -> None:
    """Control."""
    union = CORE.type_map["EvaluateResult"]
    made, problem = CORE.type_map["EvaluationMade"], CORE.type_map["InvalidInput"]
    assert isinstance(union, GraphQLUnionType) and isinstance(made, GraphQLObjectType) and isinstance(problem, GraphQLObjectType)
    assert untyped(GraphQLField(GraphQLNonNull(made))) and untyped(GraphQLField(union))
    two = GraphQLUnionType("Two", [made, CORE.type_map["PartyAdded"], *[one for one in union.types if one is not made]])  # type: ignore[list-item]
    assert untyped(GraphQLField(GraphQLNonNull(two))) == ["it has not exactly one success"]
    few = GraphQLUnionType("Few", [made, problem])
    assert len(untyped(GraphQLField(GraphQLNonNull(few)))) == len(ALWAYS) - 1
    assert "implements Problem" in print_type(problem)


def without_key(name: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """The example, asked without a key in each way there is."""
    asked = example(name[0].upper() + name[1:])
    bare = asked.replace(", idempotencyKey: $key", "").replace(", $key: ID!", "")
    assert bare != asked
    nullable = asked.replace("$key: ID!", "$key: ID")
    field = bare[bare.index("{") + 1 : bare.rindex("}")]
    spread = f"{bare[: bare.index('{')]}{{ ...F }} fragment F on Mutation {{ {field} }}"
    return {
        "no argument": (bare, {}),
        "no value": (asked, {}),
        "null": (asked, {"key": None}),
        "a null in the document": (asked.replace("idempotencyKey: $key", "idempotencyKey: null").replace(", $key: ID!", ""), {}),
        "a variable that may be null": (nullable, {}),
        "in a fragment": (spread, {}),
    }


@pytest.mark.parametrize("name", MUTATIONS)
async def test_without_a_key_nothing_is_done_and_it_is_said_by_name(api: Api, port: Port, name: str) -> None:
    client, given, _ = inputs(api.world.id)[name[0].upper() + name[1:]]
    before = len(port.calls)
    for way, (query, variables) in without_key(name).items():
        media = {"Accept": "application/graphql-response+json"}
        answer = await api.sides[client].ask(query, {"input": given, **variables}, media)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["extensions"]["code"]) == (400, "IDEMPOTENCY_KEY_MISSING"), (way, error)
        assert "idempotencyKey" in error["extensions"]["remedy"] and "data" not in answer.json()
    assert len(port.calls) == before


async def test_a_mutation_that_was_not_chosen_needs_no_key(api: Api, port: Port) -> None:
    document = "query A { customers { totalCount } } " + example("PauseConsent")
    body = {"query": document, "operationName": "A"}
    side = api.sides["partner-app"]
    answer = await side.http.post("/graphql", json=body, headers=side.client.headers(side.token))
    assert answer.json()["data"]["customers"]["totalCount"] == 1
    defaulted = example("PauseConsent").replace("$key: ID!", '$key: ID! = "k-default"')
    client, given, _ = inputs(api.world.id)["PauseConsent"]
    assert "errors" not in (await api.sides[client].ask(defaulted, {"input": given})).json() and port.calls[-1][0].key == "k-default"
