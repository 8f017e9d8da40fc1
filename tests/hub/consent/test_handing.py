"""To whom the data of a consent may be handed: a consent of its own per app, with a record of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update

from hub.consent import grants, handing
from hub.consent.gate import Ask, decide
from hub.consent.terms import Handing
from hub.domain.enums import ConsentStatus, MissingReason, SourceKind
from hub.errors import ConsentMissing
from hub.store.database import Write
from hub.store.tables import consent
from tests.hub.consent.test_grants import NOW, WHO, asked, give, offer, row

LATER = NOW + timedelta(days=1)
WORDS = Handing(offer(), "小贷助手")


async def records(tx: Write) -> list[Mapping[str, Any]]:
    found = await tx.execute(text("SELECT * FROM consent_app WHERE customer_id = :who ORDER BY given_at, client_id"), {"who": WHO})
    return [dict(one) for one in found.mappings()]


async def steps(tx: Write, consent_id: UUID) -> list[tuple[str, Any]]:
    found = await tx.execute(text("SELECT step, changes FROM consent_event WHERE consent_id = :id ORDER BY event_id"), {"id": consent_id})
    return [(one.step, one.changes) for one in found if one.step.startswith("APP_")]


async def handed(tx: Write, *apps: str, **more: Any) -> UUID:
    """A consent that was given, and may be handed to some apps."""
    consent_id = await asked(tx, **more)
    await give(tx, consent_id)
    for app in apps:
        await handing.hand_over(tx, WHO, consent_id, app, WORDS, {"how": "test"}, NOW)
    return consent_id


async def test_an_app_is_named_with_a_record_and_an_event(tx: Write) -> None:
    consent_id = await handed(tx, "second", "first", "first")
    assert (await row(tx, consent_id))["apps"] == ["first", "second"]
    first, second = await records(tx)
    assert [one["client_id"] for one in (first, second)] == ["first", "second"]
    assert (first["text_hash"], first["text_version"], first["ended_at"]) == (WORDS.text_hash, WORDS.offer.version, None)
    assert first["evidence"] == {"how": "test", "app": "小贷助手"}
    assert await steps(tx, consent_id) == [("APP_ADDED", {"app": [None, "second"]}), ("APP_ADDED", {"app": [None, "first"]})]


def test_the_text_names_the_app_and_the_consents_own_does_not() -> None:
    assert "小贷助手" in WORDS.text("zh") and "小贷助手" in WORDS.text("en") and "试验银行" in WORDS.text("zh")
    assert WORDS.text_hash != Handing(offer(), "别的应用").text_hash
    assert len({WORDS.text_hash, Handing(offer(SourceKind.SHOP), "小贷助手").text_hash, WORDS.offer.text_hash}) == 3
    assert "小贷助手" not in WORDS.offer.text("zh"), "the institution's consent is the same whichever app asks"


async def test_it_is_taken_back_by_itself_and_the_consent_stays(tx: Write) -> None:
    consent_id = await handed(tx, "first", "second")
    for _ in range(2):
        await handing.take_back(tx, WHO, consent_id, "first", LATER)
    kept = await row(tx, consent_id)
    assert (kept["apps"], kept["status"]) == (["second"], "ACTIVE")
    assert [one["ended_at"] for one in await records(tx)] == [LATER, None]
    assert (await steps(tx, consent_id))[-1] == ("APP_REMOVED", {"app": ["first", None]})
    await handing.hand_over(tx, WHO, consent_id, "first", WORDS, {}, LATER)
    assert len(await records(tx)) == 3, "agreed to anew: another record"


async def test_nothing_is_handed_that_was_not_given(tx: Write) -> None:
    consent_id = await asked(tx)
    with pytest.raises(ConsentMissing):
        await handing.hand_over(tx, WHO, consent_id, "first", WORDS, {}, NOW)
    await give(tx, consent_id)
    await grants.withdraw(tx, WHO, consent_id, NOW)
    with pytest.raises(ConsentMissing):
        await handing.hand_over(tx, WHO, consent_id, "first", WORDS, {}, NOW)
    assert await records(tx) == []


async def test_a_renewal_goes_on_with_its_apps_unless_it_is_wider(tx: Write) -> None:
    before = await handed(tx, "first", "second")
    await handing.take_back(tx, WHO, before, "second", NOW)
    again = await grants.ask(tx, WHO, "tax", offer(), LATER, "partner", renew=True)
    await grants.give(tx, WHO, again, {}, LATER)
    assert (await row(tx, again))["apps"] == ["first"], "what was taken back stays so"
    carried = next(one for one in await records(tx) if one["consent_id"] == again)
    assert (carried["text_hash"], carried["evidence"]) == (WORDS.text_hash, {"carried_from": str(before)})
    wider = await grants.ask(tx, WHO, "tax", offer(scenarios=("S03", "S01")), LATER, "partner", renew=True)
    await grants.give(tx, WHO, wider, {}, LATER)
    assert (await row(tx, wider))["apps"] == []
    await handing.hand_over(tx, WHO, wider, "first", WORDS, {}, LATER)
    await tx.execute(update(consent).where(*grants.this(WHO, wider)).values(kinds=["TaxReturn"]))
    more_kinds = await grants.ask(tx, WHO, "tax", offer(scenarios=("S03", "S01")), LATER, "partner", renew=True)
    await grants.give(tx, WHO, more_kinds, {}, LATER)
    assert (await row(tx, more_kinds))["apps"] == []


def ask(app: str | None) -> Ask:
    return Ask(SourceKind.TAX, "试验银行", "CREDIT_APPROVAL", "S03", app=app)


@pytest.mark.law("PIPL 23: separate consent")
async def test_the_gate_lets_the_institution_and_the_named_app(tx: Write) -> None:
    held = grants.as_given(await row(tx, await handed(tx, "first")))
    assert [decide(held, ask(app), NOW).denial for app in (None, "first", "second")] == [None, None, MissingReason.CONSENT_APP]


@pytest.mark.parametrize("status", [ConsentStatus.PAUSED, ConsentStatus.REVOKED, ConsentStatus.EXPIRED, ConsentStatus.SUPERSEDED])
async def test_what_became_of_it_is_told_to_the_named_app_alone(tx: Write, status: ConsentStatus) -> None:
    consent_id = await handed(tx, "first")
    await tx.execute(update(consent).where(*grants.this(WHO, consent_id)).values(status=status))
    held = grants.as_given(await row(tx, consent_id))
    assert decide(held, ask("second"), NOW).denial is MissingReason.CONSENT_APP
    assert decide(held, ask("first"), NOW).denial == decide(held, ask(None), NOW).denial != MissingReason.CONSENT_APP


async def test_what_is_only_asked_for_is_missing_for_every_app(tx: Write) -> None:
    held = grants.as_given(await row(tx, await asked(tx)))
    assert decide(held, ask("first"), NOW).denial is MissingReason.CONSENT_MISSING
