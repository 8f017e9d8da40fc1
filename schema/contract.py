"""The schema itself: types, scalars, the extension that answers stored reads, and the resolvers of the ordinary way.

``python -m schema.contract`` prints the contract as SDL; ``make schema`` writes it to ``schema/schema.graphql``.
"""

from __future__ import annotations

import sys
from typing import Any, cast

import orjson
import strawberry
from graphql import GraphQLError, GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, ExecutionResult

from hub.domain.caller import Reconsider
from schema import federation
from schema.context import Context
from schema.mutations.root import Mutation
from schema.plan.documents import Document, Documents
from schema.plan.extension import StoredReads, admit, read
from schema.plan.rules import Rules
from schema.plan.selecting import Plan, Planner, Way
from schema.scalars import SCALARS
from schema.stored import wire
from schema.types.facts import FACT_TYPES
from schema.types.query import Query
from schema.types.watching import Subscription


class Undeclared(Exception):
    """Fields of the contract that declare no access rule, for themselves or with their type."""

    def __init__(self, coordinates: list[str]) -> None:
        super().__init__(
            f"No access rule is declared for {', '.join(coordinates)}. Add one where the field is declared (schema/access.py)."
        )


class HubSchema(strawberry.Schema):
    """Strawberry's schema with the documents it has seen and its access rules. ``federated``: as a subgraph, too. Raises Undeclared for a field without a rule."""

    def __init__(self, *, federated: bool = False) -> None:
        scalars = SCALARS | federation.SCALARS if federated else SCALARS
        config = StrawberryConfig(scalar_map=scalars, disable_field_suggestions=True)
        super().__init__(
            query=federation.SubgraphQuery if federated else Query,
            mutation=Mutation,
            subscription=Subscription,
            types=list(FACT_TYPES.values()),
            extensions=[StoredReads],
            config=config,
        )
        wire(self._schema)
        if federated:
            federation.serve_itself(self._schema)
        self.rules = Rules(self._schema)
        if missing := self.rules.undeclared():
            raise Undeclared(missing)
        self.documents = Documents(self._schema, Planner(self._schema, self.rules))

    @property
    def core(self) -> GraphQLSchema:
        """graphql-core's schema."""
        return self._schema

    async def execute(  # type: ignore[override]
        self, query: str, variable_values: dict[str, Any] | None, context_value: Context, *, operation_name: str | None = None
    ) -> ExecutionResult:
        """As Strawberry does, but what is read from the store goes straight to the plan (ADR 42). Raises Reconsider."""
        variables = variable_values or {}
        found = self._stored(query, variables, context_value, operation_name)
        if found is None:
            if context_value.pending is not None:
                await context_value.pending.settle()
            return await super().execute(query, variable_values, context_value, operation_name=operation_name)
        try:
            await admit(self.documents, *found, variables, context_value)
            body = await read(self.documents, found[1], variables, context_value)
        except Reconsider:
            raise
        except Exception as error:  # noqa: BLE001 -- as Strawberry does: whatever it is, the endpoint masks it
            return ExecutionResult(
                data=None, errors=[error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)]
            )
        return ExecutionResult(data=cast(Any, orjson.Fragment(body)), errors=None)

    def _stored(self, query: str, variables: dict[str, Any], context: Context, operation_name: str | None) -> tuple[Document, Plan] | None:
        """The document and its plan, where the operation is known to be valid and to read the store alone."""
        document = self.documents.of(query, introspecting="schema:introspect" in context.caller.scopes)
        if document.node is None or document.errors:
            return None
        try:
            plan = self.documents.plan(document, operation_name, variables)
        except GraphQLError:
            return None
        return (document, plan) if plan.way is Way.STORED else None

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Strawberry's own log would hold the document; the endpoint logs what may be logged."""

    def sdl(self) -> str:
        """The contract as text, access rules included, with a line feed at the end."""
        return self.as_str() + "\n"


def build_schema(*, federated: bool = False) -> HubSchema:
    return HubSchema(federated=federated)


if __name__ == "__main__":
    sys.stdout.write(build_schema().sdl())
