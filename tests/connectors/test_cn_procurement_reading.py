"""cn_procurement's pure functions: the table of errors, frames, words, units. No platform involved."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.cn_procurement import connector
from connectors.cn_procurement.normalise import account, contract
from hub.connect import (
    ContractBroken,
    Fault,
    Misconfigured,
    NoData,
    NotPermitted,
    Page,
    Reauthorise,
    RefreshNeeded,
    Response,
    RetryAt,
    Subject,
    Unreadable,
    Window,
)
from tests.connectors.cn_persona import BUSINESS, OWNER, context_of, uscc

STREAMS = {stream.name: stream for stream in connector.streams}
CONTEXT = context_of(connector, Subject(BUSINESS, OWNER, "苏州青禾茶舍"))
WINDOW = Window("orders", date(2025, 1, 1), date(2025, 12, 31))
ON_THE_WAY = {"page": 2, "mark": "m1", "seen": 2}
GOOD = {"unit": "WY", "served": None, "count": 0, "more": False, "mark": None, "items": []}


def read(status: int, code: str, result: Any = None, cursor: Any = None, **headers: str) -> Page:
    body = json.dumps({"ret": code, "msg": "", "trace": "t", "result": result}).encode()
    heads = {name.replace("_", "-"): value for name, value in headers.items()}
    return STREAMS["orders"].read(CONTEXT, WINDOW, cursor, Response(status, heads, body))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "2001", ContractBroken),
        (401, "1001", RefreshNeeded),
        (403, "1002", NotPermitted),
        (403, "1003", Reauthorise),
        (403, "1004", Misconfigured),
        (404, "2004", NoData),
        (410, "2002", ContractBroken),
        (429, "3001", RetryAt),
        (500, "5001", RetryAt),
        (503, "5002", RetryAt),
        (500, "9999", RetryAt),
        (400, "9999", ContractBroken),
        (302, "0", ContractBroken),
    ],
)
def test_every_error_has_its_remedy(status: int, code: str, kind: type[Fault]) -> None:
    with pytest.raises(kind) as caught:
        read(status, code, retry_after="4")
    assert type(caught.value) is kind
    if kind is RetryAt:
        assert caught.value.seconds == 4.0  # type: ignore[attr-defined]


def test_a_mark_that_is_gone_begins_the_window_anew() -> None:
    page = read(410, "2002", cursor=ON_THE_WAY)
    assert (page.restart, page.next, page.records) == (True, {"page": 1, "seen": 2, "base": 2, "again": 1}, ())
    assert read(200, "0", GOOD | {"count": 3, "items": [{}, {}, {}]}, cursor=page.next).total == 5


def test_an_unknown_supplier_is_covered_unless_the_platform_says_otherwise() -> None:
    for result, covered in ((None, True), ({"served": []}, False)):
        with pytest.raises(NoData) as caught:
            read(404, "2004", result)
        assert caught.value.covered is covered
    page = read(404, "2004", {"served": [{"from": "20240101", "to": "20250331"}]})
    assert [(span.first, span.last) for span in page.covered or ()] == [(date(2025, 1, 1), date(2025, 3, 31))]


@pytest.mark.parametrize("missing", ["unit", "items", "count", "more"])
def test_an_answer_without_its_frame_breaks_the_contract(missing: str) -> None:
    assert read(200, "0", GOOD).total == 0
    with pytest.raises(ContractBroken):
        read(200, "0", {name: value for name, value in GOOD.items() if name != missing})


@pytest.mark.parametrize(
    "wrong",
    [
        {"more": True, "items": [{}]},
        {"more": True, "mark": "m1", "items": [{}]},
        {"more": True, "mark": "m2", "items": []},
        {"unit": "F"},
        {"items": ["x"]},
        {"served": [{"from": "yesterday", "to": "20250101"}]},
    ],
)
def test_a_way_on_that_leads_nowhere_breaks_the_contract(wrong: dict[str, Any]) -> None:
    with pytest.raises(ContractBroken):
        read(200, "0", GOOD | wrong, cursor=ON_THE_WAY)


def test_items_that_are_counted_and_not_there_break_the_contract() -> None:
    with pytest.raises(ContractBroken):
        read(200, "0", GOOD | {"count": 2})


def test_nothing_of_days_that_are_not_served_is_not_served() -> None:
    with pytest.raises(NoData) as caught:
        read(200, "0", GOOD | {"served": []})
    assert caught.value.covered is False


BUYER = uscc("11999900MA9XXXX99")
ITEM = {
    "htbh": "H1",
    "cgrdm": BUYER,
    "cgrlx": "政府采购人",
    "htje": "40.000000",
    "qqje": "39.500001",
    "qdrq": "20251120",
    "jhqx": "20260615",
    "kpje": "0.000000",
    "htzt": "履约中",
    "unit": "WY",
}
ACCOUNT = {"hkzh": "6200", "sdzt": "已锁定", "sdyh": "样例银行", "unit": "WY"}


@pytest.mark.parametrize(
    ("function", "record", "path"),
    [
        (contract, ITEM | {"htje": "400000.00"}, "htje"),
        (contract, ITEM | {"htje": "-4.000000"}, "htje"),
        (contract, ITEM | {"qqje": "39.5000005"}, "qqje"),
        (contract, ITEM | {"cgrlx": "个人"}, "cgrlx"),
        (contract, ITEM | {"htzt": "7"}, "htzt"),
        (contract, ITEM | {"qqf": "某人"}, "qqf"),
        (contract, ITEM | {"qdrq": "2025112"}, "qdrq"),
        (contract, ITEM | {"qdrq": "20251301"}, "qdrq"),
        (contract, ITEM | {"ysrq": "2025/11/19"}, "ysrq"),
        (contract, ITEM | {"hkrq": "later"}, "hkrq"),
        (contract, ITEM | {"htbh": ""}, "htbh"),
        (contract, ITEM | {"htbh": 7}, "htbh"),
        (contract, ITEM | {"cgrdm": BUYER[:-1]}, "cgrdm"),
        (account, ACCOUNT | {"sdyh": None}, "sdyh"),
        (account, ACCOUNT | {"sdzt": "?"}, "sdzt"),
        (account, ACCOUNT | {"hkzh": None}, "hkzh"),
    ],
)
def test_what_cannot_be_read_is_named(function: Any, record: dict[str, Any], path: str) -> None:
    with pytest.raises(Unreadable) as caught:
        function(CONTEXT, record)
    assert caught.value.path == path


def test_ten_thousand_yuan_to_the_fen_and_no_further() -> None:
    found = contract(CONTEXT, ITEM)
    assert (found.amount, found.confirmed, found.received, found.verified_by) == (Decimal("400000.00"), Decimal("395000.01"), None, None)
    with pytest.raises(Unreadable, match="htje") as caught:
        contract(CONTEXT, ITEM | {"htje": "0.0000001"})
    assert "unit" in caught.value.reason
    plain = contract(CONTEXT, ITEM | dict.fromkeys(("htje", "qqje", "kpje"), "12.34") | {"unit": "Y"})
    assert (plain.amount, plain.invoiced) == (Decimal("12.34"), Decimal("12.34"))


def test_a_buyers_check_character_is_its_own_affair() -> None:
    other = BUYER[:-1] + ("0" if BUYER[-1] != "0" else "1")
    assert contract(CONTEXT, ITEM | {"cgrdm": other}).buyer == other


def test_a_platforms_own_words() -> None:
    other = replace(CONTEXT, config={**CONTEXT.config, "maps": '{"cgrlx": {"高校": "GOVERNMENT"}, "htzt": {"质保中": "DELIVERED"}}'})
    found = contract(other, ITEM | {"cgrlx": "高校", "htzt": "质保中"})
    assert (found.government, found.status) == (True, "DELIVERED")
    assert contract(CONTEXT, ITEM | {"cgrlx": "其他企业"}).government is False


def test_an_account_that_is_free_is_locked_for_nobody() -> None:
    found = account(CONTEXT, ACCOUNT | {"sdzt": "未锁定"})
    assert (found.locked, found.locked_for) == (False, None)


def test_no_identifier_travels_and_a_contract_is_read_for_years() -> None:
    for stream in connector.streams:
        request = stream.request(CONTEXT, WINDOW, None)
        said = str((request.path, request.query, request.body))
        assert OWNER not in said and BUSINESS not in said and "Authorization" not in dict(request.headers)
    windows = STREAMS["orders"].windows(CONTEXT, date(2022, 12, 20), date(2026, 1, 20))
    assert len(windows) == 4 and all((one.last - one.first).days < 366 for one in windows)
    assert STREAMS["orders"].look_back_days >= (date(2026, 1, 20) - date(2022, 12, 20)).days
