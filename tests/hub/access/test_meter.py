"""Budgets hold over several processes: each has a meter and connections of its own, the ledger is one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select

from hub.access import meter as meter_module
from hub.access.meter import BUDGETS, SHARES, Meter
from hub.domain.caller import Caller
from hub.errors import BudgetSpent
from hub.store.database import Database
from hub.store.tables import cost_ledger

BUDGET, COST, PROCESSES, ASKED = 5_000, 30, 4, 120


def caller(name: str = "app", budget: int | None = BUDGET) -> Caller:
    return Caller(name, "PARTNER", frozenset(), "", "OPEN", budget)


@pytest.fixture
async def processes(database: Database) -> AsyncIterator[list[Meter]]:
    others = [Database(database.urls, app_pool=1, worker_pool=4) for _ in range(PROCESSES)]
    yield [Meter(one) for one in others]
    for one in others:
        await one.close()


async def granted(processes: list[Meter], who: Caller) -> int:
    async def one(meter: Meter) -> bool:
        try:
            await meter.charge(who, COST)
        except BudgetSpent as error:
            return not 1 <= error.seconds <= 60
        return True

    return sum(await asyncio.gather(*(one(processes[number % PROCESSES]) for number in range(ASKED * PROCESSES))))


async def minutes(database: Database, name: str = "app") -> tuple[int, int]:
    """How many minutes the ledger saw, and the most that was taken in one."""
    async with database.work() as tx:
        asked = select(func.count(), func.max(cost_ledger.c.taken)).where(cost_ledger.c.client_id == name)
        row = (await tx.execute(asked)).one()
    return int(row[0]), int(row[1])


async def test_processes_together_spend_no_more_than_the_budget(database: Database, processes: list[Meter]) -> None:
    spent = await granted(processes, caller()) * COST
    seen, most = await minutes(database)
    print(f"{spent} of {BUDGET} a minute were spent by {PROCESSES} processes")
    assert most <= BUDGET and spent <= BUDGET * seen
    assert spent >= BUDGET - PROCESSES * (BUDGET // SHARES), "what is lost is at most a share for each process"


async def test_a_ledger_that_does_not_look_is_noticed(database: Database, processes: list[Meter], monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: the sum is not compared with the budget."""
    careless = meter_module._TAKE.replace("where l.taken + excluded.taken <= %(budget)s::bigint", "")
    assert careless != meter_module._TAKE
    monkeypatch.setattr(meter_module, "_TAKE", careless)
    await granted(processes, caller())
    assert (await minutes(database))[1] > BUDGET


async def test_one_client_takes_nothing_from_another(processes: list[Meter]) -> None:
    await granted(processes, caller())
    await processes[0].charge(caller("other"), COST)
    await processes[0].charge(caller("desk", None), COST)


async def test_what_is_left_is_given_to_the_last_unit(database: Database) -> None:
    meter = Meter(database)
    for _ in range(10):
        await meter.charge(caller("exact", 100), 10)
    seen, _ = await minutes(database, "exact")
    if seen == 1:
        with pytest.raises(BudgetSpent):
            await meter.charge(caller("exact", 100), 10)


async def test_a_minute_that_is_over_is_over(database: Database) -> None:
    """What a process held of it is not spent in the next one."""
    now = 0.0
    meter = Meter(database, lambda: now)
    await meter.charge(caller("late"), COST)
    held = meter._shares["late"].held
    assert held == BUDGET // SHARES - COST
    now = 61.0
    await meter.charge(caller("late"), COST)
    assert meter._shares["late"].held == held


async def test_the_ledger_forgets_old_minutes(database: Database) -> None:
    meter = Meter(database)
    async with database.work() as tx:
        await tx.exec_driver_sql(
            "insert into cost_ledger select 'old', date_trunc('minute', now()) - make_interval(mins => g), 1 from generate_series(1, 60) g"
        )
    await meter.charge(caller("old"), COST)
    assert (await minutes(database, "old"))[0] <= 11


def test_every_audience_has_a_budget() -> None:
    assert set(BUDGETS) == {"PARTNER", "INTERNAL", "ADMIN"} and BUDGETS["PARTNER"] < BUDGETS["INTERNAL"]
