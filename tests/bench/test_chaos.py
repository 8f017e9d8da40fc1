"""``make chaos`` in small: the engine stands, and each broken guard is found by the auditor. The runs are processes, as on the command line, side by side."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NONE = {"kills": "0", "records": "0", "freezes": "0", "stops": "0"}
RUNS = {
    "sound": {**NONE, "kills": "2", "records": "800", "freezes": "1", "stops": "1"},
    "epoch": {**NONE, "freezes": "6", "break": "epoch"},
    "checkpoint": {**NONE, "kills": "6", "records": "1200", "break": "checkpoint"},
}

Runs = dict[str, subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    started: Runs = {}
    for name, options in RUNS.items():
        arguments = [word for option, value in options.items() for word in (f"--{option}", value)]
        command = [sys.executable, "-W", "ignore", "-m", "bench.chaos", "--json", *arguments]
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
    assert found["workers ended with kill -9"]["seen"] == "2"


def test_without_the_epoch_stale_writes_are_reported(runs: Runs) -> None:
    code, found = figures(runs["epoch"])
    assert code == 1
    assert int(found["stale writes accepted"]["seen"]) > 0


def test_with_the_cursor_before_the_rows_losses_are_reported(runs: Runs) -> None:
    code, found = figures(runs["checkpoint"])
    assert code == 1
    assert int(found["lost"]["seen"]) > 0
