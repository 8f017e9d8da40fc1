"""Consents as rows with a history: which transitions there are, that each is an event, and what an offer says."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from hub.consent import grants
from hub.consent.gate import Ask, decide
from hub.consent.terms import Offer, day_of_asking
from hub.domain.enums import ConsentStatus, SourceKind
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import ConsentMissing
from hub.store.database import Write

NOW = datetime(2026, 1, 15, 4, 0, tzinfo=UTC)
WHO = CustomerId(new_id())


def offer(source: SourceKind = SourceKind.TAX, scenarios: tuple[str, ...] = ("S03",), day: date = date(2026, 1, 15)) -> Offer:
    return Offer(source, "Tax platform", "税务平台", "试验银行", "CREDIT_APPROVAL", scenarios, day)


async def asked(tx: Write, **more: Any) -> UUID:
    return await grants.ask(tx, WHO, "tax", offer(**more), NOW, "partner")


async def row(tx: Write, consent_id: UUID) -> Mapping[str, Any]:
    return next(row for row in await grants.consents_of(tx, WHO) if row["consent_id"] == consent_id)


async def history(tx: Write, consent_id: UUID) -> list[tuple[Any, ...]]:
    found = await tx.execute(
        text("SELECT from_status, to_status, actor FROM consent_event WHERE customer_id = :c AND consent_id = :id ORDER BY event_id"),
        {"c": WHO, "id": consent_id},
    )
    return [tuple(event) for event in found]


Step = Callable[[Write, UUID], Awaitable[None]]


async def give(tx: Write, consent_id: UUID) -> None:
    await grants.give(tx, WHO, consent_id, {"how": "test"}, NOW)


async def withdraw(tx: Write, consent_id: UUID) -> None:
    await grants.withdraw(tx, WHO, consent_id, NOW)


async def expire(tx: Write, consent_id: UUID) -> None:
    await grants.expire(tx, WHO, consent_id, NOW)


async def pause(tx: Write, consent_id: UUID) -> None:
    await grants.pause(tx, WHO, consent_id, NOW)


async def resume(tx: Write, consent_id: UUID) -> None:
    await grants.resume(tx, WHO, consent_id, NOW)


STEPS: Mapping[str, Step] = {"give": give, "withdraw": withdraw, "expire": expire, "pause": pause, "resume": resume}
TRANSITIONS = {
    ("PENDING", "give"): "ACTIVE",
    ("PENDING", "withdraw"): "REVOKED",
    ("PENDING", "expire"): "EXPIRED",
    ("ACTIVE", "withdraw"): "REVOKED",
    ("ACTIVE", "expire"): "EXPIRED",
    ("ACTIVE", "pause"): "PAUSED",
    ("PAUSED", "resume"): "ACTIVE",
    ("PAUSED", "withdraw"): "REVOKED",
    ("PAUSED", "expire"): "EXPIRED",
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("status", ConsentStatus)
async def test_the_table_of_transitions(tx: Write, status: ConsentStatus, step: str) -> None:
    consent_id = await asked(tx)
    await tx.execute(text("UPDATE consent SET status = :status WHERE consent_id = :id"), {"status": status, "id": consent_id})
    after = TRANSITIONS.get((status, step))
    if after is None:
        with pytest.raises(ConsentMissing, match=f"A consent that is {status} cannot become"):
            await STEPS[step](tx, consent_id)
        assert (await row(tx, consent_id))["status"] == status
        assert len(await history(tx, consent_id)) == 1, "a refused transition leaves no event"
    else:
        await STEPS[step](tx, consent_id)
        assert (await row(tx, consent_id))["status"] == after
        assert (await history(tx, consent_id))[-1][:2] == (status, after)


async def test_the_history_of_a_consent(tx: Write) -> None:
    consent_id = await asked(tx)
    await give(tx, consent_id)
    await grants.withdraw(tx, WHO, consent_id, NOW, actor="partner-app")
    assert await history(tx, consent_id) == [
        (None, "PENDING", "partner"),
        ("PENDING", "ACTIVE", "customer"),
        ("ACTIVE", "REVOKED", "partner-app"),
    ]
    again = await asked(tx)
    assert again != consent_id, "what has ended is asked for anew"
    with pytest.raises(ConsentMissing, match="not there"):
        await grants.give(tx, CustomerId(new_id()), again, {}, NOW)


@pytest.mark.law("征信业管理条例 14: written")
async def test_what_is_given_keeps_its_evidence_and_is_decided_by_its_row(tx: Write) -> None:
    consent_id = await asked(tx)
    await give(tx, consent_id)
    found = await row(tx, consent_id)
    assert (found["evidence"], found["starts_at"], found["written"], found["adverse_notice"]) == ({"how": "test"}, NOW, True, True)
    given = grants.as_given(found)
    ask = Ask(SourceKind.TAX, "试验银行", "CREDIT_APPROVAL", "S03", date(2021, 2, 1), date(2026, 7, 31))
    assert decide(given, ask, NOW).allowed
    assert not decide(given, ask, datetime(2026, 7, 31, 16, 0, tzinfo=UTC)).allowed, "it ends with the day in China"


async def test_one_that_is_only_asked_for_is_asked_anew_under_its_id(tx: Write) -> None:
    first = await asked(tx, scenarios=("S01",))
    assert await asked(tx, scenarios=("S01",)) == first
    assert len(await history(tx, first)) == 1, "the same question twice is one"
    assert await asked(tx, scenarios=("S03",)) == first
    found = await row(tx, first)
    assert (found["scenarios"], found["text_hash"]) == (["S03"], offer().text_hash)
    assert (await history(tx, first))[-1] == ("PENDING", "PENDING", "partner")


async def test_one_that_was_given_is_not_changed_by_asking(tx: Write) -> None:
    consent_id = await asked(tx)
    await give(tx, consent_id)
    before = await row(tx, consent_id)
    assert await asked(tx, scenarios=("S01",)) == consent_id
    assert await row(tx, consent_id) == before


async def test_an_offer_that_ran_out_cannot_be_agreed_to(tx: Write) -> None:
    consent_id = await asked(tx)
    with pytest.raises(ConsentMissing, match="too long ago"):
        await grants.give(tx, WHO, consent_id, {}, NOW + timedelta(days=400))


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 1, 31), date(2025, 8, 31), date(2024, 2, 29)])
def test_the_text_of_an_offer_can_be_shown_again_on_any_later_day(day: date) -> None:
    shown = offer(day=day)
    again = offer(day=day_of_asking(shown.data_to, shown.version))
    assert again.text("zh") == shown.text("zh")
    assert shown.text_hash == hashlib.sha256(shown.text("zh").encode()).hexdigest()


@pytest.mark.law("征信业务管理办法 12: purpose")
def test_a_text_names_everything_that_is_agreed_to() -> None:
    for language, title in (("zh", "税务平台"), ("en", "Tax platform")):
        words = offer().text(language)
        for expected in ("试验银行", title, "2021-02-01", "2026-07-31", "1095", "S03"):
            assert expected in words
    assert "不利影响" in offer().text("zh")
    assert "不利影响" not in offer(source=SourceKind.SHOP).text("zh")


@pytest.mark.law("征信业管理条例 14: written")
def test_every_source_has_terms() -> None:
    assert {source for source in SourceKind if offer(source=source).term["life_days"] > 0} == set(SourceKind)
    of_income = {
        SourceKind.TAX,
        SourceKind.FINANCIALS,
        SourceKind.INVOICE,
        SourceKind.PAYMENT,
        SourceKind.HOUSING_FUND,
        SourceKind.SOCIAL_INSURANCE,
        SourceKind.BUREAU,
    }
    for source in of_income:
        asked_for = offer(source=source)
        assert asked_for.term["written"] and asked_for.term["adverse"], f"{source} is asked for in writing"
        assert "不利影响" in asked_for.text("zh") and "disadvantage" in asked_for.text("en")
