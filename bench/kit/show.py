"""How far it is and how long it will take: a bar on a terminal, a line every few seconds elsewhere. On stderr, so that ``--json`` has stdout for itself."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

EVERY = 5.0


class Show:
    """See the module."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}"),
        )
        self.bar = Progress(*columns, console=self.console, disable=not sys.stderr.isatty())
        self.tasks: dict[str, TaskID] = {}
        self.began = self.said = time.monotonic()
        self.parts: dict[str, tuple[float, int]] = {}

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.bar.stop()

    def at(self, part: str, done: int, total: int, text: str = "") -> None:
        if part not in self.tasks:
            self.tasks[part] = self.bar.add_task(part, total=total, text=text)
            self.parts[part] = time.monotonic(), done
        self.bar.update(self.tasks[part], completed=min(done, total), text=text)
        if self.bar.disable and time.monotonic() - self.said >= EVERY:
            self.said = time.monotonic()
            self.say(f"{part}: {done}/{total}{text and f', {text}'}{self._left(part, done, total)}")

    def _left(self, part: str, done: int, total: int) -> str:
        """How long the rest will take, if it goes on as it went since this part was first heard of."""
        began, before = self.parts[part]
        if done <= before:
            return ""
        return f", {(time.monotonic() - began) / (done - before) * max(0, total - done):,.0f} s left"

    def say(self, *lines: str) -> None:
        """Words of others, too: what a process said last is no markup."""
        self.console.print(
            f"{time.monotonic() - self.began:6.1f} s  {lines[0]}", *lines[1:], sep="\n", highlight=False, markup=False, soft_wrap=True
        )
