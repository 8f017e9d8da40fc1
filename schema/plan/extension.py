"""Hangs the plan into Strawberry: documents are remembered, permissions checked, stored reads answered without a resolver."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import nullcontext
from typing import Any, cast

import orjson
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionResult

from hub.domain.selection import SlotValues
from hub.errors import InvalidInput, NotAllowed, TooSlow
from schema.codes import coded
from schema.context import Context
from schema.deadline import Deadline
from schema.plan.cost import check_cost
from schema.plan.documents import Document, Documents
from schema.plan.keys import missing_keys
from schema.plan.prices import CHOOSING
from schema.plan.selecting import Plan, Way

MAX_ANSWER = 2_000_000
DEADLINES: Mapping[str, float] = {"PARTNER": 2.0}
"""Seconds that reading may take, by audience; the endpoint bounds everything else. What has an effect is not cut short by it."""

_AT_LEISURE = nullcontext()

LOOKED_THROUGH = "There are too many customers to choose among them in this time."
CHOOSE_LESS = "Choose by what fewer customers have, name the `scenario`, and leave `totalCount` out."


class StoredReads(SchemaExtension):
    """One per request."""

    document: Document

    @property
    def documents(self) -> Documents:
        return cast(Documents, cast(Any, self.execution_context.schema).documents)

    @property
    def context(self) -> Context:
        return cast(Context, self.execution_context.context)

    def on_parse(self) -> Iterator[None]:
        scopes = self.context.caller.scopes
        self.document = self.documents.of(self.execution_context.query or "", introspecting="schema:introspect" in scopes)
        if self.document.node is None:
            raise self.document.errors[0]
        self.execution_context.graphql_document = self.document.node
        yield

    def on_validate(self) -> Iterator[None]:
        assert self.document.node is not None
        chosen, given = self.execution_context._provided_operation_name, self.execution_context.variables or {}
        unkeyed = missing_keys(self.documents.schema, self.document.node, chosen, given)
        self.execution_context.pre_execution_errors = unkeyed[:1] or list(self.document.errors)
        yield

    async def on_execute(self) -> AsyncIterator[None]:
        given: Mapping[str, Any] = self.execution_context.variables or {}
        # The public `operation_name` falls back to the first operation; a client that does not choose among several gets none.
        chosen = self.execution_context._provided_operation_name
        plan = self.documents.plan(self.document, chosen, dict(given))
        await admit(self.documents, self.document, plan, given, self.context)
        if plan.way is Way.STORED:
            body = await read(self.documents, plan, given, self.context)
            self.execution_context.result = ExecutionResult(data=cast(Any, orjson.Fragment(body)), errors=None)
        yield


async def admit(documents: Documents, document: Document, plan: Plan, given: Mapping[str, Any], context: Context) -> None:
    """Before anything is done for an operation: whether its client may ask it, and pays for it."""
    require(plan, context.caller.scopes)
    if plan.way is Way.LIVE:
        how = "Subscribe over WebSocket (graphql-transport-ws), or with `Accept: text/event-stream`."
        raise coded(GraphQLError(how), "OPERATION_UNKNOWN")
    price = documents.price(document, plan, given)
    context.price.update(cost=price.cost, rows=price.rows)
    check_cost(price.cost, context.caller.audience)
    await context.meter.charge(context.caller, price.cost)


async def read(documents: Documents, plan: Plan, given: Mapping[str, Any], context: Context) -> bytes:
    """The data as JSON text. Raises TooSlow when the caller's time is over: the statement is ended, and nothing is answered."""
    assert plan.read is not None
    caller, values = context.caller, plan.values(documents.schema, given)
    seconds = DEADLINES.get(caller.audience)
    try:
        with Deadline(seconds) if seconds else _AT_LEISURE:
            body = await context.reads.read(caller, plan.read, values, context.pending)
    except (TimeoutError, TooSlow):
        raise (TooSlow(LOOKED_THROUGH, remedy=CHOOSE_LESS) if _chooses(plan, values) else TooSlow()) from None
    if len(body) > MAX_ANSWER:
        raise InvalidInput("The answer is too large.", remedy="Ask for smaller pages or fewer fields.")
    return body


def _chooses(plan: Plan, values: SlotValues) -> bool:
    """Whether customers are chosen among all: they are looked through, and those that are found may be the last."""
    assert plan.read is not None
    return any(
        argument.name in CHOOSING.get(f"Query.{pick.name}", ()) and values.get(argument.slot) is not None
        for pick in plan.read.selection.picks
        for argument in pick.arguments
    )


REMEDY = "Ask for it with the token, or leave the field out."
OF_OFFERS = f"{REMEDY} It is worth nothing to a platform that is not on the institution's public list."


def require(plan: Plan, scopes: frozenset[str]) -> None:
    """Raises NotAllowed, naming what is missing and where, unless every scope the operation needs is held."""
    for scope, coordinate in sorted(plan.needs.items()):
        if scope not in scopes:
            raise NotAllowed(f"{coordinate} needs the scope {scope}.", remedy=OF_OFFERS if scope.startswith("enhancement:") else REMEDY)
