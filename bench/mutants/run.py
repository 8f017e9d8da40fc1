"""Keeps a cluster for all the test runs, lets mutmut work, and counts what it found, by module."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.kit.command import Outcome
from bench.kit.figures import Figure, told
from bench.kit.show import Show
from hub.store.embedded import Embedded
from hub.store.migrate import migrate

MUTMUT = Path(sys.executable).parent.parent.parent / ".venv-mutants" / "bin" / "mutmut"
WORK = Path("mutants")
NOTICED = frozenset({"killed", "timeout", "segfault", "caught by type check"})
"""A mutant that hangs or breaks the process is noticed, too."""
_ONE = re.compile(r"\s*(\S+?)\.x\S*__mutmut_\d+: (.+)")
_PROGRESS = re.compile(r"(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line."""

    processes: int = 2
    wanted: int = 90
    json: bool = False
    names: Sequence[str] = ()


async def run(asked: Asked, show: Show) -> Outcome:
    """Raises SystemExit with mutmut's last words when it could not work at all."""
    shutil.rmtree(WORK, ignore_errors=True)
    with tempfile.TemporaryDirectory() as home:
        cluster = Embedded(Path(home) / "data", durable=False)
        try:
            await migrate(await cluster.prepare("template"))
            await _mutate(asked, show, Path(home) / "data")
        finally:
            cluster.stop()
    found = _by_module((await _asked("results", "--all", "true")).splitlines())
    figures = [*_figures(found, asked.wanted), *(told("unnoticed", name) for name in await _unnoticed())]
    return Outcome(figures, more={"modules": {name: dict(counts) for name, counts in found.items()}})


async def _mutate(asked: Asked, show: Show, cluster: Path) -> None:
    environment = {**os.environ, "HUB_TEST_CLUSTER": str(cluster)}
    process = await asyncio.create_subprocess_exec(
        MUTMUT,
        "run",
        "--max-children",
        str(asked.processes),
        *asked.names,
        env=environment,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        last = await _followed(process, show)
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.terminate()
        raise
    if await process.wait():
        raise SystemExit(f"mutmut could not work:\n{last}")


async def _followed(process: Process, show: Show) -> str:
    """What it prints is one long line that it overwrites. Returns the end of it."""
    assert process.stdout is not None
    last = ""
    while piece := await process.stdout.read(4096):
        last = (last + piece.decode("utf-8", "replace"))[-4000:]
        if found := _PROGRESS.findall(last):
            done, total = found[-1]
            show.at("mutants", int(done), int(total))
    return last


async def _asked(*words: str) -> str:
    process = await asyncio.create_subprocess_exec(MUTMUT, *words, stdout=PIPE, stderr=DEVNULL)
    said, _ = await process.communicate()
    return said.decode()


def _by_module(lines: Sequence[str]) -> Mapping[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        if one := _ONE.match(line):
            found[one[1]][one[2]] += 1
    return {name: found[name] for name in sorted(found)}


async def _unnoticed() -> list[str]:
    lines = (await _asked("results")).splitlines()
    return [line.strip() for line in lines if (one := _ONE.match(line)) and one[2] not in (*NOTICED, "not checked")]


def _figures(found: Mapping[str, Counter[str]], wanted: int) -> Iterator[Figure]:
    """One per module, and all of them together. What was not asked for is not counted."""
    total: Counter[str] = Counter()
    for name, counts in found.items():
        total += counts
        yield _share(name, counts, wanted)
    yield _share("all", total, wanted)


def _share(name: str, counts: Counter[str], wanted: int) -> Figure:
    """Of the modules it is only told, the whole must reach the share."""
    tried = counts.total() - counts["not checked"]
    noticed = sum(counts[one] for one in NOTICED)
    share = 100 * noticed / tried if tried else 0.0
    return Figure(name, f"at least {wanted} %", f"{share:.1f} % of {tried:,}", share >= wanted if name == "all" else None)
