"""An error tells what is wrong and where, never what was sent."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLError, OperationDefinitionNode, parse, validate
from graphql.execution.values import get_variable_values

from bench.canary.provoke import queries, words
from schema.contract import build_schema
from schema.discreet import without_values
from schema.endpoint import shown

TOLD = {
    "Variable '$input' has invalid value at .name: String cannot represent a non string value: 6222081207003339998": "Variable '$input' has invalid value at .name: String cannot represent a non string value: ...",
    "Int cannot represent non 32-bit signed integer value: 6222081207003339998": "Int cannot represent non 32-bit signed integer value: ...",
    "Expected value of type 'Int!', found \"19912345678\".": "Expected value of type 'Int!', found ...",
    "Variable '$input' has invalid value: Expected value of type 'A' to include required field 'person', found: {'沈知夏': 'x'}.": "Variable '$input' has invalid value: Expected value of type 'A' to include required field 'person', found: ...",
    "Syntax Error: Unexpected String '沈知夏'.": "Syntax Error: Unexpected ...",
    "Syntax Error: Expected ':', found String '沈知夏'.": "Syntax Error: Expected ..., found ...",
    "Cannot query field 'ordres' on type 'Customer'.": "Cannot query field 'ordres' on type 'Customer'.",
    "Cannot query field 'p19912345678' on type 'Customer'.": "Cannot query field ... on type 'Customer'.",
    "Variable '$n' of type 'String!' used in position expecting type 'Int!'.": "Variable '$n' of type 'String!' used in position expecting type 'Int!'.",
    "Unknown argument 'number' on field 'Query.customer'.": "Unknown argument 'number' on field 'Query.customer'.",
    "Value '沈知夏' does not exist in 'CustomerKind' enum.": "Value ... does not exist in ... enum.",
}  # fmt: skip


@pytest.mark.parametrize("message", TOLD)
def test_names_stay_and_values_go(message: str) -> None:
    assert without_values(message) == TOLD[message]


def _answers() -> list[str]:
    """The errors of every query that the canary run provokes, as far as they are found before anything is asked of the store."""
    core, found = build_schema().core, []
    for query, variables in queries(words()):
        try:
            document = parse(query)
            errors: Any = validate(core, document)
            if not errors:
                (operation,) = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
                values = get_variable_values(core, operation.variable_definitions or (), variables)
                errors = values if isinstance(values, list) else []
        except GraphQLError as error:
            errors = [error]
        found += [str(shown(error)) for error in errors]
    return found


def test_nothing_that_was_sent_comes_back() -> None:
    said = _answers()
    assert len(said) >= 15
    assert [one for one in said if any(word in one for word in words().values())] == []


def test_the_look_notices_what_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schema.endpoint.without_values", str)
    assert any(word in one for one in _answers() for word in words().values())
