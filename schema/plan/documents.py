"""Documents: parsed, measured and validated once, then remembered by their text. Errors are remembered too."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema.codes import coded
from schema.plan.arguments import coerced
from schema.plan.cost import Costing, Price
from schema.plan.limits import INTROSPECTING, Limits, TooMuch, check_document
from schema.plan.prices import INTROSPECTION_COST
from schema.plan.remembered import remembered
from schema.plan.selecting import Plan, Planner

_KEPT = 500
_SHAPES = 64
"""Plans kept per document: a document with n flags has 2^n shapes, and a client chooses them."""


@dataclass(slots=True)
class Document:
    """A document with what was found out about it. ``plans`` grows with the operations and shapes that are asked for."""

    sha256: str
    node: DocumentNode | None
    errors: list[GraphQLError]
    flag_names: frozenset[str] | None = None
    plans: dict[tuple[str | None, tuple[tuple[str, bool], ...]], Plan] = field(default_factory=dict)


class Documents:
    """One per schema."""

    def __init__(self, schema: GraphQLSchema, planner: Planner, limits: Limits | None = None) -> None:
        self.schema, self.planner, self.limits = schema, planner, limits or Limits()
        self._known: OrderedDict[tuple[str, bool], Document] = OrderedDict()

    def of(self, text: str, *, introspecting: bool) -> Document:
        """``introspecting`` callers may nest as deep as introspection needs."""
        key = (text, introspecting)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._read(text, introspecting=introspecting)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return found

    def _read(self, text: str, *, introspecting: bool) -> Document:
        """Who may read the contract is told what he may have meant; nobody else is."""
        limits = INTROSPECTING if introspecting else self.limits
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        try:
            node = parse(text, max_tokens=limits.tokens)
            check_document(node, limits)
        except GraphQLError as error:
            # graphql-core counts tokens while it parses, and says how many are allowed.
            return Document(sha256, None, [TooMuch("tokens") if "tokens" in error.message and "more than" in error.message else error])
        except RecursionError:
            return Document(sha256, None, [TooMuch("depth")])
        rules = [*specified_rules, OneOfInputValidationRule]
        errors = validate(self.schema, node, rules, max_errors=5, hide_suggestions=not introspecting, allow_empty_selection_sets=False)
        return Document(sha256, node, [coded(error, "VALIDATION_FAILED") for error in errors])

    def plan(self, document: Document, operation_name: str | None, variables: dict[str, object]) -> Plan:
        """The plan of one operation of a valid document, for the values its ``@skip`` and ``@include`` take."""
        operation = operation_of(document, operation_name)
        flags = self.planner.flags(document, operation, variables)
        key = (operation_name, tuple(sorted(flags.items())))
        if key not in document.plans:
            if len(document.plans) >= _SHAPES:
                document.plans.clear()
            document.plans[key] = self.planner.plan(document.node, document.sha256, operation, flags)
        return document.plans[key]

    @remembered
    def price(self, document: Document, plan: Plan, variables: Mapping[str, object]) -> Price:
        """What the planned operation costs, and reads at most, under the variables of one request. Raises GraphQLError for variables that do not fit."""
        assert document.node is not None
        if plan.introspects:
            return Price(INTROSPECTION_COST)
        root = self.schema.get_root_type(plan.operation.operation)
        fragments = {node.name.value: node for node in document.node.definitions if isinstance(node, FragmentDefinitionNode)}
        return Costing(self.schema, fragments, coerced(self.schema, plan.operation, variables)).of(root, plan.operation.selection_set)


def operation_of(document: Document, name: str | None) -> OperationDefinitionNode:
    """Raises GraphQLError when the name does not choose exactly one operation."""
    assert document.node is not None
    found = [node for node in document.node.definitions if isinstance(node, OperationDefinitionNode)]
    chosen = [node for node in found if name is None or (node.name is not None and node.name.value == name)]
    if len(chosen) != 1:
        raise coded(GraphQLError("Say with `operationName` which operation of the document to run."), "OPERATION_UNKNOWN")
    return chosen[0]
