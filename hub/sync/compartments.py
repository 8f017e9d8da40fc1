"""Bulkheads: each platform has a compartment of its own in a worker process, so that runs which are stuck at one platform take no place from the others.

A platform's nudges are a queue of their own. When its compartment is full, nothing more is taken from that queue: its nudges wait where any other worker
may take them, not in a place that somebody else could use.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

QUEUE = "sync"


def queue_of(connector: str) -> str:
    """The queue of a platform's nudges. What nobody here speaks to is looked at in :data:`QUEUE`, where it is found out."""
    return f"{QUEUE}.{connector}"


class Compartments:
    """``size`` runs at once for each queue. ``open`` lists the queues with room; it is always the same list, which procrastinate reads at each fetch."""

    def __init__(self, queues: Iterable[str], size: int) -> None:
        self.size, self.all = size, tuple(queues)
        self.open = list(self.all)
        self._runs: Counter[str] = Counter()

    @property
    def places(self) -> int:
        """How many runs there may be in all."""
        return self.size * len(self.all)

    def enter(self, queue: str) -> None:
        self._runs[queue] += 1
        if self._runs[queue] >= self.size and queue in self.open:
            self.open.remove(queue)

    def leave(self, queue: str) -> bool:
        """Whether the queue is open again by this."""
        self._runs[queue] -= 1
        if self._runs[queue] >= self.size or queue in self.open or queue not in self.all:
            return False
        self.open.append(queue)
        return True
