"""The printed contract, read as a partner would read it: who needs what, and how each field is reached. Independent of ``schema.plan``."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from graphql import (
    ConstDirectiveNode,
    FieldDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    parse,
)

PRINTED = Path(__file__).resolve().parents[2] / "schema" / "schema.graphql"
Composite = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode
ARGUMENTS = {"id": '"{id}"', "ids": '["{id}"]', "scenario": '"S03"'}


@dataclass(frozen=True)
class Step:
    """One field on the way, or the narrowing of an abstract type (``field`` is None)."""

    owner: str
    field: FieldDefinitionNode | None
    scope: str | None

    @property
    def text(self) -> str:
        if self.field is None:
            return f"... on {self.owner}"
        required = [
            one.name.value for one in self.field.arguments or () if isinstance(one.type, NonNullTypeNode) and one.default_value is None
        ]
        given = ", ".join(f"{name}: {ARGUMENTS[name]}" for name in required)
        return self.field.name.value + (f"({given})" if given else "")


@dataclass
class Contract:
    """Every field that can be reached from Query, with the shortest way to it."""

    types: dict[str, Composite] = field(default_factory=dict)
    unions: dict[str, list[str]] = field(default_factory=dict)
    ways: dict[tuple[str, str], tuple[Step, ...]] = field(default_factory=dict)

    def scope_of(self, owner: str, one: FieldDefinitionNode) -> str | None:
        return scope_of(one.directives) or scope_of(self.types[owner].directives)

    def needs(self, coordinate: tuple[str, str]) -> frozenset[str]:
        """The scopes of all fields on the way."""
        return frozenset(step.scope for step in self.ways[coordinate] if step.scope)

    def question(self, coordinate: tuple[str, str]) -> str:
        way = self.ways[coordinate]
        last = way[-1].field
        assert last is not None
        leaf = "{ __typename }" if named(last.type) in {*self.types, *self.unions} else ""
        return "{ " + " { ".join(step.text for step in way) + f" {leaf} " + "}" * len(way)

    def members(self, abstract: str) -> list[str]:
        """The object types behind an interface or a union."""
        if abstract in self.unions:
            return self.unions[abstract]
        return [name for name, node in self.types.items() if abstract in {one.name.value for one in node.interfaces or ()}]


def scope_of(directives: tuple[ConstDirectiveNode, ...] | None) -> str | None:
    for directive in directives or ():
        if directive.name.value == "access":
            return next(str(one.value.value) for one in directive.arguments or () if one.name.value == "scope")  # type: ignore[union-attr]
    return None


def named(type_: TypeNode) -> str:
    while isinstance(type_, NonNullTypeNode | ListTypeNode):
        type_ = type_.type
    assert isinstance(type_, NamedTypeNode)
    return type_.name.value


def read_contract(text: str | None = None) -> Contract:
    contract = Contract()
    for node in parse(text or PRINTED.read_text("utf-8")).definitions:
        if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            contract.types[node.name.value] = node
        elif isinstance(node, UnionTypeDefinitionNode):
            contract.unions[node.name.value] = [one.name.value for one in node.types or ()]
    todo: deque[tuple[str, tuple[Step, ...]]] = deque([("Query", ())])
    seen: set[str] = set()
    while todo:
        owner, way = todo.popleft()
        if owner not in seen:
            seen.add(owner)
            todo.extend(_onward(contract, owner, way))
    return contract


def _onward(contract: Contract, owner: str, way: tuple[Step, ...]) -> Iterator[tuple[str, tuple[Step, ...]]]:
    if owner in contract.unions or isinstance(contract.types[owner], InterfaceTypeDefinitionNode):
        yield from ((one, (*way, Step(one, None, None))) for one in contract.members(owner))
    if owner in contract.unions:
        return
    for one in contract.types[owner].fields or ():
        onward = (*way, Step(owner, one, contract.scope_of(owner, one)))
        contract.ways.setdefault((owner, one.name.value), onward)
        if named(one.type) in {*contract.types, *contract.unions}:
            yield named(one.type), onward
