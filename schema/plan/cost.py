"""What an operation costs, before it is run: a leaf 1, an object 2 and what is below it as often as its list may repeat it.

How often that is, is said by ``first``, by the length of a list argument, or else by :data:`USUAL`: lists that policy and nature keep short.
Variables are resolved, what ``@skip`` and ``@include`` leave out counts all the same (trust rules, section f).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    get_argument_values,
    get_named_type,
    is_leaf_type,
)
from graphql.execution.values import VariableValues

MAX_COST: Mapping[str, int] = {"PARTNER": 10_000}
MOST = 20_000
"""The limit for every audience that :data:`MAX_COST` does not name."""

USUAL: Mapping[str, int] = {
    "Query.platforms": 10,
    "Subscription.syncProgress": 10,
    "ProfileNews.changes": 20,
    "WatchedConnection.quarantine": 10,
    "Customer.parties": 3,
    "Customer.formerParties": 2,
    "Customer.consents": 15,
    "Customer.connections": 10,
    "Customer.sources": 15,
    "SourceAccess.coverage": 3,
    "Consent.events": 4,
    "ConsentEvent.changes": 4,
    "Evaluation.reasons": 4,
    "Evaluation.checks": 13,
    "Evaluation.scorePoints": 16,
    "Evaluation.features": 90,
    "Evaluation.limitParts": 16,
    "Evaluation.series": 240,
    "LimitPart.features": 3,
    "FeatureValue.evidence": 3,
    "FinancialStatement.lines": 40,
}
"""Rows of a list that has no ``first``, all arguments left out."""

PER_ITEM: Mapping[str, int] = {"Evaluation.series": 24, "Evaluation.limitParts": 5}
"""Rows that one item of the list argument may select, where it is not one."""


def check_cost(cost: int, audience: str) -> None:
    """Raises GraphQLError when the operation asks for more than the audience may."""
    if cost > MAX_COST.get(audience, MOST):
        raise GraphQLError("The operation asks for too much at once: smaller pages or fewer lists would do.")


@dataclass(slots=True)
class Costing:
    """The cost of operations of one document, under one request's coerced variables. A fragment is walked once."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues
    known: dict[str, int] = field(default_factory=dict)

    def of(self, type_: Any, selections: SelectionSetNode) -> int:
        return sum(self._node(type_, node) for node in selections.selections)

    def _node(self, type_: Any, node: SelectionNode) -> int:
        if isinstance(node, FieldNode):
            return self._field(type_, node)
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            return self.of(self.schema.type_map[condition.name.value] if condition else type_, node.selection_set)
        assert isinstance(node, FragmentSpreadNode)
        name = node.name.value
        if name not in self.known:
            fragment = self.fragments[name]
            self.known[name] = self.of(self.schema.type_map[fragment.type_condition.name.value], fragment.selection_set)
        return self.known[name]

    def _field(self, type_: Any, node: FieldNode) -> int:
        name = node.name.value
        if name.startswith("__") or node.selection_set is None:
            return 1
        definition: GraphQLField = type_.fields[name]
        returned = get_named_type(definition.type)
        if is_leaf_type(returned):
            return 1
        return 2 + self._times(f"{type_.name}.{name}", definition, node) * self.of(returned, node.selection_set)

    def _times(self, coordinate: str, definition: GraphQLField, node: FieldNode) -> int:
        given = get_argument_values(definition, node, self.variables, hide_suggestions=True)
        if "first" in given:
            return max(1, int(given["first"]))
        for value in given.values():
            if isinstance(value, list):
                return max(1, len(value)) * PER_ITEM.get(coordinate, 1)
        return USUAL.get(coordinate, 1)
