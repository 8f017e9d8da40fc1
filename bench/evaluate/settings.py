"""What a run is asked for, what a process of ours is told, and the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.evaluate.growing import PURPOSE, SCENARIOS

WITHIN = 3.0
"""The time of a whole portfolio, as a multiple of the peer's."""
EQUAL = 1e-9
"""Relative difference of two ratios: the peer computes in doubles, ours in decimals."""
PORTFOLIO: dict[str, Any] = {
    "id": "BENCH", "version": "1", "effective_from": "2026-01-01", "title": "Every customer, every scenario", "purpose": PURPOSE,
    "branch": {"scenarios": SCENARIOS.strip("{}").split(","), "without_bureau": "0.8"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line."""

    customers: int = 2_000
    alone: int = 200
    sample: int = 100
    cores: int = 2
    peers: bool = True
    json: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """Where a process of ours works, on how many customers of how many, and which of their features it tells."""

    owner_url: str
    app_url: str
    worker_url: str
    customers: int
    sample: int
