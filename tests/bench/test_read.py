"""``make bench-read`` in small, without the peer that needs an environment of its own: what it reports is what happened."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.read.counting import statements
from bench.read.load import Load
from bench.read.operations import same
from bench.read.run import BARE, GUARDED, LATER, PEER, PGBENCH, Turn, ratios
from bench.read.settings import Asked

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--no-peers", "--start", "40", "--rounds", "1", "--seconds", "1", "--reads", "20")


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    if shutil.which("wrk") is None:
        pytest.skip("wrk is not there (apt-get install wrk): nothing was measured")
    command = [sys.executable, "-W", "ignore", "-m", "bench.read", "--json", *SMALL]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=150, check=False)
    assert ended.returncode in (0, 1), ended.stderr.decode()
    return {one["name"]: one for one in json.loads(ended.stdout)["figures"]} | {"turns": json.loads(ended.stdout)["turns"]}


def test_everybody_has_his_turn_and_nobody_is_refused(found: dict[str, Any]) -> None:
    assert {turn["who"] for turn in found["turns"]} == {BARE, GUARDED, PGBENCH}
    assert found["requests that were refused, or not answered"]["met"] is True
    assert found["answers that are the same"]["met"] is True


def test_postgresql_counts_one_statement_a_read(found: dict[str, Any]) -> None:
    assert found["statements that read the store, counted by PostgreSQL"]["seen"] == "20"


def test_a_statement_of_several_lines_is_one(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "x\n2026 [1] LOG:  execute _pg3_0: \n\twith fresh as (\n\t  select 1)\n2026 [1] DETAIL:  Parameters\n2026 [1] LOG:  statement: BEGIN\n"
    )
    assert [one.split() for one in statements(log, 2, 200)] == [["with", "fresh", "as", "(", "select", "1)"], ["BEGIN"]]


def test_answers_that_differ_are_noticed() -> None:
    one = {"data": {"customer": {"createdAt": "2026-01-15T04:00:00+00:00", "evaluation": {"score": 1}}}}
    other = {"data": {"customer": {"createdAt": "2026-01-15T04:00:00.000000+00:00", "evaluation": [{"score": 1}]}}}
    assert same(one, other)
    other["data"]["customer"]["evaluation"] = [{"score": 2}]
    assert not same(one, other)


def test_each_target_can_be_missed() -> None:
    """Control: as slow as the peer, half of pgbench, slower in a larger store, and one request refused."""
    load = Load(100, 1.0, 1, 1.0, 2.0, 9_000.0)
    turns = {PEER: 100.0, BARE: 100.0, GUARDED: 99.0, PGBENCH: 200.0, BARE + LATER: 50.0, GUARDED + LATER: 50.0}
    figures = ratios(Asked(customers=40_000), {name: [Turn(rate, load)] for name, rate in turns.items()})
    assert [one.met for one in figures] == [False] * 6
