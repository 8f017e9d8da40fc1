"""What an operator looks at: events of the audit, a draft, a stored document. And what the verifier's exit codes mean."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from hub.cli.root import app
from hub.credit import policies
from hub.errors import InvalidInput, NotFound
from hub.store.embedded import Urls
from tests.hub.cli.test_clients import Run, good, run

__all__ = ["run"]
DOCUMENT = "{ customers { totalCount } }\n"


def test_events_are_shown_with_what_was_and_what_is(run: Run) -> None:
    good(run("clients", "register", "acme-app", "--audience", "PARTNER"))
    good(run("clients", "update", "acme-app", "--name", "Acme"))
    good(run("clients", "disable", "acme-app", "--reason", "a test"))
    told = good(run("audit", "show"))
    assert "operator  client.update  client:acme-app" in told and "name: acme-app -> Acme" in told and "3 events." in told
    assert "disabled: no -> yes" in told and "reason: a test" in told and "[" not in told and "None" not in told
    shown = json.loads(run("audit", "show", "--action", "client.update", "--json").stdout)
    assert [(one["before"], one["after"]) for one in shown] == [({"name": "acme-app"}, {"name": "Acme"})]
    assert [one["action"] for one in json.loads(run("audit", "show", "--action", "client", "--limit", "2", "--json").stdout)] == [
        "client.update", "client.disable",
    ]  # fmt: skip
    for other in (("--actor", "nobody"), ("--subject", "client:x"), ("--action", "clien"), ("--since", "2999-01-01")):
        assert "0 events." in good(run("audit", "show", *other)), other


def test_a_draft_and_a_version_are_shown(run: Run, tmp_path: Path) -> None:
    document = {**policies.document("S03"), "version": "2099-01-01", "effective_from": "2099-01-01"}
    (tmp_path / "draft.json").write_text(json.dumps(document))
    draft = json.loads(run("policies", "draft", str(tmp_path / "draft.json"), "--json").stdout)["draft"]
    shown = run("policies", "show", draft)
    assert json.loads(shown.stdout) == document and "S03 2099-01-01" in good(shown) and "OPEN" in shown.stderr
    for words, remedy in (
        (("S03",), "Published here are: none."),
        (("S03", "x"), "Published here are: none."),
        (("00000000-0000-0000-0000-000000000000",), "hub policies list"),
    ):
        refused = run("policies", "show", *words).exception
        assert isinstance(refused, NotFound) and remedy in refused.remedy, words


def test_files_are_checked_as_what_they_are(tmp_path: Path) -> None:
    def run(*words: str) -> Result:
        return CliRunner().invoke(app, words)

    own = sorted(str(one) for one in Path(str(files(policies))).glob("*.json"))
    told = good(run("policies", "check", *own))
    assert "the hub's own documents, checked as such: barred, engine," in told and "12 policies checked, no fault." in told
    assert "not to be published as they are (PIPL 55): " in told
    (tmp_path / "bad.json").write_text(policies.raw("S03").decode().replace('"uplifts"', '"upplifts"'))
    refused = run("policies", "check", str(tmp_path / "bad.json"), own[0])
    line = next(number for number, one in enumerate((tmp_path / "bad.json").read_text().splitlines(), 1) if "upplifts" in one)
    assert refused.exit_code == 1 and f"bad.json:{line}: upplifts: `upplifts` is not known. Did you mean `uplifts`?" in refused.stderr
    assert "2 policies checked, 1 fault." in refused.stderr


def test_a_stored_document_is_shown_byte_by_byte(run: Run, tmp_path: Path) -> None:
    good(run("clients", "register", "acme-app", "--audience", "PARTNER"))
    (tmp_path / "one.graphql").write_text(DOCUMENT)
    good(run("documents", "add", str(tmp_path / "one.graphql"), "--client", "acme-app"))
    sha256 = hashlib.sha256(DOCUMENT.encode()).hexdigest()
    for asked in (sha256, sha256[:8].upper()):
        shown = run("documents", "show", asked)
        assert shown.stdout == DOCUMENT and "acme-app" in shown.stderr
    (tmp_path / "two.graphql").write_text("{ customers { nodes { id } } }")
    good(run("documents", "add", str(tmp_path / "two.graphql"), "--client", "acme-app"))
    assert isinstance(run("documents", "show", "z").exception, NotFound)
    assert isinstance(run("documents", "show", "").exception, NotFound)
    firsts = {one["sha256"][0] for one in json.loads(run("documents", "list", "--json").stdout)}
    assert len(firsts) == 2 or isinstance(run("documents", "show", firsts.pop()).exception, InvalidInput)


def test_a_broken_chain_is_1_and_a_setting_is_2(run: Run, urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good(run("clients", "register", "acme-app", "--audience", "PARTNER"))
    assert run("audit", "verify").exit_code == 0
    missing = run("audit", "verify", "--heads", str(tmp_path / "nowhere.jsonl"))
    assert missing.exit_code == 2 and "Nothing was verified: There is no file of published heads" in missing.output
    assert run("audit", "verify", "--heads", str(tmp_path)).exit_code == 2
    with monkeypatch.context() as patched:
        patched.setenv("HUB_WORKER_DATABASE_URL", "postgresql://hub_worker@127.0.0.1:9/hub")
        assert run("audit", "verify").exit_code == 2
    with monkeypatch.context() as patched:
        patched.setenv("HUB_DATABASE_URL", "nonsense")
        assert run("audit", "verify").exit_code == 2
    with psycopg.connect(urls.admin.replace("postgresql+psycopg", "postgresql") if urls.admin else "") as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("UPDATE audit_event SET actor = 'somebody else'")
    broken = run("audit", "verify")
    assert broken.exit_code == 1 and "events, row 1" in broken.output
