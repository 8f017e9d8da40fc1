"""The default formulas: a value of each derived by hand, what is missing is never zero, and what the brief says rises or falls does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.credit.dossier import Dossier, SourceState
from hub.credit.models.declare import MODELS, Result
from hub.credit.models.lender import Contact, Watch
from hub.credit.models.monitoring import level_of
from hub.credit.models.run import ORDER, complete
from hub.credit.models.score import default_probability
from hub.domain.enums import MissingReason, Outcome, SourceKind
from hub.domain.facts import BehaviourSession, CreditAccount, spec_of
from hub.domain.models import HintKind, ModelKind, ModelSlot
from hub.domain.periods import CHINA
from tests.hub.credit.made import AS_OF, OWN, fact, made, measures, monthly, shop
from tests.hub.credit.models.cases import loan, said, value, watched, whole
from tests.hub.credit.models.test_triggers import THEN, case_against, sales
from tests.hub.credit.scenario_customers import customer
from tests.hub.credit.test_scenarios_rules import changed, plot
from tests.hub.credit.variants import evaluated, seller

MANAGEMENT, ANALYSIS, SCORE = ModelSlot.BEHAVIOUR_MANAGEMENT, ModelSlot.BEHAVIOUR_ANALYSIS, ModelSlot.SCORE
APPROVAL, POST_LOAN, COLLECTION = ModelSlot.APPROVAL, ModelSlot.POST_LOAN, ModelSlot.COLLECTION


def rounded(number: Any) -> str:
    return str(Decimal(number).quantize(Decimal("0.0001"), ROUND_HALF_UP))


def sessions(*days_ago: int) -> list[Any]:
    noon = datetime(AS_OF.year, AS_OF.month, AS_OF.day, 12, tzinfo=CHINA)
    return [fact(BehaviourSession, session_number=f"s{n}", at=noon - timedelta(days=ago)) for n, ago in enumerate(days_ago)]


def borrower(months: Sequence[int], service: int = 6_000) -> Dossier:
    """Sales receipts of these months up to M0, and a loan elsewhere that asks for ``service`` yuan a month."""
    due = fact(CreditAccount, account_number="A", borrower=OWN, lender="x", open=True, monthly_due=Decimal(service))
    return made(due, on=(SourceKind.PAYMENT,), amounts={"IN.SALES_RECEIPT": monthly(months)})


class TestGolden:
    async def test_engagement(self) -> None:
        """Last session 45 days ago: 40 x 30/45 = 26.6667. Three in 90 days: 30 x 3/12 = 7.5. Two connections: 30 x 2/4 = 15. Together 49.1667.
        The fourth, 91 days ago, does not count."""
        found = (await said(made(*sessions(45, 60, 90, 91)), Watch(connections=2)))[MANAGEMENT]
        assert rounded(value(found, "engagement")) == "49.1667"
        assert (value(found, "stage"), value(found, "marketingAllowed")) == ("CONNECTED", MissingReason.CONSENT_MISSING)

    async def test_pattern_and_anomaly(self) -> None:
        """Five months of 90, five of 110 and one of 100 have the mean 100 and the variance (10 x 100) / 11 = 90.9091, its root 9.5346. M0 is 130: z = 30 / 9.5346 =
        3.1464. Two years alike but for that: growth of six months (630 / 600) - 1 = 0.05 at most, no trend, no variation: STABLE. 24 orders of 12 buyers are 2 each."""
        year = [90, 110, 90, 110, 100, 90, 110, 90, 110, 90, 110]
        orders = measures(buyers=12, repeat_buyers=3, last_paid_on=date(2026, 1, 17))
        found = (await said(shop([*year, 130, *year, 130], orders=orders, amounts={"ORDERS": monthly([2] * 12)})))[ANALYSIS]
        assert (rounded(value(found, "anomaly")), value(found, "anomalous"), value(found, "pattern")) == ("3.1464", True, "STABLE")
        assert (value(found, "buyerRecency"), value(found, "buyerFrequency")) == (3, Decimal(2))
        assert rounded(value(found, "buyerMonetary")) == rounded(Decimal(sum(year) + 130) / 12)

    @pytest.mark.parametrize(
        ("months", "pattern"),
        [
            # Six months of 70,000 after a year of 100,000: 0.70 - 1 = -0.30.
            ([100_000] * 18 + [70_000] * 6, "DECLINING"),
            ([100_000] * 18 + [130_000] * 6, "GROWING"),
            # cv of 20,000 and 180,000 by turns is 0.8; last year was alike.
            ([20_000, 180_000] * 12, "VOLATILE"),
            # One month of 300,000 a year, eleven of 100,000: the peak is 300,000 / 116,667 = 2.57, cv 0.47, last year moved likewise.
            (([100_000] * 5 + [300_000] + [100_000] * 6) * 2, "SEASONAL"),
            ([100_000] * 24, "STABLE"),
        ],
    )
    async def test_patterns(self, months: list[int], pattern: str) -> None:
        assert value((await said(shop(months)))[ANALYSIS], "pattern") == pattern

    async def test_score(self) -> None:
        """The brief, 8.1: 400 + 279 points = 679, grade A. B = 50 / ln 2 = 72.1348, A = 387.6036: odds = exp((387.6036 - 679) / 72.1348) = 0.01760, probability =
        0.01760 / 1.01760 = 0.0173."""
        found = (await said(evaluated(seller()).dossier))[SCORE]
        assert (value(found, "score"), value(found, "grade"), rounded(value(found, "probabilityOfDefault"))) == (679, "A", "0.0173")

    async def test_approval(self) -> None:
        """The brief, 8.1: the final limit is 223,000, which is indicative, too."""
        found = (await said(evaluated(seller()).dossier))[APPROVAL]
        names = ("approval", "preApproved", "indicativeLimit", "validDays")
        assert [value(found, name) for name in names] == ["APPROVE", True, Decimal(223_000), 30]

    async def test_pre_approval_without_the_bureau(self) -> None:
        """8.1 without the bureau: characteristics 07 to 10 take their missing bins, 30 + 30 + 35 + 20 become 10 + 8 + 15 + 8, so 679 - 74 = 605, grade C. The legs do
        not ask the bureau: 165,440 x 1.35 = 223,344; the caps of debt and capacity cannot be told, the others are higher. 223,000 x 0.8 = 178,400, down to 178,000."""
        dossier = evaluated(seller()).dossier
        gone = without(dossier, SourceKind.BUREAU)
        results = await whole(gone)
        found = next(one for one in results.results if one.slot is APPROVAL)
        assert results.made.outcome is Outcome.INSUFFICIENT_DATA
        assert (value(found, "indicativeLimit"), value(found, "approval")) == (Decimal(178_000), MissingReason.NOT_CONNECTED)
        for more in (SourceKind.SHOP, SourceKind.REGISTRATION):
            other = (await said(without(gone, more)))[APPROVAL]
            assert value(other, "preApproved") is MissingReason.NOT_CONNECTED, "more than the bureau is missing"

    async def test_monitoring(self) -> None:
        """A new enforcement case 40, sales of M0 below a half 30, the tier fell from HIGH to UNVERIFIED 20: 90 points, RED."""
        dossier = case_against("ENFORCEMENT", date(2025, 9, 1))
        sold = sales(40_000)
        both = replace(sold, sources={**sold.sources, **dossier.sources}, facts={**sold.facts, **dossier.facts})
        found = (await said(both, watched(origin=THEN)))[POST_LOAN]
        assert [value(found, name) for name in ("points", "level", "action")] == [90, "RED", "FREEZE_UNDRAWN_AND_REVIEW"]
        assert value(found, "undecided") > 0, "what cannot be told is counted"

    async def test_collection(self) -> None:
        """45 days: 40 x 45/90 = 20. 50,000: 30 x 0.5 = 15. Cash of W3 9,000 x 4 = 36,000 of a service of 6,000 x 12 = 72,000 is an ability of 0.5: 20 x 0.5 = 10.
        Reachable: 10. Together 55; 45 days are M2. Nothing is sold in a shop: the segment has the reason."""
        late = loan(days_past_due=45, due=Decimal(5_000))
        found = (await said(borrower([3_000] * 24), watched(late)))[COLLECTION]
        assert (value(found, "priority"), value(found, "bucket")) == (Decimal(55), "M2")
        law = [value(found, name) for name in ("contactFrom", "contactUntil", "callsPerDay")]
        assert law == ["08:00", "22:00", 3]

    @pytest.mark.parametrize(
        ("days", "bucket"), [(0, "M0"), (1, "M1"), (30, "M1"), (31, "M2"), (60, "M2"), (61, "M3"), (90, "M3"), (91, "M4+")]
    )
    async def test_buckets(self, days: int, bucket: str) -> None:
        assert value((await said(made(), watched(loan(days_past_due=days))))[COLLECTION], "bucket") == bucket

    @pytest.mark.parametrize(("last", "segment"), [(70_000, "REMIND"), (69_999, "RESTRUCTURE")])
    async def test_segments(self, last: int, segment: str) -> None:
        found = (await said(sales(last), watched(loan(days_past_due=5))))[COLLECTION]
        assert value(found, "segment") == segment

    async def test_sources_that_contradict_each_other_go_to_the_lawyers(self) -> None:
        """The register knows four times the area that was measured: tier CONFLICT."""
        dossier = evaluated(changed("S07", plot(0, register_mu="200"))).dossier
        found = (await said(dossier, watched(loan("S07", days_past_due=5)), "S07"))[COLLECTION]
        assert value(found, "segment") == "LEGAL"


def without(dossier: Dossier, kind: SourceKind, reason: MissingReason = MissingReason.NOT_CONNECTED) -> Dossier:
    """The dossier of one who did not connect it."""
    facts = {cls: rows for cls, rows in dossier.facts.items() if spec_of(cls).source is not kind}
    orders = None if kind is SourceKind.SHOP else dossier.orders
    return replace(dossier, sources={**dossier.sources, kind: SourceState(kind, reason)}, facts=facts, orders=orders)


class TestStages:
    """The first that applies."""

    @pytest.mark.parametrize(
        ("watch", "stage"),
        [
            (watched(loan(days_past_due=1)), "COLLECTION"),
            (watched(loan()), "AT_RISK"),
            (watched(loan("S01")), "ACTIVE_BORROWER"),
            (watched(loan("S01", balance=Decimal(0))), "CONNECTED"),
            (Watch(connections=0), "DORMANT"),
            # A loan that may not be watched: whether it is at risk cannot be told.
            (Watch(False, (loan(),), None, 1), MissingReason.CONSENT_PURPOSE),
        ],
    )
    async def test_stage(self, watch: Watch, stage: object) -> None:
        """A new enforcement case is 40 points, ORANGE; the last session is 90 days ago."""
        dossier = case_against("ENFORCEMENT", date(2025, 9, 1))
        seen = made(*sessions(90))
        both = replace(dossier, sources={**dossier.sources, **seen.sources}, facts={**dossier.facts, **seen.facts})
        assert value((await said(both, watch))[MANAGEMENT], "stage") == stage

    async def test_an_offer_comes_before_a_connection(self) -> None:
        assert value((await said(evaluated(seller()).dossier, Watch(connections=5)))[MANAGEMENT], "stage") == "PRE_APPROVED"

    @pytest.mark.parametrize(
        ("contact", "allowed", "left"),
        [
            (Contact(marketing=True, contacts=1), True, 1),
            (Contact(marketing=True, contacts=2), False, 0),
            (Contact(marketing=False), False, 0),
            (Contact(marketing=True), MissingReason.NOT_CONNECTED, MissingReason.NOT_CONNECTED),
            (Contact(), MissingReason.CONSENT_MISSING, MissingReason.CONSENT_MISSING),
        ],
    )
    @pytest.mark.law("PIPL 24: marketing")
    async def test_marketing(self, contact: Contact, allowed: object, left: object) -> None:
        found = (await said(made(), watched(loan(contact=contact))))[MANAGEMENT]
        assert (value(found, "marketingAllowed"), value(found, "contactsLeft")) == (allowed, left)


REASONS = st.sampled_from([MissingReason.NOT_CONNECTED, MissingReason.STALE, MissingReason.CONSENT_REVOKED, MissingReason.UPSTREAM_ERROR])
FEEDS = {
    (MANAGEMENT, "engagement"): (SourceKind.DEVICE,),
    (COLLECTION, "priority"): (SourceKind.PAYMENT, SourceKind.BUREAU),
    (ANALYSIS, "buyerFrequency"): (SourceKind.SHOP,),
}


def _full() -> Dossier:
    found, seen = borrower([3_000] * 24), shop([100, 120] * 12, orders=measures(buyers=3), amounts={"ORDERS": monthly([2] * 12)})
    device = made(*sessions(3))
    sources = {**found.sources, **seen.sources, **device.sources}
    return replace(
        found, sources=sources, facts={**found.facts, **device.facts}, amounts={**found.amounts, **seen.amounts}, orders=seen.orders
    )


FULL = _full()
LATE = watched(loan(days_past_due=45, due=Decimal(1)), origin=THEN)


class TestMissingIsNeverZero:
    @settings(max_examples=40, deadline=None)
    @given(gone=st.dictionaries(st.sampled_from(list(SourceKind)), REASONS, max_size=4))
    def test_an_output_whose_source_is_missing_has_its_reason(self, gone: dict[SourceKind, MissingReason]) -> None:
        dossier = FULL
        for kind, reason in gone.items():
            dossier = without(dossier, kind, reason)
        found = asyncio.run(said(dossier, LATE))
        for (slot, name), sources in FEEDS.items():
            missing = [gone[one] for one in sources if one in gone]
            assert (found[slot][name].missing in missing) if missing else found[slot][name].missing is None, (slot, name)
        for result in found.values():
            assert all((one.value is None) is (one.missing is not None) for one in result.outputs)

    @settings(max_examples=30, deadline=None)
    @given(gone=st.sets(st.sampled_from(list(SourceKind)), max_size=5))
    def test_monitoring_never_has_more_points_for_what_it_cannot_see(self, gone: set[SourceKind]) -> None:
        """But for T9, which sees that sources confirm each other less, and T12, which sees them break."""
        origin = replace(THEN, tier=None)
        dossier = FULL
        before = asyncio.run(whole(dossier, watched(origin=origin)))
        for kind in gone:
            dossier = without(dossier, kind)
        after = asyncio.run(whole(dossier, watched(origin=origin)))
        assert before.fired is not None and after.fired is not None
        fired = {one.key for one in before.fired if one.step is not None}
        assert {one.key for one in after.fired if one.step is not None} <= fired

    async def test_who_cannot_be_reached_is_told_from_nobody_knows(self) -> None:
        known = (await said(FULL, watched(loan(days_past_due=45, contact=Contact(reachable=False)))))[COLLECTION]
        unknown = (await said(FULL, watched(loan(days_past_due=45, contact=Contact()))))[COLLECTION]
        assert value(known, "priority") == Decimal(45) and value(unknown, "priority") is MissingReason.NOT_CONNECTED

    async def test_a_gap_in_sales_is_no_month_without_sales(self) -> None:
        """Eight of eleven months are covered."""
        short = made(on=(), states=(), amounts={})
        assert value((await said(short))[ANALYSIS], "anomaly") is MissingReason.NOT_CONNECTED


async def _priority(days: int, balance: int, cash: int) -> Decimal:
    late = loan(days_past_due=days, balance=Decimal(balance))
    found: Decimal = value((await said(borrower([cash] * 24), watched(late)))[COLLECTION], "priority")
    return found


async def _engagement(latest: int, count: int, connections: int) -> Decimal:
    found: Decimal = value((await said(made(*sessions(*[latest] * count)), Watch(connections=connections)))[MANAGEMENT], "engagement")
    return found


class TestMonotone:
    @settings(max_examples=30, deadline=None)
    @given(days=st.integers(1, 200), balance=st.integers(1, 300_000), cash=st.integers(-20_000, 20_000), more=st.integers(1, 50_000))
    def test_priority(self, days: int, balance: int, cash: int, more: int) -> None:
        """It rises with the days and the balance, falls with the cash, and stays between 0 and 100."""
        now = asyncio.run(_priority(days, balance, cash))
        assert 0 <= now <= 100
        assert asyncio.run(_priority(days + more % 90, balance, cash)) >= now
        assert asyncio.run(_priority(days, balance + more, cash)) >= now
        assert asyncio.run(_priority(days, balance, cash + more)) <= now

    @settings(max_examples=30, deadline=None)
    @given(latest=st.integers(1, 89), count=st.integers(1, 20), connections=st.integers(0, 6))
    def test_engagement(self, latest: int, count: int, connections: int) -> None:
        now = asyncio.run(_engagement(latest, count, connections))
        assert 0 <= now <= 100
        assert asyncio.run(_engagement(latest + 1, count, connections)) <= now
        assert asyncio.run(_engagement(latest, count + 1, connections)) >= now
        assert asyncio.run(_engagement(latest, count, connections + 1)) >= now

    @given(points=st.integers(0, 300), more=st.integers(0, 300))
    def test_level(self, points: int, more: int) -> None:
        order = ("GREEN", "YELLOW", "ORANGE", "RED")
        assert order.index(level_of(points)) <= order.index(level_of(points + more))
        assert [level_of(one) for one in (19, 20, 39, 40, 69, 70)] == ["GREEN", "YELLOW", "YELLOW", "ORANGE", "ORANGE", "RED"]

    @given(total=st.integers(400, 709))
    def test_probability(self, total: int) -> None:
        assert default_probability(total) > default_probability(total + 1) > 0


async def test_every_model_is_declared_and_says_what_it_is() -> None:
    assert set(MODELS) == set(ModelSlot) == set(ORDER)
    for one in MODELS.values():
        assert "Source: domain brief, section 6." in one.doc and all(each.doc for each in one.produces)
        result: Result = (await said(FULL, LATE))[one.slot]
        assert (result.kind, result.model_id, result.version, result.wanted) == (ModelKind.DEFAULT, one.id, "1", None)
        for output, declared in zip(result.outputs, one.produces, strict=True):
            assert not declared.words or output.value is None or output.value in declared.words


async def test_a_renewal_needs_a_clean_loan_that_ends_soon_and_an_offer() -> None:
    """Sells until yesterday: GREEN or YELLOW."""
    made_of = evaluated(seller()).dossier
    assert made_of.orders is not None
    dossier = replace(made_of, orders=replace(made_of.orders, last_paid_on=date(2026, 1, 19)))
    soon = loan(matures_on=date(2026, 3, 21), granted_on=date(2026, 1, 2))

    async def renewals(*loans: Any) -> list[tuple[str, str | None]]:
        found = await whole(dossier, watched(*loans))
        return [(one.code, one.loan) for one in found.hints if one.kind is HintKind.RENEWAL]

    assert await renewals(soon) == [("RENEW", "L-1")]
    assert await renewals(replace(soon, matures_on=date(2026, 3, 22))) == [], "61 days"
    assert await renewals(replace(soon, ever_overdue=True)) == []
    assert await renewals(replace(soon, matures_on=None)) == []
    quiet = replace(made_of, orders=replace(made_of.orders, last_paid_on=date(2025, 12, 1)))
    warned = await whole(
        quiet, watched(replace(soon, granted_on=date(2025, 1, 1)), origin=replace(THEN, settlement_accounts=frozenset({"h:other"})))
    )
    level = next(value(one, "level") for one in warned.results if one.slot is POST_LOAN)
    assert (level, [one for one in warned.hints if one.kind is HintKind.RENEWAL]) == ("ORANGE", [])
    assert [one.kind for one in (await whole(dossier, Watch(False, (soon,)))).hints if one.kind is HintKind.RENEWAL] == []


async def test_a_small_manufacturer_may_renew_without_repayment() -> None:
    """A taxpayer of S01 with tier HIGH, whose class is TRADITIONAL."""
    dossier = evaluated(customer("S01")).dossier
    found = await whole(dossier, watched(loan("S01", matures_on=date(2026, 2, 1), granted_on=date(2026, 1, 2))), "S01")
    assert [one.code for one in found.hints if one.kind is HintKind.RENEWAL] == ["RENEW_WITHOUT_REPAYMENT"]
    assert {one.code for one in found.hints if one.kind is HintKind.COMPANION} == {"S02", "PAYROLL", "DEPOSITS"}


async def test_the_same_case_gives_the_same_result() -> None:
    policy = (await whole(FULL, LATE)).made.policy
    first, second = [await complete(FULL, policy, (await whole(FULL, LATE)).made.request, LATE) for _ in range(2)]
    assert (first.results, first.hints, first.fired) == (second.results, second.hints, second.fired)
