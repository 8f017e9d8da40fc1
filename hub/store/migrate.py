"""Brings a database to this version: the hub's own migrations, then procrastinate's schema; and tells whether that was done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import procrastinate
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from hub.errors import FixConfiguration, SchemaBehind
from hub.store.database import CONNECT_SECONDS
from hub.store.embedded import Urls

QUEUE_SCHEMA = "queue"


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.attributes["url"] = url
    return config


async def migrate(urls: Urls) -> None:
    """Runs every migration that is missing. Safe to run twice and from two hosts at once (advisory lock)."""
    with _reachable(urls.owner):
        await asyncio.to_thread(command.upgrade, alembic_config(urls.owner), "head")
        await asyncio.to_thread(_install_queue, urls.owner)


@contextmanager
def _reachable(url: str) -> Iterator[None]:
    """A database that does not answer, or refuses the login, is an operator's to mend. Its words may name the host, never the password."""
    try:
        yield
    except OperationalError as error:
        where = make_url(url).render_as_string(hide_password=True)
        said = str(error.orig).strip().splitlines()[0]
        raise FixConfiguration(f"The database {where} cannot be used: {said}.", remedy="Check HUB_DATABASE_URL.") from None


def _install_queue(url: str) -> None:
    """Procrastinate's own schema, in a schema of its own."""
    engine = create_engine(url, poolclass=pool.NullPool, connect_args={"connect_timeout": CONNECT_SECONDS})
    with engine.begin() as connection:
        if not connection.execute(text("select to_regclass('queue.procrastinate_jobs')")).scalar():
            connection.execute(text(f"create schema if not exists {QUEUE_SCHEMA}"))
            connection.execute(text(f"set local search_path to {QUEUE_SCHEMA}"))
            raw = connection.connection.cursor()
            raw.execute(procrastinate.schema.SchemaManager(procrastinate.PsycopgConnector()).get_schema())
            for statement in _QUEUE_GRANTS:
                connection.execute(text(statement))
    engine.dispose()


_QUEUE_GRANTS = (
    f"grant usage on schema {QUEUE_SCHEMA} to hub_app, hub_worker",
    f"grant select, insert, update, delete on all tables in schema {QUEUE_SCHEMA} to hub_app, hub_worker",
    f"grant usage on all sequences in schema {QUEUE_SCHEMA} to hub_app, hub_worker",
    f"grant execute on all functions in schema {QUEUE_SCHEMA} to hub_app, hub_worker",
)


async def require_current(urls: Urls) -> None:
    """Raises SchemaBehind when a migration is missing: a process refuses to start rather than fail later."""
    with _reachable(urls.owner):
        behind = await asyncio.to_thread(_behind, urls.owner)
    if behind:
        raise SchemaBehind(f"The database is at revision {behind[0] or 'none'}, this hub needs {behind[1]}.")


def _behind(url: str) -> tuple[str | None, str | None] | None:
    engine = create_engine(url, poolclass=pool.NullPool, connect_args={"connect_timeout": CONNECT_SECONDS})
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    head = ScriptDirectory.from_config(alembic_config(url)).get_current_head()
    return None if current == head else (current, head)
