"""Whether a mutation says under which idempotency key it is asked: told by name, where validation would speak of an argument or of a variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    NullValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)

from hub.errors import IdempotencyKeyMissing

KEY = "idempotencyKey"


def missing_keys(schema: GraphQLSchema, document: DocumentNode, name: str | None, given: Mapping[str, Any]) -> list[GraphQLError]:
    """One error for each field of the chosen mutation that needs a key and has none, not even by a variable's default."""
    found = _without_key(schema, document, name, given)
    return [GraphQLError(str(IdempotencyKeyMissing()), node, original_error=IdempotencyKeyMissing()) for node in found]


def _without_key(schema: GraphQLSchema, document: DocumentNode, name: str | None, given: Mapping[str, Any]) -> Iterator[FieldNode]:
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    for operation in document.definitions:
        if _is_mutation(operation, name) and schema.mutation_type:
            assert isinstance(operation, OperationDefinitionNode)
            defaults = {one.variable.name.value for one in operation.variable_definitions or () if one.default_value is not None}
            for node in _fields(operation.selection_set, fragments, set()):
                field = schema.mutation_type.fields.get(node.name.value)
                if field is not None and KEY in field.args and not _has_key(node, given, defaults):
                    yield node


def _is_mutation(node: Any, name: str | None) -> bool:
    chosen = isinstance(node, OperationDefinitionNode) and node.operation is OperationType.MUTATION
    return chosen and (name is None or (node.name is not None and node.name.value == name))


def _has_key(node: FieldNode, given: Mapping[str, Any], defaults: set[str]) -> bool:
    value = next((one.value for one in node.arguments or () if one.name.value == KEY), None)
    if isinstance(value, VariableNode):
        name = value.name.value
        return given.get(name) is not None or (name in defaults and name not in given)
    return value is not None and not isinstance(value, NullValueNode)


def _fields(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], seen: set[str]) -> Iterator[FieldNode]:
    """The root fields, each spread followed once."""
    for node in selections.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, FragmentSpreadNode):
            fragment = fragments.get(node.name.value)
            if fragment is not None and node.name.value not in seen:
                seen.add(node.name.value)
                yield from _fields(fragment.selection_set, fragments, seen)
        elif (below := getattr(node, "selection_set", None)) is not None:
            yield from _fields(below, fragments, seen)
