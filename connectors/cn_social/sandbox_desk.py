"""The simulated gateway's desk: how much it takes, the questions it answers later, and refusals."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.bucket import Bucket


@dataclass(frozen=True)
class Limits:
    """Rates and waits of the gateway. The defaults are generous; the profile's own are ``Limits.of_profile()``.

    ``retry_after`` is what an accepted question asks to wait, ``task_polls`` how often a task answers "not yet", ``batch_months`` the longest window
    that is answered at once.
    """

    per_second: float = 500
    burst: int = 1000
    per_consent_day: int = 100_000
    secret_every: float = 0
    retry_after: float = 0.2
    task_polls: int = 0
    batch_months: int = 12

    @classmethod
    def of_profile(cls) -> Limits:
        return cls(per_second=2, burst=5, per_consent_day=100, secret_every=60, retry_after=3, task_polls=1)


class Refusal(Exception):
    """An error in the gateway's envelope."""

    def __init__(self, subcode: str, *, code: int = 300, message: str = "", data: Mapping[str, Any] | None = None) -> None:
        self.subcode, self.code, self.message, self.data = subcode, code, message or subcode, data
        super().__init__(subcode)


def too_fast(seconds: float) -> Refusal:
    return Refusal("RATE", code=429, message="访问过于频繁", data={"retryafter": whole(seconds)})


def whole(seconds: float) -> int | float:
    """Whole seconds where they are whole."""
    return int(seconds) if seconds == int(seconds) else round(seconds, 3)


class Buckets:
    """A rate per requester and a daily count per consent."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rates: dict[str, Bucket] = {}
        self.calls: dict[str, int] = {}

    def take(self, requester: str) -> None:
        """Raises Refusal when the requester is too fast."""
        wait = self.rates.setdefault(requester, Bucket(self.limits.per_second, self.limits.burst)).take()
        if wait:
            raise too_fast(max(1, math.ceil(wait)))

    def count(self, consent: str) -> None:
        self.calls[consent] = self.calls.get(consent, 0) + 1
        if self.calls[consent] > self.limits.per_consent_day:
            raise too_fast(3600)


@dataclass
class Task:
    """A question that is answered later. ``key`` says whose question it is and which."""

    key: tuple[Hashable, ...]
    path: str
    question: Mapping[str, Any]
    ready_at: float
    polls_left: int
    dies_at: float
    done: bool = False


@dataclass
class Tasks:
    limits: Limits
    now: Callable[[], float] = time.monotonic
    life: float = 86_400
    by_id: dict[str, Task] = field(default_factory=dict)

    def open(self, key: tuple[Hashable, ...], path: str, question: Mapping[str, Any]) -> str:
        """The id of the running task for this question, a new one if there is none."""
        for taskid, task in self.by_id.items():
            if task.key == key and not task.done and self.now() < task.dies_at:
                return taskid
        taskid = f"T{len(self.by_id) + 1:04d}"
        wait = self.limits.retry_after
        self.by_id[taskid] = Task(key, path, question, self.now() + wait, self.limits.task_polls, self.now() + self.life)
        return taskid

    def poll(self, taskid: str, owner: Hashable) -> Task | None:
        """The task when its answer is ready, None while it is not. Raises Refusal."""
        task = self.by_id.get(taskid)
        if task is None or task.key[0] != owner:
            raise Refusal("TASK_UNKNOWN")
        if self.now() >= task.dies_at:
            raise Refusal("TASK_EXPIRED")
        if task.done:
            return task
        if self.now() < task.ready_at:
            raise too_fast(task.ready_at - self.now())
        if task.polls_left:
            task.polls_left -= 1
            task.ready_at = self.now() + self.limits.retry_after
            return None
        task.done = True
        return task
