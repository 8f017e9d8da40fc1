"""D2 and the invoices of D3 and D4, on invoices made by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from hub.credit.dossier import Reference, Related
from hub.domain.enums import Direction, MissingReason, SourceKind
from hub.domain.facts import FinancialStatement, Invoice, PaymentTransaction
from tests.hub.credit.made import PLAIN, SHOP, covering, fact, made, monthly, shop, state, value

N, K = MissingReason, SourceKind


def sold(buyer: str, net: int, day: str = "2025-06-15", status: str = "NORMAL", **more: Any) -> Invoice:
    values = {"direction": "OUTPUT", "buyer": buyer, "net": Decimal(net), "issued_on": date.fromisoformat(day), "status": status}
    return fact(Invoice, **(values | more))


def bought(seller: str, net: int, day: str = "2025-06-15", **more: Any) -> Invoice:
    return sold("", net, day, **({"direction": "INPUT", "seller": seller} | more))


FIVE = [sold("a", 400), sold("b", 300), sold("c", 200), sold("a", -100, status="RED"), sold("d", 999, status="VOIDED")]


@pytest.mark.parametrize(
    ("feature", "wanted"),
    [
        ("sc_customer_count", 3),
        ("sc_top1_customer_share", Decimal(300) / 800),
        ("sc_top5_customer_share", 1),
        ("ss_red_void_ratio", Decimal(100 + 999) / (900 + 999)),
        ("sc_core_enterprise_share", 0),
        ("sc_related_sales_share", N.NOT_CONNECTED),
        ("sc_open_order_cover", N.NOT_CONNECTED),
    ],
)
def test_customers(feature: str, wanted: object) -> None:
    """Red ones reduce their buyer's sum; voided ones never were, but count as voided."""
    assert value(made(*FIVE), feature, PLAIN) == wanted


def test_only_invoices_of_the_window_count() -> None:
    dossier = made(*FIVE, sold("e", 5000, "2024-12-31"), sold("f", 5000, "2026-01-02"))
    assert value(dossier, "sc_customer_count") == 3


def test_a_reversed_blue_invoice_still_names_its_buyer() -> None:
    assert value(made(sold("a", 100, status="REVERSED"), sold("a", -100, status="RED")), "sc_customer_count") == 1
    assert value(made(sold("a", 100, status="REVERSED"), sold("a", -100, status="RED")), "sc_top1_customer_share") is N.ZERO_DENOMINATOR


def test_a_consumer_shop_has_no_business_customers() -> None:
    consumer = shop([100] * 12)
    assert value(consumer, "sc_customer_count") is value(consumer, "sc_top5_customer_share") is N.NOT_APPLICABLE
    assert value(consumer, "sc_customer_retention") is value(consumer, "ss_max_invoice_gap") is N.NOT_CONNECTED
    assert value(made(*FIVE, on=(K.SHOP,)), "sc_customer_count") == 3
    assert value(made(), "sc_customer_count", PLAIN) is N.NOT_CONNECTED


def test_a_source_that_was_revoked_says_so() -> None:
    revoked = made(*FIVE, states=(state(K.INVOICE, reason=N.CONSENT_REVOKED),))
    assert value(revoked, "sc_customer_count", PLAIN) is N.CONSENT_REVOKED


def test_retention() -> None:
    before = [sold(buyer, 10, "2024-06-15") for buyer in "abxy"]
    assert value(made(*FIVE, *before), "sc_customer_retention") == Decimal("0.5")
    assert value(made(*FIVE), "sc_customer_retention") is N.ZERO_DENOMINATOR
    short = made(*FIVE, states=(state(K.INVOICE, *covering("2024-04")),))
    assert value(short, "sc_customer_retention") is N.INSUFFICIENT_COVERAGE


def test_suppliers() -> None:
    rows = [bought(seller, net) for seller, net in zip("abcdefg", (30, 25, 20, 10, 5, 6, 4), strict=True)]
    assert value(made(*rows), "sc_top5_supplier_share") == Decimal("0.91")


def test_supplier_tenure_is_weighted_with_what_was_bought() -> None:
    """a since 2023-02-20 (35 full months), b since 2025-01-21 (11); 100 and 300 bought in W24."""
    rows = [bought("a", 50, "2023-02-20"), bought("a", 100, "2025-02-01"), bought("b", 300, "2025-01-21")]
    assert value(made(*rows), "sc_supplier_tenure") == Decimal(100 * 35 + 300 * 11) / 400


def test_related_core_and_circular_sales() -> None:
    reference = Reference("lender", core_enterprises=frozenset({"a"}), related=(Related("b", "SPOUSE"), Related("z", "SPOUSE")))
    dossier = made(*FIVE, bought("b", 120), bought("c", 999), reference=reference)
    assert value(dossier, "sc_related_sales_share") == Decimal(300) / 800
    assert value(dossier, "sc_core_enterprise_share") == Decimal(300) / 800
    assert value(dossier, "sc_round_trip_share") == Decimal(120 + 200) / 800
    assert value(made(*FIVE, reference=Reference("lender", related=())), "sc_related_sales_share") == 0


# D4: gaps


def test_the_longest_gap_has_marks_at_both_ends() -> None:
    dossier = made(sold("a", 1, "2025-02-01"), sold("a", 1, "2025-12-01"), sold("a", -1, "2025-07-01", "RED"))
    assert value(dossier, "ss_max_invoice_gap") == (date(2025, 12, 1) - date(2025, 2, 1)).days
    assert value(made(sold("a", 1, "2025-12-31")), "ss_max_invoice_gap") == 364
    assert value(made(on=(K.INVOICE,)), "ss_max_invoice_gap") == 364


def test_an_unknown_month_is_not_a_gap() -> None:
    months = [f"2025-{month:02d}-{day}" for month in (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12) for day in ("01", "16")]
    known = [sold("a", 1, day) for day in months]
    unknown = made(*known, states=(state(K.INVOICE, *covering(gaps=("2025-04",))),))
    assert value(unknown, "ss_max_invoice_gap") == 16
    assert value(made(*known), "ss_max_invoice_gap") == (date(2025, 5, 1) - date(2025, 3, 16)).days


def test_red_and_void_without_invoices_is_null() -> None:
    assert value(made(on=(K.INVOICE,)), "ss_red_void_ratio") is N.INSUFFICIENT_COVERAGE


# D3: purchases and days


def test_purchases_from_invoices_or_from_payments() -> None:
    by_invoice = shop([202] * 12, amounts={"II": monthly([50] * 12)}, on=(K.INVOICE,))
    assert value(by_invoice, "ps_purchase_amount") == 600
    assert value(by_invoice, "ps_purchase_to_sales") == Decimal(50) / 200
    paid = shop([200] * 12, amounts={"OUT.PURCHASE": monthly([101] * 12)}, on=(K.PAYMENT,))
    assert value(paid, "ps_purchase_amount") == 1200
    assert value(paid, "ps_purchase_to_sales") == Decimal("0.505")
    assert value(shop([200] * 12), "ps_purchase_amount") is N.NOT_CONNECTED


def sheet(day: str, **lines: int) -> FinancialStatement:
    return fact(FinancialStatement, kind="BS", period_end=date.fromisoformat(day), lines={k: Decimal(v) for k, v in lines.items()})


def year(first: str = "2025-01-01", last: str = "2025-12-31", **lines: int) -> FinancialStatement:
    span = {"period_start": date.fromisoformat(first), "period_end": date.fromisoformat(last)}
    return fact(FinancialStatement, kind="PL", lines={k: Decimal(v) for k, v in lines.items()}, **span)


BOOKS = (
    sheet("2024-12-31", receivables=100, inventory=200, payables=50, prepayments=10, advances_received=0),
    sheet("2025-12-31", receivables=140, inventory=280, payables=70, prepayments=30, advances_received=36),
    year(revenue=3600, cost=2880, net_profit=1),
)


def test_days_from_the_books() -> None:
    dossier = made(*BOOKS)
    assert value(dossier, "ps_ar_days") == 12
    assert value(dossier, "ps_inventory_days") == 30
    assert value(dossier, "ps_ap_days") == Decimal("7.5")
    assert value(dossier, "ps_cash_cycle") == 30 + 12 - Decimal("7.5") + Decimal("2.5") - Decimal("1.8")


@pytest.mark.parametrize("missing", range(3))
def test_a_missing_statement_leaves_the_days_unknown(missing: int) -> None:
    books = [one for index, one in enumerate(BOOKS) if index != missing]
    assert value(made(*books), "ps_cash_cycle") is N.INSUFFICIENT_COVERAGE
    assert value(made(*books, states=(state(K.FINANCIALS, reason=N.STALE),)), "ps_ar_days") is N.STALE


def test_a_year_that_does_not_end_in_w12_does_not_count() -> None:
    old = made(year("2024-01-01", "2024-12-31", revenue=100, cost=60))
    assert value(old, "rr_gross_margin") is N.NOT_CONNECTED
    assert value(made(year("2025-07-01", "2025-12-31", revenue=100, cost=60)), "rr_gross_margin") is N.NOT_CONNECTED
    assert value(made(year(revenue=100, cost=60)), "rr_gross_margin") == Decimal("0.4")
    assert value(made(year(revenue=0, cost=60)), "rr_gross_margin") is N.ZERO_DENOMINATOR


def receipt(number: str, day: str, category: str = "SALES_RECEIPT", direction: Direction = Direction.IN) -> PaymentTransaction:
    at = datetime.fromisoformat(f"{day}T10:00:00+08:00").astimezone(UTC)
    return fact(PaymentTransaction, at=at, category=category, direction=direction, counterparty_key=number, amount=Decimal(1))


def test_days_from_pairs_of_invoice_and_receipt() -> None:
    """Invoices of 300 paid after 10 days and of 100 after 30: 15 days. The 600 that nobody named leave two fifths matched."""
    invoices = [sold("a", 300, "2025-03-01", number="1"), sold("b", 100, "2025-03-01", number="2"), sold("c", 600, number="3")]
    receipts = [receipt("1", "2025-03-11"), receipt("2", "2025-03-31"), receipt("1", "2025-09-01")]
    assert value(made(*invoices, *receipts, *BOOKS), "ps_ar_days") == 15
    few = made(*invoices, sold("d", 1000, number="4"), *receipts, *BOOKS)
    assert value(few, "ps_ar_days") == 12
    without_books = made(*invoices, sold("d", 1000, number="4"), *receipts)
    assert value(without_books, "ps_ar_days") is N.NOT_CONNECTED


def test_payable_days_from_pairs() -> None:
    paid = receipt("9", "2025-04-01", "PURCHASE", Direction.OUT)
    assert value(made(bought("s", 10, "2025-03-12", number="9"), paid), "ps_ap_days") == 20


def test_gross_margin_from_payments() -> None:
    dossier = shop([100] * 12, amounts={"OUT.PURCHASE": monthly([60] * 12)}, on=(K.PAYMENT,))
    assert value(dossier, "rr_gross_margin") == Decimal("0.4")
    assert value(shop([0] * 12, on=(K.PAYMENT,)), "rr_gross_margin") is N.ZERO_DENOMINATOR


def test_a_ratio_uses_common_months_only() -> None:
    """The accounts know nothing of March: its sales stay out of the denominator too."""
    gap = state(K.PAYMENT, *covering(gaps=("2025-03",)))
    amounts = {"GMV": {**monthly([100] * 12), "2025-03": 99999}, "OUT.PURCHASE": monthly([60] * 12)}
    assert value(made(on=(K.SHOP,), states=(gap,), amounts=amounts), "rr_gross_margin", SHOP) == Decimal("0.4")


def test_a_ratio_leaves_out_costs_of_months_whose_sales_are_unknown() -> None:
    gap = state(K.SHOP, *covering(gaps=("2025-03",)))
    amounts = {"GMV": monthly([100] * 12), "OUT.PURCHASE": {**monthly([60] * 12), "2025-03": 99999}}
    assert value(made(on=(K.PAYMENT,), states=(gap,), amounts=amounts), "rr_gross_margin", SHOP) == Decimal("0.4")
