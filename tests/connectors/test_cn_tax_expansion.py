"""The expansion rules E1 and E11 to E13, checked on figures worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest

from connectors.sandbox import expand_tax
from connectors.sandbox.expand_financials import statements
from connectors.sandbox.expand_invoices import InvoiceRow, invoices
from connectors.sandbox.persona import Persona
from tests.connectors.cn_tax_world import BOSS, MAKER, maker, shop


def test_monthly_returns_leave_out_the_gap_and_the_missed_period() -> None:
    found = expand_tax.vat_returns(maker())
    assert [(one.first.month, one.amendment) for one in found] == [
        (1, 0), (2, 0), (4, 0), (5, 0), (5, 1), (6, 0), (7, 0), (9, 0), (10, 0), (11, 0), (12, 0),
    ]  # fmt: skip
    january = found[0]
    assert (january.last, january.filed_on, january.due_on) == (date(2025, 1, 31), date(2025, 2, 14), date(2025, 2, 15))
    assert (january.declared, january.taxable, january.exempt) == (D("1000.00"), D("1000.00"), D(0))


def test_tax_payable_is_the_payment_of_the_month_after() -> None:
    payable = {(one.first.month, one.amendment): one.tax_payable for one in expand_tax.vat_returns(maker())}
    assert payable[1, 0] == D("30.00")
    assert payable[2, 0] == D("31.00")
    assert payable[4, 0] == D("33.00")
    assert payable[5, 0] == payable[12, 0] == D(0)


def test_an_amendment_supersedes_and_exists_only_once_filed() -> None:
    original, amended = (one for one in expand_tax.vat_returns(maker()) if one.first == date(2025, 5, 1))
    assert (original.superseded, original.declared, original.filed_on) == (True, D("5000.00"), date(2025, 6, 14))
    assert (amended.superseded, amended.declared, amended.filed_on) == (False, D("5500.00"), date(2025, 9, 3))
    earlier = maker(known_at="2025-09-02T10:00:00+08:00", as_of="2025-09-02")
    (alone,) = (one for one in expand_tax.vat_returns(earlier) if one.first == date(2025, 5, 1))
    assert (alone.amendment, alone.superseded) == (0, False)


def test_quarterly_returns_of_a_source_that_ends_early() -> None:
    found = expand_tax.vat_returns(shop())
    assert [(one.first, one.last) for one in found] == [
        (date(2025, 1, 1), date(2025, 3, 31)),
        (date(2025, 4, 1), date(2025, 6, 30)),
        (date(2025, 7, 1), date(2025, 9, 30)),
    ]
    assert [(one.taxable, one.exempt, one.tax_payable) for one in found] == [
        (D("200.00"), D("0.00"), D("2.00")),
        (D("180.00"), D("120.00"), D("3.00")),
        (D("0.00"), D("400.00"), D("4.00")),
    ]


@pytest.mark.parametrize(
    ("exempt", "expected"),
    [(["300.00"], D("900.00")), (["100.00"], D("100.00")), (None, D(0))],
    ids=["wholly exempt stays so", "the exempt part stays", "nothing exempt"],
)
def test_the_exempt_part_of_an_amendment(exempt: list[str] | None, expected: D) -> None:
    block: dict[str, Any] = {"first": "2025Q1", "declared": ["300.00"], "filed_day": 12}
    if exempt:
        block["exempt"] = exempt
    amendment = {"period": "2025Q1", "declared": "900.00", "filed_on": "2025-05-05"}
    tax = {"holder": "boss", "vat_returns": [block], "amendments": [amendment]}
    assert expand_tax.vat_returns(shop(tax=tax))[-1].exempt == expected


def test_a_missed_period_filed_late_is_its_first_return() -> None:
    tax = {
        "holder": "boss",
        "vat_returns": [{"first": "2025Q1", "declared": ["300.00"], "filed_day": 12}],
        "missed": ["2025Q1"],
        "amendments": [{"period": "2025Q1", "declared": "310.00", "filed_on": "2025-08-01"}],
    }
    (late,) = expand_tax.vat_returns(shop(tax=tax))
    assert (late.amendment, late.declared, late.filed_on, late.due_on) == (0, D("310.00"), date(2025, 8, 1), date(2025, 4, 15))


def test_withholding_is_filed_within_the_reach_of_the_source() -> None:
    found = expand_tax.withholding_returns(maker())
    assert [(one.first, one.headcount, one.wages, one.filed_on) for one in found] == [
        (date(2025, 11, 1), 4, D("400.00"), date(2025, 12, 15)),
        (date(2025, 12, 1), 5, D("500.00"), date(2026, 1, 15)),
    ]
    (none,) = expand_tax.withholding_returns(shop())
    assert (none.headcount, none.wages) == (0, D("0.00"))


def test_withholding_filed_on_the_last_covered_day_at_the_latest() -> None:
    found = expand_tax.withholding_returns(maker(as_of="2026-01-10", known_at="2026-01-10T10:00:00+08:00"))
    assert found[-1].filed_on == date(2026, 1, 9)


def test_payments_are_for_the_period_before() -> None:
    found = expand_tax.payments(maker())
    assert [(one.kind, one.paid_on, one.amount, one.first, one.last) for one in found if one.kind == "VAT"] == [
        ("VAT", date(2025, 2, 28), D("30.00"), date(2025, 1, 1), date(2025, 1, 31)),
        ("VAT", date(2025, 5, 31), D("33.00"), date(2025, 4, 1), date(2025, 4, 30)),
    ]
    assert next((one.paid_on, one.first, one.last) for one in found if one.kind == "CIT") == (
        date(2025, 1, 14),
        date(2024, 10, 1),
        date(2024, 12, 31),
    )
    assert len({one.voucher for one in found}) == len(found)


def test_a_quarterly_filer_pays_for_quarters() -> None:
    assert {(one.first, one.last) for one in expand_tax.payments(shop())} == {
        (date(2025, 1, 1), date(2025, 3, 31)),
        (date(2025, 4, 1), date(2025, 6, 30)),
        (date(2025, 7, 1), date(2025, 9, 30)),
    }


def test_states_are_served_once_known_whenever_they_began() -> None:
    assert [(one.year, one.grade) for one in expand_tax.ratings(maker())] == [(2023, "B"), (2024, "A")]
    assert [(one.since, one.amount, one.cleared_on) for one in expand_tax.arrears(maker())] == [
        (date(2024, 6, 15), D("80.00"), date(2025, 2, 1)),
        (date(2025, 10, 15), D("70.00"), None),
    ]
    before = maker(as_of="2025-01-20", known_at="2025-01-20T10:00:00+08:00")
    assert [(one.since, one.cleared_on) for one in expand_tax.arrears(before)] == [(date(2024, 6, 15), None)]


def test_incomes() -> None:
    assert [(one.person, one.month, one.payer, one.amount) for one in expand_tax.incomes(maker())] == [
        (BOSS, "2025-11", MAKER, D("150.00")),
        (BOSS, "2025-12", MAKER, D("160.00")),
    ]


def test_statements_count_on_their_last_day() -> None:
    assert [(one.kind, one.first, one.last) for one in statements(maker())] == [
        ("BS", date(2024, 1, 1), date(2024, 12, 31)),
        ("BS", date(2025, 1, 1), date(2025, 12, 31)),
        ("PL", date(2025, 1, 1), date(2025, 12, 31)),
    ]
    sources = {"FINANCIALS": {"from": "2025-01", "until": "2025-12-30"}}
    assert statements(maker(sources=sources)) == []


def _brief(one: InvoiceRow) -> tuple[str, date, D, D, str]:
    return one.number, one.issued_on, one.net, one.tax, one.status


def test_invoices_split_number_and_reverse() -> None:
    found = [one for one in invoices(maker()) if one.side == "OUTPUT"]
    assert [_brief(one) for one in found] == [
        ("20250510000000000001", date(2025, 5, 5), D("166.50"), D("21.65"), "REVERSED"),
        ("20250510000000000002", date(2025, 5, 31), D("166.50"), D("21.65"), "NORMAL"),
        ("20250510000000000003", date(2025, 5, 16), D("667.00"), D("86.71"), "NORMAL"),
        ("20250610000000000001", date(2025, 6, 2), D("-166.50"), D("-21.65"), "RED"),
        ("20250610000000000002", date(2025, 6, 3), D("60.00"), D("7.80"), "VOIDED"),
        ("20250710000000000001", date(2025, 7, 5), D("16.65"), D("2.16"), "NORMAL"),
        ("20250710000000000002", date(2025, 7, 31), D("16.65"), D("2.16"), "NORMAL"),
        ("20250710000000000003", date(2025, 7, 16), D("66.71"), D("8.67"), "NORMAL"),
        ("20250710000000000004", date(2025, 7, 20), D("-1.00"), D("-0.13"), "RED"),
    ]
    whole, part = (one for one in found if one.status == "RED")
    assert (whole.original, whole.reason) == ("20250510000000000001", "02")
    assert (part.original, part.reason) == ("20250510000000000003", "04")


def test_input_invoices_and_kinds() -> None:
    found = [one for one in invoices(maker()) if one.side == "INPUT"]
    assert [_brief(one) for one in found] == [
        ("20250520000000000001", date(2025, 5, 6), D("66.66"), D("2.00"), "NORMAL"),
        ("20250520000000000002", date(2025, 5, 16), D("66.66"), D("2.00"), "NORMAL"),
        ("20250520000000000003", date(2025, 5, 26), D("66.68"), D("2.00"), "NORMAL"),
    ]
    assert {(one.side, one.kind) for one in invoices(maker())} == {("OUTPUT", "31"), ("INPUT", "32")}


def test_a_red_invoice_of_tomorrow_reverses_nothing_yet() -> None:
    earlier = maker(as_of="2025-06-02", known_at="2025-06-01T10:00:00+08:00")
    assert [(one.number[-1], one.status) for one in invoices(earlier) if one.side == "OUTPUT"] == [
        ("1", "NORMAL"),
        ("2", "NORMAL"),
        ("3", "NORMAL"),
    ]


def test_a_persona_without_sections_has_no_records() -> None:
    empty: Persona = shop(tax=None)
    assert expand_tax.vat_returns(empty) == expand_tax.payments(empty) == expand_tax.withholding_returns(empty) == []
    assert expand_tax.ratings(empty) == expand_tax.incomes(empty) == expand_tax.arrears(empty) == []
    assert invoices(empty) == [] and statements(empty) == []
