"""What a simulated platform pushes. It writes pushes and never sends one: whoever runs the platforms carries them (:class:`World.pushes`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Letter:
    """A push on its way: headers and raw body."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Push:
    """One event. ``sign`` makes the letter anew for each attempt, because the time is signed (``timed``); ``is_received`` reads the receiver's answer; ``repeats`` are
    the seconds after which a platform tries again, one after the other."""

    platform: str
    sign: Callable[[], Letter]
    is_received: Callable[[int, bytes], bool]
    repeats: tuple[float, ...] = ()
    timed: bool = True
