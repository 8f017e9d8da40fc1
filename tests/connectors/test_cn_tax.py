"""cn_tax end to end against its simulated gateway: every fact of two taxpayers, and which days are covered."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from connectors.cn_tax import connector
from connectors.cn_tax.sandbox_rows import taxpayer_number
from connectors.sandbox import persona as personas
from connectors.sandbox.expand_invoices import invoices
from connectors.sandbox.expand_tax import payments, vat_returns, withholding_returns
from hub.connect import (
    NoData,
)
from hub.domain.facts import FinancialStatement, Invoice, PersonalIncome, TaxArrear, TaxCreditRating, TaxpayerProfile, TaxPayment, TaxReturn
from tests.connectors.cn_tax_world import (
    BALANCE,
    BOSS,
    CLERK,
    CLIENT,
    MAKER,
    PROFIT,
    WINDOW,
    drive,
    envelope,
    item_entry,
    maker,
    shop,
    step,
    stream,
)
from tests.contract.drive import Drive


@pytest.mark.parametrize("switches", [(), ("fen",), ("lower_case",)], ids=["yuan", "fen", "lower case"])
async def test_everything_of_the_workshop(switches: tuple[str, ...]) -> None:
    it = drive(maker(), switches=switches)
    await it.link()
    facts = await it.everything()
    by_kind: dict[type, list[Any]] = {}
    for one in facts:
        by_kind.setdefault(type(one), []).append(one)
    assert by_kind[TaxpayerProfile][0] == TaxpayerProfile(
        taxpayer_number=MAKER, uscc=MAKER, holder=BOSS, taxpayer_type="GENERAL", vat_frequency="MONTH", status="NORMAL"
    )
    assert [(one.rating_year, one.grade, one.published_on) for one in by_kind[TaxCreditRating]] == [
        (2023, "B", date(2024, 4, 24)),
        (2024, "A", date(2025, 4, 25)),
    ]
    assert _returns(by_kind[TaxReturn]) == _expected_returns(it)
    assert sorted(
        (one.voucher_number, one.tax_kind, one.amount, one.paid_on, one.period_end, one.late_fee) for one in by_kind[TaxPayment]
    ) == [(one.voucher, one.kind, one.amount, one.paid_on, one.last, False) for one in payments(it.persona)]
    assert [(one.since, one.amount, one.cleared_on, one.tax_kind) for one in by_kind[TaxArrear]] == [
        (date(2024, 6, 15), D("80.00"), date(2025, 2, 1), "VAT"),
        (date(2025, 10, 15), D("70.00"), None, "VAT"),
        (date(2025, 10, 15), D("70.00"), None, "VAT"),
    ]
    assert by_kind[PersonalIncome][0] == PersonalIncome(person=BOSS, month="2025-11", payer=MAKER, amount=D("150.00"))
    assert [(one.kind, one.period_end, one.basis, one.lines) for one in by_kind[FinancialStatement]] == [
        ("BS", date(2024, 12, 31), "TAX_FILED", {name: D(amount) for name, amount in BALANCE.items()}),
        ("BS", date(2025, 12, 31), "TAX_FILED", {name: D(amount) for name, amount in BALANCE.items()}),
        ("PL", date(2025, 12, 31), "TAX_FILED", {name: D(amount) for name, amount in PROFIT.items()}),
    ]
    assert _invoices(by_kind[Invoice]) == [
        (one.number, one.side, one.net, one.tax, one.status, one.original, one.reason) for one in invoices(it.persona)
    ]
    red = next(one for one in by_kind[Invoice] if one.status == "RED")
    assert (red.net, red.tax, red.gross, red.seller, red.buyer, red.issued_on) == (
        D("-166.50"), D("-21.65"), D("-188.15"), MAKER, CLIENT, date(2025, 6, 2),
    )  # fmt: skip


def _returns(found: list[TaxReturn]) -> list[tuple[Any, ...]]:
    return sorted(
        (one.tax_kind, one.period_start, one.amendment, one.filed_on, one.declared_revenue, one.tax_payable, one.headcount, one.wage_total)
        for one in found
    )


def _expected_returns(it: Drive) -> list[tuple[Any, ...]]:
    vat = [("VAT", one.first, one.amendment, one.filed_on, one.declared, one.tax_payable, None, None) for one in vat_returns(it.persona)]
    wages = [
        ("IIT_WITHHOLDING", one.first, 0, one.filed_on, None, None, one.headcount, one.wages) for one in withholding_returns(it.persona)
    ]
    return sorted([*vat, *wages])


def _invoices(found: list[Invoice]) -> list[tuple[Any, ...]]:
    return sorted((one.number, one.direction, one.net, one.tax, one.status, one.original_number, one.red_reason) for one in found)


async def test_the_small_scale_form_and_another_holder() -> None:
    it = drive(shop())
    await it.link()
    (profile, *_) = (await it.pull(stream("taxpayer"))).facts
    assert (profile.holder, profile.taxpayer_type, profile.vat_frequency) == (CLERK, "SMALL_SCALE", "QUARTER")
    returns = (await it.pull(stream("returns"))).facts
    assert [(one.period_end, one.declared_revenue, one.exempt_revenue, one.tax_payable) for one in returns if one.tax_kind == "VAT"] == [
        (date(2025, 3, 31), D("200.00"), D("0.00"), D("2.00")),
        (date(2025, 6, 30), D("300.00"), D("120.00"), D("3.00")),
        (date(2025, 9, 30), D("400.00"), D("400.00"), D("4.00")),
    ]
    assert [(one.headcount, one.wage_total) for one in returns if one.tax_kind == "IIT_WITHHOLDING"] == [(0, D("0.00"))]


@pytest.mark.parametrize("size", ["3", "7", "200"])
async def test_returns_that_straddle_pages_stay_whole(size: str) -> None:
    it = drive(maker())
    it.context = replace(it.context, config={**it.config, "page_size": size})
    await it.link()
    pulled = await it.pull(stream("returns"), date(2025, 1, 1))
    assert (pulled.fetched, pulled.declared, pulled.unreadable) == (13, 13, [])
    assert _returns(pulled.facts) == _expected_returns(it)


@pytest.mark.parametrize("persona_id", ["online-seller", "small-manufacturer", "conflicting-data"])
async def test_golden_personas(shared: Path, persona_id: str) -> None:
    it = drive(personas.load(shared / "golden" / f"{persona_id}.json"))
    await it.link()
    returns = (await it.pull(stream("returns"))).facts
    assert _returns(returns) == _expected_returns(it)
    expected = json.loads((shared / "golden" / "expected" / f"{persona_id}.json").read_text("utf-8"))
    declared = sum(one.declared_revenue for one in returns if one.tax_kind == "VAT" and one.period_start.year == 2025)
    assert declared == D(expected["observers"]["TAX"]["value"])
    paid = (await it.pull(stream("payments"))).facts
    assert sum(one.amount for one in paid if one.paid_on.year == 2025) == D(expected["features"]["ss_tax_paid"]["value"])
    pulled = await it.pull(stream("invoices"))
    assert (len(pulled.facts), pulled.fetched, pulled.declared) == (len(invoices(it.persona)),) * 3


def test_a_person_is_his_own_taxpayer() -> None:
    someone = shop(business=None, subject_person="clerk", sources={"TAX": {"from": "2025-01"}})
    assert taxpayer_number(someone) == CLERK


async def test_a_persons_incomes() -> None:
    income = {"person": "clerk", "first": "2025-12", "amounts": ["9000.00"]}
    someone = shop(
        business=None, subject_person="clerk", sources={"TAX": {"from": "2025-01"}}, tax={"holder": "clerk", "personal_income": [income]}
    )
    it = drive(someone)
    await it.link()
    assert (await it.pull(stream("personal_income"))).facts == [
        PersonalIncome(person=CLERK, month="2025-12", payer="", amount=D("9000.00"))
    ]
    (profile, *_) = (await it.pull(stream("taxpayer"))).facts
    assert (profile.taxpayer_number, profile.uscc, profile.vat_frequency) == (CLERK, None, None)


async def test_covered_days_leave_out_gaps_and_end_where_the_source_ends() -> None:
    it = drive(maker())
    await it.link()
    assert (await it.pull(stream("returns"))).covered == [
        (date(2024, 7, 1), date(2025, 2, 28)),
        (date(2025, 4, 1), date(2025, 12, 31)),
        (date(2026, 1, 1), date(2026, 1, 19)),
    ]
    invoices_pulled = await it.pull(stream("invoices"))
    assert invoices_pulled.covered == [(date(2025, 1, 1), date(2025, 12, 31))]
    assert [window.first for window in invoices_pulled.not_served] == [date(2026, 1, 1)]


async def test_covered_and_empty_is_not_unknown() -> None:
    it = drive(shop())
    await it.link()
    violations = await it.pull(stream("violations"))
    assert (violations.facts, violations.covered) == ([], [(date(2025, 1, 1), date(2025, 11, 30))])
    statements = await it.pull(stream("statements"))
    assert (statements.facts, statements.covered, len(statements.not_served)) == ([], [], 2)


async def test_windows_are_whole_quarters_within_limits() -> None:
    it = drive(maker(), data_from=date(2019, 5, 5))
    one = stream("returns")
    assert [(w.first, w.last) for w in one.windows(it.context, date(2019, 5, 5), date(2026, 1, 20))] == [
        (date(2021, 1, 20), date(2024, 1, 19)),
        (date(2024, 1, 20), date(2026, 1, 20)),
    ]
    assert [(w.first, w.last) for w in one.windows(it.context, date(2024, 8, 9), date(2026, 1, 20))] == [
        (date(2024, 7, 1), date(2026, 1, 20))
    ]
    later = replace(it.context, data_from=date(2024, 8, 2), data_to=date(2025, 3, 1))
    assert [(w.first, w.last) for w in one.windows(later, date(2024, 8, 9), date(2026, 1, 20))] == [(date(2024, 8, 2), date(2025, 3, 1))]


async def test_all_streams_share_one_collection() -> None:
    it = drive(maker())
    await it.link()
    numbers = {(await step(it, one.name)).next["collection"] for one in connector.streams}
    assert len(numbers) == 1
    await it.pull(stream("returns"), WINDOW.first, WINDOW.last)
    it.context = replace(it.context, today=date(2026, 1, 21))
    assert (await step(it, "returns")).next["collection"] not in numbers


async def test_uncovered_windows_raise_no_data() -> None:
    it = drive(shop())
    await it.link()
    cursor = {
        "step": "poll",
        "collection": "CJ9",
        "order": {"attempt": 0, "before": 0},
        "day": "2026-01-20",
        "waited": 0,
        "followed": False,
    }
    answer = envelope(CJBH="CJ9", CJZT_DM="30", XM=[item_entry("1", FGQJ=[])])
    with pytest.raises(NoData) as caught:
        stream("returns").read(it.context, WINDOW, cursor, answer)
    assert caught.value.covered is False
