"""cn_social against its simulated gateway: consent, every stream, coverage, figures to the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.cn_social import connector
from connectors.cn_social.sandbox import build
from connectors.cn_social.sandbox_desk import Limits
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import World
from hub.connect import Reauthorise
from hub.domain.enums import SourceKind
from hub.domain.facts import EmployerSocialInsuranceMonth, SocialInsuranceContribution
from tests.connectors.cn_persona import BASE, BUSINESS, FORMER, OTHER, OWNER, persona, with_source
from tests.contract.drive import Drive, Pulled

QUICK = Limits(retry_after=0)
STREAMS = {stream.name: stream for stream in connector.streams}


def drive(someone: Persona | None = None, *, limits: Limits = QUICK, world: World | None = None, **kwargs: object) -> Drive:
    someone = someone or persona()
    return Drive(connector, build(world or World((someone,)), limits), someone, **kwargs)  # type: ignore[arg-type]


async def pulled(name: str, someone: Persona | None = None) -> Pulled:
    test = drive(someone)
    await test.link()
    return await test.pull(STREAMS[name])


async def test_the_customer_agrees_and_the_grant_names_what_he_kept() -> None:
    test = drive()
    grant = await test.link()
    assert grant.scopes == ("SOCIAL_INSURANCE", "HOUSING_FUND")
    assert grant.extra == {"sqbh": "SQ0004"}
    assert grant.expires_in == 7200
    assert grant.refresh_expires_in == 2_592_000


async def test_a_refusal_asks_for_a_new_authorisation() -> None:
    with pytest.raises(Reauthorise, match="refused"):
        await drive().link(decision="refuse")


async def test_contributions_are_base_times_rate_to_the_cent() -> None:
    got = await pulled("contributions")
    by_key = {(fact.period, fact.insurance): fact for fact in got.facts}
    flexible, employed = by_key["2025-12", "PENSION"], by_key["2024-03", "MEDICAL"]
    assert flexible == SocialInsuranceContribution(
        person=OWNER,  # type: ignore[arg-type]
        employer="",
        insurance="PENSION",
        period="2025-12",  # type: ignore[arg-type]
        kind="NORMAL",
        city="苏州市",
        base=Decimal("4879.00"),
        declared_wage=None,
        employer_amount=Decimal("0.00"),
        employee_amount=Decimal("390.32"),
        paid_on=date(2025, 12, 20),
    )
    assert (employed.employer, employed.employer_amount, employed.employee_amount) == (FORMER, Decimal("496.22"), Decimal("100.25"))
    assert by_key["2024-03", "WORK_INJURY"].employer_amount == Decimal("22.56")


async def test_contributions_follow_stints_misses_gaps_and_reach() -> None:
    got = await pulled("contributions")
    months = {fact.period for fact in got.facts}
    assert min(months) == "2024-01"
    assert not months & {"2023-12", "2024-05", "2024-09"}
    assert got.fetched == got.declared == len(got.facts) == 22 * 3
    assert got.covered == [(date(2024, 1, 1), date(2024, 4, 30)), (date(2024, 6, 1), date(2026, 1, 19))]


async def test_a_month_paid_more_than_three_months_later_is_a_back_payment() -> None:
    facts = {fact.period: fact for fact in (await pulled("contributions")).facts}
    assert (facts["2025-01"].kind, facts["2025-01"].paid_on) == ("BACK_PAYMENT", date(2025, 6, 11))
    assert (facts["2025-03"].kind, facts["2025-03"].paid_on) == ("NORMAL", date(2025, 6, 30))


async def test_enrolments_say_where_the_person_is_insured() -> None:
    facts = (await pulled("enrolments")).facts
    pension = {fact.employer: fact for fact in facts if fact.insurance == "PENSION"}
    assert len(facts) == 6
    assert (pension[FORMER].status, pension[FORMER].enrolled_on, pension[FORMER].first_month) == (
        "TERMINATED",
        date(2023, 10, 1),
        "2023-10",
    )
    assert pension[""].status == "ACTIVE"


async def test_employer_months_show_late_unpaid_and_none() -> None:
    facts = {(fact.month, fact.insurance): fact for fact in (await pulled("employer_months")).facts}
    assert len(facts) == 18
    assert facts["2025-07", "PENSION"] == EmployerSocialInsuranceMonth(
        employer=BUSINESS,
        month="2025-07",  # type: ignore[arg-type]
        insurance="PENSION",
        headcount=3,
        base_sum=Decimal("14436.33"),
        due=Decimal("2309.81"),
        due_on=date(2025, 7, 25),
        paid=Decimal("2309.81"),
        paid_on=date(2025, 7, 12),
        arrears=Decimal("0.00"),
    )
    assert facts["2025-08", "PENSION"].paid_on == date(2025, 9, 10)
    unpaid, nobody = facts["2025-09", "PENSION"], facts["2025-10", "MEDICAL"]
    assert (unpaid.paid, unpaid.paid_on, unpaid.arrears) == (Decimal("0.00"), None, Decimal("2309.81"))
    assert (nobody.headcount, nobody.due, nobody.paid) == (0, Decimal("0.00"), Decimal("0.00"))


async def test_a_late_month_is_owed_as_long_as_its_payment_lies_ahead() -> None:
    someone = with_source("SOCIAL_INSURANCE", until="2026-01-05")
    facts = {(fact.month, fact.insurance): fact for fact in (await pulled("employer_months", someone)).facts}
    assert (facts["2025-12", "PENSION"].paid_on, facts["2025-12", "PENSION"].arrears) == (None, Decimal("3079.75"))


async def test_fund_accounts_carry_rates_as_fractions_and_the_balance() -> None:
    sealed, normal = sorted((await pulled("fund_accounts")).facts, key=lambda fact: fact.opened_on)
    assert (sealed.status, sealed.employer, sealed.employer_rate, sealed.employee_rate) == (
        "SEALED",
        FORMER,
        Decimal("0.08"),
        Decimal("0.07"),
    )
    assert sealed.balance == Decimal("1200.50") + 5 * (Decimal("400.99") + Decimal("350.86"))
    assert (normal.status, normal.person, normal.paid_through, normal.city) == ("NORMAL", OWNER, "2025-12", "苏州市")
    assert normal.balance == 18 * Decimal("600.00")


async def test_fund_entries_are_in_fen_on_the_wire_and_agree_with_the_account() -> None:
    test = drive()
    await test.link()
    accounts = {fact.account_number: fact for fact in (await test.pull(STREAMS["fund_accounts"])).facts}
    got = await test.pull(STREAMS["fund_entries"])
    assert got.fetched == got.declared == len(got.facts) == 3 + 18
    for number, account in accounts.items():
        entries = [fact for fact in got.facts if fact.account_number == number]
        assert {fact.employer_amount for fact in entries} == {account.employer_monthly}
        assert {fact.employee_amount for fact in entries} == {account.employee_monthly}
        assert {(fact.employer, fact.employer_rate) for fact in entries} == {(account.employer, account.employer_rate)}
        assert entries[-1].balance_after == account.balance
        assert all(b.balance_after - a.balance_after == b.total for a, b in pairwise(entries))
    late = next(fact for fact in got.facts if fact.period == "2025-02")
    assert (late.kind, late.booked_on) == ("BACK_PAYMENT", date(2025, 7, 3))
    assert {fact.booked_on.day for fact in got.facts if fact.kind == "DEPOSIT"} == {20}


async def test_a_person_without_account_is_covered_and_empty() -> None:
    someone = persona(housing_fund={"city": "苏州市", "accounts": []})
    for name in ("fund_accounts", "fund_entries"):
        got = await pulled(name, someone)
        assert (got.facts, got.not_served) == ([], [])
        assert (got.covered[0][0], got.covered[-1][1]) == (date(2024, 1, 1), date(2026, 1, 19))


async def test_days_before_the_reach_are_unknown_not_empty() -> None:
    test = drive()
    await test.link()
    got = await test.pull(STREAMS["contributions"], date(2022, 1, 1), date(2023, 12, 31))
    assert (got.facts, got.covered) == ([], [])
    assert len(got.not_served) == 1


async def test_stale_data_end_where_the_centre_says() -> None:
    got = await pulled("contributions", with_source("SOCIAL_INSURANCE", until="2025-08-31"))
    assert got.covered[-1] == (date(2024, 6, 1), date(2025, 8, 31))
    assert max(fact.period for fact in got.facts) == "2025-08"


async def test_somebody_elses_insurance_does_not_become_the_subjects() -> None:
    section = BASE["social_insurance"] | {"persons": [{**BASE["social_insurance"]["persons"][1], "person": "other"}]}
    facts = (await pulled("contributions", persona(social_insurance=section))).facts
    assert {fact.person for fact in facts} & {OWNER, OTHER} == set()
    assert len({fact.person for fact in facts}) == 1


async def test_only_consented_sources_are_asked_for() -> None:
    test = drive()
    test.context = replace(test.context, sources=frozenset({SourceKind.HOUSING_FUND}))
    begin = connector.authorisation.begin(
        test.context, redirect_uri="http://127.0.0.1/link/callback", state="s", verifier="v" * 64, text_hash=""
    )
    assert parse_qs(urlsplit(await test.talk(begin)).query)["scope"] == ["hf.person"]


async def test_a_person_without_business_has_no_employer_to_ask_for() -> None:
    someone = persona(business=None, subject_person="owner")
    got = await pulled("employer_months", someone)
    assert (got.requests, got.facts) == (0, [])


async def test_a_malformed_record_is_unreadable_and_harms_no_other() -> None:
    someone = persona()
    test = drive(someone, world=World((someone,), switches={"cn_social": {"malformed"}}))
    await test.link()
    got = await test.pull(STREAMS["contributions"])
    assert [fault.path for fault in got.unreadable] == ["aae180"]
    assert len(got.facts) == got.fetched - 1 == 22 * 3 - 1


async def test_a_new_snapshot_between_two_pages_starts_the_window_again() -> None:
    someone = persona()
    test = drive(someone, world=World((someone,), switches={"cn_social": {"new_snapshot"}}))
    test.config["pagesize"] = "40"
    await test.link()
    got = await test.pull(STREAMS["contributions"])
    keys = {(fact.period, fact.insurance) for fact in got.facts}
    assert len(keys) == 22 * 3
    assert got.fetched == got.declared == 22 * 3 + 40


async def test_pages_add_up_and_the_end_is_explicit() -> None:
    test = drive()
    test.config["pagesize"] = "7"
    await test.link()
    got = await test.pull(STREAMS["contributions"])
    assert got.fetched == got.declared == 22 * 3
    entries = await test.pull(STREAMS["fund_entries"])
    assert entries.fetched == entries.declared == 21
