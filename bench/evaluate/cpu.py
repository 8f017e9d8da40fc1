"""What a part of the run costs in CPU, its own processes and the database's: on a busy machine it tells more than time does."""

from __future__ import annotations

import os
import resource
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class Cpu:
    """From when it is made on: seconds of the processes that this one started and that have ended since, and of the database."""

    def __init__(self, data: Path) -> None:
        self.postmaster = postmaster(data)
        self.began = self._now()

    def taken(self) -> dict[str, float]:
        return {name: seconds - self.began[name] for name, seconds in self._now().items()}

    def _now(self) -> dict[str, float]:
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"processes": ended.ru_utime + ended.ru_stime, "database": of_tree(self.postmaster)}


def postmaster(data: Path) -> int:
    """The process of the PostgreSQL that works in a folder."""
    return int((data / "postmaster.pid").read_text().split()[0])


def of_process(pid: int, *, with_ended: bool = False) -> float:
    """Seconds that a process of this machine has taken; with those of its children that have ended."""
    times = _stat(pid)[11 : 15 if with_ended else 13]
    return sum(map(int, times)) / TICKS


def of_tree(pid: int) -> float:
    """With those of its children, whether or not they have ended."""
    running = [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()]
    return of_process(pid, with_ended=True) + sum(of_process(one) for one in running if _is_child(one, pid))


def _is_child(pid: int, parent: int) -> bool:
    try:
        return int(_stat(pid)[1]) == parent
    except FileNotFoundError:
        return False


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
