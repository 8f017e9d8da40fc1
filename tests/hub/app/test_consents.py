"""What a partner passes on about a consent: rest, go on, less of it, another one in its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from hub.consent import grants
from hub.domain.clock import Clock
from hub.domain.enums import Purpose, SourceKind
from hub.domain.identifiers import CustomerId
from hub.errors import ConsentMissing, InvalidInput, NotAllowed, NotFound
from schema import services as contract
from tests.hub.app.conftest import NOW, Desk, link_for
from tests.hub.app.test_services import agree

TAX = SourceKind.TAX


async def agreed(desk: Desk) -> str:
    made = await desk.shop()
    await desk.services.create_link_session(desk.call(), link_for(made))
    await agree(desk, made, TAX)
    return made


def narrower(customer_id: str, **changes: Any) -> contract.NarrowConsent:
    return replace(contract.NarrowConsent(customer_id, TAX, None, None, None, None, None, None), **changes)


async def states(desk: Desk, made: str) -> list[str]:
    """Of the consents to TAX, the oldest first."""
    async with desk.runtime.database.work() as tx:
        rows = [row for row in await grants.consents_of(tx, CustomerId(UUID(made))) if row["source"] == TAX]
    return [row["status"] for row in sorted(rows, key=lambda row: str(row["consent_id"]))]


async def events(desk: Desk) -> list[tuple[str, str]]:
    query = "SELECT e.step, e.actor FROM consent_event e JOIN consent c USING (customer_id, consent_id) WHERE c.source = 'TAX' ORDER BY event_id"
    async with desk.runtime.database.work() as tx:
        return [tuple(row) for row in await tx.execute(text(query))]  # type: ignore[misc]


async def test_a_consent_rests_and_goes_on_and_what_was_missed_is_due(desk: Desk) -> None:
    made, services = await agreed(desk), desk.services.port()
    paused = await services.pause_consent(desk.call(key="once"), contract.PauseConsent(made, TAX))
    assert paused == await services.pause_consent(desk.call(key="once"), contract.PauseConsent(made, TAX)), "one effect per key"
    assert await states(desk, made) == ["PAUSED"]
    with pytest.raises(ConsentMissing):
        await services.pause_consent(desk.call(), contract.PauseConsent(made, TAX))
    async with desk.runtime.database.work() as tx:
        await tx.execute(text("UPDATE connection SET due_at = NULL"))
    assert await services.resume_consent(desk.call(), contract.ResumeConsent(made, TAX)) == paused
    assert await states(desk, made) == ["ACTIVE"]
    async with desk.runtime.database.work() as tx:
        due = (await tx.execute(text("SELECT due_at <= clock_timestamp() FROM connection WHERE connector = 'cn_tax'"))).scalar_one()
    assert due
    client = "partner-app"
    assert await events(desk) == [
        ("ASKED", client),
        ("GIVEN", "customer"),
        ("APP_ADDED", "customer"),
        ("PAUSED", client),
        ("RESUMED", client),
    ]


async def test_a_consent_becomes_narrower(desk: Desk) -> None:
    made, services = await agreed(desk), desk.services.port()
    await services.narrow_consent(desk.call(), narrower(made, data_from=date(2025, 1, 1), kinds=("TaxReturn",)))
    with pytest.raises(InvalidInput, match="only become narrower"):
        await services.narrow_consent(desk.call(), narrower(made, data_from=date(2024, 12, 31)))
    assert (await events(desk))[-1] == ("NARROWED", "partner-app")


async def test_nothing_is_changed_of_what_is_foreign_or_was_never_given(desk: Desk) -> None:
    made, services = await desk.shop("other-app"), desk.services.port()
    calls = [
        (services.pause_consent, contract.PauseConsent(made, TAX)),
        (services.resume_consent, contract.ResumeConsent(made, TAX)),
        (services.narrow_consent, narrower(made, data_life_days=1)),
    ]
    for service, asked in calls:
        with pytest.raises(NotFound):
            await service(desk.call(), asked)  # type: ignore[operator]
        with pytest.raises(ConsentMissing):
            await service(desk.call("other-app"), asked)  # type: ignore[operator]


async def test_a_link_renews_when_it_is_asked_to_or_the_consent_ends_soon(desk: Desk) -> None:
    made = await agreed(desk)
    await desk.services.create_link_session(desk.call(), link_for(made))
    assert await states(desk, made) == ["ACTIVE"], "what lasts is not asked for again"
    await desk.services.create_link_session(desk.call(), link_for(made, renew=True))
    assert await states(desk, made) == ["ACTIVE", "PENDING"]
    await agree(desk, made, TAX)
    assert await states(desk, made) == ["SUPERSEDED", "ACTIVE"]
    await desk.services.consents.withdraw(desk.call(), contract.WithdrawConsent(made, TAX))
    assert await states(desk, made) == ["SUPERSEDED", "REVOKED"]


async def test_withdrawing_ends_what_is_given_and_what_shall_replace_it(desk: Desk) -> None:
    made = await agreed(desk)
    await desk.services.create_link_session(desk.call(), link_for(made, renew=True))
    await desk.services.consents.withdraw(desk.call(), contract.WithdrawConsent(made, TAX))
    assert await states(desk, made) == ["REVOKED", "REVOKED"]


async def test_a_link_asks_for_what_ends_within_thirty_days(desk: Desk) -> None:
    made = await agreed(desk)
    late = Clock.frozen(NOW + timedelta(days=170))
    services = replace(desk.services, equipment=replace(desk.services.equipment, clock=late))
    services.links.clock = late
    await services.create_link_session(desk.call(), link_for(made))
    assert await states(desk, made) == ["ACTIVE", "PENDING"]


async def test_a_link_asks_for_nothing_that_its_client_may_not_use(desk: Desk) -> None:
    """Else a client could open the customer's pages for a purpose of others: see who looked for it, and withdraw what was given for it."""
    made = await desk.shop()
    with pytest.raises(NotAllowed, match="purpose"):
        await desk.services.create_link_session(desk.call(), link_for(made, purpose=Purpose.FRAUD_PREVENTION))
    async with desk.runtime.database.work() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM consent"))).scalar_one() == 0
    await desk.services.create_link_session(desk.call(), link_for(made, purpose=Purpose.POST_LOAN))
