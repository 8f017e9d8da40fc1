"""D3 and D5 of accounts, wages and staff."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.domain.enums import Direction, MissingReason, SourceKind
from hub.domain.facts import (
    EmployerSocialInsuranceMonth,
    HousingFundEntry,
    PaymentAccount,
    PaymentTransaction,
    TaxpayerProfile,
    TaxReturn,
)
from hub.domain.periods import Month, first_day, last_day, window
from tests.hub.credit.made import AS_OF, PLAIN, YEAR, covering, fact, made, monthly, shop, state, value
from tests.hub.credit.test_features_sales import returned

N, K = MissingReason, SourceKind
USCC = "92330110MA2XXX0280"


def moved(amount: int, at: str, direction: str = "IN", category: str = "SALES_RECEIPT", **more: Any) -> PaymentTransaction:
    moment = datetime.fromisoformat(f"{at}:00+08:00").astimezone(UTC)
    values = {"amount": Decimal(amount), "at": moment, "direction": Direction(direction), "category": category, "account_number": "main"}
    return fact(PaymentTransaction, **(values | more))


def account(number: str = "main", **more: Any) -> PaymentAccount:
    return fact(PaymentAccount, account_number=number, **more)


# Inflows


def test_receipts_in_personal_accounts() -> None:
    dossier = made(
        account(type="BANK_CORP"),
        account("own", type="BANK_PERSONAL"),
        moved(300, "2025-03-01T10:00"),
        moved(100, "2025-03-02T10:00", category="PLATFORM_PAYOUT", account_number="own"),
        moved(900, "2025-03-02T10:00", category="OWN_TRANSFER", account_number="own"),
        moved(900, "2024-12-31T10:00", account_number="own"),
    )
    assert value(dossier, "ps_personal_account_share") == Decimal("0.25")
    assert value(made(account()), "ps_personal_account_share") is N.ZERO_DENOMINATOR


def test_unknown_inflows() -> None:
    amounts = {
        "IN.UNKNOWN": monthly([10] * 6),
        "IN.CASH": monthly([10] * 6),
        "IN.SALES_RECEIPT": monthly([80] * 6),
        "OUT.CASH": monthly([500]),
    }
    assert value(made(on=(K.PAYMENT,), amounts=amounts), "ps_unknown_inflow_share") == Decimal("0.2")
    assert value(made(on=(K.PAYMENT,)), "ps_unknown_inflow_share") is N.ZERO_DENOMINATOR


@pytest.mark.parametrize(
    ("out", "share"),
    [
        ([(90, "2025-11-02T10:00")], "0.1"),
        ([(89, "2025-11-02T10:00")], "0"),
        ([(90, "2025-11-02T10:01")], "0"),
        ([(90, "2025-11-01T10:00")], "0"),
        ([(50, "2025-11-01T10:30"), (40, "2025-11-01T23:00")], "0.1"),
    ],
)
def test_money_that_leaves_within_a_day(out: list[tuple[int, str]], share: str) -> None:
    """100 come in at 10:00 on 1 November; 90 must be gone 24 hours later, not before they came."""
    facts = [moved(amount, at, "OUT", "OWNER_DRAW") for amount, at in out]
    dossier = made(account(), moved(100, "2025-11-01T10:00"), moved(900, "2025-11-20T10:00"), *facts)
    assert value(dossier, "ps_fast_in_out_share") == Decimal(share)


def test_an_outflow_counts_once() -> None:
    """Two receipts of 100 within the day and one payment of 100: only one of them left."""
    twice = made(account(), moved(100, "2025-11-01T10:00"), moved(100, "2025-11-01T11:00"), moved(100, "2025-11-01T12:00", "OUT"))
    assert value(twice, "ps_fast_in_out_share") == Decimal("0.5")
    elsewhere = made(account(), moved(100, "2025-11-01T10:00"), moved(100, "2025-11-01T12:00", "OUT", account_number="other"))
    assert value(elsewhere, "ps_fast_in_out_share") == 0


def test_days_of_low_balance() -> None:
    """S is 100 a month, so the line is 1. From 1 October to the evening of the 10th nothing is left: nine days."""
    sales = {"GMV": monthly([100] * 12)}
    facts = [
        account(opening_balance=Decimal(50)),
        moved(50, "2025-10-01T09:00", "OUT", "PURCHASE", balance_after=Decimal(0)),
        moved(80, "2025-10-10T09:00", balance_after=Decimal(80)),
        moved(79, "2025-10-20T09:00", "OUT", "PURCHASE", balance_after=Decimal(1), transaction_number="9"),
        moved(79, "2025-10-20T09:00", balance_after=Decimal(80), transaction_number="10"),
    ]
    assert value(made(*facts, on=(K.SHOP,), amounts=sales), "ps_low_balance_days") == 9
    second = [account("savings", opening_balance=Decimal(30))]
    assert value(made(*facts, *second, on=(K.SHOP,), amounts=sales), "ps_low_balance_days") == 0


def test_without_balances_the_low_days_are_unknown() -> None:
    sales = {"GMV": monthly([100] * 12)}
    silent = made(account(), moved(10, "2025-10-01T09:00"), on=(K.SHOP,), amounts=sales)
    assert value(silent, "ps_low_balance_days") is N.INSUFFICIENT_COVERAGE
    assert value(made(on=(K.SHOP, K.PAYMENT), amounts=sales), "ps_low_balance_days") is N.INSUFFICIENT_COVERAGE


def test_what_no_source_serves_is_null_and_not_zero() -> None:
    everything = made(on=tuple(SourceKind))
    for feature in ("ps_returned_payments", "cb_positive_rate", "cb_dispute_rate"):
        assert value(everything, feature) is N.INSUFFICIENT_COVERAGE


# D5: paid from accounts


@pytest.mark.parametrize(
    ("feature", "category"), [("cs_rent_ratio", "RENT"), ("cs_logistics_ratio", "LOGISTICS"), ("cs_utility_ratio", "UTILITY")]
)
def test_paid_over_sales_with_vat(feature: str, category: str) -> None:
    amounts = {f"OUT.{category}": monthly([5] * 12)}
    with_vat = shop([100] * 12, amounts=amounts, on=(K.PAYMENT,))
    assert value(with_vat, feature) == Decimal("0.05")
    without = made(on=(K.PAYMENT, K.INVOICE), amounts={**amounts, "IO": monthly([100] * 12)})
    assert value(without, feature, PLAIN) == Decimal(60) / 1212
    assert value(shop([100] * 12), feature) is N.NOT_CONNECTED


def wages(month: str, amount: object, heads: int = 2) -> TaxReturn:
    start = first_day(Month(month))
    return fact(
        TaxReturn,
        tax_kind="IIT_WITHHOLDING",
        period_start=start,
        period_end=last_day(Month(month)),
        filed_on=date(2026, 1, 10),
        wage_total=Decimal(str(amount)),
        headcount=heads,
    )


def test_wages_as_declared_over_sales_without_vat() -> None:
    sales = {"GMV": monthly([101] * 12)}
    declared = made(*(wages(month, 8) for month in YEAR), on=(K.SHOP,), amounts=sales)
    assert value(declared, "cs_wage_ratio") == Decimal("0.08")


def test_wages_as_paid_when_too_few_months_were_declared() -> None:
    """A month without a return is unknown, not a month without wages: nine returns are too few."""
    amounts = {"GMV": monthly([101] * 12), "OUT.WAGE": monthly([5] * 12)}
    nine = [wages(month, 8) for month in YEAR[3:]]
    assert value(made(*nine, on=(K.SHOP, K.PAYMENT), amounts=amounts), "cs_wage_ratio") == Decimal("0.05")
    assert value(made(*nine, on=(K.SHOP,), amounts=amounts), "cs_wage_ratio") is N.NOT_CONNECTED


def test_vat_burden() -> None:
    returns = [returned(month, 100, tax_payable=Decimal(3)) for month in YEAR]
    assert value(made(fact(TaxpayerProfile, taxpayer_type="GENERAL"), *returns), "cs_vat_burden") == Decimal("0.03")
    assert value(made(fact(TaxpayerProfile, taxpayer_type="SMALL_SCALE"), *returns), "cs_vat_burden") is N.NOT_APPLICABLE
    nothing = [returned(month, 0, tax_payable=Decimal(0)) for month in YEAR]
    assert value(made(fact(TaxpayerProfile, taxpayer_type="GENERAL"), *nothing), "cs_vat_burden") is N.ZERO_DENOMINATOR


# D5: staff


def insured(month: str, heads: int, *, insurance: str = "PENSION", paid: int | None = -5, due: int = 100, **more: Any) -> Any:
    """An employer month, paid so many days after it was due; None: not at all."""
    due_on = date.fromisoformat(f"{month}-25")
    values = {"month": month, "headcount": heads, "insurance": insurance, "due": Decimal(due), "due_on": due_on, "employer": USCC}
    values["paid_on"] = None if paid is None else due_on + timedelta(days=paid)
    return fact(EmployerSocialInsuranceMonth, **(values | more))


def staff(*heads: int) -> list[Any]:
    return [insured(month, count) for month, count in zip(YEAR, heads, strict=True)]


def test_headcount() -> None:
    dossier = made(*staff(*[4] * 6, *[6] * 6), *[insured(month, 9, insurance="MEDICAL") for month in YEAR], uscc=USCC)
    assert value(dossier, "cs_headcount_avg") == 5
    assert value(dossier, "cs_headcount_change") == Decimal("0.5")
    no_pension = made(*[insured(month, 7, insurance="MEDICAL") for month in YEAR], uscc=USCC)
    assert value(no_pension, "cs_headcount_avg") == 7


@pytest.mark.parametrize("feature", ["cs_headcount_avg", "cs_headcount_change", "cs_si_on_time_months", "cs_social_cost_ratio"])
def test_known_to_have_no_employees(feature: str) -> None:
    """Zeros say so; a source that knows nothing of the employer does not."""
    assert value(made(*staff(*[0] * 12), uscc=USCC), feature) is N.NOT_APPLICABLE
    assert value(made(on=(K.SOCIAL_INSURANCE,), uscc=USCC), feature) is N.INSUFFICIENT_COVERAGE
    assert value(made(uscc=USCC), feature) is N.NOT_CONNECTED


def test_change_of_a_handful_says_nothing() -> None:
    assert value(made(*staff(2, *[9] * 11), uscc=USCC), "cs_headcount_change") is N.NOT_APPLICABLE
    assert value(made(*staff(3, *[9] * 11), uscc=USCC), "cs_headcount_change") == 2
    gap = state(K.SOCIAL_INSURANCE, *covering(gaps=("2025-01",)))
    assert value(made(*staff(*[5] * 12), states=(gap,), uscc=USCC), "cs_headcount_change") is N.INSUFFICIENT_COVERAGE


def test_months_paid_on_time() -> None:
    """On the due day is on time; a day later, or one insurance of two unpaid, is not."""
    rows = [insured(month, 3, paid=0) for month in YEAR[2:]]
    late = [insured(YEAR[0], 3, paid=1), insured(YEAR[1], 3), insured(YEAR[1], 3, insurance="MEDICAL", paid=None)]
    assert value(made(*rows, *late, uscc=USCC), "cs_si_on_time_months") == 10


def test_social_cost_over_wages() -> None:
    deposits = [
        fact(HousingFundEntry, employer=employer, kind="DEPOSIT", period=month, employer_amount=Decimal(50), booked_on=date(2025, 12, 1))
        for month in YEAR
        for employer in (USCC, "another")
    ]
    dossier = made(*staff(*[3] * 12), *(wages(month, 1000) for month in YEAR), *deposits, uscc=USCC)
    assert value(dossier, "cs_social_cost_ratio") == Decimal("0.15")


def test_the_year_is_2025() -> None:
    assert window(AS_OF, 12) == YEAR
    assert (YEAR[0], YEAR[-1]) == ("2025-01", "2025-12")
