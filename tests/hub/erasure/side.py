"""What the tests of erasure ask of a store."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Any

from hub.store.erasure import erase_everything_due
from hub.store.security import owned_tables
from tests.hub.sync.world import World


async def erase(world: World) -> int:
    """A look of the duty, on the world's day."""
    return (await erase_everything_due(world.database, today(world))).rows


def today(world: World) -> date:
    return world.equipment.clock.today()


async def held(world: World) -> dict[str, int]:
    """How many rows of which tables the customer has."""
    counted = " UNION ALL ".join(
        f"SELECT '{name}' AS name, count(*) AS rows FROM {name} WHERE customer_id = :customer" for name in owned_tables()
    )
    return {row["name"]: row["rows"] for row in await world.rows(counted) if row["rows"]}


async def stones(world: World) -> list[dict[str, Any]]:
    return [dict(one) for one in await world.rows("SELECT * FROM tombstone WHERE customer_id = :customer ORDER BY tombstone_id")]


async def hashes(world: World) -> list[str]:
    return [one["sha256"] for one in await world.rows("SELECT sha256 FROM raw_page WHERE customer_id = :customer ORDER BY sha256")]


def digest_of(hashes: list[str]) -> str:
    """As an auditor would compute it."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()


async def on(world: World, days: int) -> None:
    """So many days after the beginning."""
    world.time.at = world.time.at.replace(year=2026, month=1, day=15) + timedelta(days=days)
