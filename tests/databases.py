"""A database for each test that asks for one, as the migrations leave it.

A clone of the template is some 500 files, which are slow to make and slower to remove. Therefore what a test wrote is deleted and the next one gets
the same database; but not when the test changed more than rows, or wrote very many: then the database is dropped.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from hub.store.embedded import Embedded, Urls

MANY = 5000
"""Deleted rows stay in their tables until a vacuum; so many would slow the next test down."""
KEPT = {("public", "alembic_version")}
"""Tables that the migrations filled."""
_CATALOGUES = ["class", "attribute", "attrdef", "constraint", "index", "namespace", "policy", "proc", "rewrite", "trigger", "type"]
STATE = (
    " UNION ALL ".join(f"SELECT 'pg_{name}', count(*), max(xmin::text::bigint)::text FROM pg_{name}" for name in _CATALOGUES)
    + """
UNION ALL SELECT 'version', count(*), max(version_num) FROM alembic_version
UNION ALL SELECT 'settings', count(*), max(setconfig::text) FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL SELECT 'rights', 0, datacl::text FROM pg_database WHERE datname = current_database()
"""
)
"""What a database is beside its rows: a change of it leaves a row of a catalogue that a later transaction wrote, or fewer of them."""
_TABLES = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'queue')"
_SESSIONS = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
State = list[tuple[object, ...]]


def own(name: str) -> str:
    """A name of this process's own: a cluster may serve the tests of several (``HUB_TEST_CLUSTER``)."""
    return f"{name}_{os.getpid()}"


def drop_own(cluster: Embedded) -> None:
    """Drops what this process made in a cluster that others go on using."""
    with psycopg.connect(cluster.dsn("postgres"), autocommit=True) as admin:
        for (name,) in admin.execute("SELECT datname FROM pg_database").fetchall():
            if name.endswith(own("")):
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


class Databases:
    """Those of one cluster. ``made`` counts the clones."""

    def __init__(self, cluster: Embedded) -> None:
        self.cluster, self.made = cluster, 0
        self._names, self._free = itertools.count(), list[str]()
        self._states: dict[str, State] = {}

    @contextmanager
    def one(self) -> Iterator[Urls]:
        """A database of one's own, empty."""
        name = self._free.pop() if self._free else self._clone()
        yield self.cluster.urls(name)
        if self._emptied(name):
            self._free.append(name)
        else:
            self._drop(name)

    def _clone(self) -> str:
        name = own(f"test_{next(self._names)}")
        with self._session("postgres") as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER hub_owner TEMPLATE template").format(sql.Identifier(name)))
        with self._session(name) as inside:
            self._states[name] = inside.execute(STATE).fetchall()
        self.made += 1
        return name

    def _emptied(self, name: str) -> bool:
        """Whether the database is now as it was when it was made."""
        with self._session(name) as inside:
            # Whoever is still connected would go on holding locks, or writing.
            inside.execute(_SESSIONS)
            if inside.execute(STATE).fetchall() != self._states[name]:
                return False
            tables = [one for one in inside.execute(_TABLES).fetchall() if one not in KEPT]
            with inside.pipeline():
                deleted = [inside.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(*one))) for one in tables]
                inside.execute("SELECT setval(seqrelid, seqstart, false) FROM pg_sequence")
            return sum(one.rowcount for one in deleted) < MANY

    def _drop(self, name: str) -> None:
        with self._session("postgres") as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _session(self, name: str) -> psycopg.Connection:
        # As in a restore: rows are deleted in any order, and no trigger hears of it.
        return psycopg.connect(self.cluster.dsn(name), autocommit=True, options="-c session_replication_role=replica -c lock_timeout=10s")
