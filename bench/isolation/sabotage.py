"""Who asks is said by a plain SET before the transaction, as it would be to a session of one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from unittest import mock

from sqlalchemy import text

from hub.store.database import Database, Scope, Write

_SET = text("SELECT set_config('hub.client', :client, false), set_config('hub.purpose', :purpose, false)")


@asynccontextmanager
async def _said_before(self: Database, scope: Scope) -> AsyncIterator[Write]:
    async with self.app.connect() as connection:
        async with connection.begin():
            await connection.execute(_SET, {"client": scope.client, "purpose": scope.purpose})
        async with connection.begin():
            yield Write(connection)


@contextmanager
def broken(guard: str | None) -> Iterator[None]:
    """While it lasts, the guard is out."""
    if guard is None:
        yield
        return
    with mock.patch.object(Database, "write", _said_before):
        yield
