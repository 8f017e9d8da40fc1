"""An evaluation of another day, or of what was known before, decides nothing: it stands apart, and keeps nothing from being evaluated."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from hub.store.tables import evaluation_profile
from tests.hub.app.conftest import NOW, Desk
from tests.hub.app.test_services import evaluated


async def test_what_is_asked_of_another_day_or_of_before_is_a_what_if(desk: Desk) -> None:
    made = await desk.shop()
    asked = [{}, {"as_of": date(2026, 1, 20)}, {"known_at": NOW}, {"as_of": date(2026, 1, 19)}, {"known_at": NOW - timedelta(seconds=1)}]
    assert [(await evaluated(desk, made, **one)).what_if for one in asked] == [False, False, False, True, True]


@pytest.mark.law("decision record: supersedes")
async def test_a_what_if_supersedes_nothing_and_is_superseded_by_nothing(desk: Desk) -> None:
    made = await desk.shop()
    first = await evaluated(desk, made)
    what_if = await evaluated(desk, made, as_of=date(2026, 1, 10))
    second = await evaluated(desk, made)
    assert (first.supersedes, what_if.supersedes, second.supersedes) == (None, None, first.evaluation_id)


async def test_behind_a_closed_gate_no_profile_is_asserted(desk: Desk) -> None:
    assert (await evaluated(desk, await desk.shop())).outcome == "INSUFFICIENT_DATA"
    async with desk.runtime.database.work() as tx:
        assert (await tx.execute(select(func.count()).select_from(evaluation_profile))).scalar() == 0
