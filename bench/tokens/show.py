"""How far it is: a bar on a terminal, a line every few seconds elsewhere. On stderr, so that ``--json`` has stdout for itself."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

EVERY = 5.0


class Show:
    """See the module."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.bar: Progress | None = None
        self.tasks: dict[str, TaskID] = {}
        self.began = self.said = time.monotonic()

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self.bar = Progress(*columns, console=self.console)
            self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.bar is not None:
            self.bar.stop()

    def at(self, part: str, done: int, total: int) -> None:
        if self.bar is not None:
            if part not in self.tasks:
                self.tasks[part] = self.bar.add_task(part, total=total)
            self.bar.update(self.tasks[part], completed=done)
        elif time.monotonic() - self.said >= EVERY:
            self.said = time.monotonic()
            self.console.print(f"{self.said - self.began:6.1f} s  {part}: {done}/{total}", highlight=False)

    def died(self, log_file: Path) -> dict[str, int]:
        """A process that ended without a word: what it logged last. Counted as such."""
        said = log_file.read_text("utf-8", "replace").splitlines()[-5:] if log_file.exists() else []
        self.console.print(f"{log_file.stem} ended without a report", *said, sep="\n", highlight=False, markup=False, soft_wrap=True)
        return {"silent": 1}
