"""The hub as a subgraph of Apollo Federation 2: a bank composes it into its supergraph by ``Customer.id`` (ADR 47).

The contract of everybody else stays as it is: ``_service`` and ``_entities`` are there where the operator says so (``HUB_FEDERATION``), and what ``_service`` answers
is the printed contract with the lines of :data:`LINKED` behind it. ``_entities`` is a stored read like any other: one statement, under the rules of ``node(id)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Annotated, Any, NewType

import strawberry
from graphql import GraphQLError, GraphQLSchema

from schema.access import ANYONE, access, asked, shown, stored
from schema.types.customer import Customer
from schema.types.query import QUERY_RULE, Query

LINKED = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])

extend type Customer @key(fields: "id")

extend type PageInfo @shareable
"""
"""What makes a subgraph of the contract. Pages are said alike by many subgraphs."""

Representation = NewType("Representation", str)
Entity = Annotated[Customer, strawberry.union("_Entity", description="What other subgraphs may know by its key.")]


def _representation(value: Any) -> str:
    """The customer's id. Raises GraphQLError for what names nothing of this subgraph."""
    if not isinstance(value, Mapping) or value.get("__typename") != Customer.__name__ or not isinstance(value.get("id"), str):
        raise GraphQLError('expected an object with "__typename": "Customer" and an id')
    return str(value["id"])


ANY = strawberry.scalar(
    name="_Any",
    description="A representation of an entity: `__typename` and the fields of its key.",
    serialize=str,
    parse_value=_representation,
)
SCALARS: dict[object, Any] = {Representation: ANY}
Representations = Annotated[list[Representation], strawberry.argument(description="At most 200.")]


@strawberry.type(name="_Service", description="This subgraph.", directives=[ANYONE])
class Service:
    sdl: str = shown("Its contract, with what federation needs beside it.")


@strawberry.type(name="Query", description=Query.__strawberry_definition__.description, directives=[QUERY_RULE])  # type: ignore[attr-defined]
class SubgraphQuery(Query):
    @asked("What a router composes by. Asked for by itself.", access("schema:introspect"), name="_service")
    def service(self) -> Service:
        return stored()  # type: ignore[no-any-return]

    @asked(
        "The customers behind representations, in their order; null for what is absent and for what the client may not see.",
        returns=list[Entity | None],
        name="_entities",
    )
    def entities(self, representations: Representations) -> Any:
        return stored()


def subgraph_sdl() -> str:
    return (files("schema") / "schema.graphql").read_text("utf-8") + LINKED


def serve_itself(schema: GraphQLSchema) -> None:
    """Gives ``_service`` its answer."""
    assert schema.query_type is not None
    schema.query_type.fields["_service"].resolve = lambda *_: {"sdl": subgraph_sdl()}
