"""How far it is: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

EVERY = 5.0


class Show:
    """On stderr, so that ``--json`` has stdout for itself."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.bar: Progress | None = None
        self.tasks: dict[str, TaskID] = {}
        self.began = self.said = time.monotonic()

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            columns = (
                TextColumn("{task.description:<10}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[text]}"),
            )
            self.bar = Progress(*columns, console=self.console)
            self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.bar is not None:
            self.bar.stop()

    def at(self, phase: str, done: int, total: int, text: str) -> None:
        if self.bar is not None:
            if phase not in self.tasks:
                self.tasks[phase] = self.bar.add_task(phase, total=total, text=text)
            self.bar.update(self.tasks[phase], completed=min(done, total), text=text)
        elif time.monotonic() - self.said >= EVERY:
            self.said = time.monotonic()
            self.say(f"{phase}: {done}/{total} records, {text}")

    def say(self, text: str) -> None:
        self.console.print(f"{time.monotonic() - self.began:6.1f} s  {text}", highlight=False, soft_wrap=True)
