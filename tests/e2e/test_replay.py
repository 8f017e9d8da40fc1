"""Replaying what every connector fetched says that nothing changed: each of them reads its own kept pages again, without a platform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.cli.history import _backfill_document, _replay_document, _show, _tell_windows
from hub.cli.journey import Journey
from hub.connect import Window
from hub.domain.enums import Verdict
from hub.sync.backfill import Backfilled, Past
from hub.sync.replay import Filter
from hub.sync.replays import Replays, Summary, Wanted
from tests.e2e.case import on_stage, small_document, small_seller
from tests.e2e.test_commands import hub, refusal


async def test_a_replay_of_everything_finds_everything_unchanged(tmp_path: Path) -> None:
    persona = small_seller()
    async with on_stage(tmp_path, persona) as stage:
        journey = Journey(stage, persona)
        await journey.walk(quiet=True)
        pages: list[int] = []
        read: list[None] = []
        replays = Replays(stage.runtime.equipment, Wanted(Filter()))
        summary = await replays.run(pages.append, lambda: read.append(None))
        async with stage.database.work() as tx:
            shapes = (await tx.execute(text("SELECT connector, path FROM record_shape"))).all()
            doubles = (await tx.execute(text("SELECT count(*) FROM sync_window WHERE repeated > 0 OR moved OR passes > 1"))).scalar_one()
    report = summary.report
    assert (summary.connections, dict(summary.left), dict(report.unread)) == (6, {}, {})
    assert (pages, report.pages) == ([len(read)], len(read))
    changed = {name: kind for name, kind in report.kinds.items() if kind.before != kind.unchanged or kind.before != kind.after}
    assert changed == {}
    assert report.kinds["Order"].before > 300
    assert report.versions == 0
    assert doubles == 0, "no simulated platform repeats records"
    assert {row.connector for row in shapes} == set(stage.runtime.connectors)
    told = " ".join(row.path for row in shapes)
    assert [value for value in leaves(small_document()) if len(value) > 5 and value in told] == [], "paths, never values"


def leaves(document: Any) -> Iterator[str]:
    """Every text and number of a document."""
    if isinstance(document, dict | list):
        for inner in document.values() if isinstance(document, dict) else document:
            yield from leaves(inner)
    else:
        yield str(document)


def summary_of_one() -> Summary:
    summary = Summary(connections=1)
    summary.report.kinds["Order"].before = summary.report.kinds["Order"].after = summary.report.kinds["Order"].changed = 1
    summary.report.unread["its consent has ended"] = 2
    return summary


def test_what_a_replay_tells(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = Wanted(Filter(), dry=True)
    _show(summary_of_one(), wanted, as_json=False)
    said = capsys.readouterr().err
    assert "Order: 1 facts before, 1 after; 0 unchanged, 1 changed" in said.replace("\n", " ")
    assert "1 new versions would be written" in said.replace("\n", " ")
    document = _replay_document(summary_of_one(), wanted)
    assert (document["newVersions"], document["pagesUnread"], document["facts"]["Order"]["changed"]) == (1, {"its consent has ended": 2}, 1)


def test_what_a_backfill_tells(capsys: pytest.CaptureFixture[str]) -> None:
    day = date(2026, 1, 10)
    past = Past(Window("orders", day, day), "FAILED", 3, 2, 1, 0, "ContractBroken: status 400", False)
    _tell_windows([past])
    assert "FAILED" in capsys.readouterr().err
    document = _backfill_document(Backfilled(Verdict.INCOMPLETE, day, day, (past,), "ContractBroken: status 400"))
    assert (document["verdict"], document["windows"][0]["fetched"], document["windows"][0]["from"]) == ("INCOMPLETE", 3, day)


def test_the_commands_on_a_hub_that_knows_nobody(tmp_path: Path) -> None:
    home = str(tmp_path)
    assert hub("migrate", "--home", home).returncode == 0
    ran = hub("replay", "--home", home, "--json")
    assert (ran.returncode, json.loads(ran.stdout)["connections"]) == (0, 0), ran.stderr
    assert "no such stream" in refusal(
        "backfill", "--home", home, "--stream", "orders", "--from", "2026-01-01", "--to", "2026-01-02", "--customer", "0" * 32
    )
    assert "no connector 'nobody' here" in refusal("replay", "--home", home, "--connector", "nobody")
