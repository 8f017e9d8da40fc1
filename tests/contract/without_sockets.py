"""A process in which nobody may open a socket: imports connectors and runs their pure functions on what a real reading recorded.

``python -m tests.contract.without_sockets FILE [FOLDER]``. The guard is an audit hook of the interpreter: no library gets around it, and none can take it
off again. The usual clients are replaced as well, so that a message names them. During the pure functions files and processes are forbidden, too.
"""

from __future__ import annotations

import asyncio
import importlib
import pickle
import socket
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.connect import Context, Fault, Json, Response, Unreadable, Window

SOCKETS = ("socket.__new__", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname")
OUTSIDE = ("open", "subprocess.Popen", "os.system", "os.fork", "os.listdir")
CLIENTS = ("httpx", "http.client", "requests", "aiohttp", "urllib3")


@dataclass(frozen=True)
class Asked:
    """One exchange as recorded, without the stream itself: that is taken from the connector as imported here."""

    stream: str
    context: Context
    window: Window
    cursor: Json | None
    response: Response


class SocketOpened(Exception):
    """A connector reached outside."""


def guard() -> Callable[[bool], None]:
    """From now on no socket. The function that is returned forbids everything else outside, or allows it again."""
    pure = [False]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in SOCKETS or (pure[0] and event in OUTSIDE):
            raise SocketOpened(f"a connector reached outside: {event}")

    def refuse(*arguments: Any, **named: Any) -> Any:
        raise SocketOpened("a connector reached outside: a client was called")

    def forbid(everything: bool) -> None:
        pure[0] = everything

    asyncio.open_connection = refuse
    urllib.request.urlopen = refuse
    socket.create_connection = refuse
    sys.addaudithook(hook)
    return forbid


def run(connector: Any, asked: list[Asked]) -> int:
    """Every pure function on every exchange; the number of calls."""
    streams = {stream.name: stream for stream in connector.streams}
    return sum(1 for one in asked for _ in _calls(connector, streams[one.stream], one))


def _calls(connector: Any, stream: Any, one: Asked) -> Iterator[object]:
    context, window, cursor = one.context, one.window, one.cursor
    yield stream.windows(context, context.data_from, context.data_to)
    request = stream.request(context, window, cursor)
    yield connector.sign(context, request)
    dialogues = connector.authorisation
    begun = {"redirect_uri": "https://hub.example/link/callback", "verifier": "v" * 64}
    yield _step(dialogues.begin(context, state="s", text_hash="c3" * 32, **begun))
    yield _step(dialogues.complete(context, callback={"state": "s", "code": "c", "app_auth_code": "c", "SQBH": "1", "sqbh": "1"}, **begun))
    yield _step(dialogues.refresh(context))
    yield _step(dialogues.revoke(context))
    try:
        page = stream.read(context, window, cursor, one.response)
    except Fault as fault:
        yield fault
        return
    for record in page.records:
        try:
            yield list(stream.normalise(context, record))
        except Unreadable as fault:
            yield fault


def _step(dialogue: Iterator[Any]) -> object:
    try:
        return next(dialogue, None)
    except Fault as fault:
        return fault


def main(file: Path, folder: str) -> None:
    """Prints the number of calls. Once without the guard against files: modules that load lazily have then done so."""
    recorded: dict[str, list[Asked]] = pickle.loads(file.read_bytes())
    forbid = guard()
    if folder:
        importlib.import_module("connectors").__path__.append(folder)
    connectors = {name: importlib.import_module(f"connectors.{name}").connector for name in recorded}
    loaded = [client for client in CLIENTS if client in sys.modules and client != "http.client"]
    assert not loaded, f"a connector imports {', '.join(loaded)}"
    for name, connector in connectors.items():
        run(connector, recorded[name][:5])
    forbid(True)
    calls = sum(run(connector, recorded[name]) for name, connector in connectors.items())
    forbid(False)
    print(calls)


if __name__ == "__main__":
    # Under its own name, so that what was pickled is found again.
    from tests.contract import without_sockets

    without_sockets.main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
