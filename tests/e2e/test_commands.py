"""The commands as an operator meets them: one sentence with the remedy and a failing exit code for what is wrong, and nothing half written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from connectors.sandbox.serve import bind
from tests.e2e.forked import ENVIRONMENT, Hub

HUB = (sys.executable, "-m", "hub.cli")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no persona file at {path}. Name a JSON file of the format persona/1."),
        ("{", "persona.json is not a persona: it is not JSON"),
        ('{"format": "persona/2"}', "persona.json is not a persona: at format"),
        ("[]", "persona.json is not a persona: at the top"),
    ],
    ids=["missing", "not JSON", "another format", "no object"],
)
def test_a_persona_that_is_none(hub: Hub, tmp_path: Path, content: str | None, said: str) -> None:
    path, home = tmp_path / "persona.json", tmp_path / "home"
    if content is not None:
        path.write_text(content)
    assert hub.refusal("evaluate", "--persona", str(path), "--json", "--home", str(home)).startswith("hub: " + said.format(path=path))
    assert not home.exists()


def test_an_occupied_port(hub: Hub, tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        for command in (("demo", "--once"), ("sandbox",)):
            home = [] if command == ("sandbox",) else ["--home", str(tmp_path / "home")]
            said = hub.refusal(*command, "--port", port, *home)
            assert (
                said
                == f"hub: Port {port} on 127.0.0.1 is in use by another process. Choose another one with --port, or 0 for any free port."
            )
    assert not (tmp_path / "home").exists()


def test_settings_that_are_wrong(hub: Hub, tmp_path: Path) -> None:
    home = ("--home", str(tmp_path))
    for name, value in {"HUB_PORT": "many", "HUB_WORKERS": "-3", "HUB_PUBLIC_ORIGIN": "nonsense", "HUB_CLOCK": "noon"}.items():
        assert hub.refusal("serve", *home, environment={name: value}).startswith(f"hub: {name} cannot be used: ")
    assert hub.refusal("serve", *home, environment={"HUB_GRANTEE": ""}).startswith("hub: HUB_GRANTEE is not set. ")
    urls = {f"HUB_{name}DATABASE_URL": "mysql://a@b/c" for name in ("", "APP_", "WORKER_")}
    assert hub.refusal("serve", *home, environment=urls).startswith("hub: A database URL is not one of PostgreSQL. ")
    blocked = tmp_path / "file"
    blocked.write_text("")
    said = hub.refusal("migrate", "--home", str(blocked))
    assert said == f"hub: {blocked / 'postgres'}: Not a directory. Check the path and its permissions."
    blocked.unlink()
    assert hub.refusal("serve", *home, environment={"HUB_DATABASE_URL": "postgresql+psycopg://a@127.0.0.1:1/x"}) == (
        "hub: HUB_DATABASE_URL, HUB_APP_DATABASE_URL and HUB_WORKER_DATABASE_URL go together. Set all three, or none."
    )
    url = "postgresql+psycopg://someone:opensesame@127.0.0.1:1/x"
    urls = {f"HUB_{name}DATABASE_URL": url for name in ("", "APP_", "WORKER_")}
    assert "HUB_POOLED needs HUB_QUEUE_DATABASE_URL" in hub.refusal("serve", *home, environment={**urls, "HUB_POOLED": "1"})
    said = hub.refusal("serve", *home, environment=urls)
    assert said.startswith("hub: The database postgresql+psycopg://someone:***@127.0.0.1:1/x cannot be used: ")
    assert "opensesame" not in said
    assert list(tmp_path.iterdir()) == []


NOT_BEGINNING = (
    ("serve",),
    ("worker",),
    ("audit", "show"),
    ("policies", "list"),
    ("backup", "b", "--keys", "k"),
    ("connectors", "assessments"),
)
"""Commands that fill no place that was mistyped."""


@contextmanager
def running(*arguments: str, until: str) -> Iterator[subprocess.Popen[str]]:
    """A process of the hub that has said ``until`` on stderr. It is ended by SIGTERM and must exit with 0."""
    process = subprocess.Popen([*HUB, *arguments], stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert process.stderr is not None
    heard = ""
    while until not in heard:
        line = process.stderr.readline()
        assert line, f"it ended: {heard}"
        heard += line
    try:
        yield process
    finally:
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0
        assert time.monotonic() - began < 25


def test_a_hub_from_nothing(hub: Hub, tmp_path: Path) -> None:
    """None begun: refused. Migrated: serves, works, gives the first admin a token. Another key file: refused, and left as it is."""
    home = ("--home", str(tmp_path))
    none = f"hub: There is no hub in {tmp_path}. Check --home. `hub migrate` makes a hub there; `hub demo` makes one to look at."
    for command in NOT_BEGINNING:
        assert hub.refusal(*command, *home) == none
    assert list(tmp_path.iterdir()) == []
    assert hub("migrate", *home).returncode == 0
    assert hub.refusal("serve", *home, environment={"HUB_EMBEDDED_DATABASE": "another"}) == none
    assert hub("migrate", *home).returncode == 0
    with running("serve", *home, "--port", "0", until="Serving ") as server, running("worker", *home, until="Working "):
        assert server.poll() is None
        origin = _origin_of(server)
        token = hub("token", "--client", "admin", *home, "--url", origin)
        assert token.returncode == 0, token.stderr
        assert hub("token", "--client", "admin", *home).returncode == 0
        answer = httpx.post(
            f"{origin}/graphql",
            json={"query": "{__typename}"},
            headers={"Authorization": f"Bearer {token.stdout.strip()}"},
            trust_env=False,
        )
        assert answer.json() == {"data": {"__typename": "Query"}}
        assert hub.refusal("token", "--client", "nobody", *home) == (
            f"hub: There is no usable key of client 'nobody' in {tmp_path / 'clients'}. Clients with a key there: admin."
        )
    assert hub.refusal("token", "--client", "admin", *home, "--url", origin).startswith(f"hub: No hub answers at {origin} ")


def _origin_of(server: subprocess.Popen[str]) -> str:
    """Where it listens, asked of the system: the process was told to take any free port."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[9] in _sockets_of(server.pid):
            return f"http://127.0.0.1:{int(fields[1].split(':')[1], 16)}"
    raise AssertionError("it does not listen")


def _sockets_of(pid: int) -> set[str]:
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        target = os.readlink(entry)
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found
