"""Subscriptions, whatever carries them: an operation is prepared as a query is (documents, limits, rules, cost), then its stored read is answered again with
every beat of the pulse. The transports are :mod:`schema.sse` and :mod:`schema.socket`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from graphql import GraphQLError

from hub.domain.caller import Admitted
from hub.domain.selection import Argument, SlotValues, StoredRead
from hub.errors import InvalidInput
from schema.body import Question
from schema.codes import coded
from schema.context import Meter, Reads
from schema.contract import HubSchema
from schema.plan.cost import check_cost
from schema.plan.extension import MAX_ANSWER, require
from schema.plan.selecting import Plan, Way

Emit = Callable[[bytes], Awaitable[None]]


class Pulse(Protocol):
    """Says when to answer again. Implemented by ``hub.store.view.Pulse``."""

    def beats(self, admitted: Admitted, customer: str | None, connection: str | None) -> AsyncIterator[None]: ...

    def changes(self, admitted: Admitted, customer: str, after: str | None) -> AsyncIterator[SlotValues]: ...


class Refused(Exception):
    """The operation cannot be subscribed to: ``errors`` say why."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        self.errors = errors
        super().__init__()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A subscription that may begin."""

    live: Live
    admitted: Admitted
    read: StoredRead
    values: SlotValues
    cost: int

    async def answers(self, emit: Emit) -> None:
        """The data of each answer as JSON text, until nothing more is to come; to begin it costs as much as to ask once. Raises HubError."""
        await self.live.meter.charge(self.admitted.caller, self.cost)
        async with aclosing(self._beats()) as beating:  # type: ignore[type-var]
            async for more in beating:
                body = await self.live.reads.read(self.admitted.caller, self.read, {**self.values, **(more or {})})
                if len(body) > MAX_ANSWER:
                    raise InvalidInput("The answer is too large.", remedy="Ask for smaller pages or fewer fields.")
                await emit(body)

    def _beats(self) -> AsyncIterator[SlotValues | None]:
        """Each with what the read is told beside its arguments."""
        (pick,) = self.read.selection.picks
        watched = {argument.name: self.values.get(argument.slot) for argument in pick.arguments}
        if pick.name == "profileChanged":
            return self.live.pulse.changes(self.admitted, str(watched["customerId"]), watched.get("after"))
        return self.live.pulse.beats(self.admitted, watched.get("customerId"), watched.get("connectionId"))


@dataclass(frozen=True, slots=True)
class Live:
    """What subscriptions work with."""

    schema: HubSchema
    reads: Reads
    pulse: Pulse
    meter: Meter

    def prepare(self, admitted: Admitted, question: Question) -> Prepared:
        """Raises Refused, GraphQLError, HubError. Nothing is read yet."""
        documents, caller = self.schema.documents, admitted.caller
        document = documents.of(question.query, introspecting=False)
        if document.node is None or document.errors:
            raise Refused(document.errors)
        plan = documents.plan(document, question.operation, question.variables)
        require(plan, caller.scopes)
        read = _live_read(plan)
        cost = documents.price(document, plan, question.variables).cost
        check_cost(cost, caller.audience)
        return Prepared(self, admitted, read, plan.values(self.schema.core, question.variables), cost)


def _live_read(plan: Plan) -> StoredRead:
    if plan.way is not Way.LIVE or plan.read is None or not plan.read.selection.picks:
        raise coded(GraphQLError("Only subscriptions are served here. Ask queries and mutations by POST."), "OPERATION_UNKNOWN")
    return _between(plan.read)


BETWEEN = ("since", "until")
"""What a read of changes is told by the pulse."""


def _between(read: StoredRead) -> StoredRead:
    """A read of changes lies between two moments, which no client names."""
    (pick,) = read.selection.picks
    if pick.name != "profileChanged":
        return read
    told = replace(pick, arguments=(*pick.arguments, *(Argument(name, name) for name in BETWEEN)))
    return replace(read, selection=replace(read.selection, picks=(told,)))


async def run_to_end(work: Awaitable[None]) -> BaseException | None:
    """What ended it: an error that is to be shown, or nothing. Cancelled with its caller."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
        await asyncio.wait({task})
    return None if task.cancelled() else task.exception()
