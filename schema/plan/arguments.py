"""The values of an operation's slots: graphql-core coerces the variables of a request and looks what each argument comes to.

Most operations name a customer and nothing else. Where all variables are texts, what they come to is worked out once, with a mark for each of them: then a request
only puts its texts where the marks were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    ListValueNode,
    NamedTypeNode,
    NonNullTypeNode,
    ObjectValueNode,
    OperationDefinitionNode,
    VariableNode,
    get_argument_values,
    get_variable_values,
)
from graphql.execution.values import VariableValues

from hub.domain.selection import SlotValues
from schema.codes import coded

MOST_ITEMS = 200
"""Of a list argument."""
_TEXTS = ("ID", "String")


@dataclass(frozen=True)
class Argued:
    """A field with arguments: its slots are ``<name>_<argument>``."""

    name: str
    definition: GraphQLField
    node: FieldNode

    @cached_property
    def varies(self) -> bool:
        """Whether its arguments name a variable: else their values are the same for every request."""
        return any(_names_a_variable(argument.value) for argument in self.node.arguments or ())


class Filling:
    """What is kept of the values of one plan: those that hang on no variable, and the variable of each other slot, where all variables are texts."""

    def __init__(self) -> None:
        self._same: SlotValues | None = None
        self._texts: Mapping[str, str] | None = None

    def values(
        self, schema: GraphQLSchema, operation: OperationDefinitionNode, argued: Sequence[Argued], given: Mapping[str, Any]
    ) -> SlotValues:
        """The slots' values for the variables of one request. Raises GraphQLError for variables that do not fit."""
        if self._same is None:
            self._same = argument_values((one for one in argued if not one.varies), VariableValues({}, {}))
            fixed, self._texts = _texts(schema, operation, argued)
            self._same = {**self._same, **fixed}
        if self._texts is not None:
            found = {slot: given.get(name) for slot, name in self._texts.items()}
            # What is no text is graphql-core's to judge.
            if all(type(value) is str for value in found.values()):
                return {**self._same, **found}
        return {**self._same, **argument_values((one for one in argued if one.varies), coerced(schema, operation, given))}


def _texts(
    schema: GraphQLSchema, operation: OperationDefinitionNode, argued: Iterable[Argued]
) -> tuple[SlotValues, Mapping[str, str] | None]:
    """Of the slots that vary: the values of those that no variable reaches, and the variable of each other one. No variable at all where one is no text, is only a part of a
    value, or is in no slot."""
    named = {one.variable.name.value: one.type for one in operation.variable_definitions or ()}
    if not all(map(_is_text, named.values())):
        return {}, None
    # Texts of their own, told by which object they are, whatever a literal says.
    marks = {name: f"\0{name}" for name in named}
    values = argument_values((one for one in argued if one.varies), coerced(schema, operation, marks))
    found = {slot: name for slot, value in values.items() for name, mark in marks.items() if value is mark}
    fixed = {slot: value for slot, value in values.items() if slot not in found}
    if set(found.values()) != set(named) or any(map(_is_marked, fixed.values())):
        return {}, None
    return fixed, found


def _is_marked(value: Any) -> bool:
    """Whether a mark is somewhere in it."""
    if isinstance(value, list | dict):
        return any(map(_is_marked, value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and "\0" in value


def _is_text(node: Any) -> bool:
    inner = node.type if isinstance(node, NonNullTypeNode) else node
    return isinstance(inner, NamedTypeNode) and inner.name.value in _TEXTS


def _names_a_variable(value: Any) -> bool:
    if isinstance(value, ListValueNode):
        return any(map(_names_a_variable, value.values))
    if isinstance(value, ObjectValueNode):
        return any(_names_a_variable(one.value) for one in value.fields)
    return isinstance(value, VariableNode)


def argument_values(argued: Iterable[Argued], variables: VariableValues) -> SlotValues:
    """The slots' values under coerced variables. Raises GraphQLError."""
    found: dict[str, Any] = {}
    for one in argued:
        for name, value in get_argument_values(one.definition, one.node, variables, hide_suggestions=True).items():
            found[f"{one.name}_{name}"] = _plain(value)
    return found


def coerced(schema: GraphQLSchema, operation: OperationDefinitionNode, given: Mapping[str, Any]) -> VariableValues:
    found = get_variable_values(schema, operation.variable_definitions or (), dict(given), max_errors=5, hide_suggestions=True)
    if isinstance(found, list):
        raise coded(found[0], "VARIABLES_INVALID")
    return found


def _plain(value: Any) -> Any:
    """Enumerations as their values; list arguments hold at most 200 items."""
    if isinstance(value, list):
        if len(value) > MOST_ITEMS:
            raise coded(GraphQLError("A list argument holds at most 200 items."), "VARIABLES_INVALID")
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value
