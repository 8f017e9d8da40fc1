"""Alembic's environment: one at a time, short lock timeouts, a transaction per migration.

What a migration locks it holds until its own end and no longer: the hub goes on working between two of them. One that fails leaves those before it done, and is
begun anew by the next attempt. An index of a table that may be large is built beside whoever writes (CONCURRENTLY, in an autocommit block).

The URL comes from the caller (`hub migrate`); metadata is handed over the same way, so that a migration imports only alembic and sqlalchemy.
"""

import time

from alembic import context
from sqlalchemy import Connection, create_engine, pool, text

config = context.config
_ALONE = text("SELECT pg_try_advisory_lock(7305843009213693951)")


def _begin(connection: Connection) -> None:
    """The lock is the session's, and asked for again and again: whoever waited for it within a statement would keep an index from being finished."""
    while not connection.execute(_ALONE).scalar():
        connection.commit()
        time.sleep(0.2)
    connection.execute(text("SELECT set_config('lock_timeout', :limit, false)"), {"limit": config.attributes.get("lock_timeout", "5s")})
    connection.commit()


def run_migrations_online() -> None:
    engine = create_engine(config.attributes["url"], poolclass=pool.NullPool, connect_args={"connect_timeout": 10})
    with engine.connect() as connection:
        _begin(connection)
        context.configure(
            connection=connection,
            target_metadata=config.attributes.get("metadata"),
            compare_type=True,
            compare_server_default=False,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run_migrations_online()
