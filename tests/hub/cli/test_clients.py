"""``hub clients`` and ``hub keys signing``: an operator does at the machine what admins do through the API, and it is audited as his."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from hub.access.clients import make_client_keys, thumbprint
from hub.cli.client_commands import ALLOWED
from hub.cli.root import app
from hub.domain.enums import Purpose
from hub.errors import InvalidInput, NotFound
from hub.store.embedded import Urls
from schema.access import AUDIENCES, SCOPES

Run = Callable[..., Result]


@pytest.fixture
def run(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in (("HUB_DATABASE_URL", urls.owner), ("HUB_APP_DATABASE_URL", urls.app), ("HUB_WORKER_DATABASE_URL", urls.worker)):
        monkeypatch.setenv(name, value.replace("postgresql+psycopg", "postgresql"))
    monkeypatch.setenv("HUB_GRANTEE", "样例银行")
    monkeypatch.setenv("COLUMNS", "400")

    def command(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--home", str(tmp_path)])

    return command


def good(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def audited(urls: Urls) -> list[tuple[str, str]]:
    with psycopg.connect(urls.owner.replace("postgresql+psycopg", "postgresql")) as store:
        found = store.execute("select actor, action from audit_event where action ~ '^client|signing' order by sequence").fetchall()
        return [(str(actor), str(action)) for actor, action in found]


def test_a_client_s_life_at_the_machine(run: Run, urls: Urls, tmp_path: Path) -> None:
    made = json.loads(run("clients", "register", "acme-app", "--audience", "PARTNER", "--purpose", "CREDIT_APPROVAL", "--json").stdout)
    assert made["client_id"] == "acme-app" and "links:write" in made["scopes"] and len(made["keys"]) == 1
    assert made["documents"] == "ONLY"
    assert (tmp_path / "clients" / "acme-app.json").stat().st_mode & 0o777 == 0o600
    assert "scopes was" in good(run("clients", "update", "acme-app", "--scope", "customers:read", "--name", "Acme"))
    key = make_client_keys()[1]["keys"][0]
    (tmp_path / "key.json").write_text(json.dumps(key))
    good(run("clients", "add-key", "acme-app", "--jwk", str(tmp_path / "key.json")))
    good(run("clients", "retire-key", "acme-app", next(iter(made["keys"].values()))))
    good(run("clients", "revoke-tokens", "acme-app", "--reason", "a test"))
    good(run("clients", "disable", "acme-app", "--reason", "a test"))
    assert "DISABLED" in good(run("clients", "list"))
    assert "nothing changed" in good(run("clients", "disable", "acme-app", "--reason", "a test"))
    good(run("clients", "enable", "acme-app", "--reason", "a test"))
    (shown,) = json.loads(good(run("clients", "list", "--json")))
    assert (shown["name"], shown["scopes"], shown["disabled_at"]) == ("Acme", ["customers:read"], None)
    assert shown["keys"] == {key["kid"]: thumbprint(key)} and shown["tokens_from"]
    steps = ("register", "update", "add_key", "retire_key", "revoke_tokens", "disable", "enable")
    assert audited(urls) == [("operator", f"client.{step}") for step in steps]


def test_what_cannot_be_is_said(run: Run, urls: Urls) -> None:
    for words, error in (
        (("clients", "register", "customer", "--audience", "PARTNER"), InvalidInput),
        (("clients", "register", "acme-app", "--audience", "NOBODY"), InvalidInput),
        (("clients", "disable", "acme-app", "--reason", "r"), NotFound),
        (("clients", "update", "acme-app", "--name", "x"), NotFound),
        (("clients", "retire-key", "acme-app", "-begins-with-a-dash"), NotFound),
    ):
        assert isinstance(run(*words).exception, error), words
    assert audited(urls) == []


@pytest.mark.parametrize("audience", ["INTERNAL", "ADMIN"])
def test_what_an_own_system_may_ask_for_is_said(run: Run, urls: Urls, audience: str) -> None:
    """A class that allows nearly everything is not granted by leaving something out."""
    refused = run("clients", "register", "desk", "--audience", audience).exception
    assert isinstance(refused, InvalidInput) and "--scope" in refused.message and "`--scope all`" in refused.remedy
    assert all(scope in refused.remedy for scope in AUDIENCES[audience]) and audited(urls) == []
    told = good(run("clients", "register", "desk", "--audience", audience, "--scope", "operations:read"))
    assert "It may ask for operations:read; for the purposes none." in told and "stored documents" not in told
    good(run("clients", "register", "desk-2", "--audience", audience, "--scope", "all"))
    (second, first) = json.loads(good(run("clients", "list", "--json")))
    assert (first["scopes"], second["scopes"]) == (["operations:read"], sorted(AUDIENCES[audience]))


def test_the_help_names_every_value(run: Run) -> None:
    told = " ".join(
        re.sub(r"[^\w:.`-]+", " ", good(CliRunner().invoke(app, ["clients", "register", "--help"], env={"COLUMNS": "2000"}))).split()
    )
    assert {name: set(listed.split()) for name, listed in ALLOWED.items()} == {name: set(listed) for name, listed in AUDIENCES.items()}
    for word in (*AUDIENCES, *SCOPES, *Purpose, "OPEN", "AUDIT", "ONLY", "`all`"):
        assert word in told, word


def test_a_change_is_told_in_words(run: Run) -> None:
    good(run("clients", "register", "acme-app", "--audience", "PARTNER", "--purpose", "CREDIT_APPROVAL"))
    told = good(run("clients", "update", "acme-app", "--scope", "customers:read", "--purpose", "POST_LOAN", "--cost-per-minute", "7"))
    assert "purposes was CREDIT_APPROVAL, and is POST_LOAN." in told and "cost_per_minute was none, and is 7." in told
    assert "[" not in told and "'" not in told and "None" not in told


def test_the_next_signing_key(run: Run, urls: Urls) -> None:
    first = json.loads(run("keys", "rotate-signing", "--json").stdout)
    assert "is published, and signs from" in good(run("keys", "rotate-signing"))
    shown = json.loads(run("keys", "signing", "--json").stdout)
    assert [one["state"] for one in shown] == ["NEXT", "SIGNING"] and shown[1]["kid"] == first["kid"]
    assert "every token in use ends within a minute" in good(run("keys", "rotate-signing", "--compromised"))
    assert [one["state"] for one in json.loads(run("keys", "signing", "--json").stdout)] == ["SIGNING", "RETIRED", "RETIRED"]
    assert "SIGNING" in good(run("keys", "signing"))
    assert audited(urls) == [("operator", "keys.rotate_signing")] * 3
