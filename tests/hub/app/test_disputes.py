"""Objections: kept sealed, due in twenty days, read by whoever must answer, answered once, and nobody else's business."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from hub.app.disputes import DisputeServices
from hub.errors import InvalidInput, NotFound
from schema import services as contract
from tests.hub.app.conftest import Desk
from tests.hub.app.test_revealing import rows

SAID = "这不是我的逾期记录"


def services(desk: Desk) -> DisputeServices:
    return DisputeServices(desk.runtime.equipment, desk.services.calling)


async def evaluation(desk: Desk) -> tuple[str, str]:
    made = await desk.shop()
    found = await desk.services.evaluate(desk.call("risk-desk"), contract.Evaluate(made, "S03", "OPERATING", None, None, None))
    return made, f"Evaluation:{made}:{found.evaluation_id}"


async def raised(desk: Desk, client: str = "partner-app") -> contract.DisputeRaised:
    made, about = await evaluation(desk)
    return await services(desk).raise_dispute(desk.call(client), contract.RaiseDispute(made, about, None, SAID))


@pytest.mark.law("征信业管理条例 25: answered")
async def test_it_is_kept_sealed_and_due_in_twenty_days(desk: Desk) -> None:
    made = await raised(desk)
    assert made.due_on == date(2026, 2, 9)
    (kept,) = await rows(desk, "SELECT * FROM dispute")
    assert (kept["kind"], kept["state"], kept["raised_by"], kept["due_on"]) == ("Evaluation", "OPEN", "partner-app", made.due_on)
    assert SAID.encode() not in kept["statement"], "nothing of it in plain text"
    revealed = await services(desk).reveal_dispute(desk.call("risk-desk"), contract.RevealDispute(made.dispute_id))
    assert (revealed.statement, revealed.note) == (SAID, None)
    logged = await rows(desk, "SELECT client_id, fields FROM access_log WHERE outcome = 'REVEALED'")
    assert logged == [{"client_id": "risk-desk", "fields": ["Dispute.statement"]}]
    everything = [await rows(desk, f"SELECT * FROM {table}") for table in ("idempotency_key", "access_log", "audit_event")]
    assert SAID not in str(everything)


@pytest.mark.law("征信业管理条例 25: answered")
async def test_it_is_answered_once_and_audited(desk: Desk) -> None:
    made = await raised(desk)
    asked = contract.ResolveDispute(made.dispute_id, "CORRECTED", "更正了")
    assert await services(desk).resolve_dispute(desk.call("admin"), asked) == made.dispute_id
    (kept,) = await rows(desk, "SELECT state, resolved_by FROM dispute")
    assert kept == {"state": "CORRECTED", "resolved_by": "admin"}
    (event,) = await rows(
        desk, "SELECT actor, before ->> 'state' AS was, after ->> 'state' AS is FROM audit_event WHERE action = 'dispute.resolve'"
    )
    assert event == {"actor": "admin", "was": "OPEN", "is": "CORRECTED"}
    revealed = await services(desk).reveal_dispute(desk.call("risk-desk"), contract.RevealDispute(made.dispute_id))
    assert revealed.note == "更正了"
    with pytest.raises(InvalidInput, match="answered before"):
        await services(desk).resolve_dispute(desk.call("admin"), asked)


@pytest.mark.parametrize("state", ["OPEN"])
async def test_an_answer_is_an_answer(desk: Desk, state: str) -> None:
    made = await raised(desk)
    with pytest.raises(InvalidInput):
        await services(desk).resolve_dispute(desk.call("admin"), contract.ResolveDispute(made.dispute_id, state, "n"))


async def test_who_does_not_see_the_customer_neither_objects_nor_reads(desk: Desk) -> None:
    made, about = await evaluation(desk)
    with pytest.raises(NotFound):
        await services(desk).raise_dispute(desk.call("other-app"), contract.RaiseDispute(made, about, None, SAID))
    mine = await services(desk).raise_dispute(desk.call(), contract.RaiseDispute(made, about, None, SAID))
    with pytest.raises(NotFound):
        await services(desk).reveal_dispute(desk.call("other-app"), contract.RevealDispute(mine.dispute_id))
    assert await rows(desk, "SELECT 1 FROM access_log WHERE outcome = 'REVEALED'") == []


@pytest.mark.parametrize(
    ("about", "feature", "said"),
    [
        ("Order:{0}:01900000-0000-7000-8000-000000000001", None, "no such fact or evaluation"),
        ("Evaluation:{0}:01900000-0000-7000-8000-000000000001", None, "no such fact or evaluation"),
        ("Evaluation:01900000-0000-7000-8000-000000000001:01900000-0000-7000-8000-000000000001", None, "no such fact or evaluation"),
        ("{1}", "ss_cv", "no such fact or evaluation"),
        ("Consent:{0}:01900000-0000-7000-8000-000000000001", None, "no such fact or evaluation"),
    ],
)
async def test_it_is_about_something_that_is_there(desk: Desk, about: str, feature: str | None, said: str) -> None:
    made, evaluated = await evaluation(desk)
    asked = contract.RaiseDispute(made, about.format(made, evaluated), feature, SAID)
    with pytest.raises(NotFound, match=said):
        await services(desk).raise_dispute(desk.call(), asked)


@pytest.mark.parametrize("statement", ["", " ", "x" * 2001])
async def test_a_statement_has_a_length(desk: Desk, statement: str) -> None:
    made, about = await evaluation(desk)
    with pytest.raises(InvalidInput):
        await services(desk).raise_dispute(desk.call(), contract.RaiseDispute(made, about, None, statement))


async def test_a_client_writes_no_answer(desk: Desk) -> None:
    """Control of the database's own bound: raised in one's own name, and open."""
    await raised(desk)
    scope = desk.services.calling.scope(desk.call())
    copied = "INSERT INTO dispute SELECT customer_id, gen_random_uuid(), kind, about, source_key, feature_id, '{}', statement, note, raised_at, '{}', due_on FROM dispute"
    for state, by in (("KEPT", "partner-app"), ("OPEN", "risk-desk")):
        with pytest.raises(Exception, match="row-level security"):
            async with desk.runtime.database.write(scope) as tx:
                await tx.execute(text(copied.format(state, by)))
    async with desk.runtime.database.write(scope) as tx:
        await tx.execute(text(copied.format("OPEN", "partner-app")))
