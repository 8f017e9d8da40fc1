"""``make bench-evaluate`` in small, without the peer that needs an environment of its own: what it reports is what happened."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.evaluate.run import differences, figures
from bench.evaluate.settings import Asked

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--no-peers", "--customers", "30", "--alone", "6", "--sample", "6", "--cores", "2")


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-m", "bench.evaluate", "--json", *SMALL]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=200, check=False)
    assert ended.returncode in (0, 1), ended.stderr.decode()
    return json.loads(ended.stdout)  # type: ignore[no-any-return]


def test_every_customer_is_evaluated_by_every_scenario(found: dict[str, Any]) -> None:
    alone, whole, peer = found["runs"]
    assert (alone["customers"], sum(alone["outcomes"].values()), peer) == (6, 6 * 12, {})
    assert len(alone["outcomes"]) > 1, "not all of them are told apart by nothing"
    assert (whole["customers"], whole["counted"], whole["results"]) == (30, 30, 30)
    assert min(whole["cpu"].values()) > 0
    assert found["met"] is True


def test_each_figure_can_be_missed() -> None:
    """Control: customers counted twice or without a result, a peer that says otherwise and is faster."""
    alone = {"customers": 1, "seconds": 1.0, "cpu": {}, "database": 0.1, "simple": 0.1, "sample": {"c": {"f": 1.0, "g": None}}}
    whole = {"customers": 30, "seconds": 40.0, "results": 30, "counted": 31, "cpu": {"processes": 3.0}}
    peer = {"customers": 30, "seconds": 10.0, "features": 2, "cpu": {"processes": 1.0}, "sample": {"c": {"f": 1.0, "g": 2.0}}}
    missed = [one.name for one in figures(Asked(customers=30), alone, whole, peer) if one.met is False]
    assert len(missed) == 4, missed


def test_what_differs_is_named() -> None:
    ours = {"c": {"f": 1.0, "g": None, "h": 3.0}, "d": {}}
    assert differences(ours, {"c": {"f": 1.0 + 1e-12, "g": None, "h": 3.1}}) == ["c h: 3.0 and 3.1", "d: the peer does not know him"]
