"""The twelve triggers: each fires, holds still where nothing is the matter, and says why where it cannot tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hub.credit.crosscheck.verdict import Tier
from hub.credit.dossier import Dossier, Reference, SourceState
from hub.credit.models.declare import figures
from hub.credit.models.lender import Origin, Watch
from hub.credit.models.triggers import SEEN, names_of_triggers
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import (
    BusinessRegistration,
    CreditAccount,
    CreditInquiry,
    EmployerSocialInsuranceMonth,
    HousingFundAccount,
    HousingFundEntry,
    Invoice,
    PaymentAccount,
    PublicRecord,
    RepaymentMonth,
    ShopPenalty,
    TaxArrear,
    TaxCreditRating,
    TaxpayerProfile,
    TaxReturn,
)
from hub.domain.periods import first_day, last_day, window
from tests.hub.credit.made import AS_OF, OWN, PERSON, fact, made, measures, monthly, shop, state
from tests.hub.credit.models.cases import case, loan, parts, watched

USCC = "92330110MA2XXX0280"
THEN = Origin(date(2025, 6, 1), Tier.HIGH, {"ps_low_balance_days": Decimal(3), "ss_refund_rate": Decimal("0.09")}, frozenset({"h:old"}))
WATCH = watched(origin=THEN)
Made = Callable[[], Dossier]


@dataclass(frozen=True)
class Told:
    """``calm`` and ``worse``: a dossier where nothing is the matter, and one where something is; ``points`` it then has."""

    key: str
    calm: Made
    worse: Made
    points: int
    features: dict[str, Any] = field(default_factory=dict)
    calm_features: dict[str, Any] = field(default_factory=dict)
    watch: Watch = WATCH


def sales(*last: int) -> Dossier:
    """100,000 every month of two years, but for the last ones."""
    return shop([100_000] * (24 - len(last)) + list(last))


def seasonal(last: int) -> Dossier:
    """Decembers are half of the six months before: 50,000 of 100,000."""
    year = [100_000] * 11
    return shop([*year, 50_000, *year, last])


def orders(day: date) -> Dossier:
    return made(on=(SourceKind.SHOP,), orders=measures(last_paid_on=day))


def invoices(day: date) -> Dossier:
    return made(fact(Invoice, direction="OUTPUT", status="NORMAL", issued_on=day))


def rated(grade: str) -> Dossier:
    return made(fact(TaxCreditRating, rating_year=2024, grade=grade, published_on=date(2025, 4, 20)), on=(SourceKind.TAX,))


def arrear(cleared: date | None) -> Dossier:
    return made(fact(TaxArrear, cleared_on=cleared), on=(SourceKind.TAX,))


def filed(*without: str) -> Dossier:
    """Every month of two years is filed, but for some."""
    rows = [
        fact(
            TaxReturn, tax_kind="VAT", period_start=first_day(m), period_end=last_day(m), filed_on=last_day(m), declared_revenue=Decimal(1)
        )
        for m in window(AS_OF, 24)
        if m not in without
    ]
    return made(fact(TaxpayerProfile, uscc=USCC, vat_frequency="MONTH"), *rows, registration(date(2020, 1, 1)))


def registration(since: date) -> Any:
    return fact(
        BusinessRegistration, uscc=USCC, industry_code="F5292", established_on=date(2020, 1, 1), responsible=PERSON, responsible_since=since
    )


def staff(unpaid: int = 0, last: int = 10) -> Dossier:
    months = window(AS_OF, 12)
    rows = [
        fact(
            EmployerSocialInsuranceMonth,
            employer=USCC,
            month=m,
            insurance="PENSION",
            headcount=last if m == months[-1] else 10,
            due=Decimal(100),
            paid=Decimal(100),
            paid_on=None if m in months[12 - unpaid :] and unpaid else last_day(m),
            due_on=last_day(m),
        )
        for m in months
    ]
    return made(*rows)


def fund(deposits: int) -> Dossier:
    """An account that is in use, with deposits for the first of the last three months; and staff that is paid for."""
    months = window(AS_OF, 12)
    rows = [
        fact(HousingFundEntry, account_number="F", serial=m, period=m, kind="DEPOSIT", total=Decimal(200), booked_on=last_day(m))
        for m in [*months[:9], *months[9 : 9 + deposits]]
    ]
    held = fact(HousingFundAccount, person=PERSON, account_number="F", status="NORMAL")
    paid = staff()
    own = made(held, *rows)
    return replace(own, sources={**own.sources, **paid.sources}, facts={**own.facts, **paid.facts})


def account(number: str, opened: date, lender: str = "another bank") -> Any:
    return fact(CreditAccount, account_number=number, borrower=OWN, lender=lender, open=True, opened_on=opened)


def lenders(count: int, opened: date = date(2026, 1, 5)) -> Dossier:
    return made(*(account(f"A{n}", opened, f"bank {n}") for n in range(count)), on=(SourceKind.BUREAU,))


def inquiries(count: int) -> Dossier:
    asked = [fact(CreditInquiry, inquired_on=date(2025, 11, 1 + n), reason="LOAN_APPROVAL", organisation=f"o{n}") for n in range(count)]
    return made(*asked, on=(SourceKind.BUREAU,))


def status(word: str, lender: str = "another bank") -> Dossier:
    months = [fact(RepaymentMonth, account_number="A", month=m, status=word if m == "2025-12" else "N") for m in window(AS_OF, 24)]
    return made(account("A", date(2020, 1, 1), lender), *months)


def case_against(kind: str, filed_on: date, role: str = "DEFENDANT") -> Dossier:
    return made(
        fact(PublicRecord, case_number="C-1", kind=kind, role=role, status="OPEN", filed_on=filed_on), on=(SourceKind.PUBLIC_RECORD,)
    )


def receiving(number: str) -> Dossier:
    return made(fact(PaymentAccount, account_number=number, role="SETTLEMENT"))


def penalty(kind: str) -> Dossier:
    return made(fact(ShopPenalty, kind=kind, decided_on=date(2025, 11, 1)), on=(SourceKind.SHOP,))


def refunded(share: str) -> Dossier:
    return shop([100_000] * 24, [Decimal(100_000) * Decimal(share)] * 24)


def broken(end: date) -> Dossier:
    """The shop's data ended on a day, and are stale; all else that S03 needs can be read."""
    needed = (SourceKind.SETTLEMENT, SourceKind.PAYMENT, SourceKind.REGISTRATION, SourceKind.BUREAU)
    reason = MissingReason.STALE if (AS_OF - end).days > 3 else None
    return made(on=needed, states=(SourceState(SourceKind.SHOP, reason, () if reason else state(SourceKind.SHOP).intervals, end),))


def nothing() -> Dossier:
    return made()


def agreeing() -> Dossier:
    return made(reference=Reference("a lender"))


QUIET = {"ss_refund_rate": Decimal("0.09")}
TOLD = [
    # M0 40,000 of 100,000 is below a half; 69,000 below 0.70; 70,000 is not.
    Told("T1.1", lambda: sales(70_000), lambda: sales(69_000), 15),
    Told("T1.1", lambda: sales(70_000), lambda: sales(40_000), 30),
    # Last December was half of what came before, so 50,000 is as expected and 34,000 is 0.68 of it.
    Told("T1.1", lambda: seasonal(50_000), lambda: seasonal(34_000), 15),
    Told("T2.1", lambda: orders(date(2026, 1, 6)), lambda: orders(date(2026, 1, 5)), 25),
    Told("T2.1", lambda: invoices(date(2025, 11, 20)), lambda: invoices(date(2025, 11, 19)), 25),
    Told("T3.1", lambda: rated("B"), lambda: rated("C"), 30),
    Told("T3.1", lambda: arrear(date(2025, 12, 1)), lambda: arrear(None), 25),
    # What was due in May, before the loan was granted, was known then.
    Told("T3.1", lambda: filed("2025-04"), lambda: filed("2025-09"), 15),
    Told("T4.1", lambda: staff(), lambda: staff(unpaid=1), 10),
    Told("T4.1", lambda: staff(), lambda: staff(unpaid=2), 25),
    Told("T4.2", lambda: staff(last=8), lambda: staff(last=7), 15),
    Told("T4.1", lambda: fund(3), lambda: fund(2), 10),
    Told("T4.1", lambda: fund(3), lambda: fund(1), 25),
    Told("T5.1", lambda: lenders(1), lambda: lenders(2), 15),
    Told("T5.1", lambda: lenders(2, date(2025, 11, 20)), lambda: lenders(2, date(2025, 11, 21)), 15),
    Told("T5.2", lambda: inquiries(6), lambda: inquiries(7), 15),
    Told("T6.1", lambda: status("N"), lambda: status("1"), 25),
    Told("T6.1", lambda: status("2", "a lender"), lambda: status("2"), 50),
    Told("T7.1", lambda: case_against("LITIGATION", date(2025, 5, 31)), lambda: case_against("LITIGATION", date(2025, 6, 1)), 10),
    Told(
        "T7.1",
        lambda: case_against("ENFORCEMENT", date(2025, 9, 1), "PLAINTIFF"),
        lambda: case_against("ENFORCEMENT", date(2025, 9, 1)),
        40,
    ),
    Told("T7.1", lambda: case_against("LITIGATION", date(2025, 1, 1)), lambda: case_against("DISHONEST", date(2025, 9, 1)), 70),
    Told("T8.1", nothing, nothing, 10, {"ps_low_balance_days": 13}, {"ps_low_balance_days": 12}),
    Told("T8.2", nothing, nothing, 15, {"ps_returned_payments": 2}, {"ps_returned_payments": 1}),
    Told("T10.1", lambda: made(registration(date(2025, 6, 1))), lambda: made(registration(date(2025, 6, 2))), 10),
    Told("T10.2", lambda: receiving("h:old"), lambda: receiving("h:new"), 25),
    # Twice 0.09 is 0.18; 0.17 is more than 0.15 and not twice.
    Told("T11.1", lambda: refunded("0.17"), lambda: refunded("0.18"), 10),
    Told("T11.2", lambda: penalty("OTHER"), lambda: penalty("FAKE_TRADE"), 30),
    Told("T12.1", lambda: broken(date(2026, 1, 5)), lambda: broken(date(2026, 1, 4)), 15),
]


@pytest.mark.parametrize("told", TOLD, ids=lambda told: f"{told.key}-{told.points}")
def test_a_trigger_fires_and_holds_still(told: Told) -> None:
    """Where it holds still, that is known of the very condition by which it fires."""
    fired = parts(case(told.worse(), told.watch, **told.features))[told.key]
    assert (fired.points, fired.missing) == (told.points, None) and fired.condition and len(fired.cause) == 64
    calm = parts(case(told.calm(), told.watch, **told.calm_features))[told.key]
    assert (calm.step, calm.points) == (None, 0) and calm.outcomes[fired.condition] in (False, MissingReason.NOT_APPLICABLE)
    assert all(known.value is not None for _, known in fired.evidence)


@pytest.mark.parametrize(("before", "points"), [(Tier.HIGH, 20), (Tier.UNVERIFIED, 0)])
def test_t9_fires_where_the_tier_fell(before: Tier, points: int) -> None:
    """Nothing is connected, so the tier is UNVERIFIED: a fall from HIGH, and none from UNVERIFIED."""
    watch = watched(origin=Origin(date(2025, 6, 1), before))
    found = parts(case(made(), watch))["T9.1"]
    assert (found.points, found.missing) == (points, None)


def test_every_trigger_is_told_here() -> None:
    """12 of 12; what the document may name is what is declared."""
    assert [one["id"] for one in figures()["triggers"]] == [f"T{n}" for n in range(1, 13)]
    assert {told.key.split(".")[0] for told in TOLD} | {"T9"} == {one["id"] for one in figures()["triggers"]}
    declared = {f"{one['id']}.{part}" for one in figures()["triggers"] for part in range(1, len(one["parts"]) + 1)}
    assert declared == {told.key for told in TOLD} | {"T9.1"}
    assert set(SEEN) <= set(names_of_triggers())


def test_without_data_nothing_fires_and_nothing_is_quiet() -> None:
    """No source is connected and nothing is known from then: each part has a reason, none is quiet and none fires."""
    found = parts(case(made(), watched(origin=None)))
    assert {key: one.missing for key, one in found.items() if one.step is not None or one.missing is None} == {}


def test_a_cause_is_told_from_the_next() -> None:
    """The same condition has the same cause on another day; a second lawsuit is another one; a graver step, too."""
    first = parts(case(case_against("LITIGATION", date(2025, 9, 1)), WATCH))["T7.1"]
    assert parts(case(case_against("LITIGATION", date(2025, 9, 1)), WATCH))["T7.1"].cause == first.cause
    rows = [
        fact(PublicRecord, case_number=number, kind="LITIGATION", role="DEFENDANT", status="OPEN", filed_on=date(2025, 9, 1))
        for number in ("C-1", "C-2")
    ]
    assert parts(case(made(*rows), WATCH))["T7.1"].cause != first.cause
    assert parts(case(sales(69_000), WATCH))["T1.1"].cause != parts(case(sales(40_000), WATCH))["T1.1"].cause
    assert parts(case(sales(69_000), WATCH))["T1.1"].cause == parts(case(sales(65_000), WATCH))["T1.1"].cause


def test_a_loan_of_another_scenario_is_not_watched_here() -> None:
    found = parts(case(case_against("DISHONEST", date(2025, 9, 1)), watched(loan("S01"))))["T7.1"]
    assert (found.step, found.missing) == (None, MissingReason.NOT_APPLICABLE)


def test_a_month_is_not_invented() -> None:
    """M0 is not covered: unknown, not a drop to nothing."""
    amounts = {"GMV": monthly([100_000] * 23, "2025-11"), "REF": monthly([])}
    short = made(states=(state(SourceKind.SHOP, *state(SourceKind.SHOP).intervals),), on=(SourceKind.SHOP,), amounts=amounts)
    found = parts(case(short, WATCH))["T1.1"]
    assert found.points == 30, "covered, and nothing was sold: that is a drop"
    gone = made(
        on=(SourceKind.SHOP,),
        states=(
            SourceState(
                SourceKind.SHOP,
                None,
                (state(SourceKind.SHOP).intervals[0].__class__(date(2023, 1, 1), date(2025, 12, 30)),),
                date(2025, 12, 30),
            ),
        ),
        amounts=amounts,
    )
    assert parts(case(gone, WATCH))["T1.1"].missing is MissingReason.INSUFFICIENT_COVERAGE
