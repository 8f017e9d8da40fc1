"""Sessions that are sent again when nobody may read them any more, and those that no consent lets be kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text

from hub.app.services import HubServices
from hub.domain.clock import Clock
from hub.domain.enums import SourceKind
from hub.errors import ConsentMissing, NotFound
from schema import services as contract
from tests.hub.app.conftest import NOW, Desk, link_for
from tests.hub.app.test_services import SESSION, agree


def at(desk: Desk, when: datetime) -> HubServices:
    return replace(desk.services, equipment=replace(desk.services.equipment, clock=Clock.frozen(when)))


async def test_sessions_that_no_consent_shows_any_more_can_be_sent_again(desk: Desk) -> None:
    """A version outlives the data life of its consent, or lies outside a narrower range: nobody reads it, yet it lives under its key."""
    made = await desk.shop()
    await desk.services.create_link_session(desk.call(), link_for(made))
    await agree(desk, made)
    asked = contract.RecordBehaviourSessions(made, (SESSION,), date(2026, 1, 1), date(2026, 1, 19))
    await desk.services.record_behaviour_sessions(desk.call(), asked)
    await desk.services.create_link_session(desk.call(), link_for(made, renew=True))
    await agree(desk, made)
    await desk.services.consents.narrow(desk.call(), contract.NarrowConsent(made, SourceKind.DEVICE, None, None, None, None, 1, None))
    late = at(desk, NOW + timedelta(days=5))
    async with desk.runtime.database.read(late.calling.scope(desk.call())) as tx:
        assert (await tx.execute(text("select 1 from fact_behaviour_session"))).all() == [], "the client does not see what is there"
    assert await late.record_behaviour_sessions(desk.call(), asked) == contract.SessionsRecorded(0, 1)
    changed = replace(asked, sessions=(replace(SESSION, city="舟山市"),))
    call = desk.call(key="changed")
    assert [await late.record_behaviour_sessions(call, changed) for _ in range(2)] == [contract.SessionsRecorded(1, 0)] * 2
    with pytest.raises(NotFound):
        await late.record_behaviour_sessions(desk.call("other-app"), asked)
    await late.consents.withdraw(desk.call(), contract.WithdrawConsent(made, SourceKind.DEVICE))
    assert await late.record_behaviour_sessions(call, changed) == contract.SessionsRecorded(1, 0), (
        "what was answered under a key stays its answer"
    )
    with pytest.raises(ConsentMissing):
        await late.record_behaviour_sessions(desk.call(), changed)


@pytest.mark.parametrize("terms", ["mode = 'VIEW'", "kinds = '{Other}'"])
async def test_what_a_partner_sends_is_kept_under_a_consent_to_keep_it(desk: Desk, terms: str) -> None:
    """A consent to look lets nothing be stored, one to other kinds not these: the gate of what is fetched is the gate of what is sent."""
    made = await desk.shop()
    await desk.services.create_link_session(desk.call(), link_for(made))
    await agree(desk, made, SourceKind.DEVICE)
    asked = contract.RecordBehaviourSessions(made, (SESSION,), date(2026, 1, 1), date(2026, 1, 19))
    async with desk.runtime.database.work() as tx:
        await tx.execute(text(f"UPDATE consent SET {terms} WHERE source = 'DEVICE'"))
    with pytest.raises(ConsentMissing):
        await desk.services.record_behaviour_sessions(desk.call(), asked)


@pytest.mark.parametrize(("terms", "again"), [("fetch_type = 'ONETIME'", 0), ("fetches_per_day = 1", 1), ("fetches_per_day = 2", None)])
async def test_what_is_pushed_counts_as_often_as_it_is_consented_to(desk: Desk, terms: str, again: int | None) -> None:
    """Each page is a fetch of its day; one that is sent again under its key is none."""
    made = await desk.shop()
    await desk.services.create_link_session(desk.call(), link_for(made))
    await agree(desk, made, SourceKind.DEVICE)
    asked, call = contract.RecordBehaviourSessions(made, (SESSION,), date(2026, 1, 1), date(2026, 1, 19)), desk.call(key="first")
    async with desk.runtime.database.work() as tx:
        await tx.execute(text(f"UPDATE consent SET {terms} WHERE source = 'DEVICE'"))
    for _ in range(2):
        assert await desk.services.record_behaviour_sessions(call, asked) == contract.SessionsRecorded(1, 0)
    if again is None:
        assert await desk.services.record_behaviour_sessions(desk.call(), asked) == contract.SessionsRecorded(0, 1)
        return
    with pytest.raises(ConsentMissing):
        await desk.services.record_behaviour_sessions(desk.call(), asked)
    tomorrow = at(desk, NOW + timedelta(days=1))
    if again:
        assert await tomorrow.record_behaviour_sessions(desk.call(), asked) == contract.SessionsRecorded(0, 1)
    else:
        with pytest.raises(ConsentMissing):
            await tomorrow.record_behaviour_sessions(desk.call(), asked)
