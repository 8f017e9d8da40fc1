"""D6: the person behind the subject."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import (
    BehaviourSession,
    BusinessRegistration,
    EducationRecord,
    HousingFundAccount,
    HousingFundEntry,
    IdentityVerification,
    PublicRecord,
    SocialInsuranceContribution,
    SocialInsuranceEnrolment,
)
from hub.domain.periods import Month, add_months, last_day, window
from tests.hub.credit.made import AS_OF, PERSON, covering, fact, made, state, value

N, K = MissingReason, SourceKind
USCC = "92330110MA2XXX0280"
OTHER = "h:somebody else"


def paid(*months: str, on: date | None = None, **more: Any) -> list[SocialInsuranceContribution]:
    values = {"insurance": "PENSION", "kind": "NORMAL", "city": "杭州市"} | more
    return [fact(SocialInsuranceContribution, period=month, paid_on=on or date.fromisoformat(f"{month}-20"), **values) for month in months]


def last_months(count: int, back: int = 0) -> list[str]:
    return list(window(AS_OF, count, back))


# Social insurance


def test_a_streak_ends_at_m0_or_the_month_before() -> None:
    assert value(made(*paid(*last_months(5))), "op_si_streak") == 5
    assert value(made(*paid(*last_months(5, 1))), "op_si_streak") == 5
    assert value(made(*paid(*last_months(5, 2))), "op_si_streak") == 0


def test_a_missed_month_breaks_it() -> None:
    months = [month for month in last_months(12) if month != "2025-08"]
    assert value(made(*paid(*months)), "op_si_streak") == 4


def test_a_month_paid_too_late_is_unpaid() -> None:
    """August paid by 30 November counts, on 1 December it does not."""
    rest = [month for month in last_months(12) if month != "2025-08"]
    for day, streak in ((date(2025, 11, 30), 12), (date(2025, 12, 1), 4)):
        late = paid("2025-08", on=day, kind="BACK_PAYMENT")
        assert value(made(*paid(*rest), *late), "op_si_streak") == streak


def test_a_refund_or_a_debt_is_no_payment() -> None:
    owed = [replace(one, paid_on=None) for one in paid("2025-12")]
    assert value(made(*paid("2025-11"), *owed), "op_si_streak") == 1
    assert value(made(*paid("2025-11"), *paid("2025-12", kind="REFUND")), "op_si_streak") == 1


def test_it_is_at_most_ten_years_and_whoever_the_employer() -> None:
    months = last_months(130)
    mixed = [*paid(*months[:60], employer="x"), *paid(*months[60:], employer="")]
    assert value(made(*mixed, states=(state(K.SOCIAL_INSURANCE, *covering("2014-01")),)), "op_si_streak") == 120


def test_who_is_not_known_to_the_source() -> None:
    assert value(made(*paid(*last_months(5), person=OTHER)), "op_si_streak") is N.NOT_APPLICABLE
    assert value(made(fact(SocialInsuranceEnrolment)), "op_si_streak") == 0
    assert value(made(), "op_si_streak") is N.NOT_CONNECTED


def test_two_unknown_months_leave_it_unknown() -> None:
    """The data end in the middle of November: nobody knows about November and December."""
    ended = state(K.SOCIAL_INSURANCE, *covering("2023-01", date(2025, 11, 19)))
    assert value(made(*paid(*last_months(5, 2)), states=(ended,)), "op_si_streak") is N.INSUFFICIENT_COVERAGE
    assert value(made(*paid(*last_months(5, 1)), states=(ended,)), "op_si_streak") == 5


# Housing fund


def deposits(*months: str, total: int = 100, account: str = "acc", on: date | None = None, **more: Any) -> list[HousingFundEntry]:
    values = {"kind": "DEPOSIT", "total": Decimal(total), "account_number": account} | more
    return [fact(HousingFundEntry, period=month, booked_on=on or date.fromisoformat(f"{month}-20"), **values) for month in months]


def fund(status: str = "NORMAL", account: str = "acc", **more: Any) -> HousingFundAccount:
    rates = {"employer_rate": Decimal("0.05"), "employee_rate": Decimal("0.05")}
    return fact(HousingFundAccount, account_number=account, status=status, **(rates | more))


def test_fund_streak() -> None:
    assert value(made(fund(), *deposits(*last_months(7))), "op_hf_streak") == 7
    assert value(made(fund(), *deposits(*last_months(7), account="another")), "op_hf_streak") == 0
    assert value(made(fund(), *deposits(*last_months(7), kind="INTEREST")), "op_hf_streak") == 0
    late = deposits("2025-10", on=date(2026, 2, 1))
    assert value(made(fund(), *deposits("2025-09", "2025-11", "2025-12"), *late), "op_hf_streak") == 2


@pytest.mark.parametrize("feature", ["op_hf_streak", "op_hf_implied_income"])
def test_no_account(feature: str) -> None:
    assert value(made(on=(K.HOUSING_FUND,)), feature) is N.NOT_APPLICABLE
    assert value(made(fund(person=OTHER)), feature) is N.NOT_APPLICABLE
    assert value(made(), feature) is N.NOT_CONNECTED


def test_implied_income() -> None:
    """100 at 10 % is an income of 1,000; a covered month without deposit is 0, an uncovered one is not in the mean."""
    six = deposits(*last_months(6))
    assert value(made(fund(), *six), "op_hf_implied_income") == 1000
    assert value(made(fund(), *six[1:]), "op_hf_implied_income") == Decimal(5000) / 6
    gap = state(K.HOUSING_FUND, *covering(gaps=("2025-07",)))
    assert value(made(fund(), *six[1:], states=(gap,)), "op_hf_implied_income") == 1000


def test_implied_income_by_the_rates_of_the_deposit() -> None:
    own = deposits(*last_months(6), employer_rate=Decimal("0.12"), employee_rate=Decimal("0.08"))
    assert value(made(fund(), *own), "op_hf_implied_income") == 500


def test_a_sealed_account_says_nothing_about_income() -> None:
    assert value(made(fund("SEALED"), *deposits(*last_months(6))), "op_hf_implied_income") is N.NOT_APPLICABLE
    both = made(fund("SEALED"), fund(account="new"), *deposits(*last_months(6), account="new"))
    assert value(both, "op_hf_implied_income") == 1000


def test_employer_changes() -> None:
    si = [*paid("2024-05", employer="x"), *paid("2025-05", employer="y"), *paid("2025-06", employer="")]
    assert value(made(*si), "op_employer_changes") == 1
    assert value(made(*si, fund(employer="z"), *deposits("2025-07")), "op_employer_changes") == 2
    assert value(made(*si, fund(employer="z"), *deposits("2025-07", employer="y")), "op_employer_changes") == 1
    assert value(made(*paid("2025-06", employer="")), "op_employer_changes") == 0
    assert value(made(), "op_employer_changes") is N.NOT_CONNECTED
    assert value(made(*paid("2023-05", employer="x"), *paid("2025-05", employer="y")), "op_employer_changes") == 0


def test_employer_changes_need_one_source_that_covers_enough() -> None:
    short = state(K.SOCIAL_INSURANCE, *covering("2025-01"))
    assert value(made(*paid("2025-05"), states=(short,)), "op_employer_changes") is N.INSUFFICIENT_COVERAGE
    assert value(made(*paid("2025-05"), fund(employer="z"), *deposits("2025-07"), states=(short,)), "op_employer_changes") == 0


def test_local_months() -> None:
    here = fact(BusinessRegistration, uscc=USCC, city="杭州市")
    assert value(made(here, *paid(*last_months(5)), *paid("2025-01", city="上海市"), uscc=USCC), "op_local_months") == 5
    operating = replace(here, operating_city="上海市")
    assert value(made(operating, *paid(*last_months(5)), *paid("2025-01", city="上海市"), uscc=USCC), "op_local_months") == 1
    both = made(here, *paid("2025-12"), fund(city="杭州市"), *deposits("2025-12", "2025-11"), uscc=USCC)
    assert value(both, "op_local_months") == 2
    assert value(made(here, uscc=USCC), "op_local_months") is N.NOT_CONNECTED


# Who he is


def test_age() -> None:
    """Born 1988-05-12."""
    assert value(made(), "op_age") == 37


def check(result: str, day: str, **more: Any) -> IdentityVerification:
    return fact(IdentityVerification, result=result, checked_on=date.fromisoformat(day), **more)


@pytest.mark.parametrize(
    ("checks", "wanted"),
    [
        ([check("MATCH", "2026-01-18")], True),
        ([check("MISMATCH", "2026-01-18")], False),
        ([check("MISMATCH", "2026-01-17"), check("MATCH", "2026-01-18")], True),
        ([check("MATCH", "2026-01-18"), check("MISMATCH", "2026-01-18")], False),
        ([check("MATCH", "2026-01-17"), check("UNAVAILABLE", "2026-01-18")], N.UPSTREAM_ERROR),
        ([check("MATCH", str(AS_OF - timedelta(days=180)))], True),
        ([check("MATCH", str(AS_OF - timedelta(days=181)))], N.STALE),
        ([check("MATCH", "2026-01-18", person=OTHER)], N.INSUFFICIENT_COVERAGE),
    ],
)
def test_identity(checks: list[Any], wanted: object) -> None:
    assert value(made(*checks), "op_identity_verified") is wanted


def test_education_must_be_verified() -> None:
    levels = [fact(EducationRecord, level="MASTER", verified=False), fact(EducationRecord, level="COLLEGE", verified=True)]
    assert value(made(*levels), "op_education") == "COLLEGE"
    assert value(made(*levels, fact(EducationRecord, level="BACHELOR", verified=True)), "op_education") == "BACHELOR"
    assert value(made(levels[0]), "op_education") is N.INSUFFICIENT_COVERAGE


def test_the_register() -> None:
    own = fact(BusinessRegistration, uscc=USCC, responsible=PERSON, established_on=date(2020, 2, 1), responsible_since=date(2022, 3, 21))
    assert value(made(own, uscc=USCC), "op_legal_rep_stable_months") == 45
    assert value(made(replace(own, responsible_since=None), uscc=USCC), "op_legal_rep_stable_months") == 71
    assert value(made(own, uscc=USCC), "op_industry_years") == 3
    employed = fact(SocialInsuranceEnrolment, employer=USCC, first_month="2020-01")
    assert value(made(own, employed, uscc=USCC), "op_industry_years") == 6
    assert value(made(replace(own, responsible=OTHER), uscc=USCC), "op_industry_years") is N.INSUFFICIENT_COVERAGE
    assert value(made(own, uscc=USCC), "op_other_orgs") is N.INSUFFICIENT_COVERAGE
    others = [fact(BusinessRegistration, uscc=str(n), responsible=who, status=status) for n, (who, status) in enumerate(OTHERS)]
    assert value(made(own, *others, uscc=USCC), "op_other_orgs") == 1


OTHERS = ((PERSON, "ACTIVE"), (PERSON, "CANCELLED"), (OTHER, "ACTIVE"))


def test_only_cases_against_him_are_adverse() -> None:
    rows = [("LITIGATION", "DEFENDANT", "OPEN"), ("ENFORCEMENT", "DEFENDANT", "OPEN"), ("LITIGATION", "PLAINTIFF", "OPEN")]
    rows += [("DISHONEST", "DEFENDANT", "CLOSED")]
    cases = [fact(PublicRecord, kind=kind, role=role, status=status) for kind, role, status in rows]
    assert value(made(*cases), "op_open_litigation") == 2
    assert value(made(on=(K.PUBLIC_RECORD,)), "op_open_litigation") == 0
    assert value(made(), "op_open_litigation") is N.NOT_CONNECTED


# Devices


def session(days: int, device: str = "d", seconds: int = 100, pasted: str = "0.1") -> BehaviourSession:
    at = datetime(2026, 1, 20, 4, tzinfo=UTC) - timedelta(days=days)
    return fact(BehaviourSession, at=at, device=device, form_seconds=seconds, paste_ratio=Decimal(pasted))


def test_devices_of_the_ninety_days_before() -> None:
    dossier = made(session(1, "a"), session(90, "b"), session(91, "c"), session(0, "d"), session(5, "a"))
    assert value(dossier, "op_device_count") == 2
    assert value(made(on=(K.DEVICE,)), "op_device_count") is N.INSUFFICIENT_COVERAGE


def test_how_the_form_was_filled_last() -> None:
    dossier = made(session(1, seconds=30, pasted="0.9"), session(1, seconds=50, pasted="0.5"), session(2, seconds=999))
    assert value(dossier, "op_form_seconds") == 40
    assert value(dossier, "op_paste_ratio") == Decimal("0.7")


def test_the_last_day_of_the_third_month_after() -> None:
    assert last_day(add_months(Month("2025-11"), 3)) == date(2026, 2, 28)
