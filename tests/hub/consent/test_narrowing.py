"""A consent becomes narrower, never wider; another takes its place; the clock ends it and says so before. Each is an event that tells what changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from hub.consent import clock, grants
from hub.consent.narrowing import Narrower, narrow
from hub.consent.terms import Offer
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import ConsentMissing, InvalidInput
from hub.store.database import Database, Write
from tests.hub.consent.test_grants import NOW, WHO, asked, give, offer, row

DAY = timedelta(days=1)


async def events(tx: Write, consent_id: UUID) -> list[tuple[Any, ...]]:
    """Step, state after, changes; oldest first."""
    found = await tx.execute(
        text("SELECT step, to_status, changes FROM consent_event WHERE consent_id = :id ORDER BY event_id"), {"id": consent_id}
    )
    return [tuple(one) for one in found]


async def given(tx: Write) -> UUID:
    consent_id = await asked(tx, scenarios=("S01", "S03"))
    await give(tx, consent_id)
    return consent_id


async def test_what_becomes_narrower_is_told_with_what_it_was(tx: Write) -> None:
    consent_id = await given(tx)
    wanted = Narrower(("S03",), ("TaxReturn",), date(2024, 1, 1), date(2026, 3, 31), 30, date(2026, 4, 30))
    await narrow(tx, WHO, consent_id, wanted, NOW, "partner-app")
    found = await row(tx, consent_id)
    assert (found["status"], found["scenarios"], found["kinds"], found["data_life_days"]) == ("ACTIVE", ["S03"], ["TaxReturn"], 30)
    assert (found["data_from"], found["data_to"], found["narrowed_at"]) == (date(2024, 1, 1), date(2026, 3, 31), NOW)
    assert found["expires_at"] == datetime(2026, 4, 30, 15, 59, 59, 999999, tzinfo=UTC), "the last moment of the day in China"
    step, state, changes = (await events(tx, consent_id))[-1]
    assert (step, state, changes["data_from"], changes["data_life_days"]) == (
        "NARROWED",
        "ACTIVE",
        ["2021-02-01", "2024-01-01"],
        [1095, 30],
    )
    assert changes["scenarios"] == [["S01", "S03"], ["S03"]]
    assert set(changes) == {"scenarios", "kinds", "data_from", "data_to", "data_life_days", "expires_at"}


WIDER = [
    Narrower(scenarios=("S03", "S05")),
    Narrower(scenarios=()),
    Narrower(kinds=("TaxReturn", "Order")),
    Narrower(kinds=()),
    Narrower(data_from=date(2021, 1, 31)),
    Narrower(data_to=date(2026, 8, 1)),
    Narrower(data_from=date(2026, 2, 1), data_to=date(2026, 1, 31)),
    Narrower(data_life_days=1096),
    Narrower(data_life_days=0),
    Narrower(expires_on=date(2026, 8, 1)),
    Narrower(expires_on=date(2026, 1, 14)),
    Narrower(),
    Narrower(scenarios=("S01", "S03"), data_from=date(2021, 2, 1)),
]


@pytest.mark.parametrize("wanted", WIDER, ids=str)
async def test_nothing_becomes_wider_or_nothing_or_stays_as_it_is(tx: Write, wanted: Narrower) -> None:
    consent_id = await given(tx)
    before = await row(tx, consent_id)
    with pytest.raises(InvalidInput):
        await narrow(tx, WHO, consent_id, wanted, NOW)
    assert await row(tx, consent_id) == before
    assert [one[0] for one in await events(tx, consent_id)] == ["ASKED", "GIVEN"]


@pytest.mark.parametrize("status", ["PENDING", "REVOKED", "EXPIRED", "SUPERSEDED"])
async def test_what_is_not_given_does_not_become_narrower(tx: Write, status: str) -> None:
    consent_id = await given(tx)
    await tx.execute(text("UPDATE consent SET status = :status WHERE consent_id = :id"), {"status": status, "id": consent_id})
    with pytest.raises(ConsentMissing):
        await narrow(tx, WHO, consent_id, Narrower(data_life_days=1), NOW)


async def test_what_has_run_out_is_neither_narrowed_nor_resumed(tx: Write) -> None:
    consent_id, late = await given(tx), NOW + 300 * DAY
    await grants.pause(tx, WHO, consent_id, NOW)
    for step in (narrow(tx, WHO, consent_id, Narrower(data_life_days=1), late), grants.resume(tx, WHO, consent_id, late)):
        with pytest.raises(ConsentMissing):
            await step


async def test_a_renewal_stands_beside_what_it_replaces_until_it_is_given(tx: Write) -> None:
    old = await given(tx)
    assert await asked(tx) == old, "what lasts is not asked for again"
    later = NOW + 40 * DAY
    new = await grants.ask(tx, WHO, "tax", offer(day=later.date()), later, "partner", renew=True)
    assert new != old and (await row(tx, new))["supersedes"] == old
    assert [(await row(tx, one))["status"] for one in (old, new)] == ["ACTIVE", "PENDING"]
    assert await grants.ask(tx, WHO, "tax", offer(day=later.date()), later, "partner", renew=True) == new
    await grants.give(tx, WHO, new, {"how": "test"}, later)
    assert [(await row(tx, one))["status"] for one in (old, new)] == ["SUPERSEDED", "ACTIVE"]
    step, state, changes = (await events(tx, old))[-1]
    assert (step, state, changes["consent_id"]) == ("SUPERSEDED", "SUPERSEDED", [str(old), str(new)])
    assert changes["scenarios"] == [["S01", "S03"], ["S03"]] and changes["text_hash"][0] != changes["text_hash"][1]
    assert (await events(tx, new))[0][2] == {"supersedes": [None, str(old)]}


async def test_what_ends_soon_is_asked_for_anew(tx: Write) -> None:
    old = await given(tx)
    ends = (await row(tx, old))["expires_at"]
    assert await grants.ask(tx, WHO, "tax", offer(day=ends.date()), ends - grants.SOON - timedelta(seconds=1), "partner") == old
    assert await grants.ask(tx, WHO, "tax", offer(day=ends.date()), ends - grants.SOON, "partner") != old


async def test_withdrawing_withdraws_the_renewal_that_is_asked_for(tx: Write) -> None:
    old = await given(tx)
    new = await grants.ask(tx, WHO, "tax", offer(day=date(2026, 2, 1)), NOW, "partner", renew=True)
    await grants.withdraw(tx, WHO, old, NOW)
    assert [(await row(tx, one))["status"] for one in (old, new)] == ["REVOKED", "REVOKED"]
    with pytest.raises(ConsentMissing):
        await grants.give(tx, WHO, new, {}, NOW)


def test_an_offer_names_its_kinds_and_how_it_is_fetched() -> None:
    made = offer()
    assert made.kinds == ("PersonalIncome", "TaxArrear", "TaxCreditRating", "TaxPayment", "TaxReturn", "TaxViolation", "TaxpayerProfile")
    assert (made.mode, made.fetch, made.per_day) == ("STORE", "PERIODIC", 1440)


async def one_more(database: Database) -> UUID:
    """Another customer's consent."""
    who = CustomerId(new_id())
    async with database.work() as tx:
        made = Offer(SourceKind.TAX, "Tax", "税", "银行", "CREDIT_APPROVAL", ("S03",), date(2026, 1, 15))
        consent_id = await grants.ask(tx, who, "tax", made, NOW, "test")
        await grants.give(tx, who, consent_id, {}, NOW)
    return consent_id


async def told(database: Database, consent_id: UUID) -> list[tuple[str, str]]:
    async with database.work() as tx:
        return [(one[0], one[1]) for one in await events(tx, consent_id)][2:]


async def test_the_clock_announces_an_end_once_and_then_ends_it(database: Database) -> None:
    consent_id, ends = await one_more(database), datetime(2026, 7, 31, 15, 59, 59, 999999, tzinfo=UTC)
    for at, ended, announced in moments(ends):
        assert (await clock.expire_due(database, at), await clock.announce(database, at)) == (ended, announced)
    assert await told(database, consent_id) == [("ENDS_SOON", "ACTIVE"), ("EXPIRED", "EXPIRED")]
    async with database.work() as tx:
        assert (await tx.execute(text("SELECT expires_at FROM consent"))).scalar_one() == ends, "it ended when it said"


def moments(ends: datetime) -> Iterator[tuple[datetime, int, int]]:
    """At which instant how many are ended, and how many announced."""
    yield NOW, 0, 0
    yield ends - 31 * DAY, 0, 0
    yield ends - 30 * DAY, 0, 1
    yield ends - 29 * DAY, 0, 0
    yield ends - timedelta(microseconds=1), 0, 0
    yield ends, 1, 0
    yield ends + DAY, 0, 0
