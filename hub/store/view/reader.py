"""Runs a stored read: one transaction that says who asks, and the statement; then the access-log rows, durable before the answer leaves.

What is private to the hub (drafts of policies) is read beside it, as the hub: by a statement of its own that reaches no customer.

Statements are cached by selection and by which arguments are given.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import orjson
from sqlalchemy.exc import DBAPIError

from hub.domain.audit import Accessed
from hub.domain.caller import Caller, Pending
from hub.domain.clock import Clock
from hub.domain.selection import Pick, Selection, SlotValues, StoredRead
from hub.errors import TooSlow
from hub.store.database import Database, Scope
from hub.store.view.basis import Relied, accessed
from hub.store.view.binding import bind, kinds_named
from hub.store.view.catalogue import Catalogue, NodeOf, Paged
from hub.store.view.compiler import Statement, compile_selection
from hub.store.view.environment import ViewSettings, environment

_KEPT = 512
_QUERY_CANCELED = "57014"


class Log(Protocol):
    """Where it is written who read what. Implemented by ``hub.access.audit.AccessLog``."""

    async def write(self, rows: Sequence[Accessed], pending: Pending | None) -> None:
        """Returns when the rows are durable and what was ``pending`` is settled. Raises Reconsider."""
        ...


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement, and what it relies on. ``private`` reads the fields of Query that are the hub's own; None where there are none. ``keys``: of both, in their order."""

    statement: Statement
    relied: Relied
    text: str
    private: Statement | None = None
    keys: tuple[str, ...] = ()

    @staticmethod
    def of(selection: Selection, catalogue: Catalogue, present: frozenset[str]) -> Compiled:
        private = [pick for pick in selection.picks if _is_private(selection, pick, catalogue)]
        if private:
            mine = tuple(pick for pick in selection.picks if pick not in private)
            keys = tuple(pick.key for pick in selection.picks)
            found = Compiled.of(replace(selection, picks=mine), catalogue, present)
            return replace(found, private=compile_selection(replace(selection, picks=tuple(private)), catalogue, present), keys=keys)
        statement, relied = compile_selection(selection, catalogue, present), Relied.of(selection, present)
        # OFFSET keeps PostgreSQL from working the answer's customers out twice.
        told = f"select a.body, a.seen, {relied.sql('a.seen')} as basis from ({statement.text} offset 0) a"
        return Compiled(statement, relied, told)


class Reader:
    """Answers stored reads. One per process."""

    def __init__(self, database: Database, catalogue: Catalogue, settings: ViewSettings, clock: Clock, log: Log) -> None:
        self.database, self.catalogue, self.settings, self.clock, self.log = database, catalogue, settings, clock, log
        self._statements: OrderedDict[tuple[int, frozenset[str]], tuple[Selection, Compiled]] = OrderedDict()
        self._of_nodes = {
            (owner, name) for owner, view in catalogue.items() for name, one in view.members.items() if isinstance(one, NodeOf)
        }

    async def read(self, caller: Caller, read: StoredRead, values: SlotValues, pending: Pending | None = None) -> bytes:
        """The data of the answer as JSON text. Raises InvalidInput for page sizes and cursors that do not fit; Reconsider where what is ``pending`` of the admission does not
        hold."""
        given = {slot: value for slot, value in values.items() if value is not None}
        present = frozenset(given) | self._kinds(read.selection, given)
        compiled, now = self.compiled(read.selection, present), self.clock.now()
        private = await self._private(caller, compiled.private, given, now) if compiled.private else None
        bound = environment(caller, self.settings, now) | bind(compiled.statement.bindings, given)
        scope = Scope.of(caller, now)
        body, seen, basis = await self._answered(scope, compiled.text, bound, operator=caller.operates)
        # The connection is back in its pool: whoever waits for the disk keeps nobody from reading.
        await self.log.write(accessed(caller, read, compiled.relied, uuids(seen), orjson.loads(basis) if basis else None), pending)
        return body if private is None else _joined(compiled.keys, body, private)

    def _kinds(self, selection: Selection, given: SlotValues) -> frozenset[str]:
        """The types that ids of nodes name, where nodes are asked for."""
        asked = [pick for pick in selection.picks if (selection.type, pick.name) in self._of_nodes]
        if not asked:
            return frozenset()
        slots = {argument.slot for pick in asked for argument in pick.arguments}
        return kinds_named({slot: given[slot] for slot in slots if slot in given}, self.catalogue)

    async def _private(self, caller: Caller, statement: Statement, given: SlotValues, now: datetime) -> str:
        """The body of a statement that is run as the hub, within the caller's time."""
        bound = environment(caller, self.settings, now) | bind(statement.bindings, given)
        try:
            return str(await self.database.ask_as_hub(Scope.of(caller, now), statement.text, bound))
        except DBAPIError as error:
            raise _too_slow(error) or error from None

    async def _answered(
        self, scope: Scope, statement: str, bound: Mapping[str, Any], *, operator: bool
    ) -> tuple[bytes, bytes, bytes | None]:
        """The statement's one row. Raises TooSlow when the server ended it (``statement_timeout``)."""
        try:
            ((body, seen, basis),) = await self.database.ask(scope, statement, bound, operator=operator)
        except DBAPIError as error:
            raise _too_slow(error) or error from None
        assert body is not None and seen is not None
        return body, seen, basis

    def compiled(self, selection: Selection, present: frozenset[str]) -> Compiled:
        """The selection is kept beside its statement, so that its identity stays its own as long as it is a key."""
        key = (id(selection), present)
        found = self._statements.get(key)
        if found is None:
            found = self._statements[key] = (selection, Compiled.of(selection, self.catalogue, present))
            if len(self._statements) > _KEPT:
                self._statements.popitem(last=False)
        else:
            self._statements.move_to_end(key)
        return found[1]


def _is_private(selection: Selection, pick: Pick, catalogue: Catalogue) -> bool:
    member = catalogue[selection.type].members.get(pick.name)
    return isinstance(member, Paged) and member.private


def _joined(keys: Iterable[str], *bodies: bytes | str) -> bytes:
    """One object of several, in the order of its keys."""
    parts: dict[str, Any] = {}
    for body in bodies:
        parts |= orjson.loads(body)
    return orjson.dumps({key: parts[key] for key in keys})


def _too_slow(error: DBAPIError) -> TooSlow | None:
    """That the server ended it (``statement_timeout``)."""
    return TooSlow() if getattr(error.orig, "sqlstate", None) == _QUERY_CANCELED else None


def uuids(listed: bytes) -> list[UUID]:
    """What PostgreSQL writes of an array of ids."""
    inside = listed[1:-1].decode("ascii")
    return [UUID(one) for one in inside.split(",")] if inside else []
