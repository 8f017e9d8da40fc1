"""A benchmark as a command: exit code 1 when a figure is missed, 130 when it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

import orjson
import uvloop

from bench.kit.figures import Figure, as_json, missed, table
from bench.kit.show import Show


class Asked(Protocol):
    """What every command line has."""

    @property
    def json(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """``seconds`` by part of the run; ``more`` goes into the JSON beside the figures."""

    figures: list[Figure]
    seconds: Mapping[str, float] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


def parser(name: str, counts: Mapping[str, str], defaults: Asked, *, breaks: tuple[str, ...] = ()) -> argparse.ArgumentParser:
    """A parser with an option per count, ``--break`` where guards can be taken out, and ``--json``."""
    made = argparse.ArgumentParser(prog=f"bench.{name}", description="Exit code 1 when a figure is missed.")
    for option, meaning in counts.items():
        made.add_argument(f"--{option}", type=int, default=getattr(defaults, option), help=f"{meaning} (default %(default)s)")
    if breaks:
        made.add_argument("--break", dest="broken", choices=breaks, help="take a guard out of the workers: the run must miss its figures")
    made.add_argument("--json", action="store_true", help="the figures as JSON on stdout")
    return made


async def _main(name: str, asked: Asked, run: Callable[[Show], Awaitable[Outcome]]) -> int:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with Show() as show:
        outcome = await run(show)
    if asked.json:
        document = as_json(outcome.figures, {"seconds": dict(outcome.seconds), **outcome.more})
        sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        parts = ", ".join(f"{part} {took:.0f} s" for part, took in outcome.seconds.items())
        table(f"{name}{parts and f': {parts}'}", outcome.figures)
    return int(missed(outcome.figures))


def command(name: str, asked: Asked, run: Callable[[Show], Awaitable[Outcome]]) -> NoReturn:
    try:
        sys.exit(uvloop.run(_main(name, asked, run)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)
