"""``make tokens`` in small: no grant is lost, and each guard that is taken out is noticed. The runs are processes, as on the command line, side by side."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.load
ROOT = Path(__file__).resolve().parents[2]
RUNS = {
    "sound": {"workers": "8", "expiries": "4", "kills": "4"},
    "lock": {"workers": "20", "expiries": "4", "kills": "0", "break": "lock"},
    "mark": {"workers": "8", "expiries": "4", "kills": "2", "break": "mark"},
}

Runs = dict[str, subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    started: Runs = {}
    for name, options in RUNS.items():
        arguments = [word for option, value in options.items() for word in (f"--{option}", value)]
        command = [sys.executable, "-W", "ignore", "-m", "bench.tokens", "--json", *arguments]
        started[name] = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    yield started
    for process in started.values():
        process.terminate()
        process.communicate(timeout=30)


def figures(process: subprocess.Popen[bytes]) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit code and the figures by name."""
    out, said = process.communicate(timeout=150)
    assert process.returncode in (0, 1), said.decode()
    return process.returncode, {one["name"]: one for one in json.loads(out)["figures"]}


def test_a_small_run_meets_every_figure(runs: Runs) -> None:
    code, found = figures(runs["sound"])
    assert [one for one in found.values() if one["met"] is False] == []
    assert code == 0
    assert found["refresh calls"]["seen"] == "4"
    assert found["kill -9 between rotation and commit"]["seen"] == "4"


def test_without_the_row_lock_grants_are_lost(runs: Runs) -> None:
    code, found = figures(runs["lock"])
    assert code == 1
    assert int(found["refresh tokens used twice"]["seen"]) > 0
    assert int(found["grants lost"]["seen"]) > 0


def test_without_the_mark_a_killed_exchange_is_not_noticed(runs: Runs) -> None:
    code, found = figures(runs["mark"])
    assert code == 1
    assert int(found["refresh tokens used twice"]["seen"]) > 0
    assert found["ended fresh or visibly 'reauthorise'"]["seen"] == "0"
