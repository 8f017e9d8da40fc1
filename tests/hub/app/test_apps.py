"""An app that comes to a customer whom another brought: it is given the customer, and what the customer agrees to hand to it; nothing of what went before (PIPL 23)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from hub.domain.clock import Clock
from hub.domain.enums import SourceKind
from hub.errors import ConsentMissing
from hub.store.tables import consent, evaluation
from schema import services as contract
from tests.hub.app.conftest import NOW, Desk, link_for
from tests.hub.app.test_services import SESSION, agree

DEVICE = SourceKind.DEVICE


async def known(desk: Desk, *apps: str) -> str:
    """A customer whose device data were consented to, sent, and may be handed to some apps."""
    made = await desk.shop()
    await desk.services.create_link_session(desk.call(), link_for(made, sources=(DEVICE,)))
    await agree(desk, made, apps=apps)
    sent = contract.RecordBehaviourSessions(made, (SESSION,), date(2026, 1, 1), date(2026, 1, 19))
    await desk.services.record_behaviour_sessions(desk.call(), sent)
    assert await desk.shop("other-app") == made, "control: both apps have the customer"
    return made


async def evaluated(desk: Desk, made: str, client: str) -> tuple[bool, int]:
    """Whether it is a what-if, and of how many kinds of data it was made."""
    later = replace(desk.services, equipment=replace(desk.services.equipment, clock=Clock.frozen(NOW + timedelta(minutes=1))))
    kept = await later.evaluate(desk.call(client), contract.Evaluate(made, "S03", "OPERATING", None, None, None))
    async with desk.runtime.database.work() as tx:
        row = (await tx.execute(select(evaluation).where(evaluation.c.evaluation_id == UUID(kept.evaluation_id)))).one()
    sources = {one["source"]: one for one in row.document["sources"]} if "sources" in row.document else {}
    return row.what_if, len(sources)


async def test_an_app_that_is_not_named_decides_nothing(desk: Desk) -> None:
    made = await known(desk, "partner-app")
    assert (await evaluated(desk, made, "risk-desk"))[0] is False
    assert (await evaluated(desk, made, "partner-app"))[0] is False, "control: it may have all that the institution has"
    assert (await evaluated(desk, made, "other-app"))[0] is True


@pytest.mark.parametrize("step", ["withdraw", "pause", "narrow"])
async def test_an_app_that_is_not_named_ends_nothing(desk: Desk, step: str) -> None:
    made = await known(desk, "partner-app")
    asked = {
        "withdraw": contract.WithdrawConsent(made, DEVICE),
        "pause": contract.PauseConsent(made, DEVICE),
        "narrow": contract.NarrowConsent(made, DEVICE, None, None, None, None, 1, None),
    }[step]
    with pytest.raises(ConsentMissing):
        await getattr(desk.services.consents, step)(desk.call("other-app"), asked)
    await getattr(desk.services.consents, step)(desk.call("partner-app"), asked)


async def test_a_link_for_what_was_given_asks_for_no_other_consent(desk: Desk) -> None:
    made = await known(desk, "partner-app")
    await desk.services.create_link_session(desk.call("other-app"), link_for(made, sources=(DEVICE,)))
    async with desk.runtime.database.work() as tx:
        rows = (await tx.execute(select(consent.c.status, consent.c.apps))).all()
    assert [tuple(row) for row in rows] == [("ACTIVE", ["partner-app"])], "what is left to ask is whether the app may have it, on its page"
