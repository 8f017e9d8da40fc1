"""taobao's pure half without a platform: every code has its remedy, every unreadable field puts aside one record."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors import taobao
from connectors.taobao.gateway import call, result_of, rows_of
from hub.connect import (
    Context,
    ContractBroken,
    Fault,
    Grant,
    Misconfigured,
    NoData,
    NotPermitted,
    Reauthorise,
    RefreshNeeded,
    Response,
    RetryAt,
    Subject,
    Unreadable,
    Window,
)
from hub.domain.enums import SourceKind

STREAMS = {stream.name: stream for stream in taobao.connector.streams}
DAY = Window("orders", date(2025, 12, 3), date(2025, 12, 3))
CONTEXT = Context(
    config={"app_key": "1", "app_secret": "s", "sign_method": "md5", "oauth_url": "base_url", "base_url": "http://top.test"},
    subject=Subject(None, None, "x"),
    sources=frozenset({SourceKind.SHOP}),
    data_from=date(2025, 1, 1),
    data_to=date(2026, 1, 10),
    now=datetime(2026, 1, 10, 1, tzinfo=UTC),
    today=date(2026, 1, 10),
    grant=Grant("session"),
)


def answered(content: Any, status: int = 200) -> Response:
    return Response(status, {}, content if isinstance(content, bytes) else json.dumps(content).encode())


def error(code: int, sub_code: str = "", sub_msg: str = "") -> Response:
    return answered({"error_response": {"code": code, "msg": "m", "sub_code": sub_code, "sub_msg": sub_msg, "request_id": "r"}})


def fault(response: Response) -> Fault:
    with pytest.raises(Fault) as caught:
        STREAMS["orders"].read(CONTEXT, DAY, None, response)
    return caught.value


@pytest.mark.parametrize(
    ("code", "sub_code", "kind"),
    [
        (7, "accesscontrol.limited-by-app-access-count", RetryAt),
        (10, "", RetryAt),
        (15, "isp.top-remote-connection-timeout", RetryAt),
        (560, "isp.system-busy", RetryAt),
        (15, "isv.shop-not-exist", NoData),
        (41, "isv.invalid-parameter:start_created", NoData),
        (41, "isv.invalid-parameter:page_size", ContractBroken),
        (40, "", ContractBroken),
        (26, "", RefreshNeeded),
        (27, "invalid-sessionkey", RefreshNeeded),
        (25, "", Misconfigured),
        (29, "", Misconfigured),
        (31, "", Misconfigured),
        (11, "isv.permission-api-package-limit", NotPermitted),
        (12, "", NotPermitted),
        (22, "", NotPermitted),
    ],
)
def test_each_code_has_its_remedy(code: int, sub_code: str, kind: type[Fault]) -> None:
    assert type(fault(error(code, sub_code))) is kind


@pytest.mark.parametrize(("said", "seconds"), [("This ban will last for 17 more seconds", 17.0), ("slow down", None)])
def test_a_ban_is_as_long_as_it_says(said: str, seconds: float | None) -> None:
    found = fault(error(7, "accesscontrol.limited-by-app-api-access-count", said))
    assert isinstance(found, RetryAt) and found.seconds == seconds


def test_a_window_out_of_reach_is_unknown_and_not_zero() -> None:
    found = fault(error(41, "isv.invalid-parameter:start_created"))
    assert isinstance(found, NoData) and not found.covered


@pytest.mark.parametrize("response", [answered(b"<html>busy</html>"), answered(b"<html/>", 502), answered({}, 503), answered({}, 429)])
def test_a_proxy_is_not_taken_for_the_gateway(response: Response) -> None:
    assert type(fault(response)) is RetryAt


@pytest.mark.parametrize(
    "content",
    [b"{", {}, {"trades_sold_get_response": []}, {"refunds_receive_get_response": {}}, {"trades_sold_get_response": {"trades": {}}}],
)
def test_what_is_no_answer_breaks_the_contract(content: Any) -> None:
    assert type(fault(answered(content))) is ContractBroken


def test_no_message_of_the_platform_is_kept() -> None:
    found = fault(error(7, "accesscontrol.limited", "buyer 王小明 is not allowed"))
    assert "王小明" not in str(found) + found.code


@pytest.mark.parametrize("found", [{}, {"trades": {}}, {"trades": {"trade": []}}])
def test_nothing_is_said_in_three_ways(found: dict[str, Any]) -> None:
    assert not rows_of(found, "trades", "trade")


def test_a_list_that_is_none_breaks_the_contract() -> None:
    with pytest.raises(ContractBroken):
        rows_of({"trades": {"trade": "x"}}, "trades", "trade")


# --- windows


def test_today_is_never_asked_for() -> None:
    for name in ("orders", "refunds", "bills"):
        assert STREAMS[name].windows(CONTEXT, date(2025, 12, 1), CONTEXT.today)[-1].last == date(2026, 1, 9)
        assert not STREAMS[name].windows(CONTEXT, CONTEXT.today, CONTEXT.today)
    assert all(window.first == window.last for window in STREAMS["orders"].windows(CONTEXT, date(2025, 12, 1), CONTEXT.today))
    assert all((window.last - window.first).days < 31 for window in STREAMS["refunds"].windows(CONTEXT, date(2025, 1, 5), CONTEXT.today))


def test_only_whole_months_are_asked_for_as_sums() -> None:
    (window,) = STREAMS["monthly_summary"].windows(CONTEXT, date(2025, 7, 20), CONTEXT.today)
    assert (window.first, window.last) == (date(2025, 8, 1), date(2025, 12, 31))
    assert STREAMS["monthly_summary"].windows(CONTEXT, date(2025, 12, 2), CONTEXT.today) == []


# --- records

ORDER = {
    "tid": "01",
    "status": "TRADE_FINISHED",
    "created": "2025-12-03 08:00:00",
    "pay_time": "2025-12-03 08:03:00",
    "end_time": "2025-12-07 08:03:00",
    "total_fee": "90.00",
    "discount_fee": "5.00",
    "adjust_fee": "-3.50",
    "payment": "81.50",
}
REFUND = {
    "refund_id": 9,
    "tid": 12,
    "status": "SUCCESS",
    "created": "2025-12-04 08:03:00",
    "modified": "2025-12-05 08:03:00",
    "refund_fee": "81.50",
}
SHOP = {"kind": "shop", "sid": "1", "title": "t", "created": "2024-02-01 00:00:00", "scope": "PARTIAL"}
SCORE = {"kind": "score", "sid": 1, "measured_on": "2026-01-10", "item_score": "4.7", "service_score": "4.8", "delivery_score": "5"}
PENALTY = {"kind": "penalty", "penalty_id": "P1", "type": "IP", "decided": "2025-10-10", "points": 2}
MONTH = {"sid": "1", "month": "2025-08", "paid_orders": 4, "gmv": "8.00", "refund_fee": "0.00"}


def bill(subject: str, amount: Any, **other: Any) -> dict[str, Any]:
    return {"account_id": subject, "amount": amount, "period": "2025-11", "book_time": "2025-12-08 09:00:00", **other}


def statement(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"statement_no": "ST1", "rows": list(rows)}


BILLS = statement(bill("1", 10000), bill("2", -1000), bill("3", 450), bill("9", "8550"))


def facts(stream: str, record: dict[str, Any]) -> list[Any]:
    return list(STREAMS[stream].normalise(CONTEXT, record))


def test_an_order_is_read_whole() -> None:
    (order,) = facts("orders", ORDER)
    assert (order.goods_amount, order.discount, order.paid_amount) == (Decimal("90.00"), Decimal("8.50"), Decimal("81.50"))
    assert order.paid_at == datetime(2025, 12, 3, 0, 3, tzinfo=UTC)
    assert (order.buyer, order.receiver_city, order.shipped_at) == (None, None, None)


def test_identifiers_may_be_numbers() -> None:
    (refund,) = facts("refunds", REFUND)
    assert (refund.refund_number, refund.order_number) == ("9", "12")


def test_a_statement_in_yuan() -> None:
    (settlement,) = facts("bills", BILLS)
    assert (settlement.gross, settlement.refund, settlement.commission, settlement.net) == (
        Decimal("100.00"),
        Decimal("10.00"),
        Decimal("4.50"),
        Decimal("85.50"),
    )
    assert (settlement.period_start, settlement.period_end, settlement.settled_on) == (
        date(2025, 11, 1),
        date(2025, 11, 30),
        date(2025, 12, 8),
    )


@pytest.mark.parametrize(
    ("stream", "record", "path"),
    [
        ("orders", ORDER | {"status": "TRADE_BUYER_SIGNED"}, "status"),
        ("orders", ORDER | {"pay_time": None}, "pay_time"),
        ("orders", ORDER | {"pay_time": "2025-12-03T08:03:00"}, "pay_time"),
        ("orders", ORDER | {"created": "2025-13-03 08:00:00"}, "created"),
        ("orders", ORDER | {"payment": "n/a"}, "payment"),
        ("orders", ORDER | {"payment": "-1.00"}, "payment"),
        ("orders", ORDER | {"payment": "1.005"}, "payment"),
        ("orders", ORDER | {"adjust_fee": "x"}, "adjust_fee"),
        ("orders", ORDER | {"tid": True}, "tid"),
        ("orders", ORDER | {"tid": ""}, "tid"),
        ("refunds", REFUND | {"status": "MAYBE"}, "status"),
        ("refunds", REFUND | {"modified": ""}, "modified"),
        ("refunds", REFUND | {"refund_fee": None}, "refund_fee"),
        ("shop", SHOP | {"scope": "HALF"}, "scope"),
        ("shop", SHOP | {"created": "long ago"}, "created"),
        ("shop", SHOP | {"skus_listed": "many"}, "skus_listed"),
        ("shop", SHOP | {"ship_from": {"city": "x", "lat": "north"}}, "lat"),
        ("shop", SCORE | {"item_score": "5.1"}, "item_score"),
        ("shop", SCORE | {"service_score": None}, "service_score"),
        ("shop", PENALTY | {"type": "LATE"}, "type"),
        ("shop", PENALTY | {"points": "x"}, "points"),
        ("shop", PENALTY | {"decided": "x"}, "decided"),
        ("monthly_summary", MONTH | {"month": "2025-13"}, "month"),
        ("monthly_summary", MONTH | {"paid_orders": -1}, "paid_orders"),
        ("monthly_summary", MONTH | {"gmv": "n/a"}, "gmv"),
        ("bills", statement(bill("8", 1)), "account_id"),
        ("bills", statement(bill("1", "n/a")), "rows.amount"),
        ("bills", statement(bill("1", 10000), bill("9", 9998)), "rows.amount"),
        ("bills", statement(bill("1", 1, period="2025"), bill("9", 1)), "period"),
        ("bills", statement(bill("1", 1, book_time="x"), bill("9", 1)), "book_time"),
        ("bills", BILLS | {"statement_no": ""}, "statement_no"),
    ],
)
def test_what_cannot_be_read_is_put_aside_by_name(stream: str, record: dict[str, Any], path: str) -> None:
    with pytest.raises(Unreadable) as caught:
        facts(stream, record)
    assert caught.value.path == path
    assert "n/a" not in str(caught.value)


@pytest.mark.parametrize(("stream", "record"), [("shop", SHOP), ("shop", SCORE), ("shop", PENALTY), ("monthly_summary", MONTH)])
def test_the_unspoilt_records_are_read(stream: str, record: dict[str, Any]) -> None:
    """The control of the test above: it is the change that is refused."""
    assert len(facts(stream, record)) == 1


def test_statements_are_kept_apart_and_a_cut_bill_is_refused() -> None:
    rows = [bill("1", 5, statement_no="A"), bill("1", 6, statement_no="B"), bill("9", 5, statement_no="A")]
    content = {"bill_bills_get_response": {"bills": {"bill": rows}, "total_results": 3}}
    page = STREAMS["bills"].read(CONTEXT, DAY, None, answered(content))
    assert [(record["statement_no"], len(record["rows"])) for record in page.records] == [("A", 2), ("B", 1)]
    assert page.total == 2
    content["bill_bills_get_response"]["total_results"] = 101
    with pytest.raises(ContractBroken):
        STREAMS["bills"].read(CONTEXT, DAY, None, answered(content))


def test_a_customer_without_a_shop_is_no_data() -> None:
    with pytest.raises(NoData) as caught:
        STREAMS["shop"].read(CONTEXT, DAY, None, answered({"shop_seller_get_response": {}}))
    assert not caught.value.covered


def test_amounts_as_numbers_never_become_floats() -> None:
    found = result_of(CONTEXT, answered(b'{"x_response": {"amount": 0.1}}'), "x_response")
    assert found["amount"] == Decimal("0.1")


def test_an_unknown_sign_method_is_the_operators_to_fix() -> None:
    with pytest.raises(Misconfigured):
        taobao.connector.sign(replace(CONTEXT, config={**CONTEXT.config, "sign_method": "sha1"}), call("m"))


def test_the_session_stands_in_the_form_and_never_in_the_stored_request() -> None:
    unsigned = STREAMS["orders"].request(CONTEXT, DAY, None)
    signed = taobao.connector.sign(CONTEXT, unsigned)
    assert dict(unsigned.query)["method"] == "taobao.trades.sold.get"
    assert "session" not in dict(unsigned.query) and not unsigned.body
    assert b"session=session" in signed.body and not signed.query


# --- the token answer


def granted(content: Any, status: int = 200) -> Grant:
    dialogue = taobao.connector.authorisation.complete(CONTEXT, redirect_uri="r", verifier="v", callback={"code": "c"})
    next(dialogue)
    try:
        dialogue.send(answered(content, status))
    except StopIteration as end:
        grant: Grant = end.value
        return grant
    raise AssertionError("the dialogue goes on")


def test_the_shortest_lifetime_of_the_reading_levels_counts() -> None:
    token = {
        "access_token": "t",
        "taobao_user_id": 7,
        "expires_in": 9000,
        "r1_expires_in": 9000,
        "r2_expires_in": "600",
        "w2_expires_in": 5,
    }
    grant = granted({**token, "refresh_token": "r", "re_expires_in": 99})
    assert (grant.expires_in, grant.refresh_expires_in, grant.account, grant.refresh_token) == (600, 99, "7", "r")
    assert granted(token | {"r2_expires_in": 0}).expires_in == 9000


@pytest.mark.parametrize(
    ("content", "status", "kind"),
    [
        ({"error": "invalid_grant"}, 400, Reauthorise),
        ({"error": "invalid_client"}, 400, Misconfigured),
        ({"error": "server_error"}, 500, RetryAt),
        ({"error": "who_knows"}, 400, ContractBroken),
        ({"access_token": "t"}, 200, ContractBroken),
        ({"access_token": "t", "taobao_user_id": 1, "expires_in": "soon"}, 200, ContractBroken),
    ],
)
def test_each_token_error_has_its_remedy(content: Any, status: int, kind: type[Fault]) -> None:
    with pytest.raises(kind):
        granted(content, status)


@pytest.mark.parametrize(("callback", "kind"), [({"error": "access_denied"}, Reauthorise), ({"error": "server_error"}, ContractBroken)])
def test_only_a_refusal_is_a_refusal(callback: dict[str, str], kind: type[Fault]) -> None:
    with pytest.raises(kind):
        next(taobao.connector.authorisation.complete(CONTEXT, redirect_uri="r", verifier="v", callback=callback))


# --- no I/O

FORBIDDEN = {"socket", "httpx", "http", "os", "random", "secrets", "time", "starlette", "asyncio"}


def _roots(folder: Path, keep: Callable[[str], bool] = lambda name: not name.startswith("sandbox")) -> set[str]:
    nodes = [node for path in folder.glob("*.py") if keep(path.name) for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {name.split(".")[0] for name in named | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}}


def test_no_module_but_the_simulation_does_io() -> None:
    folder = Path(taobao.__file__ or "").parent
    assert _roots(folder) & FORBIDDEN == set()
    assert _roots(folder, lambda name: True) & FORBIDDEN, "the control: the simulation does"
