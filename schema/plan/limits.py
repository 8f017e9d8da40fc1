"""Demand control: one measuring pass over the parsed document, before validation, remembers each fragment.

Every count is taken where spreads land: a fragment spread a thousand times counts a thousand times, and is walked once. What a document
names and does not define counts nothing here; validation reports it (trust rules, section f).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may hold. ``depth`` counts the leaf."""

    tokens: int = 2000
    depth: int = 10
    fields: int = 500
    aliases: int = 30
    directives: int = 20
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

    def beside(self, other: Measure) -> Measure:
        return Measure(
            max(self.depth, other.depth), self.fields + other.fields, self.aliases + other.aliases, self.directives + other.directives
        )


def check_document(document: DocumentNode, limits: Limits) -> None:
    """Raises GraphQLError, naming the limit, when the document asks for too much."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    _refuse("operations", len(operations), limits.operations)
    _refuse("fragments", len(fragments), limits.fragments)
    measuring = _Measuring(fragments)
    for operation in operations:
        own = Measure(directives=len(operation.directives or ()))
        found = own.beside(measuring.of(operation.selection_set))
        for name in (field.name for field in fields(Measure)):
            _refuse(name, getattr(found, name), getattr(limits, name))


def _refuse(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise GraphQLError(f"The document holds too much: {what}.")


class _Measuring:
    def __init__(self, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self.fragments, self.known, self.open = fragments, dict[str, Measure](), set[str]()

    def of(self, selections: SelectionSetNode | None) -> Measure:
        total = Measure()
        for node in selections.selections if selections else ():
            total = total.beside(self._node(node))
        return total

    def _node(self, node: SelectionNode) -> Measure:
        directives = len(node.directives or ())
        if isinstance(node, FieldNode):
            below = self.of(node.selection_set)
            aliased = below.aliases + (node.alias is not None)
            return Measure(below.depth + 1, below.fields + 1, aliased, below.directives + directives)
        own = Measure(directives=directives)
        if isinstance(node, InlineFragmentNode):
            return own.beside(self.of(node.selection_set))
        assert isinstance(node, FragmentSpreadNode)
        return own.beside(self._fragment(node.name.value))

    def _fragment(self, name: str) -> Measure:
        if name in self.open:
            raise GraphQLError("A fragment spreads itself.")
        fragment = self.fragments.get(name)
        if fragment is None:
            return Measure()
        if name not in self.known:
            self.open.add(name)
            self.known[name] = Measure(directives=len(fragment.directives or ())).beside(self.of(fragment.selection_set))
            self.open.discard(name)
        return self.known[name]
