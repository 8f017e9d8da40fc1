"""Processor time of a process with its children, from /proc: what others do on the machine slows a rate down, and this much less."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_PROC = Path("/proc")


def seconds(root: int) -> float:
    """Of the processes that are there now; 0 where there is no /proc."""
    found = dict(_all()) if _PROC.exists() else {}
    return sum(took for pid, (_, took) in found.items() if _is_below(pid, root, found))


def _all() -> Iterator[tuple[int, tuple[int, float]]]:
    tick = os.sysconf("SC_CLK_TCK")
    for folder in _PROC.glob("[0-9]*"):
        try:
            said = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        yield int(folder.name), (int(said[1]), (int(said[11]) + int(said[12])) / tick)


def _is_below(pid: int, root: int, found: Mapping[int, tuple[int, float]]) -> bool:
    while pid in found:
        if pid == root:
            return True
        pid = found[pid][0]
    return False
