"""``make bench-dispatch`` in small, its three parts and each with its guard taken out. The workers and platforms are processes, as on the command line; the
database is that of the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.dispatch.due import due_at_once
from bench.dispatch.hanging import beside_one_that_hangs
from bench.dispatch.settings import Asked
from bench.dispatch.stopping import stopped_under_load
from bench.kit.figures import Figure
from bench.kit.show import Show
from hub.store.embedded import Embedded

pytestmark = pytest.mark.load
LOSS = "loss of the other platform's rate, median of the rounds"

Figures = Mapping[str, Figure]


def by_name(found: list[Figure]) -> Figures:
    return {one.name: one for one in found}


def loss(found: Figures) -> float:
    """Per cent. A machine that does other things meanwhile may take some from either side; in small, only a collapse is a failure."""
    return float(found[LOSS].seen.split()[0])


async def test_what_is_due_in_the_same_second_is_all_run(cluster: Embedded, tmp_path: Path) -> None:
    found = by_name(await due_at_once(Asked(connections=200, period=2), cluster, tmp_path, Show()))
    timed = {name for name in found if name.startswith("queue emptied")}
    assert len(timed) == 2
    assert [one for one in found.values() if one.met is False and one.name not in timed] == []
    assert found["connections run to their end"].seen == "200"
    assert "never" not in {found[name].seen for name in timed}


async def test_without_the_reconciler_work_is_left_undone(cluster: Embedded, tmp_path: Path) -> None:
    found = by_name(await due_at_once(Asked(connections=20, period=0.5, broken="reconciler"), cluster, tmp_path, Show()))
    assert found["connections run to their end"].seen == "0"
    assert found["queue emptied at once: all nudged again"].seen == "never"


async def test_a_platform_that_hangs_costs_the_other_nothing(cluster: Embedded, tmp_path: Path) -> None:
    found = by_name(await beside_one_that_hangs(Asked(rounds=2), cluster, tmp_path, Show()))
    assert found["calls that hung throughout, by the platform's count"].met
    assert loss(found) < 50


async def test_without_bulkheads_the_other_platform_stands_still(cluster: Embedded, tmp_path: Path) -> None:
    found = by_name(await beside_one_that_hangs(Asked(rounds=1, broken="bulkhead"), cluster, tmp_path, Show()))
    assert loss(found) > 80


async def test_a_rolling_restart_loses_no_page_and_leaves_no_lease(cluster: Embedded, tmp_path: Path) -> None:
    found = by_name(await stopped_under_load(Asked(stops=2), cluster, tmp_path, Show()))
    counted = [one for one in found.values() if one.wanted == "0"]
    assert len(counted) == 3
    assert all(one.met for one in counted), counted
    assert found["slowest end after SIGTERM"].met
    assert found["slowest handover of all connections, from SIGTERM"].seen != "never"


async def test_a_worker_that_exits_at_once_leaves_its_leases_behind(cluster: Embedded, tmp_path: Path) -> None:
    found = by_name(await stopped_under_load(Asked(stops=1, broken="stop"), cluster, tmp_path, Show()))
    assert int(found["leases left behind"].seen) > 0
