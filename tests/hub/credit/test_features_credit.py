"""D1: debts, cash, inquiries; D4: what the tax authority and the register say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.credit.dossier import Reference
from hub.credit.features.risk_return import months_left
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import (
    BusinessRegistration,
    CreditAccount,
    CreditInquiry,
    RepaymentMonth,
    TaxCreditRating,
    TaxpayerProfile,
    TaxPayment,
)
from hub.domain.periods import first_day, window
from tests.hub.credit.made import AS_OF, OWN, PERSON, PLAIN, YEAR, covering, fact, made, monthly, state, value
from tests.hub.credit.test_features_sales import returned

N, K = MissingReason, SourceKind
USCC, FIRM = "92330110MA2XXX0280", "91330110MA2XXX0280"


def loan(due: int = 100, until: str | None = "2030-01-20", **more: Any) -> CreditAccount:
    values = {"open": True, "borrower": OWN, "monthly_due": Decimal(due), "matures_on": date.fromisoformat(until) if until else None}
    return fact(CreditAccount, **(values | more))


@pytest.mark.parametrize(
    ("until", "months"),
    [
        ("2030-01-20", 12),
        (None, 12),
        ("2027-01-20", 12),
        ("2026-12-20", 11),
        ("2026-03-20", 2),
        ("2026-03-10", 2),
        ("2026-03-21", 3),
        ("2026-01-21", 1),
        ("2026-01-20", 0),
        ("2025-06-30", 0),
    ],
)
def test_a_started_month_counts(until: str | None, months: int) -> None:
    assert months_left(date.fromisoformat(until) if until else None, AS_OF) == months
    assert value(made(loan(until=until)), "rr_debt_service_12m") == 100 * months


def test_whose_debts_count() -> None:
    """An individual business and its operator are one risk; an enterprise stands for itself; a person too."""
    accounts = [loan(1), loan(10, borrower=PERSON), loan(100, borrower="h:other"), loan(1000, open=False)]
    assert value(made(*accounts, uscc=USCC), "rr_debt_service_12m") == 11 * 12
    assert value(made(*accounts, uscc=FIRM), "rr_debt_service_12m") == 1 * 12
    assert value(made(*accounts, uscc=None), "rr_debt_service_12m", PLAIN) == 1 * 12


def test_dscr() -> None:
    cash = {"IN.SALES_RECEIPT": monthly([500] * 12), "OUT.PURCHASE": monthly([200] * 12), "OUT.LOAN_REPAYMENT": monthly([999] * 12)}
    dossier = made(loan(100), on=(K.PAYMENT,), amounts=cash)
    assert value(dossier, "rr_net_operating_cash") == 3600
    assert value(dossier, "rr_dscr") == 3
    assert value(made(loan(100)), "rr_dscr") is N.NOT_CONNECTED
    assert value(made(on=(K.PAYMENT,)), "rr_dscr") is N.NOT_CONNECTED
    assert value(made(states=(state(K.BUREAU, reason=N.STALE),), on=(K.PAYMENT,)), "rr_dscr") is N.STALE


def test_no_debt_is_known_even_without_accounts() -> None:
    assert value(made(on=(K.BUREAU,)), "rr_dscr") == "NO_DEBT"
    assert value(made(on=(K.BUREAU,)), "rr_debt_service_12m") == 0
    assert value(made(on=(K.BUREAU,), uscc=None), "rr_dscr", PLAIN) == "NO_DEBT"
    assert value(made(loan(), uscc=None), "rr_dscr", PLAIN) is N.NOT_APPLICABLE


def test_negative_cash_is_a_number() -> None:
    out = {"OUT.OWNER_DRAW": monthly([10] * 12)}
    assert value(made(loan(1), on=(K.PAYMENT,), amounts=out), "rr_dscr") == -10


def test_which_flows_are_operating() -> None:
    counted = ("PURCHASE", "WAGE", "SOCIAL", "RENT", "UTILITY", "LOGISTICS", "AD", "TAX", "OWNER_DRAW")
    ignored = ("LOAN_REPAYMENT", "INVESTMENT", "OWN_TRANSFER", "PLATFORM_FEE", "CASH", "UNKNOWN")
    amounts = {f"OUT.{name}": monthly([1]) for name in (*counted, *ignored)}
    amounts |= {f"IN.{name}": monthly([50]) for name in ("LOAN_DISBURSEMENT", "OWN_TRANSFER", "SUBSIDY", "TAX_REFUND", "REFUND_IN")}
    assert value(made(on=(K.PAYMENT,), amounts=amounts), "rr_net_operating_cash") == -len(counted)


def test_unsecured_lenders() -> None:
    accounts = [loan(lender="a"), loan(lender="a", account_number="2"), loan(lender="b"), loan(lender="c", secured=True)]
    assert value(made(*accounts, loan(lender="d", open=False)), "rr_unsecured_lenders") == 2


# Repayment


def status(code: str, month: str = "2025-06", account: str = "") -> RepaymentMonth:
    return fact(RepaymentMonth, status=code, month=month, account_number=account)


@pytest.mark.parametrize(
    ("codes", "dpd", "arrears"),
    [("NNN", 0, 0), ("NCM", 0, 0), ("N1N", 30, 1), ("26N", 180, 2), ("7NN", 181, 1), ("DZN", 181, 0), ("GBN", 181, 0), ("N*#", 0, 0)],
)
def test_days_past_due(codes: str, dpd: int, arrears: int) -> None:
    months = [status(code, month) for code, month in zip(codes, YEAR, strict=False)]
    dossier = made(loan(), *months)
    assert value(dossier, "rr_max_dpd_24m") == dpd
    assert value(dossier, "rr_arrears_count_24m") == arrears


def test_a_thin_file_has_no_days_past_due_but_no_arrears_either() -> None:
    for months in ([], [status("*"), status("#", "2025-07")]):
        dossier = made(loan(), *months)
        assert value(dossier, "rr_max_dpd_24m") is N.INSUFFICIENT_COVERAGE
        assert value(dossier, "rr_arrears_count_24m") == 0


def test_only_months_of_w24_and_of_accounts_that_count() -> None:
    old, other = status("5", "2023-12"), status("5", "2025-06", "x")
    dossier = made(loan(), loan(account_number="x", borrower="h:other"), old, other, status("N"))
    assert value(dossier, "rr_max_dpd_24m") == 0
    closed = made(loan(open=False), status("3"))
    assert value(closed, "rr_max_dpd_24m") == 90


def test_a_month_counts_once_however_many_accounts() -> None:
    dossier = made(loan(), loan(account_number="y"), status("1"), status("2", account="y"), status("1", "2025-07"))
    assert value(dossier, "rr_arrears_count_24m") == 2


def test_bureau_history_that_is_too_short() -> None:
    short = state(K.BUREAU, *covering("2024-06"))
    assert value(made(loan(), status("N"), states=(short,)), "rr_max_dpd_24m") is N.INSUFFICIENT_COVERAGE


# Inquiries


def asked(day: str, reason: str = "LOAN_APPROVAL", organisation: str = "a") -> CreditInquiry:
    return fact(CreditInquiry, inquired_on=date.fromisoformat(day), reason=reason, organisation=organisation)


def test_hard_inquiries_by_organisation_and_day() -> None:
    dossier = made(
        asked("2025-12-09"),
        asked("2025-12-09", "CARD_APPROVAL"),
        asked("2025-12-09", organisation="b"),
        asked("2025-12-10", "GUARANTEE_REVIEW"),
        asked("2025-12-10", "POST_LOAN", "c"),
        asked("2025-12-10", "SELF", "d"),
        asked("2025-08-01"),
        asked("2026-01-05"),
        asked("2025-06-30"),
    )
    assert value(dossier, "rr_hard_inquiries_3m") == 3
    assert value(dossier, "rr_hard_inquiries_6m") == 4


# Tax


def filings(*months: str, amount: int = 50) -> list[Any]:
    return [returned(month, amount) for month in months]


MONTHLY, QUARTERLY = fact(TaxpayerProfile, vat_frequency="MONTH"), fact(TaxpayerProfile, vat_frequency="QUARTER")
TWO_YEARS = window(AS_OF, 24)


def test_missed_periods_are_due_and_not_filed() -> None:
    filed = [month for month in TWO_YEARS if month not in ("2024-03", "2025-05", "2025-12")]
    assert value(made(MONTHLY, *filings(*filed)), "ss_missed_filings") == 3


def test_a_period_that_is_not_due_yet_is_not_missed() -> None:
    """The data end on the 14th: December is due on the 15th."""
    state_ = state(K.TAX, *covering("2023-01", date(2026, 1, 14)))
    filed = [month for month in TWO_YEARS if month != "2025-12"]
    assert value(made(MONTHLY, *filings(*filed), states=(state_,)), "ss_missed_filings") == 0


def test_a_period_the_source_does_not_serve_is_not_missed() -> None:
    gap = state(K.TAX, *covering(gaps=("2025-05",)))
    filed = [month for month in TWO_YEARS if month != "2025-05"]
    assert value(made(MONTHLY, *filings(*filed), states=(gap,)), "ss_missed_filings") == 0


def test_a_missed_quarter_is_one_period() -> None:
    quarters = [f"{year}-{month}" for year in (2024, 2025) for month in ("03", "06", "09", "12")]
    filed = [returned(month, 300, 3) for month in quarters if month != "2025-06"]
    assert value(made(QUARTERLY, *filed), "ss_missed_filings") == 1


def test_missed_filings_need_twenty_months() -> None:
    for first, wanted in (("2024-05", 20), ("2024-06", N.INSUFFICIENT_COVERAGE)):
        dossier = made(MONTHLY, states=(state(K.TAX, *covering(first)),))
        assert value(dossier, "ss_missed_filings") == wanted


def test_zero_filings() -> None:
    assert value(made(MONTHLY, *filings(*YEAR[2:]), *filings(*YEAR[:2], amount=0)), "ss_zero_filings") == 2
    zero_quarter = [returned(f"2025-{month}", 0 if month == "06" else 9, 3) for month in ("03", "06", "09", "12")]
    assert value(made(QUARTERLY, *zero_quarter), "ss_zero_filings") == 3


def test_a_missed_return_is_not_a_zero_return() -> None:
    """Its months are not covered: two of them leave ten, three too few."""
    assert value(made(MONTHLY, *filings(*YEAR[2:])), "ss_zero_filings") == 0
    assert value(made(MONTHLY, *filings(*YEAR[3:])), "ss_zero_filings") is N.INSUFFICIENT_COVERAGE


def test_tax_paid() -> None:
    def pay(kind: str, day: str, amount: int, **more: Any) -> TaxPayment:
        return fact(TaxPayment, tax_kind=kind, paid_on=date.fromisoformat(day), amount=Decimal(amount), **more)

    payments = [pay(kind, "2025-03-10", 1) for kind in ("VAT", "CIT", "IIT_BUSINESS")]
    ignored = [pay(kind, "2025-03-10", 100) for kind in ("SURCHARGE", "OTHER", "IIT_WITHHOLDING")]
    outside = [pay("VAT", "2024-12-31", 100), pay("VAT", "2026-01-10", 100), pay("VAT", "2025-04-10", 100, late_fee=True)]
    assert value(made(*payments, *ignored, *outside), "ss_tax_paid") == 3
    assert value(made(on=(K.TAX,)), "ss_tax_paid") == 0


def rated(year: int, grade: str, published: date) -> TaxCreditRating:
    return fact(TaxCreditRating, rating_year=year, grade=grade, published_on=published)


def test_the_latest_published_rating() -> None:
    before, latest = rated(2023, "B", date(2024, 4, 24)), rated(2024, "A", date(2025, 4, 25))
    assert value(made(before, latest), "ss_tax_rating") == "A"
    assert value(made(latest, rated(2025, "D", date(2026, 4, 20))), "ss_tax_rating") == "A"
    assert value(made(on=(K.TAX,)), "ss_tax_rating") is N.INSUFFICIENT_COVERAGE
    assert value(made(before), "ss_tax_rating") is N.STALE


@pytest.mark.parametrize(("days", "wanted"), [(400, "B"), (401, N.STALE)])
def test_a_rating_is_good_for_four_hundred_days(days: int, wanted: object) -> None:
    assert value(made(rated(2024, "B", AS_OF - timedelta(days=days))), "ss_tax_rating") == wanted


# Register


REGISTERED = fact(BusinessRegistration, uscc=USCC, industry_code="F5292", established_on=date(2022, 5, 10))


def test_months_in_business() -> None:
    assert value(made(REGISTERED, uscc=USCC), "ss_months_in_business") == 44
    other = replace(REGISTERED, uscc=FIRM)
    assert value(made(other, uscc=USCC), "ss_months_in_business") is N.INSUFFICIENT_COVERAGE


@pytest.mark.parametrize(("code", "level"), [("F5292", "MEDIUM"), ("J6632", "HIGH"), ("D4411", "LOW"), ("X9999", "MEDIUM")])
def test_industry_risk_by_the_longest_prefix(code: str, level: str) -> None:
    assert value(made(replace(REGISTERED, industry_code=code), uscc=USCC), "ss_industry_risk") == level


def test_an_industry_the_lender_bars() -> None:
    barred = Reference("lender", prohibited_industries=frozenset({"F52"}))
    assert value(made(REGISTERED, uscc=USCC, reference=barred), "ss_industry_risk") == "PROHIBITED"


def test_the_first_day_of_the_window_is_in_it() -> None:
    assert value(made(asked(str(first_day(YEAR[-3])))), "rr_hard_inquiries_3m") == 1
