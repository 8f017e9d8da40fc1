"""What an operation costs, and how many rows it reads at most, before it is run.

A leaf costs 1, an object 2 and what is below it as often as its list may repeat it. How often that is, is said by ``first``, by the length of a list argument, or
else by :mod:`schema.plan.prices`; a count is priced for the rows that it reads, and not for what it shows. Variables are resolved, what ``@skip`` and ``@include``
leave out counts all the same (trust rules, section f).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

from schema.plan.prices import CHOOSING, COUNT_COST, COUNTED, LISTS, PER_ITEM, TALLIES, Rows

MAX_COST: Mapping[str, int] = {"PARTNER": 10_000}
MOST = 20_000
"""The limit for every audience that :data:`MAX_COST` does not name."""


class TooDear(GraphQLError):
    """The operation asks for too much at once: smaller pages or fewer lists would do."""

    def __init__(self) -> None:
        super().__init__(str(type(self).__doc__), extensions={"code": "COST_TOO_HIGH"})


def check_cost(cost: int, audience: str) -> None:
    """Raises TooDear when the operation asks for more than the audience may."""
    if cost > MAX_COST.get(audience, MOST):
        raise TooDear


@dataclass(frozen=True, slots=True)
class Price:
    """``rows`` is the bound: rows that are shown, rows that are counted, and the one that tells whether there are more. In a connection ``each_cost`` and ``each_rows``
    are those of one row of its page."""

    cost: int = 0
    rows: int = 0
    each_cost: int = 0
    each_rows: int = 0

    @staticmethod
    def sum(prices: Iterable[Price]) -> Price:
        found = list(prices)
        return Price(*(sum(getattr(one, name) for one in found) for name in ("cost", "rows", "each_cost", "each_rows")))


@dataclass(slots=True)
class Costing:
    """The price of operations of one document, under one request's coerced variables. A fragment is walked once."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues
    known: dict[str, Price] = field(default_factory=dict)

    def of(self, type_: Any, selections: SelectionSetNode) -> Price:
        return Price.sum(self._node(type_, node) for node in selections.selections)

    def _node(self, type_: Any, node: SelectionNode) -> Price:
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

    def _field(self, type_: Any, node: FieldNode) -> Price:
        name, coordinate = node.name.value, f"{type_.name}.{node.name.value}"
        if name.startswith("__"):
            return Price(1)
        definition: GraphQLField = type_.fields[name]
        returned, paged = get_named_type(definition.type), is_page(type_)
        if is_leaf_type(returned) or node.selection_set is None:
            return Price(COUNT_COST, COUNTED) if paged else Price(*TALLIES.get(coordinate, Rows(1, 0)))
        below = self.of(returned, node.selection_set)
        if paged:
            return _of_page(name, below)
        times = self._times(coordinate, definition, node)
        if is_page(returned):
            looked = self._looked_through(coordinate, definition, node)
            return Price(
                looked.usual + 2 + below.cost + times.usual * below.each_cost, looked.most + below.rows + 1 + times.most * below.each_rows
            )
        return Price(2 + times.usual * below.cost, times.most * (1 + below.rows))

    def _looked_through(self, coordinate: str, definition: GraphQLField, node: FieldNode) -> Rows:
        """Who is chosen is found among all."""
        if coordinate not in CHOOSING:
            return Rows(0, 0)
        given = get_argument_values(definition, node, self.variables, hide_suggestions=True)
        chosen = any(given.get(name) is not None for name in CHOOSING[coordinate])
        return Rows(COUNT_COST, COUNTED) if chosen else Rows(0, 0)

    def _times(self, coordinate: str, definition: GraphQLField, node: FieldNode) -> Rows:
        given = get_argument_values(definition, node, self.variables, hide_suggestions=True)
        if "first" in given:
            return Rows(*(max(1, int(given["first"])),) * 2)
        for value in given.values():
            if isinstance(value, list):
                each, items = PER_ITEM.get(coordinate, Rows(1, 1)), max(1, len(value))
                return Rows(items * each.usual, items * each.most)
        return LISTS.get(coordinate, Rows(1, 1))


def _of_page(name: str, below: Price) -> Price:
    """A member of a connection: what each of its rows costs, where it stands, what is summed up over all rows, or something that it has once."""
    match name:
        case "nodes" | "edges":
            return Price(each_cost=2 + below.cost, each_rows=1 + below.rows)
        case "pageInfo":
            return Price(2 + below.cost)
        case "totals":
            return Price(COUNT_COST + below.cost, COUNTED)
    return Price(2 + below.cost, 1 + below.rows)


def is_page(type_: Any) -> bool:
    """Whether it is a Relay connection: its rows come ``first`` at a time, its count is of all."""
    return {"nodes", "pageInfo", "totalCount"} <= set(getattr(type_, "fields", ()))
