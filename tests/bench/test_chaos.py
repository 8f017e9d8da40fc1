"""``make chaos`` in small: the engine stands, and each broken guard is found by the auditor. The runs are processes, as on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.load
ROOT = Path(__file__).resolve().parents[2]
Figures = Mapping[str, Mapping[str, Any]]


def chaos(**asked: object) -> tuple[int, Figures]:
    """A run with nothing but what is asked for: its exit code, and its figures by name up to the first bracket."""
    options = {"kills": 0, "records": 0, "freezes": 0, "stops": 0, **asked}
    arguments = [word for option, value in options.items() for word in (f"--{option}", str(value))]
    command = [sys.executable, "-W", "ignore", "-m", "bench.chaos", "--json", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            out, said = process.communicate(timeout=150)
        finally:
            process.terminate()
    assert process.returncode in (0, 1), said.decode()
    return process.returncode, {one["name"].split(" (")[0].strip(): one for one in json.loads(out)["figures"]}


def test_a_small_run_meets_every_figure() -> None:
    code, found = chaos(kills=2, records=400, freezes=1, stops=1)
    assert [one for one in found.values() if one["met"] is False] == []
    assert code == 0
    assert found["workers ended with kill -9"]["seen"] == "2"
    assert found["stale writes refused"]["wanted"].startswith(">= 1 "), "a worker with an answer in its hands was overtaken"


def test_without_the_epoch_stale_writes_are_reported() -> None:
    code, found = chaos(freezes=1, **{"break": "epoch"})
    assert code == 1
    assert int(found["stale writes accepted"]["seen"]) > 0


def test_with_the_cursor_before_the_rows_losses_are_reported() -> None:
    """Lost is what the store's checkpoint has passed, not what was still to be read when the run ended."""
    code, found = chaos(kills=2, records=400, **{"break": "checkpoint"})
    assert code == 1
    assert int(found["lost"]["seen"]) > 0


def test_what_the_database_acknowledged_without_writing_it_is_missed() -> None:
    code, found = chaos(stops=1, **{"break": "durability"})
    assert code == 1
    assert int(found["acknowledged pages"]["seen"]) > 0
    assert found["synchronous_commit / fsync"]["seen"] == "off / off"
