"""What a run is asked for."""

from __future__ import annotations

from dataclasses import dataclass

BREAKS = ("set",)
SERVER_CONNECTIONS = 6
"""What pgbouncer opens for a role: fewer than clients, so that each goes from hand to hand."""
CUSTOMERS = 12
"""Of each partner."""
CANCELLED, TWICE = 0.3, 0.3
"""Shares of the requests that are cancelled, and of these that are cancelled once more a moment later."""
LATEST = 0.06
"""Seconds after which a request is cancelled at the latest: about what one takes while all are at it."""
OPEN_FOR = 2.0
"""Seconds from which on an idle transaction was left, not only waited in."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line."""

    requests: int = 100_000
    clients: int = 32
    seed: int = 1
    broken: str | None = None
    json: bool = False
