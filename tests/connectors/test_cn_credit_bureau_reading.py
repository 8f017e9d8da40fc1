"""cn_credit_bureau: what the bureau refuses, what an answer must have, and what a record must have."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors import registry
from connectors.cn_credit_bureau import reading, requests
from connectors.cn_credit_bureau.normalise import KINDS, REASONS, REPAYMENTS, account, inquiry, repayment
from connectors.cn_credit_bureau.requests import Place
from hub.cli.certify import CHECKS, Candidate, certify
from hub.connect import (
    ContractBroken,
    Misconfigured,
    NoData,
    NotPermitted,
    Page,
    Pending,
    Reauthorise,
    Response,
    RetryAt,
    Unreadable,
)
from hub.domain.enums import SourceKind
from hub.domain.facts import RepaymentMonth
from tests.connectors.bureau_case import RANGE, Case
from tests.connectors.money_persona import noodle_shop


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    case = Case(noodle_shop())
    await case.drive.link()
    yield case
    await case.drive.client.aclose()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"written_consent": False}, NotPermitted),
        ({"adverse_notice": None}, NotPermitted),
        ({"purpose": "09"}, NotPermitted),
        ({"subject": {"uscc": "91330200MA2XXXX11K"}}, ContractBroken),
        ({"subject": {}}, ContractBroken),
        ({"authorization_no": "SQ9999"}, ContractBroken),
        ({"from": "2026-02-01"}, ContractBroken),
        ({"from": None}, ContractBroken),
    ],
)
async def test_an_order_without_its_papers_is_refused(case: Case, change: dict[str, Any], fault: type[Exception]) -> None:
    order = requests.order(case.drive.context, RANGE, 0)
    body = json.dumps(json.loads(order.body) | change).encode()
    answer = await case.drive.send(requests.sign(case.drive.context, replace(order, body=body)))
    with pytest.raises(fault):
        reading.answer(case.drive.context, answer)
    assert reading.answer(case.drive.context, await case.drive.send(requests.sign(case.drive.context, order))).code == reading.OK


async def test_a_key_belongs_to_one_order(case: Case) -> None:
    await case.ask(Place())
    order = requests.order(case.drive.context, RANGE, 0)
    changed = replace(order, body=order.body.replace(b'"01"', b'"02"'))
    answer = await case.drive.send(requests.sign(case.drive.context, changed))
    assert (answer.status, json.loads(answer.body)["code"]) == (409, "B0302")


async def test_somebody_elses_report_is_not_shown(case: Case) -> None:
    at = Place.of((await case.page(Place())).next)
    await case.drive.link()
    with pytest.raises(ContractBroken):
        await case.page(at)


async def test_the_rate_is_limited() -> None:
    case = Case(noodle_shop(), per_second=2)
    await case.drive.link()
    for _ in range(2):
        await case.page(Place())
    with pytest.raises(RetryAt) as wait:
        await case.page(Place())
    assert wait.value.seconds == 1


async def test_the_bureau_may_be_down(case: Case) -> None:
    case.world.switches["cn_credit_bureau"] = {"down"}
    with pytest.raises(RetryAt):
        await case.page(Place())


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (403, "B0403", Reauthorise),
        (404, "B0404", NoData),
        (404, "B0401", ContractBroken),
        (409, "B0409", Pending),
        (400, "B0412", NotPermitted),
        (403, "B0420", Misconfigured),
        (429, "B0429", RetryAt),
        (500, "B0500", RetryAt),
        (502, "", RetryAt),
        (400, "B0400", ContractBroken),
        (200, "B9999", ContractBroken),
        (500, "00000", RetryAt),
    ],
)
def test_every_documented_error_has_a_remedy(case: Case, status: int, code: str, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        reading.answer(case.drive.context, Response(status, {}, json.dumps({"code": code, "data": None}).encode()))


@pytest.mark.law("征信业管理条例 7: licensed bureau")
def test_credit_data_come_from_a_licensed_bureau_alone() -> None:
    giving = {one.manifest.name for one in registry.load_all().values() if SourceKind.BUREAU in one.manifest.sources}
    licensed = {one.manifest.name for one in registry.load_all().values() if one.manifest.licensed}
    assert giving == licensed == {"cn_credit_bureau"}


@pytest.mark.law("征信业管理条例 7: licensed bureau")
async def test_a_connector_without_a_licence_is_not_certified() -> None:
    candidate = Candidate.of("cn_credit_bureau")
    manifest = replace(candidate.connector.manifest, licensed=False)
    unlicensed = replace(candidate, connector=replace(candidate.connector, manifest=manifest))
    (line,) = await certify(unlicensed, {"manifest complete": CHECKS["manifest complete"]})
    assert not line.ok and "licensed bureau alone" in line.why


def test_a_missing_scope_is_not_permitted(case: Case) -> None:
    headers = {"www-authenticate": 'Bearer error="insufficient_scope"'}
    with pytest.raises(NotPermitted):
        reading.answer(case.drive.context, Response(403, headers, b"{}"))


@pytest.mark.parametrize("missing", ["unit", "rows", "total", "pages"])
def test_a_page_that_lacks_a_part_breaks_the_contract(missing: str) -> None:
    data: dict[str, Any] = {"unit": "1", "rows": [], "total": 0, "pages": 0}
    assert reading.rows(Place("R1", 1), RANGE, data) == Page(total=0)
    with pytest.raises(ContractBroken):
        reading.rows(Place("R1", 1), RANGE, {name: value for name, value in data.items() if name != missing})


def test_an_empty_page_before_the_last_breaks_the_contract() -> None:
    with pytest.raises(ContractBroken, match="empty"):
        reading.rows(Place("R1", 1), RANGE, {"unit": "1", "rows": [], "total": 9, "pages": 2})


# Records

ACCOUNT = {
    "unit": "1",
    "account_no": "B1",
    "borrower_id": "x",
    "lender": "x",
    "kind_code": "21",
    "repayment_code": "1",
    "secured": "Y",
    "state_code": "1",
    "bank_tax": "N",
    "opened_on": "2025-01-08",
    "balance": "1.00",
    "monthly_due": "0.00",
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("balance", "100"),
        ("balance", "1.5"),
        ("balance", None),
        ("monthly_due", "-1.00"),
        ("credit_limit", "many"),
        ("kind_code", "99"),
        ("repayment_code", "4"),
        ("state_code", "0"),
        ("secured", "yes"),
        ("opened_on", "20250108"),
        ("matures_on", "never"),
        ("borrower_id", ""),
    ],
)
def test_a_field_that_cannot_be_read_is_named(field: str, value: str | None) -> None:
    assert account(ACCOUNT).balance == Decimal("1.00")
    with pytest.raises(Unreadable) as fault:
        account(ACCOUNT | {field: value})
    assert fault.value.path == field


def test_yuan_are_never_read_as_fen() -> None:
    fen = ACCOUNT | {"unit": "2", "balance": "100", "monthly_due": "0"}
    assert account(fen).balance == Decimal("1.00")
    with pytest.raises(Unreadable):
        account(ACCOUNT | {"unit": "2"})


def test_unknown_statuses_months_and_reasons_are_put_aside() -> None:
    assert repayment({"account_no": "1", "month": "2025-12", "status": "#"}) == RepaymentMonth(
        account_number="1", month="2025-12", status="#"
    )  # type: ignore[arg-type]
    for changed in ({"status": "8"}, {"status": "NN"}, {"month": "2025-13"}):
        with pytest.raises(Unreadable):
            repayment({"account_no": "1", "month": "2025-12", "status": "N"} | changed)
    with pytest.raises(Unreadable):
        inquiry({"inquired_on": "2025-12-01", "reason_code": "99", "organisation": "x"})


def test_the_tables_cover_the_vocabulary() -> None:
    assert set(KINDS.values()) == {"MORTGAGE", "OPERATING", "CONSUMER", "CARD", "GUARANTEED"}
    assert set(REPAYMENTS.values()) == {"AMORTISING", "BULLET", "REVOLVING"}
    assert set(REASONS.values()) == {"LOAN_APPROVAL", "CARD_APPROVAL", "GUARANTEE_REVIEW", "POST_LOAN", "SELF"}
