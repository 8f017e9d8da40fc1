"""Compares the store with the platform. It knows the seed, the platform's own log and what the workers were acknowledged, not one word of the hub's code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from bench.chaos.truth import NEWCOMERS, TODAY, Truth
from bench.chaos.world import World

_FACTS = "SELECT connection_id, refund_number, order_number, requested_at, amount, status, known_to IS NULL, page_id FROM fact_refund"
_PAGES = "SELECT page_id, request ->> 'interaction', sha256 FROM raw_page"
_READ = "SELECT connection_id, first_day, state = 'DONE', coalesce((cursor ->> 'page')::int, 1) FROM sync_window"
_UNFINISHED = """
SELECT (SELECT count(*) FROM connection WHERE connection_id = ANY(%(ids)s)
        AND (due_at IS NOT NULL OR lease_until IS NOT NULL OR last_verdict IS DISTINCT FROM 'COMPLETE'))
    + (SELECT count(*) FROM sync_window WHERE connection_id = ANY(%(ids)s) AND state <> 'DONE')
"""
_UNEQUAL = """
SELECT (SELECT count(*) FROM sync_window WHERE fetched <> stored + unchanged + quarantined + rejected)
    + (SELECT count(*) FROM (SELECT connection_id, sum(stored) AS told FROM sync_run GROUP BY 1) r
       FULL JOIN (SELECT connection_id, count(*) AS kept FROM fact_refund GROUP BY 1) f USING (connection_id)
       WHERE coalesce(told, 0) <> coalesce(kept, 0))
"""
_SETTING = "SELECT reset_val FROM pg_settings WHERE name IN ('synchronous_commit', 'fsync') ORDER BY name DESC"
_TWINS = "SELECT count(*) - count(DISTINCT (connection_id, epoch)) FROM sync_run"
_STALE = "SELECT count(*) FROM chaos_stale"


@dataclass(frozen=True, slots=True)
class Findings:
    """Records unless said otherwise. ``lost``: the store's checkpoint is past them; ``unread``: it is not."""

    expected: int
    stored: int
    lost: int
    unread: int
    duplicated: int
    invented: int
    wrong: int
    unfinished: int
    unequal: int
    stale: int
    twins: int
    pages: int
    forged: int
    acknowledged: int
    forgotten: int
    overtaken: int
    setting: str


AHEAD = 1
"""How many pages of a window may be asked for while an earlier one is not committed yet."""


async def audit(world: World, truth: Truth, log: Mapping[str, Any], customers: Sequence[int], acknowledged: set[str]) -> Findings:
    """``log`` as the platform tells it; ``customers`` are those that were synced; ``acknowledged`` the interactions whose commit a worker saw."""
    expected = {(world.ids[customer], row["no"]): _content(row) for customer, row in truth.everything(customers)}
    rows = await world.rows(_FACTS)
    found = Counter((row[0], row[1]) for row in rows)
    content = {(row[0], row[1]): (row[2], row[3], row[4], row[5]) for row in rows if row[6]}
    missing, read = expected.keys() - content.keys(), await _read(world, truth)
    raw = await world.rows(_PAGES)
    ids = {"ids": [world.ids[customer] for customer in customers]}
    return Findings(
        expected=len(expected),
        stored=len(content),
        lost=len(missing & read),
        unread=len(missing - read),
        duplicated=sum(count - 1 for count in found.values()),
        invented=len(found.keys() - expected.keys()),
        wrong=sum(content[key] != expected[key] for key in content.keys() & expected.keys()),
        unfinished=(await world.rows(_UNFINISHED, ids))[0][0],
        unequal=int((await world.rows(_UNEQUAL))[0][0]),
        stale=(await world.rows(_STALE))[0][0],
        twins=(await world.rows(_TWINS))[0][0],
        pages=len(raw),
        forged=_forged(log["calls"], raw),
        acknowledged=len(acknowledged),
        forgotten=len(acknowledged - {row[1] for row in raw}),
        overtaken=_passed_and_lost(log["calls"], {row[1] for row in raw}),
        setting=" / ".join([row[0] for row in await world.rows(_SETTING)]),
    )


async def _read(world: World, truth: Truth) -> set[tuple[UUID, str]]:
    """The records that the store's checkpoints have passed: all of a window that is done, else the pages before its cursor."""
    numbers, passed = {connection: number for number, connection in enumerate(world.ids)}, set()
    for connection, day, done, page in await world.rows(_READ):
        customer = numbers[connection]
        rows = truth.rows(customer, day, NEWCOMERS) if done else []
        for before in range(1, 1 if done or day == TODAY else page):
            rows += truth.page(customer, day, before, 0)["rows"]
        passed |= {(connection, row["no"]) for row in rows}
    return passed


def _content(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["order"], datetime.fromisoformat(row["at"]), Decimal(row["amount"]), "SUCCEEDED"


def _forged(calls: Iterable[Mapping[str, Any]], raw: Iterable[Sequence[Any]]) -> int:
    """Raw pages that the platform did not serve in these bytes."""
    served = {call["interaction"]: call.get("sha256") for call in calls}
    return sum(served.get(interaction) != sha256 for _, interaction, sha256 in raw)


def _passed_and_lost(calls: Sequence[Mapping[str, Any]], kept: set[str]) -> int:
    """Whoever asks for a page has committed the one :data:`AHEAD` + 1 before. So of the answers that came before that question one must be kept.

    The newest day is left out: it is read in several cycles, whose pages have the same numbers.
    """
    answered: dict[tuple[int, str, int], list[tuple[float, str]]] = {}
    asked: dict[tuple[int, str, int], float] = {}
    for call in calls:
        key = (call["customer"], call["day"], call["page"])
        asked.setdefault(key, call["asked"])
        if "answered" in call:
            answered.setdefault(key, []).append((call["answered"], call["interaction"]))
    lost = 0
    for (customer, day, page), at in asked.items():
        if page > 1 + AHEAD and day != str(TODAY):
            lost += not any(when <= at and one in kept for when, one in answered.get((customer, day, page - 1 - AHEAD), []))
    return lost
