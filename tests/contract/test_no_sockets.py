"""A connector never opens a socket: shown in a process where nobody can, on everything that was read from every simulated platform."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from connectors import registry
from hub.cli.certify import Candidate
from hub.cli.certify.reading import read_windows
from hub.cli.certify.trial import FIRST, open_trial
from tests.contract.cheats import copy_of_the_skeleton, write
from tests.contract.without_sockets import Asked

ROOT = Path(__file__).resolve().parents[2]
GMV = 'gmv=_money(record, "gmv")'


async def _recorded(name: str, most: int = 15) -> list[Asked]:
    """What was asked and answered in an even choice of each stream's windows."""
    candidate = Candidate.of(name)
    async with open_trial(candidate, candidate.trials()[0]) as trial:
        customer = await trial.customer()
        planned = [(stream, stream.windows(customer.context, FIRST, customer.context.data_to)) for stream in customer.connector.streams]
        chosen = [read_windows(customer, stream, windows[:: len(windows) // most + 1]) for stream, windows in planned]
        read = [one for found in await asyncio.gather(*chosen) for one in found]
    exchanges = (exchange for one in read for exchange in one.exchanges)
    return [Asked(one.stream.name, one.context, one.window, one.cursor, one.response) for one in exchanges]


def _without_sockets(path: Path, recorded: dict[str, list[Asked]], folder: str = "") -> subprocess.CompletedProcess[str]:
    path.write_bytes(pickle.dumps(recorded))
    command = [sys.executable, "-m", "tests.contract.without_sockets", str(path), *([folder] if folder else [])]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


async def test_no_connector_opens_a_socket(tmp_path: Path) -> None:
    recorded = {name: await _recorded(name) for name in registry.NAMES}
    done = _without_sockets(tmp_path / "recorded", recorded)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 6 * sum(map(len, recorded.values()))


ATTEMPTS = {
    "at import": ('PLATFORM = "', 'import socket\nsocket.socket()\nPLATFORM = "'),
    "in normalise": (GMV, f"{GMV} + len(__import__('socket').create_connection(('127.0.0.1', 9)).family.name)"),
    "by name": (GMV, f"{GMV} + len(__import__('socket').getaddrinfo('localhost', 9))"),
    "through asyncio": (GMV, f"{GMV} + len(__import__('asyncio').open_connection('127.0.0.1', 9))"),
    "through urllib": (GMV, f"{GMV} + len(__import__('urllib.request').request.urlopen('http://127.0.0.1:9/').read())"),
    "in reading": ("        answer = json_object", "        __import__('socket').socket()\n        answer = json_object"),
    "with a client": ('PLATFORM = "', 'import httpx\nPLATFORM = "'),
    "into a file": (GMV, f"{GMV} + len(open('/dev/null').read())"),
    "with a process": (GMV, f"{GMV} + len(__import__('subprocess').check_output(['true']))"),
}


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Asked]]:
    """The skeleton's name and what a reading of it recorded; as it is, it passes."""
    folder = tmp_path_factory.mktemp("skeleton")
    with copy_of_the_skeleton(folder, {}) as name:
        recorded = asyncio.run(_recorded(name))
    done = _without_sockets(tmp_path_factory.mktemp("recorded") / "it", {name: recorded}, str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    return name, recorded


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_one_that_tries_is_stopped(attempt: str, skeleton: tuple[str, list[Asked]], tmp_path: Path) -> None:
    name, recorded = skeleton
    write(tmp_path, name, {"stream.py": [ATTEMPTS[attempt]]})
    done = _without_sockets(tmp_path / "recorded", {name: recorded}, str(tmp_path))
    assert done.returncode == 1
    assert "reached outside" in done.stderr or "a connector imports httpx" in done.stderr
