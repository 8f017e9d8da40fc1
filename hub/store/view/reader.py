"""Runs a stored read: one transaction that says who asks, the statement, the access-log rows; durable before the answer leaves.

Statements are cached by selection and by which arguments are given.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from hub.domain.caller import Caller
from hub.domain.clock import Clock
from hub.domain.identifiers import new_id
from hub.domain.selection import Selection, SlotValues, StoredRead
from hub.errors import TooSlow
from hub.store.database import Database, Scope, Write
from hub.store.view.binding import bind, subject_of
from hub.store.view.catalogue import Catalogue
from hub.store.view.compiler import Statement, compile_selection
from hub.store.view.environment import ViewSettings, environment

_LOG = text(
    "insert into access_log (customer_id, log_id, client_id, purpose, operation, document_sha256, fields, outcome, at)"
    " select customer_id, log_id, :client, :purpose, :operation, :sha256, :fields, 'ANSWERED', now()"
    " from unnest(cast(:customers as uuid[]), cast(:ids as uuid[])) as seen(customer_id, log_id)"
)
# Ends with the transaction, as the client and the purpose do.
_OPERATES = text("select set_config('hub.operator', 'yes', true)")
_KEPT = 512
_QUERY_CANCELED = "57014"


class Reader:
    """Answers stored reads. One per process."""

    def __init__(self, database: Database, catalogue: Catalogue, settings: ViewSettings, clock: Clock) -> None:
        self.database, self.catalogue, self.settings, self.clock = database, catalogue, settings, clock
        self._statements: OrderedDict[tuple[int, frozenset[str]], tuple[Selection, Statement]] = OrderedDict()

    async def read(self, caller: Caller, read: StoredRead, values: SlotValues) -> bytes:
        """The data of the answer as JSON text. Raises InvalidInput for page sizes and cursors that do not fit."""
        given = {slot: value for slot, value in values.items() if value is not None}
        statement = self.statement(read.selection, frozenset(given))
        now = self.clock.now()
        found = bind(statement.bindings, given)
        bound = environment(caller, self.settings, now) | found
        async with self.database.write(Scope(caller.client_id, caller.purpose, now, subject_of(statement.bindings, found))) as tx:
            if caller.operates:
                await tx.execute(_OPERATES)
            row = await _answered(tx, statement.text, bound)
            await _log(tx, caller, read, row.seen)
        return str(row.body).encode()

    def statement(self, selection: Selection, present: frozenset[str]) -> Statement:
        """The selection is kept beside its statement, so that its identity stays its own as long as it is a key."""
        key = (id(selection), present)
        found = self._statements.get(key)
        if found is None:
            found = self._statements[key] = (selection, compile_selection(selection, self.catalogue, present))
            if len(self._statements) > _KEPT:
                self._statements.popitem(last=False)
        else:
            self._statements.move_to_end(key)
        return found[1]


async def _answered(tx: Write, statement: str, bound: Mapping[str, Any]) -> Any:
    """The statement's one row. Raises TooSlow when the server ended it (``statement_timeout``)."""
    try:
        return (await tx.exec_driver_sql(statement, bound)).one()
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == _QUERY_CANCELED:
            raise TooSlow from None
        raise


async def _log(tx: Write, caller: Caller, read: StoredRead, seen: list[Any]) -> None:
    customers = sorted(set(seen))
    if not customers:
        return
    row: Mapping[str, Any] = {
        "client": caller.client_id,
        "purpose": caller.purpose,
        "operation": read.name,
        "sha256": read.sha256,
        "fields": list(read.fields),
        "customers": customers,
        "ids": [new_id() for _ in customers],
    }
    await tx.execute(_LOG, row)
