"""Demand control: one measuring pass over the parsed document, before validation, remembers each fragment.

Every count is taken where spreads land: a fragment spread a thousand times counts a thousand times, and is walked once. A fragment that no
operation spreads is measured as well, since validation walks it. What a document names and does not define counts nothing here; validation
reports it (trust rules, section f).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
)
from graphql.language import ValueNode

from schema.codes import coded


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may hold. ``depth`` counts the leaf, ``nesting`` the lists and objects around a literal value."""

    tokens: int = 2000
    depth: int = 10
    fields: int = 500
    aliases: int = 30
    directives: int = 20
    nesting: int = 20
    operations: int = 5
    fragments: int = 30


INTROSPECTING = Limits(depth=16)
"""Introspection nests deeper by itself; only callers with the scope for it get these."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a selection holds, spreads resolved."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    nesting: int = 0

    def beside(self, other: Measure) -> Measure:
        return Measure(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
            max(self.nesting, other.nesting),
        )


def check_document(document: DocumentNode, limits: Limits) -> None:
    """Raises GraphQLError, naming the limit, when the document asks for too much."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    fragments = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
    _refuse("operations", len(operations), limits.operations)
    _refuse("fragments", len(fragments), limits.fragments)
    measuring = _Measuring({node.name.value: node for node in fragments})
    for found in (*map(measuring.operation, operations), *(measuring.fragment(node.name.value) for node in fragments)):
        for name in (field.name for field in fields(Measure)):
            _refuse(name, getattr(found, name), getattr(limits, name))


def _refuse(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise TooMuch(what)


class TooMuch(GraphQLError):
    """The document holds too much of something."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The document holds too much: {what}.", extensions={"code": "DOCUMENT_TOO_LARGE"})


class _Measuring:
    def __init__(self, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self.fragments, self.known, self.open = fragments, dict[str, Measure](), set[str]()

    def operation(self, node: OperationDefinitionNode) -> Measure:
        found = _decorated(node).beside(self._of(node.selection_set))
        for variable in node.variable_definitions or ():
            found = found.beside(_decorated(variable, variable.default_value))
        return found

    def fragment(self, name: str) -> Measure:
        if name in self.open:
            raise coded(GraphQLError("A fragment spreads itself."), "VALIDATION_FAILED")
        fragment = self.fragments.get(name)
        if fragment is None:
            return Measure()
        if name not in self.known:
            self.open.add(name)
            self.known[name] = _decorated(fragment).beside(self._of(fragment.selection_set))
            self.open.discard(name)
        return self.known[name]

    def _of(self, selections: SelectionSetNode | None) -> Measure:
        total = Measure()
        for node in selections.selections if selections else ():
            total = total.beside(self._node(node))
        return total

    def _node(self, node: SelectionNode) -> Measure:
        own = _decorated(node)
        if isinstance(node, FieldNode):
            below = self._of(node.selection_set)
            own = own.beside(_given(argument.value for argument in node.arguments or ()))
            return own.beside(
                Measure(below.depth + 1, below.fields + 1, below.aliases + (node.alias is not None), below.directives, below.nesting)
            )
        if isinstance(node, InlineFragmentNode):
            return own.beside(self._of(node.selection_set))
        assert isinstance(node, FragmentSpreadNode)
        return own.beside(self.fragment(node.name.value))


def _decorated(node: object, value: ValueNode | None = None) -> Measure:
    """The directives of a node with their arguments, and a value beside them."""
    directives = getattr(node, "directives", None) or ()
    values = [argument.value for directive in directives for argument in directive.arguments or ()]
    return _given([*values, *([value] if value is not None else [])]).beside(Measure(directives=len(directives)))


def _given(values: Iterable[ValueNode]) -> Measure:
    return Measure(nesting=max(map(_nesting, values), default=0))


def _nesting(value: ValueNode) -> int:
    """Lists and objects around the innermost value. PostgreSQL stores no NUL, so a text with one is refused here for all."""
    if isinstance(value, StringValueNode) and "\0" in value.value:
        raise coded(GraphQLError("A text holds no NUL character."), "VARIABLES_INVALID")
    if isinstance(value, ListValueNode):
        return 1 + max(map(_nesting, value.values), default=0)
    if isinstance(value, ObjectValueNode):
        return 1 + max((_nesting(field.value) for field in value.fields), default=0)
    return 0
