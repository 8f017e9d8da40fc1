"""How PostgreSQL writes the answer: without blanks, every kind of value as it is, and by older servers in other words."""

from __future__ import annotations

import orjson
import pytest
from sqlalchemy import text

from hub.store import line
from hub.store.database import Database
from hub.store.driver import positional
from hub.store.view.writing import Json, json_list, json_object
from tests.hub.view.test_reading import ORDERS, SCHEMA, WALK
from tests.hub.view.world import RISK, build, reader

VALUES = {
    "text": (r"e'a \"quote\", a \\ and a\nfeed'::text", 'a "quote", a \\ and a\nfeed'),
    "control": ("chr(1)", "\x01"),
    "chinese": ("'增信'::text", "增信"),
    "number": ("1.50::numeric", 1.5),
    "flag": ("true", True),
    "day": ("date '2026-01-20'", "2026-01-20"),
    "instant": ("timestamptz '2026-01-20 02:00+00'", "2026-01-20T02:00:00+00:00"),
    "nothing": ("null::text", None),
    "list": ("array['a', null]", ["a", None]),
    "json": ("""'{"a": [1]}'::jsonb""", {"a": [1]}),
    "name": ("'Order'", "Order"),
    "object": (json_object([("inside", "1")]), {"inside": 1}),
    "no row": (Json("(select '1' where false)"), None),
    "empty": (json_object([]), {}),
    "rows": (
        Json(f"(select {json_list(json_object([('n', 'n')]), 'n desc', 'n > 1')} from generate_series(1, 3) n)"),
        [{"n": 3}, {"n": 2}],
    ),
    "no rows": (Json(f"(select {json_list(json_object([('n', 'n')]), 'n')} from generate_series(1, 0) n)"), []),
    "no items": (Json(f"(select {json_list(Json('null'), 'n')} from generate_series(1, 2) n)"), [None, None]),
}


@pytest.mark.parametrize("older", [False, True])
async def test_every_kind_of_value(database: Database, older: bool) -> None:
    asked, _ = positional("select " + json_object([(name, value) for name, (value, _) in VALUES.items()]), older=older)
    assert (b"json_scalar(" in asked) != older
    async with database.work() as tx:
        written = (await tx.execute(text(asked.decode().replace(":", "\\:")))).scalar_one()
    assert orjson.loads(written) == {name: value for name, (_, value) in VALUES.items()}
    assert written.startswith('{"text":"')


async def answered(database: Database, document: str, **variables: object) -> bytes:
    found = SCHEMA.documents.of(document, introspecting=False)
    plan = SCHEMA.documents.plan(found, None, dict(variables))
    assert found.errors == [] and plan.read is not None
    return await reader(database).read(RISK, plan.read, plan.values(SCHEMA.core, dict(variables)))


@pytest.mark.parametrize(("document", "more"), [(ORDERS, {"first": 2}), (WALK, {})])
async def test_an_older_server_answers_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch, document: str, more: dict[str, object]
) -> None:
    """``json_scalar`` is younger than the oldest server that the hub works with: a line says it in another word."""
    world = await build(database)
    newer = await answered(database, document, id=world.id, **more)
    said = list[bytes]()

    def heard(statement: str, *, older: bool) -> tuple[bytes, tuple[str, ...]]:
        said.append(positional(statement, older=older)[0])
        return positional(statement, older=older)

    monkeypatch.setattr(line, "is_older", lambda _: True)
    monkeypatch.setattr(line, "positional", heard)
    there = Database(database.urls)
    assert await answered(there, document, id=world.id, **more) == newer
    await there.close()
    assert any(b"to_json(" in one for one in said) and not any(b"json_scalar(" in one for one in said)
