"""Certification over every connector of the registry: the checks of ``hub connectors check``, as tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from connectors import registry
from hub.cli.certify import CHECKS, Candidate, certify
from tests.contract.cheats import write

PUSHED = {"pushes are hints", "forged push refused"}
SOMETIMES = {"code works once", "PKCE", "money is the persona's", "nothing outside the range", "signed parameters protected"}
ALWAYS = set(CHECKS) - SOMETIMES - PUSHED
"""The others apply to some platforms only: to a callback with a code, to a signature over parameters, to streams with windows, to pushes."""


SIGNED = ("alipay", "taobao")
PUSHING = ("alipay", "cn_tax")
"""Whose parameters stand under a signature. Who pushes. Which checks apply is found out, not configured: so it is said here."""


@pytest.mark.parametrize("name", registry.NAMES)
async def test_it_is_certified(name: str) -> None:
    candidate = Candidate.of(name)
    lines = await certify(candidate)
    assert [f"{line.check}: {line.why}" for line in lines if not line.ok] == []
    expected = ALWAYS | ({"signed parameters protected"} if name in SIGNED else set()) | (PUSHED if name in PUSHING else set())
    for trial in candidate.trials():
        assert {f"{trial}: {check}" if trial else check for check in expected} <= {line.check for line in lines}


def _hub(*command: str, path: Path | None = None, before: str = "") -> subprocess.CompletedProcess[str]:
    run = f"{before}\nfrom hub.cli import main; main()"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **({"CHEATS": str(path)} if path else {})}
    return subprocess.run([sys.executable, "-c", run, *command], env=environment, capture_output=True, text=True, check=False)


def test_the_command_prints_a_list() -> None:
    done = _hub("connectors", "check", "cn_public_records", "--json")
    lines = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert {frozenset(line) for line in lines} == {frozenset({"check", "ok", "why"})}
    assert all(line["ok"] is True and line["why"].endswith(".") for line in lines)


def test_the_command_fails_with_a_failing_check(tmp_path: Path) -> None:
    """In a process of its own, as an operator runs it: a table for people, exit code 1."""
    write(tmp_path, "cheat", {"stream.py": [('gmv=_money(record, "gmv")', 'gmv=_money(record, "gmv") * 100')]})
    before = "import os, connectors; from connectors import registry\nconnectors.__path__.append(os.environ['CHEATS']); registry.NAMES += ('cheat',)"
    done = _hub("connectors", "check", "cheat", path=tmp_path, before=before)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Certification of cheat" in done.stderr
    assert [line.split("│")[1].strip() for line in done.stderr.splitlines() if "failed" in line] == ["money is the persona's"]


def test_an_unknown_name_is_one_sentence() -> None:
    done = _hub("connectors", "check", "nobody")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "hub: There is no connector called 'nobody'. `hub connectors list` prints the names.\n"
