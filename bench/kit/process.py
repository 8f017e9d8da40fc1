"""Processes beside this one: modules that print a line when they are ready, and end when their standard input does, whatever becomes of this one."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from hub.cli.until import Stop

ROOT = Path(__file__).resolve().parents[2]
Result = Mapping[str, Any]
"""What a process said of itself."""


async def said(command: Sequence[str], told: bytes = b"", *, folder: Path = ROOT) -> Result:
    """The JSON on the last line that a process prints."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder)
    out, error = await process.communicate(told)
    if process.returncode:
        raise RuntimeError(f"{command[1:4]} failed:\n{error.decode()[-4000:]}")
    return orjson.loads(out.splitlines()[-1])  # type: ignore[no-any-return]


async def start(module: str, *arguments: str, errors: int | None = None) -> asyncio.subprocess.Process:
    """In a session of its own: Ctrl-C is this process's to handle."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", module, *arguments)
    return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=errors, start_new_session=True)


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


@asynccontextmanager
async def serving(module: str, *arguments: str, lines: int = 1) -> AsyncIterator[list[str]]:
    """A process that serves; the lines that it prints first."""
    process = await start(module, *arguments)
    try:
        yield [await line(process) for _ in range(lines)]
    finally:
        await end(process)


async def until_told_or_alone(stop: Stop) -> None:
    """In such a process: until it is told to stop, or whoever started it is gone."""
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), gone.set)
    waits = [asyncio.create_task(stop.wait()), asyncio.create_task(gone.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
