"""``hub sandbox`` as a process of its own: what it prints is all that an outside client needs, and it starts and ends cleanly."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors import registry
from tests.contract.outside import CLIENTS, Refused

COMMAND = [sys.executable, "-m", "hub.cli", "sandbox"]


@contextmanager
def sandbox(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A running sandbox and what it printed."""
    process = subprocess.Popen([*COMMAND, "--json", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    try:
        lines: list[str] = []
        while not lines or lines[-1] != "}\n":
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()
        yield process, json.loads("".join(lines))
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture(scope="module")
def own() -> Iterator[dict[str, Any]]:
    """The project's own persona, as without options."""
    with sandbox() as (_, found):
        yield found


@pytest.fixture(scope="module")
def other() -> Iterator[dict[str, Any]]:
    """One persona file."""
    with as_file(files("connectors.sandbox") / "certification" / "everything.json") as full, sandbox("--personas", str(full)) as (_, found):
        yield found


def test_it_names_every_platform(own: dict[str, Any], other: dict[str, Any]) -> None:
    assert [one["name"] for one in own["platforms"]] == list(registry.NAMES) == list(CLIENTS)
    assert (own["personas"], other["personas"]) == (["online-tea-seller", "purchase-order-supplier", "rice-farmer"], ["everything"])
    assert all(one["base_url"].startswith("http://127.0.0.1:") for one in own["platforms"])


@pytest.mark.parametrize("name", CLIENTS)
def test_an_outside_client_gets_its_data(own: dict[str, Any], name: str) -> None:
    """The code that was printed works once: so the exchange was one, and a second client with it gets nothing."""
    given = next(one for one in own["platforms"] if one["name"] == name)
    with httpx.Client(trust_env=False) as http:
        rows = CLIENTS[name](http, given, False)
        assert len(rows) >= 1
        assert all(isinstance(row, dict) and len(row) > 1 for row in rows)
        if name != "cn_tax":
            with pytest.raises((Refused, KeyError)):
                CLIENTS[name](http, given, False)


@pytest.mark.parametrize("name", CLIENTS)
def test_one_changed_byte_gets_nothing(other: dict[str, Any], name: str) -> None:
    given = next(one for one in other["platforms"] if one["name"] == name)
    with httpx.Client(trust_env=False) as http, pytest.raises(Refused):
        CLIENTS[name](http, given, True)


def test_of_several_personas_those_with_data_are_offered(tmp_path: Path) -> None:
    """The first persona has no record at any platform: codes and periods must be the second one's."""
    for name, document in (("a.json", _stranger()), ("b.json", _everything()), ("notes.json", {"format": "something else"})):
        (tmp_path / name).write_text(json.dumps(document), "utf-8")
    with sandbox("--personas", str(tmp_path)) as (_, found), httpx.Client(trust_env=False) as http:
        assert found["personas"] == ["stranger", "everything"]
        assert {one["name"]: one["persona"] for one in found["platforms"]} == dict.fromkeys(registry.NAMES, "everything")
        for one in found["platforms"]:
            assert len(CLIENTS[one["name"]](http, one, False)) >= 1, one["name"]


def _everything() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((files("connectors.sandbox") / "certification" / "everything.json").read_text("utf-8"))
    return document


def _stranger() -> dict[str, Any]:
    """Somebody with an identity and nothing else."""
    whole = _everything()
    kept = {name: whole[name] for name in ("format", "title", "scenario", "as_of", "known_at", "reference")}
    person = {**whole["people"]["owner"], "resident_id": "339995199001010018"}
    return {**kept, "id": "stranger", "people": {"self": person}, "subject_person": "self", "sources": {}}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly(number: signal.Signals) -> None:
    with sandbox() as (process, found):
        with httpx.Client(trust_env=False) as http:
            # A connection that is kept open must not keep the process.
            assert http.get(found["platforms"][0]["base_url"] + "/nothing").status_code == 404
            process.send_signal(number)
            assert process.wait(timeout=15) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def _refused(*options: str) -> str:
    done = subprocess.run([*COMMAND, "--json", *options], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_an_occupied_port_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = _refused("--port", str(port))
    assert said == f"hub: Port {port} on 127.0.0.1 is in use by another process. Choose another one with --port, or 0 for any free port.\n"


def test_an_unknown_persona_is_one_sentence(tmp_path: Path) -> None:
    missing = tmp_path / "nobody.json"
    assert _refused("--personas", str(missing)).startswith(f"hub: There is no persona file at {missing}. Name a JSON file")
    (tmp_path / "broken.json").write_text("{", "utf-8")
    assert _refused("--personas", str(tmp_path)).startswith("hub: broken.json is not a persona: ")
