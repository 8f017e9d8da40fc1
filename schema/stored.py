"""The ordinary way through stored types: for payloads of mutations, and for the tests' oracle.

Stored types have no resolvers of their own. Here graphql-core is told how to walk over what the store answered (:class:`Planned`, by
response key) and, for the oracle, over nested mappings by field name whose callables take a field's arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from graphql import GraphQLAbstractType, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema, get_named_type, is_abstract_type
from graphql.execution.values import VariableValues
from strawberry.types import Info

from hub.domain.selection import Argument, Case, Pick, Selection, StoredRead
from schema.context import Context
from schema.plan.arguments import argument_values
from schema.plan.selecting import Tree

_TYPENAME = Pick("__typename", "__typename")


class Planned(dict[str, Any]):
    """An object as the store answered it, by response key."""


def wire(schema: GraphQLSchema) -> None:
    """Gives every type that can be reached from Query the resolvers of this module."""
    assert schema.query_type is not None
    todo: list[Any] = [schema.query_type]
    seen: set[str] = set()
    while todo:
        type_ = todo.pop()
        if type_.name in seen:
            continue
        seen.add(type_.name)
        if is_abstract_type(type_):
            type_.resolve_type = _type_of
            todo += schema.get_possible_types(type_)
        elif isinstance(type_, GraphQLObjectType):
            type_.is_type_of = None
            todo += _wired_fields(type_)


def _wired_fields(type_: GraphQLObjectType) -> list[Any]:
    for field in type_.fields.values():
        field.resolve = _resolve
    return [get_named_type(field.type) for field in type_.fields.values()]


def _resolve(root: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    if isinstance(root, Planned):
        return _planned(root.get(str(info.path.key)))
    value = root[info.field_name]
    return value(**arguments) if callable(value) else value


def _planned(value: Any) -> Any:
    if isinstance(value, dict):
        return Planned(value)
    return [_planned(item) for item in value] if isinstance(value, list) else value


def _type_of(value: Mapping[str, Any], _info: GraphQLResolveInfo[Any], _type: GraphQLAbstractType) -> str:
    return str(value["__typename"])


async def read_node(info: Info[Context, Any], type_name: str, node_id: str) -> Any:
    """The object with this id, with everything the operation selects of it, in one statement: the payload of a mutation."""
    raw = info._raw_info
    # Strawberry's executor hands resolvers the coerced values alone, where graphql-core's hands their sources, too.
    given: Any = raw.variable_values
    coerced: dict[str, Any] = getattr(given, "coerced", given)
    tree = Tree(raw.schema, raw.fragments, {name: bool(value) for name, value in coerced.items()})
    below = [node.selection_set for node in raw.field_nodes if node.selection_set is not None]
    picks = named(tree.selection(raw.schema.type_map[type_name], below)).picks
    root = Selection("Query", (Pick("node", "node", (Argument("id", "node_id"),), Selection("Node", (), (Case(type_name, picks),))),))
    operation = raw.operation.name.value if raw.operation.name else ""
    read = StoredRead(operation, info.context.document_sha256, tree.fields, root)
    values = {**argument_values(tree.argued.values(), VariableValues({}, coerced)), "node_id": node_id}
    body = orjson.loads(await info.context.reads.read(info.context.caller, read, values))
    return _planned(body["node"])


def named(selection: Selection) -> Selection:
    """The same selection, asking for the type of each object, so that an abstract one can be told."""
    return Selection(selection.type, _named(selection.picks), tuple(Case(case.type, _named(case.picks)) for case in selection.cases))


def _named(picks: tuple[Pick, ...]) -> tuple[Pick, ...]:
    below = tuple(Pick(pick.key, pick.name, pick.arguments, named(pick.of) if pick.of else None) for pick in picks)
    return below if _TYPENAME in below else (*below, _TYPENAME)
