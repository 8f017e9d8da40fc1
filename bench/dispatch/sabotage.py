"""Positive controls: a worker whose guard is taken out, and whose clock is wrong. What follows must be seen, else nothing would be."""

from __future__ import annotations

import datetime
import os
import time

from sqlalchemy import bindparam, text

from bench.dispatch.settings import Post
from hub.cli import until
from hub.sync import claim, compartments, dispatch


def sabotage(post: Post) -> None:
    """Breaks this process as its post says."""
    if post.shift:
        shift_clock(post.shift, post.after)
    if post.broken is not None:
        {"reconciler": _without_reconciler, "bulkhead": _without_bulkhead, "host time": _lease_in_host_time, "stop": _exit_at_once}[
            post.broken
        ]()


def shift_clock(seconds: float, after: float) -> None:
    """After a while shifts ``time.time``, ``time.time_ns`` and ``datetime.now`` of this process, for whatever Python code asks them; not the monotonic clocks, nor C code that
    asks the system itself.
    """
    real, real_ns, kind, began = time.time, time.time_ns, datetime.datetime, time.monotonic()

    def wrong() -> float:
        return seconds if time.monotonic() - began >= after else 0.0

    time.time = lambda: real() + wrong()
    time.time_ns = lambda: real_ns() + int(wrong() * 1e9)

    class Meta(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, kind)

    class Shifted(kind, metaclass=Meta):  # type: ignore[misc, valid-type]
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return kind.now(tz) + datetime.timedelta(seconds=wrong())

    datetime.datetime = Shifted  # type: ignore[misc]


def _exit_at_once() -> None:
    """Whoever tells it to stop ends it there and then."""
    until.Stop._hear = lambda self: os._exit(1)  # type: ignore[method-assign]


def _without_reconciler() -> None:
    async def nothing(self: dispatch.Dispatcher) -> int:
        return 0

    dispatch.Dispatcher.reconcile = nothing  # type: ignore[method-assign]


def _without_bulkhead() -> None:
    """All platforms in one compartment."""
    setattr(dispatch, "queue_of", lambda connector: compartments.QUEUE)  # noqa: B010
    setattr(dispatch, "Compartments", lambda queues, size: compartments.Compartments(dict.fromkeys(queues), size))  # noqa: B010


def _lease_in_host_time() -> None:
    """Claims and leases as this host's clock has it."""
    for name in ("_CLAIM", "_RENEW"):
        statement = str(getattr(claim, name)).replace("now()", "to_timestamp(:host)")
        setattr(claim, name, text(statement).bindparams(bindparam("host", callable_=time.time)))
