"""What mutations do, for whom, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import structs
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import ProgrammingError

from hub.access.clients import make_client_keys
from hub.consent import grants, handing
from hub.consent.terms import Handing, Offer
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId
from hub.errors import ConsentMissing, InvalidInput, NotFound
from hub.store.database import Scope
from hub.store.evaluations import scenarios_to_refresh
from hub.store.metadata import metadata
from hub.store.security import APPEND_ONLY, ERASED
from hub.store.tables import connection, consent, consent_event, customer, customer_client, evaluation, raw_page, sync_run, sync_window
from hub.worker import overdue, refresher
from schema import services as contract
from tests.hub.app.conftest import BACK, NOW, PERSON, SHOP, Desk, link_for

SESSION = contract.Session("s1", datetime(2026, 1, 5, 12, tzinfo=UTC), "device-1", "宁波市", 240, Decimal("0.1"))


async def sees(desk: Desk, client: str) -> list[str]:
    async with desk.runtime.database.read(Scope(client, "CREDIT_APPROVAL")) as tx:
        return [str(found) for found in (await tx.execute(select(customer.c.customer_id))).scalars()]


async def test_a_customer_is_seen_by_its_app_and_by_the_institution(desk: Desk) -> None:
    made = await desk.shop()
    assert (await sees(desk, "partner-app"), await sees(desk, "risk-desk"), await sees(desk, "other-app")) == ([made], [made], [])


async def test_a_known_customer_keeps_its_id_for_who_knows_the_person_too(desk: Desk) -> None:
    made = await desk.shop()
    assert await sees(desk, "other-app") == []
    assert await desk.shop("other-app") == made
    assert await sees(desk, "other-app") == [made]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"name": "x" * 201},
        {"person": replace(PERSON, resident_id="339998198709170425\n")},
        {"person": replace(PERSON, resident_id="３３９９９８１９８７０９１７０４２５")},
        {"uscc": "92330203MA2DEMKX0M\n"},
        {"uscc": "92330203MA2DEMKX00"},
        {"uscc": None},
        {"kind": "PERSON"},
        {"kind": "FIRM"},
        {"person": None},
    ],
    ids=[
        "no name",
        "a long name",
        "a line feed",
        "full-width digits",
        "a line feed in the code",
        "wrong check character",
        "no code",
        "a person with a code",
        "no such kind",
        "no person",
    ],
)
async def test_a_customer_that_cannot_be(desk: Desk, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        await desk.services.identity.create_customer(desk.call(), replace(SHOP, **changes))
    assert await sees(desk, "partner-app") == []


LOOK_ALIKES = (
    BACK + "/", BACK + "?x=1", BACK + "#x", BACK + ";x", BACK + "%20", BACK + " ", " " + BACK, BACK + "\n", BACK + "\t", BACK + "\0", BACK + "/../back",
    BACK + "/.", BACK[:-1], BACK.replace("https", "http"), BACK.replace("https", "HTTPS"), BACK.replace("https:", ""), BACK.replace("https://", "https:/"),
    BACK.replace("https://", "https:///"), BACK.replace("https://", "https:\\\\"), BACK.replace("https://", "https://user@"),
    BACK.replace("https://", "https://partner.example@"), BACK.replace("https://", "https://partner.example%40"), BACK.replace("/back", ":443/back"),
    BACK.replace("/back", ":8443/back"), BACK.replace("/back", "//back"), BACK.replace("/back", "/%62ack"), BACK.replace("/back", "/Back"),
    BACK.replace("/back", "\\back"), BACK.replace("/back", "/./back"), BACK.replace("/back", "/x/../back"), BACK.replace("/back", "./back"),
    "https://partner.example.evil/back", "https://PARTNER.example/back", "https://partner.example./back", "https://evil.example/back",
    "https://evil.example/https://partner.example/back", "https://evil.example?partner.example/back", "https://evil.example#partner.example/back",
    "https://xn--prtner-9na.example/back", "https://p\u0430rtner.example/back", "https://partner\u3002example/back", "https://partner.examp\u2113e/back",
    "https://sub.partner.example/back", "https://partnerexample/back", "https://127.0.0.1/back", "javascript:1", "data:text/html,x", "", "/back", "*",
)  # fmt: skip


async def test_a_link_goes_back_to_a_registered_address_only(desk: Desk) -> None:
    made = await desk.shop()
    assert len(set(LOOK_ALIKES)) >= 40 and BACK not in LOOK_ALIKES
    for url in LOOK_ALIKES:
        with pytest.raises(InvalidInput, match="not registered"):
            await desk.services.create_link_session(desk.call(), link_for(made, return_url=url))
    link = await desk.services.create_link_session(desk.call(), link_for(made))
    assert link.url.startswith("https://hub.example:8443/link/s/")
    call = desk.call(key="once")
    again = [(await desk.services.create_link_session(call, link_for(made))).url for _ in range(2)]
    assert again[0] == again[1] != link.url
    async with desk.runtime.database.work() as tx:
        kept = (
            await tx.execute(text("select cast(idempotency_key as text) || cast(link_session as text) from idempotency_key, link_session"))
        ).scalars()
        assert not any(url.rpartition("/")[2] in row for row in kept for url in (*again, link.url))


async def test_a_manage_session_is_for_ones_own_customer_and_a_registered_address(desk: Desk) -> None:
    made, theirs = await desk.shop(), await desk.shop("other-app")
    assert made == theirs, "control: the customer is the same, and both may see it"
    for url in LOOK_ALIKES:
        with pytest.raises(InvalidInput, match="not registered"):
            await desk.services.create_manage_session(desk.call(), contract.CreateManageSession(made, url))
    for target in (str(uuid4()), "x'; --"):
        with pytest.raises(NotFound, match="no such customer"):
            await desk.services.create_manage_session(desk.call(), contract.CreateManageSession(target, BACK))
    call = desk.call(key="manage")
    again = [(await desk.services.create_manage_session(call, contract.CreateManageSession(made, BACK))).url for _ in range(2)]
    assert again[0] == again[1] and again[0].startswith("https://hub.example:8443/link/s/")
    async with desk.runtime.database.work() as tx:
        rows = (await tx.execute(text("select kind, status, sources, client_id from link_session"))).all()
    assert [tuple(row) for row in rows] == [("MANAGE", "OPEN", [], "partner-app")]


async def test_a_link_asks_for_something_that_can_be_connected(desk: Desk) -> None:
    made = await desk.shop()
    for changes in ({"sources": ()}, {"scenarios": ()}, {"scenarios": ("S99",)}, {"sources": (SourceKind.FARM,)}):
        with pytest.raises(InvalidInput):
            await desk.services.create_link_session(desk.call(), link_for(made, **changes))
    async with desk.runtime.database.work() as tx:
        assert (await tx.execute(select(consent))).all() == []


@pytest.mark.parametrize("kind", ["absent", "foreign", "no id"])
async def test_what_is_not_yours_is_not_there(desk: Desk, kind: str) -> None:
    """Absent, foreign and malformed ids are answered alike by every service that takes one."""
    theirs = await desk.shop("other-app")
    target = {"absent": str(uuid4()), "foreign": theirs, "no id": "x'; --"}[kind]
    sessions = contract.RecordBehaviourSessions(target, (SESSION,), date(2026, 1, 1), date(2026, 1, 19))
    evaluate = contract.Evaluate(target, "S03", "OPERATING", None, None, None)
    said = set()
    for service, asked in (
        (desk.services.create_link_session, link_for(target)),
        (desk.services.record_behaviour_sessions, sessions),
        (desk.services.evaluate, evaluate),
        (desk.services.consents.withdraw, contract.WithdrawConsent(target, SourceKind.TAX)),
    ):
        with pytest.raises(NotFound) as refused:
            await service(desk.call(), asked)  # type: ignore[operator]
        said.add(refused.value.sentence())
    assert said == {"There is no such customer. Use the id that createCustomer gave."}


async def agree(desk: Desk, made: str, source: SourceKind = SourceKind.DEVICE, *, apps: tuple[str, ...] = ("partner-app",)) -> None:
    """The customer agrees to one source, as the link page would note it, and that some apps may have it, too."""
    customer_id = CustomerId(UUID(made))
    async with desk.runtime.database.work() as tx:
        rows = [row for row in await grants.consents_of(tx, customer_id) if row["source"] == source]
        await grants.give(tx, customer_id, rows[0]["consent_id"], {}, NOW)
        offer = Offer(source, "Platform", "平台", rows[0]["grantee"], rows[0]["purpose"], tuple(rows[0]["scenarios"]), NOW.date())
        for app in apps:
            await handing.hand_over(tx, customer_id, rows[0]["consent_id"], app, Handing(offer, app), {}, NOW)
        mine = (connection.c.customer_id == customer_id, connection.c.connector == rows[0]["connector"])
        await tx.execute(update(connection).where(*mine).values(status="ACTIVE"))


async def test_sessions_are_facts_only_with_consent(desk: Desk) -> None:
    made = await desk.shop()
    asked = contract.RecordBehaviourSessions(made, (SESSION,), date(2026, 1, 1), date(2026, 1, 19))
    with pytest.raises(ConsentMissing):
        await desk.services.record_behaviour_sessions(desk.call(), asked)
    await desk.services.create_link_session(desk.call(), link_for(made))
    with pytest.raises(ConsentMissing):
        await desk.services.record_behaviour_sessions(desk.call(), asked)
    async with desk.runtime.database.work() as tx:
        assert (await tx.execute(select(raw_page))).all() == []
        assert (await tx.execute(select(sync_run))).all() == []
    await agree(desk, made)
    assert await desk.services.record_behaviour_sessions(desk.call(), asked) == contract.SessionsRecorded(1, 0)
    later = replace(asked, sessions=(SESSION, replace(SESSION, session_number="s2")))
    assert await desk.services.record_behaviour_sessions(desk.call(), later) == contract.SessionsRecorded(1, 1)
    await desk.services.consents.withdraw(desk.call(), contract.WithdrawConsent(made, SourceKind.DEVICE))
    with pytest.raises(ConsentMissing):
        await desk.services.record_behaviour_sessions(desk.call(), later)


async def test_sessions_leave_a_sealed_page_and_say_which_days_they_cover(desk: Desk) -> None:
    made = await desk.shop()
    await desk.services.create_link_session(desk.call(), link_for(made))
    await agree(desk, made)
    asked = contract.RecordBehaviourSessions(made, (SESSION,), date(2026, 1, 1), date(2026, 1, 19))
    await desk.services.record_behaviour_sessions(desk.call(), asked)
    async with desk.runtime.database.work() as tx:
        page = (await tx.execute(select(raw_page))).one()
        window = (await tx.execute(select(sync_window))).one()
        run = (await tx.execute(select(sync_run))).one()
        device = (await tx.execute(text("select device_masked from fact_behaviour_session"))).scalar_one()
    assert b"device-1" not in page.body
    assert page.request == {"mutation": "recordBehaviourSessions", "client": "partner-app"}
    assert [(one.lower, one.upper - timedelta(days=1)) for one in window.covered] == [(date(2026, 1, 1), date(2026, 1, 19))]
    assert (run.verdict, run.fetched, run.stored) == ("COMPLETE", 1, 1)
    assert device == "d*******"


@pytest.mark.parametrize(
    "changes",
    [
        {"complete_from": date(2026, 1, 20)},
        {"complete_until": date(9999, 12, 31)},
        {"complete_until": date(2026, 1, 21)},
        {"complete_from": date(1900, 1, 1)},
        {"sessions": (replace(SESSION, at=datetime(2099, 1, 5, 12, tzinfo=UTC)),)},
        {"sessions": (SESSION, replace(SESSION, city="上海市"))},
        {"sessions": (replace(SESSION, session_number="x" * 129),)},
        {"sessions": (replace(SESSION, at=datetime(2026, 1, 5, 12)),)},
        {"sessions": (replace(SESSION, paste_ratio=Decimal("1.1")),)},
        {"sessions": (SESSION,) * 501},
    ],
    ids=[
        "days in the wrong order",
        "days to come",
        "tomorrow",
        "before all",
        "a session to come",
        "one number twice",
        "a long number",
        "no offset",
        "no share",
        "too many",
    ],
)
async def test_sessions_that_cannot_be(desk: Desk, changes: dict[str, Any]) -> None:
    asked = contract.RecordBehaviourSessions(await desk.shop(), (SESSION,), date(2026, 1, 1), date(2026, 1, 19))
    with pytest.raises(InvalidInput):
        await desk.services.record_behaviour_sessions(desk.call(), replace(asked, **changes))


async def evaluated(desk: Desk, made: str, **changes: Any) -> Any:
    asked = replace(contract.Evaluate(made, "S03", "OPERATING", None, None, None), **changes)
    kept = await desk.services.evaluate(desk.call("risk-desk"), asked)
    async with desk.runtime.database.work() as tx:
        return (await tx.execute(select(evaluation).where(evaluation.c.evaluation_id == UUID(kept.evaluation_id)))).one()


@pytest.mark.law("decision record: supersedes")
async def test_an_evaluation_without_data_is_one_that_cannot_decide(desk: Desk) -> None:
    made = await desk.shop()
    first = await evaluated(desk, made)
    assert (first.outcome, first.reasons, first.final_limit, first.score) == ("INSUFFICIENT_DATA", ["G03"], None, None)
    assert (first.as_of, first.known_at) == (date(2026, 1, 20), NOW)
    second = await evaluated(desk, made, requested_amount=Decimal("100000.00"))
    assert second.supersedes == first.evaluation_id
    assert second.inputs_digest != first.inputs_digest
    assert (await evaluated(desk, made)).inputs_digest == first.inputs_digest


@pytest.mark.parametrize(
    "changes",
    [
        {"scenario": "S99"},
        {"known_at": NOW + timedelta(seconds=1)},
        {"requested_amount": Decimal(0)},
        {"requested_amount": Decimal("1e30")},
        {"as_of": date(1, 1, 1)},
        {"as_of": date(9999, 12, 31)},
    ],
    ids=["no such scenario", "known tomorrow", "nothing asked", "more than there is", "the first day", "the last day"],
)
async def test_an_evaluation_that_cannot_be(desk: Desk, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        await evaluated(desk, await desk.shop(), **changes)


@pytest.mark.law("decision record: append-only")
async def test_what_was_decided_is_never_changed(desk: Desk) -> None:
    """Neither by the role that answers clients nor by the one that works."""
    made = await evaluated(desk, await desk.shop())
    assert made.outcome
    database = desk.runtime.database
    for name in sorted(APPEND_ONLY):
        for statement in (f"delete from {name}", f"update {name} set {next(iter(metadata.tables[name].c.keys()))} = null"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                async with database.write(Scope("risk-desk", "CREDIT_APPROVAL")) as tx:
                    await tx.execute(text(statement))
            if statement.startswith("delete") and "DELETE" in ERASED.get(name, ()):
                async with database.work() as tx:
                    assert (await tx.execute(text(statement))).rowcount == 0, "nothing of it is due"
                continue
            with pytest.raises(ProgrammingError, match="permission denied"):
                async with database.work() as tx:
                    await tx.execute(text(statement))


async def test_a_client_s_transaction_cannot_give_itself_a_customer(desk: Desk) -> None:
    theirs = await desk.shop("other-app")
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with desk.runtime.database.write(Scope("partner-app", "CREDIT_APPROVAL")) as tx:
            await tx.execute(insert(customer_client), {"customer_id": UUID(theirs), "client_id": "partner-app"})


async def test_a_lost_notice_is_made_good_by_the_rows(desk: Desk) -> None:
    """A worker that dies after its last run leaves facts that nobody evaluated; any worker finds them."""
    made = await desk.shop()
    await desk.services.create_link_session(desk.call(), link_for(made))
    await agree(desk, made)
    assert await overdue(desk.runtime) == []
    asked = contract.RecordBehaviourSessions(made, (SESSION,), date(2026, 1, 1), date(2026, 1, 19))
    await desk.services.record_behaviour_sessions(desk.call(), asked)
    assert await overdue(desk.runtime) == [CustomerId(UUID(made))]
    await refresher(desk.runtime)(CustomerId(UUID(made)))
    assert await overdue(desk.runtime) == []


async def test_sessions_are_taken_for_the_consented_purpose_only(desk: Desk) -> None:
    made = await desk.shop()
    await desk.services.create_link_session(desk.call(), link_for(made))
    await agree(desk, made)
    call = desk.call()
    other = replace(call, caller=structs.replace(call.caller, purpose="POST_LOAN"))
    with pytest.raises(ConsentMissing):
        await desk.services.record_behaviour_sessions(
            other, contract.RecordBehaviourSessions(made, (SESSION,), date(2026, 1, 1), date(2026, 1, 19))
        )


async def test_a_withdrawal_names_who_passed_it_on(desk: Desk) -> None:
    made = await desk.shop()
    with pytest.raises(ConsentMissing):
        await desk.services.consents.withdraw(desk.call(), contract.WithdrawConsent(made, SourceKind.TAX))
    await desk.services.create_link_session(desk.call(), link_for(made))
    await agree(desk, made, SourceKind.TAX)
    done = await desk.services.consents.withdraw(desk.call(), contract.WithdrawConsent(made, SourceKind.TAX))
    async with desk.runtime.database.work() as tx:
        mine = select(consent_event).where(consent_event.c.consent_id == UUID(done.consent_id)).order_by(consent_event.c.event_id)
        events = [(row.to_status, row.actor) for row in await tx.execute(mine)]
    assert events == [("PENDING", "partner-app"), ("ACTIVE", "customer"), ("ACTIVE", "customer"), ("REVOKED", "partner-app")], (
        "given, and handed on"
    )


async def test_the_rows_say_what_is_evaluated_anew(desk: Desk) -> None:
    """Nothing without new facts, nothing while a connection is due, once when all have settled, nothing the second time."""
    made = await desk.shop()
    customer_id, grantee = CustomerId(UUID(made)), desk.runtime.settings.grantee
    await desk.services.create_link_session(desk.call(), link_for(made))
    await agree(desk, made)

    async def due() -> list[tuple[str, str]]:
        async with desk.runtime.database.work() as tx:
            return await scenarios_to_refresh(tx, customer_id, grantee, desk.runtime.clock.today())

    assert await due() == []
    asked = contract.RecordBehaviourSessions(made, (SESSION,), date(2026, 1, 1), date(2026, 1, 19))
    await desk.services.record_behaviour_sessions(desk.call(), asked)
    assert await due() == [("CREDIT_APPROVAL", "S03")]
    async with desk.runtime.database.work() as tx:
        await tx.execute(update(connection).values(due_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert await due() == []
    async with desk.runtime.database.work() as tx:
        await tx.execute(update(connection).values(due_at=None))
    await refresher(desk.runtime)(customer_id)
    assert await due() == []
    await refresher(desk.runtime)(customer_id)
    async with desk.runtime.database.work() as tx:
        assert len((await tx.execute(select(evaluation))).all()) == 1


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "http://partner.example/",
        "https://u@partner.example/",
        "https://partner.example/#x",
        "//partner.example",
        "https://",
        "x",
    ],
)
async def test_a_return_url_is_one_a_customer_may_be_sent_to(desk: Desk, url: str) -> None:
    jwks = make_client_keys()[1]
    asked = contract.RegisterClient("new-app", "New", "PARTNER", ("customers:read",), (), jwks, (url,), False)
    with pytest.raises(InvalidInput, match="return URL"):
        await desk.services.clients.register(desk.call(), asked)
    good = replace(asked, return_urls=("https://partner.example/back?app=1", "http://127.0.0.1:9000/back"))
    assert await desk.services.clients.register(desk.call(), good) == "new-app"
