"""Rows of every kind as facts, and which rows are quarantined."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest

from connectors.cn_tax.fields import Fields
from hub.connect import Unreadable
from hub.domain.facts import TaxArrear, TaxPayment, TaxReturn
from tests.connectors.cn_tax_world import CLIENT, CONTEXT, MAKER, stream


def _facts(name: str, record: dict[str, Any]) -> list[Any]:
    return list(stream(name).normalise(CONTEXT, record))


def _fail(name: str, record: dict[str, Any]) -> str:
    with pytest.raises(Unreadable) as caught:
        _facts(name, record)
    assert MAKER not in str(caught.value) and "9x9" not in str(caught.value)
    return caught.value.path


RETURN = {
    "JEDW": "1", "NSRSBH": MAKER, "SBUUID": "S1", "ZSXM_DM": "10101", "YZPZZL_DM": "BDA0610606", "SKSSQQ": "2025-04-01", "SKSSQZ": "2025-04-30",
    "SBRQ": "2025-05-12", "SBQX": None, "GZXH": 2, "ZFBZ_1": "N", "EWBLXH": 1, "BNLJBZ": "N",
    "ASYSLJSXSE": "1.00", "AJYBFJSXSE": "2.00", "MDTBFCKXSE": "4.00", "MSXSE": "8.00", "XXSE": "0.50", "JXSE": "0.20", "YNSE": "0.30",
}  # fmt: skip


def _return(*rows: dict[str, Any], aside: bool = False) -> dict[str, Any]:
    return {"SBUUID": "S1", "aside": aside, "rows": [RETURN | row for row in rows]}


def test_year_to_date_rows_are_never_the_period() -> None:
    to_date = {"EWBLXH": 2, "BNLJBZ": "Y", "ASYSLJSXSE": "900.00", "MSXSE": "900.00"}
    refunded = {"EWBLXH": 3, "ASYSLJSXSE": "16.00", "AJYBFJSXSE": None, "XXSE": None, "YNSE": "0.01"}
    (fact,) = _facts("returns", _return({}, to_date, refunded, to_date | {"EWBLXH": 4}))
    assert fact == TaxReturn(
        tax_kind="VAT", period_start=date(2025, 4, 1), period_end=date(2025, 4, 30), amendment=2, filed_on=date(2025, 5, 12), due_on=None,
        declared_revenue=D("43.00"), exempt_revenue=D("16.00"), output_tax=D("0.50"), input_tax=D("0.40"), tax_payable=D("0.31"),
        headcount=None, wage_total=None,
    )  # fmt: skip
    small = {"YZPZZL_DM": "BDA0610611", "YZZZSBHSXSE": "5.00", "XSCZBDCBHSXSE": "6.00", "CKMSXSE": "7.00", "YNSEHJ": "0.90"}
    (fact,) = _facts("returns", _return(small, small | {"EWBLXH": 2}, small | {"EWBLXH": 3, "BNLJBZ": "Y"}))
    assert (fact.declared_revenue, fact.tax_payable) == (D("52.00"), D("1.80"))


def test_other_returns() -> None:
    wages = {
        "ZSXM_DM": "10106",
        "YZPZZL_DM": "GRSDS_ZXKJ",
        "NSRS": 3,
        "SRE": "90.00",
        "YNSE": "5.00",
        "JMSE": "1.00",
        "YJSE": "0.00",
        "YBTSE": "4.00",
    }
    (fact,) = _facts("returns", _return(wages))
    assert (fact.tax_kind, fact.headcount, fact.wage_total, fact.tax_payable, fact.declared_revenue) == (
        "IIT_WITHHOLDING", 3, D("90.00"), D("5.00"), None,
    )  # fmt: skip
    assert _fail("returns", _return(wages | {"YBTSE": "9.00"})) == "rows[0].YBTSE"
    assert _fail("returns", _return(wages, wages | {"EWBLXH": 2})) == "rows[1].EWBLXH"
    (own,) = _facts("returns", _return({"ZSXM_DM": "10106", "YZPZZL_DM": "GRSDS_JYSD"}))
    assert (own.tax_kind, own.tax_payable) == ("IIT_BUSINESS", D("0.30"))
    assert _facts("returns", _return({"ZSXM_DM": "30203", "YZPZZL_DM": "BDA0610678"})) == []
    assert _facts("returns", _return({"ZSXM_DM": "10109", "YZPZZL_DM": "BDA0610678"}))[0].tax_kind == "SURCHARGE"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"NSRSBH": CLIENT}, "rows[0].NSRSBH"),
        ({"ZSXM_DM": "9x9"}, "rows[0].ZSXM_DM"),
        ({"YZPZZL_DM": "9x9"}, "rows[0].YZPZZL_DM"),
        ({"BNLJBZ": "9x9"}, "rows[0].BNLJBZ"),
        ({"BNLJBZ": "Y"}, "rows[0].BNLJBZ"),
        ({"SKSSQQ": "9x9"}, "rows[0].SKSSQQ"),
        ({"SKSSQQ": "20250401"}, "rows[0].SKSSQQ"),
        ({"SBRQ": ""}, "rows[0].SBRQ"),
        ({"GZXH": "9x9"}, "rows[0].GZXH"),
        ({"MSXSE": "8.0"}, "rows[0].MSXSE"),
        ({"MSXSE": "1e3"}, "rows[0].MSXSE"),
        ({"MSXSE": "8.00", "JEDW": "2"}, "rows[0].ASYSLJSXSE"),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else one,
)
def test_unreadable_returns(change: dict[str, Any], path: str) -> None:
    assert _fail("returns", _return(change)) == path


def test_rows_of_one_return_must_agree() -> None:
    assert _fail("returns", _return({}, {"SKSSQZ": "2025-06-30"})) == "rows[1].SKSSQZ"


def test_a_withdrawn_return_counts_for_nothing() -> None:
    survey = stream("returns").survey  # type: ignore[attr-defined]
    superseded = RETURN | {"SBUUID": "S0", "GZXH": 0, "ZFBZ_1": "Y"}
    correct = RETURN | {"SBUUID": "S1", "GZXH": 1}
    void = RETURN | {"SBUUID": "S2", "GZXH": 2, "ZFBZ_1": "Y"}
    other = RETURN | {"SBUUID": "S3", "SKSSQZ": "2025-05-31", "GZXH": 0, "ZFBZ_1": "Y"}
    assert survey([superseded, correct]) == ()
    assert survey([superseded, correct, void, other]) == ("S2", "S3")
    assert _facts("returns", _return({}, aside=True)) == []
    (fact,) = _facts("returns", _return({"GZXH": 0, "ZFBZ_1": "Y"}))
    assert fact.amendment == 0


PAID = {
    "JEDW": "2", "NSRSBH": MAKER, "DZSPHM": "V1", "ZSXM_DM": "30203", "ZSPM_DM": "302030100", "SKZL_DM": "10", "SKSSQQ": "2025-04-01",
    "SKSSQZ": "2025-04-30", "SJJE": "1201", "JKRQ": "2025-05-12",
}  # fmt: skip


def test_a_voucher_of_several_items() -> None:
    rows = [
        PAID,
        PAID | {"ZSXM_DM": "30216", "SJJE": "99"},
        PAID | {"SKZL_DM": "20", "SJJE": "5"},
        PAID | {"ZSXM_DM": "10101", "SJJE": "-100"},
    ]
    head = {"voucher_number": "V1", "period_start": date(2025, 4, 1), "period_end": date(2025, 4, 30), "paid_on": date(2025, 5, 12)}
    assert _facts("payments", {"DZSPHM": "V1", "rows": rows}) == [
        TaxPayment(tax_kind="SURCHARGE", late_fee=False, amount=D("13.00"), **head),
        TaxPayment(tax_kind="SURCHARGE", late_fee=True, amount=D("0.05"), **head),
        TaxPayment(tax_kind="VAT", late_fee=False, amount=D("-1.00"), **head),
    ]
    iit = PAID | {"ZSXM_DM": "10106", "ZSPM_DM": "101060100"}
    assert _facts("payments", {"rows": [iit]})[0].tax_kind == "IIT_WITHHOLDING"
    assert _fail("payments", {"rows": [iit | {"ZSPM_DM": "9x9"}]}) == "rows[0].ZSPM_DM"
    assert _fail("payments", {"rows": [PAID | {"SKZL_DM": "30"}]}) == "rows[0].SKZL_DM"
    assert _fail("payments", {"rows": [PAID | {"SJJE": "12.01"}]}) == "rows[0].SJJE"


def test_an_arrear_and_odd_rows_of_the_administration() -> None:
    row = {
        "JEDW": "1",
        "NSRSBH": MAKER,
        "QSUUID": "Q1",
        "ZSXM_DM": "10106",
        "QSYE": "5.00",
        "ZNJ": "0.10",
        "JKQX": "2025-05-15",
        "QJRQ": "",
    }
    assert _facts("arrears", row) == [
        TaxArrear(arrear_number="Q1", tax_kind="OTHER", since=date(2025, 5, 15), amount=D("5.00"), late_fee=D("0.10"), cleared_on=None)
    ]
    rated = {"NSRSBH": MAKER, "PJND": "2024", "NSXYDJ": "A", "PJFS": "92.5", "FBRQ": "2025-04-25"}
    assert _facts("ratings", rated)[0].points == D("92.5")
    assert _fail("ratings", rated | {"PJFS": "9x9"}) == _fail("ratings", rated | {"PJFS": "NaN"}) == "PJFS"
    assert _fail("ratings", rated | {"NSXYDJ": "E"}) == "NSXYDJ"
    wage = {"JEDW": "1", "NSRSBH": MAKER, "ZJHM": "1", "SKSSQQ": "2025-04-01", "SKSSQZ": "2025-05-31", "SRE": "1.00"}
    assert _fail("personal_income", wage) == "SKSSQZ"
    assert _fail("taxpayer", {"NSRSBH": MAKER, "NSRZT_DM": "99"}) == "NSRZT_DM"


LINE = {"JEDW": "1", "NSRSBH": MAKER, "BBUUID": "B1", "BBZL_DM": "LRB", "SSQQ": "2025-01-01", "SSQZ": "2025-12-31"}


def test_statements_are_read_by_line_and_name() -> None:
    revenue = LINE | {"EWBHXH": 1, "XMMC": "营业收入", "BQJE": "9.00", "BNLJ": "99.00"}
    (fact,) = _facts("statements", {"rows": [revenue, LINE | {"EWBHXH": 3, "XMMC": "税金及附加", "BQJE": "1.00"}]})
    assert (fact.kind, fact.lines) == ("PL", {"revenue": D("9.00")})
    assert _fail("statements", {"rows": [revenue | {"XMMC": "营业总收入"}]}) == "rows[0].XMMC"
    assert _fail("statements", {"rows": [revenue | {"EWBHXH": 2}]}) == "rows[0].XMMC"
    assert _fail("statements", {"rows": [revenue | {"EWBHXH": 8}]}) == "rows[0].XMMC"
    assert _fail("statements", {"rows": [revenue | {"BBZL_DM": "9x9"}]}) == "rows[0].BBZL_DM"
    sheet = [LINE | {"BBZL_DM": "ZCFZB", "EWBHXH": line, "QMYE": amount} for line, amount in ((30, "10.00"), (47, "4.00"), (52, "5.00"))]
    assert _facts("statements", {"rows": sheet})[0].lines["total_assets"] == D("10.00")
    assert _fail("statements", {"rows": [sheet[0] | {"QMYE": "10.01"}, *sheet[1:]]}) == "rows[0].EWBHXH"


BILL = {
    "JEDW": "1", "NSRSBH": MAKER, "FPLX_DM": "31", "FPDM": None, "FPHM": "1", "KPRQ": "2025-05-31 23:59:59", "XFSBH": MAKER, "GFSBH": CLIENT,
    "HJJE": "100.00", "HJSE": "13.00", "JSHJ": "113.01", "FPZT_DM": "0", "YFPHM": "0", "HZYY_DM": "02",
}  # fmt: skip


def test_an_invoice() -> None:
    (fact,) = _facts("invoices", BILL)
    assert (fact.code, fact.direction, fact.issued_on, fact.gross) == ("", "OUTPUT", date(2025, 5, 31), D("113.01"))
    assert (fact.original_number, fact.red_reason) == (None, None)
    (fact,) = _facts("invoices", BILL | {"XFSBH": CLIENT, "GFSBH": MAKER})
    assert fact.direction == "INPUT"
    assert _facts("invoices", BILL | {"GFSBH": ""})[0].buyer == ""


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"JSHJ": "113.02"}, "JSHJ"),
        ({"XFSBH": CLIENT}, "XFSBH"),
        ({"GFSBH": MAKER}, "XFSBH"),
        ({"FPLX_DM": "9x9"}, "FPLX_DM"),
        ({"FPZT_DM": "9"}, "FPZT_DM"),
        ({"FPZT_DM": "2"}, "HJJE"),
        ({"KPRQ": "2025-05-31"}, "KPRQ"),
        ({"FPHM": None}, "FPHM"),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else one,
)
def test_unreadable_invoices(change: dict[str, Any], path: str) -> None:
    assert _fail("invoices", BILL | change) == path


def test_code_tables_can_be_extended() -> None:
    row = Fields({"FPLX_DM": "85"}, maps='{"FPLX_DM": {"85": "财政票据"}}')
    assert row.coded("FPLX_DM") == "财政票据"
    with pytest.raises(Unreadable):
        Fields({"FPLX_DM": "85"}).coded("FPLX_DM")
