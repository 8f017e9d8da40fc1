"""Positive controls: a worker whose guard is taken out. What follows must be counted, else the count proves nothing."""

from __future__ import annotations

from hub.store.database import Write
from hub.sync import grants
from hub.sync.credentials import change
from hub.sync.grants import Exchange


def sabotage(broken: str) -> None:
    """Breaks this process's refresh."""
    if broken == "lock":
        # The row is read again, but stays everybody's.
        grants._locked = grants._seen
    else:
        grants._mark = _unmarked


async def _unmarked(tx: Write, exchange: Exchange, epoch: int, interrupted: int) -> None:
    """The version is counted up, but nobody can see that an exchange has begun."""
    await change(tx, exchange.customer_id, exchange.connection_id, epoch=epoch)
