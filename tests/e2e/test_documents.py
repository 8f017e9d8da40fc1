"""``hub documents``: an operator stores, lists and checks what partners may ask. Its small form is tests/schema/test_trusted.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schema.contract import build_schema
from schema.examples import example
from tests.e2e.forked import Hub


@pytest.mark.load
def test_a_document_is_stored_and_a_contract_that_breaks_it_is_refused(hub: Hub, tmp_path: Path) -> None:
    home = ("--home", str(tmp_path))
    good, bad = tmp_path / "Latest.graphql", tmp_path / "bad.graphql"
    good.write_text(example("LatestEvaluations"), "utf-8")
    bad.write_text("{\n  nope\n}\n", "utf-8")
    assert hub("migrate", *home).returncode == 0
    refused = hub("documents", "add", str(good), str(bad), "--client", "admin", *home)
    assert refused.returncode != 0 and "bad.graphql:2" in refused.stderr.replace("\n", "")
    made = hub("documents", "add", str(good), "--client", "admin", *home, "--json")
    assert made.returncode == 0, made.stderr
    (sha256,) = json.loads(made.stdout).values()
    assert [one["sha256"] for one in json.loads(hub("documents", "list", *home, "--json").stdout)] == [sha256], "all or none"
    assert hub("documents", "check", *home).returncode == 0
    coming = tmp_path / "coming.graphql"
    coming.write_text(build_schema().sdl().replace("  outcome: Outcome!", "  result: Outcome!"), "utf-8")
    broken = hub("documents", "check", "--schema", str(coming), *home, "--json")
    (told,) = json.loads(broken.stdout)
    assert broken.returncode == 1 and told["sha256"] == sha256 and "outcome" in told["message"] and told["remedy"]
    line = example("LatestEvaluations").splitlines()[told["line"] - 1]
    assert "outcome" in line
    assert hub("documents", "remove", sha256, "--client", "admin", *home).returncode == 0
    assert json.loads(hub("documents", "list", *home, "--json").stdout) == []
