"""``make consent`` in small, as a command: its figures are met, and a guard that is taken out misses them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.load
ROOT = Path(__file__).resolve().parents[2]


def figures(*options: str) -> tuple[int, dict[str, str]]:
    """The exit code, and what was seen by name."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.consent", "--json", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=400, check=False)
    assert done.returncode in (0, 1), done.stderr.decode()
    return done.returncode, {one["name"]: one["seen"] for one in json.loads(done.stdout)["figures"]}


def test_a_small_run_meets_every_figure() -> None:
    code, seen = figures("--lives", "30")
    assert code == 0, seen
    assert seen["fetches outside a valid consent"] == seen["reads outside a valid consent"] == "0"
    assert int(seen["of these: reads"]) > 0


def test_a_store_without_its_policies_misses_them() -> None:
    code, seen = figures("--lives", "200", "--break", "policy")
    assert code == 1
    assert int(seen["reads outside a valid consent"]) > 0
