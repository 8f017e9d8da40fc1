"""Whether a document may be stored for a client, and whether one that is stored still fits the contract: of today, or of a printed one that is to come.

One that is stored holds one operation, so that its digest says what is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, build_schema, parse, specified_rules, validate

from schema.discreet import without_values
from schema.plan.limits import Limits, check_document

MOST_BYTES = 32 * 1024
LIMITS = replace(Limits(), operations=1)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a document, where, and what to do."""

    line: int
    message: str
    remedy: str


def faults(schema: GraphQLSchema, document: str) -> list[Fault]:
    """None, if it may be stored, or goes on as it is."""
    if len(document.encode()) > MOST_BYTES:
        return [Fault(1, "The document is longer than 32 kB.", "Split it.")]
    try:
        node = parse(document, max_tokens=LIMITS.tokens)
        check_document(node, LIMITS)
    except GraphQLError as error:
        return [_fault(error, "Correct the document.")]
    if not any(isinstance(one, OperationDefinitionNode) for one in node.definitions):
        return [Fault(1, "The document holds no operation.", "Store a document with one operation.")]
    found = validate(schema, node, specified_rules, max_errors=20)
    return list(_told(found))


def printed(sdl: str) -> GraphQLSchema:
    """The contract of a printed SDL. Raises GraphQLError."""
    return build_schema(sdl)


def _told(found: list[GraphQLError]) -> Iterator[Fault]:
    for error in found:
        words, _, hint = error.message.partition(" Did you mean ")
        remedy = (
            f"Did you mean {hint}"
            if hint
            else "Keep it in the contract, deprecated, until no stored document asks for it; or store a document without it."
        )
        yield _fault(GraphQLError(words, error.nodes), remedy)


def _fault(error: GraphQLError, remedy: str) -> Fault:
    places = error.locations or []
    return Fault(places[0].line if places else 1, without_values(error.message), remedy)
