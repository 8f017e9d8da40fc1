"""Alembic's environment: an advisory lock, short lock timeouts, one transaction.

The URL comes from the caller (`hub migrate`); metadata is handed over the same way, so that a migration imports only alembic and sqlalchemy.
"""

from alembic import context
from sqlalchemy import create_engine, pool, text

config = context.config


def run_migrations_online() -> None:
    engine = create_engine(config.attributes["url"], poolclass=pool.NullPool, connect_args={"connect_timeout": 10})
    with engine.connect() as connection:
        with connection.begin():
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(7305843009213693951)"))
            context.configure(
                connection=connection, target_metadata=config.attributes.get("metadata"), compare_type=True, compare_server_default=False
            )
            context.run_migrations()
    engine.dispose()


run_migrations_online()
