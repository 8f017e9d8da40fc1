"""The driver beneath SQLAlchemy, for the few statements that every page needs: prepared, with their parameters by number, several sent in one go.

SQLAlchemy would look for parameters in their text again and again, and wait for the answer to each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from psycopg.pq import ExecStatus

Driver = psycopg.AsyncConnection[Any]
Answer = psycopg.AsyncRawCursor[Any]
Statements = Sequence[tuple[str, Mapping[str, Any]]]


class Answers(NamedTuple):
    """The rows of each statement of several sent in one go, up to the one that failed, and how that failed."""

    rows: list[list[tuple[Any, ...]]]
    error: psycopg.Error | None


_NAMED = re.compile(r"%\((\w+)\)s")
_NEWER, _OLDER, _SINCE = "json_scalar(", "to_json(", 17_00_00
"""What writes one value as JSON. An older server has another word for it, and takes a little longer."""


def is_older(driver: Driver) -> bool:
    """Whether the server lacks words that our statements use."""
    return driver.pgconn.server_version < _SINCE


# Clients make new statements: as many as they like.
@lru_cache(maxsize=1_024)
def positional(statement: str, *, older: bool = False) -> tuple[bytes, tuple[str, ...]]:
    """A statement with ``%(name)s`` as one with ``$1``, and the names in their order. ``older``: in the words of an older server."""
    numbers: dict[str, int] = {}
    if older:
        statement = statement.replace(_NEWER, _OLDER)
    text = _NAMED.sub(lambda found: f"${numbers.setdefault(found[1], len(numbers) + 1)}", statement)
    return text.encode(), tuple(numbers)


async def send(driver: Driver, statement: str, values: Mapping[str, Any], *, binary: bool = False) -> Answer:
    """Executes a statement; within ``driver.pipeline()`` its answer can be read once the pipeline has ended. Raises psycopg.Error."""
    text, names = positional(statement, older=is_older(driver))
    return await psycopg.AsyncRawCursor(driver).execute(text, [values[name] for name in names], prepare=True, binary=binary)


async def pipelined(driver: Driver, statements: Statements) -> Answers:
    """Several statements in one go, over a connection that is somebody's."""
    sent: list[Answer] = []
    error: psycopg.Error | None = None
    try:
        async with driver.pipeline():
            for statement, values in statements:
                sent.append(await send(driver, statement, values))
    except psycopg.DatabaseError as failed:
        error = failed
    rows: list[list[tuple[Any, ...]]] = []
    for answer in sent:
        if answer.pgresult is None or answer.pgresult.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            break
        rows.append(await answer.fetchall() if answer.description else [])
    return Answers(rows, error)


class Patient(psycopg.AsyncConnection[Any]):
    """A connection through a pooler: it asks for no statement to be cancelled. What is no longer waited for ends by its time limit.

    Such a request names a session, and in a pooler in transaction mode the session may be somebody else's by the time it arrives; pgbouncer 1.18 and 1.19 may die of
    one whose asker has gone (their issues 801 and 822).
    """

    async def cancel_safe(self, **options: Any) -> None:
        return
