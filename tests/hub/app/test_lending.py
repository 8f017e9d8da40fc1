"""What the lender says of its loans, and what a worker tells of them: once, and no longer than it is so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from hub.credit.models.lender import Watch
from hub.domain.clock import Clock
from hub.domain.enums import Purpose
from hub.domain.identifiers import CustomerId, new_id
from hub.domain.models import LoanState, ModelSlot
from hub.domain.periods import Month
from hub.errors import InvalidInput, KeyReused, NotFound
from hub.store.erasure.duty import erase_everything_due
from hub.store.evaluations import keep_signals
from hub.store.evaluations.rows import Heading
from hub.store.loans import load_loans
from hub.store.reports import joint_lending, keep_concentration
from hub.store.tables import audit_event, evaluation, loan_status, model_result, monitoring_signal, profile_change
from hub.worker import Watching, refresher
from schema import services as contract
from tests.hub.app.conftest import NOW, SHOP, Desk, link_for
from tests.hub.app.test_services import agree
from tests.hub.credit.made import made
from tests.hub.credit.models.cases import watched, whole
from tests.hub.credit.models.test_triggers import THEN, case_against, sales

TODAY = date(2026, 1, 20)


def word(customer: str, **changes: Any) -> contract.LoanStatus:
    base = contract.LoanStatus(
        customer,
        "L-1",
        "S03",
        LoanState.ACTIVE,
        None,
        date(2025, 6, 1),
        date(2026, 5, 31),
        Decimal("100000.00"),
        Decimal("50000.00"),
        Decimal(0),
        0,
    )
    return replace(base, **changes)


async def record(desk: Desk, asked: contract.LoanStatus, client: str = "partner-app") -> contract.LoansRecorded:
    return await desk.services.port().record_loan_status(desk.call(client), asked)


async def test_a_word_and_its_correction(desk: Desk) -> None:
    """Both times: what was said of a day stays readable as of the instant before the correction."""
    made_ = await desk.shop()
    assert (await record(desk, word(made_))).changed == 1
    assert await record(desk, word(made_)) == contract.LoansRecorded((made_,), 0, 1), "the same word again"
    later = replace(desk.runtime.equipment, clock=Clock.frozen(NOW + timedelta(hours=1)))
    port = replace(desk.services, equipment=later).port()
    overdue, customer_id = {"due": Decimal("800.00"), "days_past_due": 12}, CustomerId(UUID(made_))
    await port.record_loan_status(desk.call(), word(made_, **overdue))
    async with desk.runtime.database.work() as tx:
        for known_at, days, ever in ((NOW, 0, False), (NOW + timedelta(hours=1), 12, True)):
            (loan,) = (await load_loans(tx, [customer_id], TODAY, known_at))[customer_id]
            assert (loan.days_past_due, loan.ever_overdue, loan.balance) == (days, ever, Decimal("50000.00"))
        before = await load_loans(tx, [customer_id], TODAY - timedelta(days=1), NOW)
        assert not before.get(customer_id), "nothing was said of that day"
        assert len((await tx.execute(select(loan_status))).all()) == 2


async def test_old_and_new_values_are_audited(desk: Desk) -> None:
    made_ = await desk.shop()
    await record(desk, word(made_))
    await record(desk, word(made_, balance=Decimal("40000.00")))
    async with desk.runtime.database.work() as tx:
        wanted = select(audit_event).where(audit_event.c.action == "loan.record").order_by(audit_event.c.event_id)
        first, second = (await tx.execute(wanted)).all()
        assert (first.actor, first.before, first.after["balance"]) == ("partner-app", None, "50000.00")
        assert (second.before["balance"], second.after["balance"], second.subject) == ("50000.00", "40000.00", f"customer:{made_}")


async def test_one_effect_per_key(desk: Desk) -> None:
    made_, call = await desk.shop(), desk.call()
    port = desk.services.port()
    assert [(await port.record_loan_status(call, word(made_))).changed for _ in range(2)] == [1, 1]
    with pytest.raises(KeyReused):
        await port.record_loan_status(replace(call, request_sha256="other"), word(made_, balance=Decimal(1)))


async def test_another_clients_customer_is_not_there(desk: Desk) -> None:
    """Of several all or none."""
    mine = await desk.shop()
    theirs = await desk.services.identity.create_customer(desk.call("other-app"), replace(SHOP, name="别人的茶器店"))
    with pytest.raises(NotFound):
        await record(desk, word(theirs))
    with pytest.raises(NotFound):
        await desk.services.port().record_loan_statuses(desk.call(), contract.RecordLoanStatuses((word(mine), word(theirs, number="L-2"))))
    async with desk.runtime.database.work() as tx:
        assert (await tx.execute(select(loan_status))).all() == []


async def test_many_at_once_and_not_too_many(desk: Desk) -> None:
    mine, port = await desk.shop(), desk.services.port()
    asked = tuple(word(mine, number=f"L-{n}") for n in range(100))
    done = await port.record_loan_statuses(desk.call(), contract.RecordLoanStatuses(asked))
    assert (done.changed, done.unchanged) == (100, 0)
    for wrong in ((), (*asked, word(mine, number="L-100")), (asked[0], asked[0])):
        with pytest.raises(InvalidInput):
            await port.record_loan_statuses(desk.call(), contract.RecordLoanStatuses(wrong))


@pytest.mark.parametrize(
    "changes",
    [
        {"number": " "},
        {"number": "x" * 65},
        {"scenario": "S99"},
        {"status_on": date(2026, 1, 21)},
        {"granted_on": date(2026, 1, 21)},
        {"matures_on": date(2025, 6, 1)},
        {"balance": Decimal(-1)},
        {"balance": Decimal("1.001")},
        {"balance": Decimal("NaN")},
        {"due": Decimal(60_000), "days_past_due": 3},
        {"due": Decimal(1)},
        {"days_past_due": 3},
        {"contacts": -1},
        {"partner": "partner-app"},
        {"partner": "other-app", "partner_share": Decimal("0.3")},
        {"partner": "partner-app", "partner_share": Decimal(1)},
        {"evaluation_id": "nothing"},
        {"evaluation_id": str(new_id())},
    ],
)
async def test_what_cannot_be_is_refused(desk: Desk, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        await record(desk, word(await desk.shop(), **changes))


async def test_what_was_said_of_loans_goes_with_the_subject(desk: Desk) -> None:
    """Also where nothing else is left of it."""
    customer_id = CustomerId(UUID(await desk.shop()))
    await record(desk, word(str(customer_id)))
    await desk.services.port().erase_customer(desk.call("admin"), contract.EraseCustomer(str(customer_id), "asked by letter"))
    looked = await erase_everything_due(desk.runtime.database, TODAY)
    async with desk.runtime.database.work() as tx:
        assert (looked.whole, (await tx.execute(select(loan_status))).all()) == (True, [])


async def post_loan(desk: Desk) -> CustomerId:
    """A borrower whose consents are for POST_LOAN, of whom nothing is known."""
    made_ = await desk.shop()
    await desk.services.create_link_session(desk.call(), link_for(made_, purpose=Purpose.POST_LOAN))
    await agree(desk, made_)
    return CustomerId(UUID(made_))


async def evaluations(desk: Desk) -> list[Any]:
    async with desk.runtime.database.work() as tx:
        return list(await tx.execute(select(evaluation).order_by(evaluation.c.evaluation_id)))


async def test_a_word_and_a_new_day_make_a_worker_look(desk: Desk) -> None:
    """Once for the word, once a day while the loan runs, and not at all once it is repaid."""
    customer_id = await post_loan(desk)
    watching = Watching(desk.runtime)
    assert await watching.due() == []
    await record(desk, word(str(customer_id)))
    assert await watching.due() == [customer_id]
    await refresher(desk.runtime)(customer_id)
    assert [row.use_purpose for row in await evaluations(desk)] == ["POST_LOAN"] and await watching.due() == []
    await refresher(desk.runtime)(customer_id)
    assert len(await evaluations(desk)) == 1
    tomorrow = replace(desk.runtime, clock=Clock.frozen(NOW + timedelta(days=1)))
    watching = Watching(tomorrow)
    assert await watching.due() == [customer_id]
    await refresher(tomorrow)(customer_id)
    assert len(await evaluations(desk)) == 2 and await watching.due() == []
    async with desk.runtime.database.work() as tx:
        outputs = (await tx.execute(select(model_result.c.outputs).where(model_result.c.slot == ModelSlot.POST_LOAN))).scalars().all()
    assert [next(one["text"] for one in found if one["name"] == "level") for found in outputs] == ["GREEN", "GREEN"]
    settled = word(str(customer_id), state=LoanState.SETTLED, balance=Decimal(0), status_on=TODAY)
    await record(desk, settled)
    after = replace(desk.runtime, clock=Clock.frozen(NOW + timedelta(days=5)))
    await refresher(after)(customer_id)
    assert len(await evaluations(desk)) == 2, "repaid, and the word is older than the last look"


async def test_without_consents_for_it_nobody_watches(desk: Desk) -> None:
    made_ = await desk.shop()
    await desk.services.create_link_session(desk.call(), link_for(made_))
    await agree(desk, made_)
    await record(desk, word(made_))
    assert await Watching(desk.runtime).due() == []


class TestSignals:
    """What a worker keeps of what monitoring saw."""

    async def keep(self, desk: Desk, dossier: Any, watch: Watch, at: int = 0, purpose: str = "POST_LOAN") -> int:
        found = await whole(dossier, watch)
        instant = NOW + timedelta(days=at)
        heading = Heading(self.customer, new_id(), datetime.now(UTC), None, "", purpose, instant)
        async with desk.runtime.database.work() as tx:
            return await keep_signals(tx, heading, found)

    async def told(self, desk: Desk) -> list[tuple[str, int, bool]]:
        async with desk.runtime.database.work() as tx:
            rows = (await tx.execute(select(monitoring_signal).order_by(monitoring_signal.c.signal_id))).all()
        return [(row.trigger_id, row.points, row.ended_at is None) for row in rows if row.trigger_id in ("T1", "T7")]

    @pytest.fixture(autouse=True)
    async def _customer(self, desk: Desk) -> None:
        self.customer = CustomerId(UUID(await desk.shop()))

    async def test_a_signal_is_raised_once_and_ends_when_it_is_over(self, desk: Desk) -> None:
        watch = watched(origin=replace(THEN, tier=None))
        assert await self.keep(desk, sales(69_000), watch) == 1
        assert [await self.keep(desk, sales(share), watch, 1) for share in (69_000, 65_000)] == [0, 0], "the same cause is not told again"
        assert await self.told(desk) == [("T1", 15, True)]
        assert await self.keep(desk, sales(40_000), watch, 2) == 1, "graver: another state"
        assert await self.told(desk) == [("T1", 15, False), ("T1", 30, True)]
        assert await self.keep(desk, sales(100_000), watch, 3) == 0
        assert await self.told(desk) == [("T1", 15, False), ("T1", 30, False)]
        assert await self.keep(desk, sales(69_000), watch, 4) == 1, "it came back"

    async def test_what_cannot_be_told_any_more_ends_nothing(self, desk: Desk) -> None:
        watch = watched(origin=replace(THEN, tier=None))
        await self.keep(desk, sales(69_000), watch)
        assert await self.keep(desk, made(), watch, 1) == 0
        assert await self.told(desk) == [("T1", 15, True)]

    async def test_a_second_lawsuit_is_another_cause(self, desk: Desk) -> None:
        watch = watched(origin=replace(THEN, tier=None))
        await self.keep(desk, case_against("LITIGATION", date(2025, 9, 1)), watch)
        await self.keep(desk, case_against("DISHONEST", date(2025, 9, 1)), watch, 1)
        assert await self.told(desk) == [("T7", 10, False), ("T7", 70, True)]

    async def test_a_loan_that_is_repaid_is_not_watched(self, desk: Desk) -> None:
        watch = watched(origin=replace(THEN, tier=None))
        await self.keep(desk, sales(69_000), watch)
        await self.keep(desk, sales(69_000), Watch(True), 1)
        assert await self.told(desk) == [("T1", 15, False)]

    async def test_a_signal_and_its_end_are_announced(self, desk: Desk) -> None:
        watch = watched(origin=replace(THEN, tier=None))
        await self.keep(desk, sales(69_000), watch)
        await self.keep(desk, sales(69_000), watch, 1)
        await self.keep(desk, sales(100_000), watch, 2)
        async with desk.runtime.database.work() as tx:
            mine = select(profile_change).where(profile_change.c.kind == "MONITORING", profile_change.c.customer_id == self.customer)
            rows = (await tx.execute(mine)).all()
        assert [(row.of, row.purpose) for row in rows] == [("T1", "POST_LOAN")] * 2

    async def test_two_cannot_be_open_at_once(self, desk: Desk) -> None:
        """The database's own word, whatever a program does."""
        watch = watched(origin=replace(THEN, tier=None))
        await self.keep(desk, sales(69_000), watch)
        await self.keep(desk, sales(40_000), watch, 1)
        with pytest.raises(Exception, match="uq_monitoring_signal_open"):
            async with desk.runtime.database.work() as tx:
                await tx.execute(update(monitoring_signal).values(ended_at=None))

    async def test_a_client_reads_and_does_not_write_them(self, desk: Desk) -> None:
        watch = watched(origin=replace(THEN, tier=None))
        await self.keep(desk, sales(69_000), watch)
        call = desk.call()
        async with desk.runtime.database.write(desk.services.calling.scope(call)) as tx:
            assert (await tx.execute(text("SELECT count(*) FROM monitoring_signal"))).scalar() == 1
        for statement in ("UPDATE monitoring_signal SET points = 0", "DELETE FROM loan_status", "UPDATE loan_status SET balance = 0"):
            with pytest.raises(Exception, match="permission denied"):
                async with desk.runtime.database.write(desk.services.calling.scope(call)) as tx:
                    await tx.execute(text(statement))


@pytest.mark.law("互联网贷款 2021-24: partners")
async def test_what_is_lent_with_a_partner_is_summed_up(desk: Desk) -> None:
    """The latest word on each loan that is not repaid; a correction and a repayment change it, and the lender's own loans are not in it."""
    made_, share = await desk.shop(), {"partner": "partner-app", "partner_share": Decimal("0.4")}
    await record(desk, word(made_, **share))
    await record(desk, word(made_, number="L-2"))
    await record(desk, word(made_, number="L-3", state=LoanState.SETTLED, balance=Decimal(0), **share))
    async with desk.runtime.database.work() as tx:
        found = await joint_lending(tx, TODAY, NOW)
    assert [(one.partner, one.loans, one.balance, one.ours) for one in found.partners] == [
        ("partner-app", 1, Decimal("50000.00"), Decimal("30000.000000"))
    ]
    async with desk.runtime.database.work() as tx:
        assert [await keep_concentration(tx, Month("2026-01"), NOW) for _ in range(2)] == [2, 0], "the partner and all together, once"
        assert await keep_concentration(tx, Month("2025-12"), NOW) == 1, "nothing was lent then, and that is kept, too"
        kept = (await tx.execute(text("SELECT month, partner, loans, ours, too_much FROM concentration_row ORDER BY 1, 2"))).all()
    thirty = Decimal("30000.00")
    assert [tuple(row) for row in kept] == [
        ("2025-12", "", 0, Decimal(0), False),
        ("2026-01", "", 1, thirty, False),
        ("2026-01", "partner-app", 1, thirty, False),
    ]
    with pytest.raises(InvalidInput, match="no platform that is registered"):
        await record(desk, word(made_, partner="risk-desk", partner_share=Decimal("0.4")), "risk-desk")
