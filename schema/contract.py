"""The schema itself: types, scalars, the extension that answers stored reads, and the resolvers of the ordinary way."""

from __future__ import annotations

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from schema.mutations.root import Mutation
from schema.plan.documents import Documents
from schema.plan.extension import StoredReads
from schema.plan.rules import Rules
from schema.plan.selecting import Planner
from schema.scalars import SCALARS
from schema.stored import wire
from schema.types.facts import FACT_TYPES
from schema.types.query import Query


class HubSchema(strawberry.Schema):
    """Strawberry's schema with the documents it has seen and its access rules."""

    def __init__(self) -> None:
        config = StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True)
        super().__init__(query=Query, mutation=Mutation, types=list(FACT_TYPES.values()), extensions=[StoredReads], config=config)
        wire(self._schema)
        self.rules = Rules(self._schema)
        self.documents = Documents(self._schema, Planner(self._schema, self.rules))

    @property
    def core(self) -> GraphQLSchema:
        """graphql-core's schema."""
        return self._schema


def build_schema() -> HubSchema:
    return HubSchema()
