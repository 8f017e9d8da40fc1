"""What ``hub replay`` and ``hub backfill`` tell, and what they say on a hub that knows nobody. That a replay of everything changes nothing is seen beside the main job."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import psycopg
import pytest

from hub.cli.history import _backfill_document, _replay_document, _show, _tell_windows
from hub.connect import Window
from hub.domain.enums import Verdict
from hub.store.embedded import Embedded
from hub.sync.backfill import Backfilled, Past
from hub.sync.replay import Filter
from hub.sync.replays import Summary, Wanted
from tests.e2e.forked import Hub


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
    past = Past(Window("orders", day, day), "FAILED", 3, 2, 1, 0, 0, "ContractBroken: status 400", False)
    _tell_windows([past])
    assert "FAILED" in capsys.readouterr().err
    document = _backfill_document(Backfilled(Verdict.INCOMPLETE, day, day, (past,), "ContractBroken: status 400"))
    assert (document["verdict"], document["windows"][0]["fetched"], document["windows"][0]["from"]) == ("INCOMPLETE", 3, day)


def test_the_commands_on_a_hub_that_knows_nobody(hub: Hub, tmp_path: Path) -> None:
    home = str(tmp_path)
    assert hub("migrate", "--home", home).returncode == 0
    ran = hub("replay", "--home", home, "--json")
    assert (ran.returncode, json.loads(ran.stdout)["connections"]) == (0, 0), ran.stderr
    embedded = Embedded(tmp_path / "postgres")
    with psycopg.connect(embedded.dsn("hub")) as admin:
        done = [tuple(row) for row in admin.execute("SELECT action, subject, after ->> 'connections' FROM audit_event ORDER BY sequence")]
    embedded.stop()
    assert done[-2:] == [("replay.begin", "connector:all", None), ("replay.end", "connector:all", "0")]
    assert "no such stream" in hub.refusal(
        "backfill", "--home", home, "--stream", "orders", "--from", "2026-01-01", "--to", "2026-01-02", "--customer", "0" * 32
    )
    assert "no connector 'nobody' here" in hub.refusal("replay", "--home", home, "--connector", "nobody")
