"""Operation -> selection tree. Fragments, merged fields, ``@skip`` and ``@include`` are resolved here; arguments become slots.

A plan is made once per operation and set of flags (the values its ``@skip`` and ``@include`` take). Its slots are filled per request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    Visitor,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    visit,
)

from hub.domain.selection import Argument, Case, Pick, Selection, SlotValues, StoredRead
from schema.codes import coded
from schema.plan.arguments import Argued, Filling, coerced
from schema.plan.rules import Rules
from schema.types.choosing import READS

_OF_ITSELF = {"__schema", "__type", "_service"}
"""Fields that speak of the contract and not of data."""


class Way(Enum):
    """How an operation is answered. A subscription is a stored read, too, that is read again whenever something changes."""

    STORED = "stored"
    LIVE = "live"
    ORDINARY = "ordinary"


@dataclass(frozen=True, slots=True)
class Plan:
    """``needs`` maps each scope that is needed to a coordinate that needs it. ``read`` is None for what is executed the ordinary way. ``priced`` is what was
    worked out of its cost (:mod:`schema.plan.remembered`)."""

    way: Way
    needs: Mapping[str, str]
    operation: OperationDefinitionNode
    read: StoredRead | None
    argued: tuple[Argued, ...]
    introspects: bool
    filling: Filling = field(default_factory=Filling, compare=False, repr=False)
    priced: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def values(self, schema: GraphQLSchema, given: Mapping[str, Any]) -> SlotValues:
        """The slots' values for the variables of one request. Raises GraphQLError for variables that do not fit."""
        return self.filling.values(schema, self.operation, self.argued, given)


class Planner:
    """Makes plans for one schema."""

    def __init__(self, schema: GraphQLSchema, rules: Rules) -> None:
        self.schema, self.rules = schema, rules

    def flags(self, document: Any, operation: OperationDefinitionNode, given: Mapping[str, Any]) -> dict[str, bool]:
        """The boolean variables that decide what is selected, with their values."""
        if document.flag_names is None:
            document.flag_names = _flag_names(document.node)
        names = document.flag_names
        if not names:
            return {}
        values = coerced(self.schema, operation, given).coerced
        return {name: bool(values.get(name)) for name in names if name in values}

    def plan(self, document: DocumentNode | None, sha256: str, operation: OperationDefinitionNode, flags: Mapping[str, bool]) -> Plan:
        assert document is not None
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        root = self.schema.get_root_type(operation.operation)
        assert root is not None
        tree = Tree(self.schema, fragments, flags)
        selection = tree.selection(root, [operation.selection_set])
        names = {pick.name for pick in selection.picks}
        introspects = bool(names & _OF_ITSELF)
        coordinates = tuple(dict.fromkeys(tree.coordinates))
        needs = ({"schema:introspect": "Query.__schema"} if introspects else {}) | self.rules.needs(coordinates)
        way = _way(operation.operation, stored=not introspects and names != {"__typename"})
        if introspects and names - _OF_ITSELF - {"__typename"}:
            raise coded(GraphQLError("Ask for introspection and for data in two requests."), "VALIDATION_FAILED")
        name = operation.name.value if operation.name else ""
        read = None if way is Way.ORDINARY else StoredRead(name, sha256, tree.fields, selection)
        return Plan(way, needs, operation, read, tuple(tree.argued.values()), introspects)


def _way(kind: OperationType, *, stored: bool) -> Way:
    if not stored or kind is OperationType.MUTATION:
        return Way.ORDINARY
    return Way.LIVE if kind is OperationType.SUBSCRIPTION else Way.STORED


def _flag_names(document: DocumentNode) -> frozenset[str]:
    found: set[str] = set()

    class Directives(Visitor):
        def enter_directive(self, node: Any, *_: Any) -> None:
            for argument in node.arguments or ():
                if isinstance(argument.value, VariableNode):
                    found.add(argument.value.name.value)

    visit(document, Directives())
    return frozenset(found)


class Tree:
    """One walk over an operation. ``coordinates`` are the fields it reads, ``argued`` those with arguments, by node."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], flags: Mapping[str, bool]) -> None:
        self.schema, self.fragments, self.flags = schema, fragments, flags
        self.coordinates: list[tuple[str, str]] = []
        self.argued: dict[int, Argued] = {}

    @property
    def fields(self) -> tuple[str, ...]:
        """The coordinates as ``Type.field``."""
        return tuple(dict.fromkeys(f"{owner}.{name}" for owner, name in self.coordinates))

    def selection(self, type_: Any, sets: Iterable[SelectionSetNode]) -> Selection:
        sets = list(sets)
        if not is_abstract_type(type_):
            return Selection(type_.name, self._picks(type_, type_, sets))
        common, cases = self._picks(type_, None, sets), []
        for concrete in self.schema.get_possible_types(type_):
            known = len(self.coordinates)
            picks = self._picks(type_, concrete, sets)
            if picks != common:
                cases.append(Case(concrete.name, picks))
            else:
                # Nothing is asked of this type by its name: what the abstract one needs is enough.
                del self.coordinates[known:]
        return Selection(type_.name, common, tuple(cases))

    def _picks(self, declared: Any, concrete: GraphQLObjectType | None, sets: list[SelectionSetNode]) -> tuple[Pick, ...]:
        """The picks for a concrete type; with None those that hold whatever the type turns out to be."""
        grouped: dict[str, list[FieldNode]] = {}
        for one in sets:
            self._collect(declared, concrete, one, grouped, set())
        return tuple(self._pick(concrete or declared, key, nodes) for key, nodes in grouped.items())

    def _collect(
        self, declared: Any, concrete: GraphQLObjectType | None, one: SelectionSetNode, grouped: dict[str, list[FieldNode]], seen: set[str]
    ) -> None:
        for node in one.selections:
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                grouped.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if self._applies(node.type_condition, declared, concrete):
                    self._collect(declared, concrete, node.selection_set, grouped, seen)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                fragment = self.fragments[node.name.value]
                if self._applies(fragment.type_condition, declared, concrete):
                    self._collect(declared, concrete, fragment.selection_set, grouped, seen)

    def _applies(self, condition: Any, declared: Any, concrete: GraphQLObjectType | None) -> bool:
        if condition is None or condition.name.value == declared.name:
            return True
        if concrete is None:
            return False
        wanted = self.schema.type_map[condition.name.value]
        return wanted is concrete or (is_abstract_type(wanted) and self._is_sub_type(wanted, concrete))

    def _is_sub_type(self, wanted: Any, concrete: GraphQLObjectType) -> bool:
        abstract: GraphQLAbstractType = wanted
        return self.schema.is_sub_type(abstract, concrete)

    def _pick(self, owner: Any, key: str, nodes: list[FieldNode]) -> Pick:
        name = nodes[0].name.value
        if name.startswith("__"):
            return Pick(key, name)
        definition: GraphQLField = owner.fields[name]
        self.coordinates.append((owner.name, name))
        self._chosen_by(owner.name, name, nodes[0])
        returned = get_named_type(definition.type)
        below = [node.selection_set for node in nodes if node.selection_set is not None]
        of = None if is_leaf_type(returned) else self.selection(returned, below)
        return Pick(key, name, self._arguments(definition, nodes[0]), of)

    def _chosen_by(self, owner: str, name: str, node: FieldNode) -> None:
        """What a field is chosen by is read, as if it had been selected."""
        reads = READS.get((owner, name), {})
        self.coordinates += [reads[argument.name.value] for argument in node.arguments or () if argument.name.value in reads]

    def _arguments(self, definition: GraphQLField, node: FieldNode) -> tuple[Argument, ...]:
        """A node keeps its slots wherever it is selected again for another concrete type."""
        if not definition.args:
            return ()
        argued = self.argued.setdefault(id(node), Argued(f"a{len(self.argued)}", definition, node))
        return tuple(Argument(name, f"{argued.name}_{name}") for name in definition.args)

    def _included(self, node: Any) -> bool:
        for directive in node.directives or ():
            value = directive.arguments[0].value if directive.arguments else None
            decided = self.flags.get(value.name.value, False) if isinstance(value, VariableNode) else getattr(value, "value", False)
            if (directive.name.value == "skip" and decided) or (directive.name.value == "include" and not decided):
                return False
        return True
