"""``make bench-ingest`` in small, without the peer that needs an environment of its own: what it reports is what happened."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.ingest.run import figures
from bench.ingest.settings import Asked

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--no-dlt", "--pages", "3", "--rounds", "1", "--many", "300")


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-m", "bench.ingest", "--json", *SMALL]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=150, check=False)
    assert ended.returncode in (0, 1), ended.stderr.decode()
    return json.loads(ended.stdout)  # type: ignore[no-any-return]


def test_every_contestant_reads_everything(found: dict[str, Any]) -> None:
    assert [(run["who"], run["rows"]) for run in found["runs"]] == [("ours", 600), ("ours, again", 600), ("bare", 600)]
    assert found["runs"][0]["stored"] == 600


def test_a_second_sync_writes_nothing_and_says_so(found: dict[str, Any]) -> None:
    by_name = {one["name"]: one for one in found["figures"]}
    assert by_name["fact versions written by it"]["seen"] == "0"
    assert by_name["records it says are unchanged"]["met"] is True


def test_a_worker_that_reads_three_times_as_many_pages_is_not_larger(found: dict[str, Any]) -> None:
    (memory,) = [one for one in found["figures"] if one["name"].startswith("memory")]
    assert memory["met"] is True, memory["seen"]


def test_each_target_can_be_missed() -> None:
    """Control: a slow engine, one that writes versions, one that grows."""
    rates = {"ours": [40.0], "ours, again": [40.0], "bare": [100.0], "dlt": [10.0]}
    again = [{"stored": 1, "verdict": "COMPLETE", "unchanged": 599}]
    seen = {one.name: one.met for one in figures(Asked(), rates, 600, again, [100.0, 120.0]) if one.met is not None}
    assert set(seen.values()) == {False}
    assert len(seen) == 5
