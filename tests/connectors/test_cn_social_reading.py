"""cn_social's pure functions: the table of errors, pages, units, codes, aliases, sealed cursors. No gateway involved."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.cn_social import connector, reading
from connectors.cn_social.normalise import contribution, fund_entry
from connectors.cn_social.requests import opened, sealed, slices
from hub.connect import (
    ContractBroken,
    Fault,
    Grant,
    NoData,
    NotPermitted,
    Page,
    Pending,
    Reauthorise,
    RefreshNeeded,
    Response,
    RetryAt,
    Subject,
    Unreadable,
    Window,
)
from hub.connect.answers import json_object, wait_of
from tests.connectors.cn_persona import OWNER, context_of

STREAMS = {stream.name: stream for stream in connector.streams}
CONTEXT = context_of(
    connector, Subject(None, OWNER, "顾青禾"), Grant("token", extra={"sqbh": "SQ0001"}), client_secret="secret", pagesize="50"
)
WINDOW = Window("contributions", date(2025, 1, 1), date(2025, 12, 31))
ROW: dict[str, Any] = {
    "jfuuid": "JF1",
    "aac001": "9000000001",
    "aab001": "9000000002",
    "aab004": "某茶舍",
    "aab998": "92999900MA9XXXX018",
    "aae140": "110",
    "aae003": "202503",
    "aae002": "202503",
    "aae180": "5000.00",
    "aac040": "6000.00",
    "dwjfje": "800.00",
    "grjfje": "400.00",
    "aae201": 1,
    "aae143": "01",
    "aae114": "1",
    "dzrq": "2025-03-14",
    "jedw": "1",
}
ENTRY: dict[str, Any] = {
    "lsh": "LS1",
    "grzh": "777",
    "jzrq": "2025-03-20",
    "hjyf": "202503",
    "ywlx_dm": "01",
    "dwfse": "30000",
    "grfse": "30000",
    "fse": "60000",
    "zhye": "180000",
    "jedw": "2",
}


def response(code: int, subcode: str, data: Any = None, status: int = 200) -> Response:
    body = json.dumps({"code": code, "subcode": subcode, "message": "", "traceid": "t", "data": data}).encode()
    return Response(status, {"content-type": "application/json"}, body)


def data(**changes: Any) -> dict[str, Any]:
    row = {name: value for name, value in ROW.items() if name != "jedw"}
    return {"jedw": "1", "kzsj": "2026-01-20 03:00:00", "page": 1, "pagesize": 50, "pages": 1, "total": 1, "rows": [row]} | changes


def read(answer: Response, cursor: Any = None, stream: str = "contributions") -> Page:
    return STREAMS[stream].read(CONTEXT, WINDOW, cursor, answer)


TABLE: list[tuple[int, str, type[Fault]]] = [
    (300, "PARAM_INVALID", ContractBroken),
    (300, "WINDOW_TOO_LONG", ContractBroken),
    (300, "SIGN_INVALID", RefreshNeeded),
    (300, "SECRET_EXPIRED", RefreshNeeded),
    (300, "SIGN_EXPIRED", RefreshNeeded),
    (300, "SIGN_REPLAYED", RetryAt),
    (300, "SERVICE_NOT_GRANTED", NotPermitted),
    (300, "AUTH_PENDING", Pending),
    (300, "AUTH_REFUSED", Reauthorise),
    (300, "AUTH_EXPIRED", Reauthorise),
    (300, "AUTH_REVOKED", Reauthorise),
    (300, "SCOPE_MISSING", NotPermitted),
    (300, "IDENTITY_MISMATCH", ContractBroken),
    (300, "NO_RECORD", NoData),
    (300, "BUSY", RetryAt),
    (300, "UPSTREAM_DOWN", RetryAt),
    (429, "RATE", RetryAt),
    (500, "INTERNAL", RetryAt),
    (300, "SOMETHING_NEW", ContractBroken),
]


@pytest.mark.parametrize(("code", "subcode", "kind"), TABLE)
def test_the_table_of_errors(code: int, subcode: str, kind: type[Fault]) -> None:
    with pytest.raises(kind) as caught:
        read(response(code, subcode, {"retryafter": 7}))
    assert type(caught.value) is kind
    assert caught.value.code == subcode
    if subcode in ("BUSY", "UPSTREAM_DOWN", "RATE"):
        assert caught.value.seconds == 7  # type: ignore[attr-defined]


def test_nobody_here_is_covered_and_empty() -> None:
    with pytest.raises(NoData) as caught:
        read(response(300, "NO_RECORD"))
    assert caught.value.covered
    with pytest.raises(NoData) as caught:
        read(response(300, "NO_RECORD", {"sjfg": []}))
    assert not caught.value.covered
    page = read(response(300, "NO_RECORD", {"sjfg": [{"qsrq": "2024-01-01", "zzrq": "2025-06-30"}]}))
    assert page.covered is not None
    assert (page.total, page.covered[0].last) == (0, date(2025, 6, 30))


def test_bearer_faults_and_proxies() -> None:
    with pytest.raises(RefreshNeeded):
        read(Response(401, {"www-authenticate": 'Bearer error="invalid_token"'}, b"{}"))
    with pytest.raises(NotPermitted):
        read(Response(403, {"www-authenticate": 'Bearer error="insufficient_scope"'}, b"{}"))
    for status, headers, seconds in ((502, {}, None), (503, {"retry-after": "9"}, 9.0), (429, {"retry-after": "2"}, 2.0)):
        with pytest.raises(RetryAt) as caught:
            read(Response(status, headers, b"<html></html>"))
        assert caught.value.seconds == seconds
    with pytest.raises(ContractBroken):
        read(Response(200, {}, b"<html></html>"))


def test_retry_after_may_be_a_date() -> None:
    now = datetime(2026, 1, 20, 2, 0, tzinfo=UTC)
    assert wait_of(Response(503, {"retry-after": "Tue, 20 Jan 2026 02:00:30 GMT"}, b""), now) == 30.0
    assert wait_of(Response(503, {"retry-after": "soon"}, b""), now) is None
    with pytest.raises(ContractBroken):
        json_object(Response(200, {}, b"[]"), now)


@pytest.mark.parametrize("missing", ["jedw", "kzsj", "rows", "pages", "total"])
def test_an_answer_without_its_frame_breaks_the_contract(missing: str) -> None:
    with pytest.raises(ContractBroken):
        read(response(200, "OK", {name: value for name, value in data().items() if name != missing}))


def test_the_next_page_counts_and_the_end_declares() -> None:
    first = read(response(200, "OK", data(pages=2, total=2)))
    assert (first.next, first.total) == ({"page": 2, "snapshot": "2026-01-20 03:00:00", "seen": 1}, None)
    last = read(response(200, "OK", data(pages=2, total=2)), first.next)
    assert (last.next, last.total, len(last.records)) == (None, 2, 1)


def test_another_snapshot_starts_again_and_keeps_the_count_true() -> None:
    cursor = {"page": 2, "snapshot": "2026-01-19 03:00:00", "seen": 50}
    page = read(response(200, "OK", data(pages=2, total=51)), cursor)
    assert (page.records, page.next) == ((), {"page": 1, "seen": 50, "base": 50, "again": 1})


def test_an_empty_page_in_the_middle_breaks_the_contract() -> None:
    with pytest.raises(ContractBroken):
        read(response(200, "OK", data(pages=2, total=51, rows=[])))


def test_accepted_without_a_task_breaks_the_contract() -> None:
    with pytest.raises(ContractBroken):
        read(response(202, "ACCEPTED", {"retryafter": 3}))


def test_covered_days_are_cut_to_the_window() -> None:
    page = read(response(200, "OK", data(sjfg=[{"qsrq": "2024-01-01", "zzrq": "2025-08-31"}])))
    assert [(span.first, span.last) for span in page.covered or ()] == [(date(2025, 1, 1), date(2025, 8, 31))]
    assert read(response(200, "OK", data())).covered is None
    with pytest.raises(ContractBroken):
        read(response(200, "OK", data(sjfg=[{"qsrq": "yesterday"}])))


def test_an_entry_in_fen_and_a_contribution_in_yuan() -> None:
    assert contribution(CONTEXT, ROW).employer_amount == Decimal("800.00")
    assert fund_entry(CONTEXT, ENTRY).total == Decimal("600.00")


@pytest.mark.parametrize(
    ("record", "path"),
    [
        (ENTRY | {"jedw": "1"}, "dwfse"),
        (ENTRY | {"dwfse": "300.00"}, "dwfse"),
        (ENTRY | {"fse": "60001"}, "fse"),
        (ENTRY | {"ywlx_dm": "88"}, "ywlx_dm"),
        (ENTRY | {"jzrq": "20250320"}, "jzrq"),
    ],
)
def test_the_fen_trap_is_never_guessed(record: dict[str, Any], path: str) -> None:
    with pytest.raises(Unreadable) as caught:
        fund_entry(CONTEXT, record)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"jedw": "2"}, "dwjfje"),
        ({"aae180": "n/a"}, "aae180"),
        ({"aae180": Decimal("5000")}, "aae180"),
        ({"aae140": "390"}, "aae140"),
        ({"aae143": "09"}, "aae143"),
        ({"aae003": "202513"}, "aae003"),
        ({"aae140": "410"}, "grjfje"),
        ({"aab001": None, "aab998": None}, "dwjfje"),
        ({"grjfje": None}, "grjfje"),
        ({"dzrq": "2025-02-30"}, "dzrq"),
    ],
)
def test_what_cannot_be_read_is_named_without_its_value(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(Unreadable) as caught:
        contribution(CONTEXT, ROW | changes)
    assert caught.value.path == path
    assert not any(str(value) in str(caught.value) for value in changes.values() if value and len(str(value)) > 2)


@pytest.mark.parametrize(
    ("booked", "code", "kind"),
    [("202503", "01", "NORMAL"), ("202506", "01", "NORMAL"), ("202507", "01", "BACK_PAYMENT"), ("202503", "02", "BACK_PAYMENT")],
)
def test_back_payments(booked: str, code: str, kind: str) -> None:
    assert contribution(CONTEXT, ROW | {"aae002": booked, "aae143": code}).kind == kind


def test_a_refund_is_negative_and_stays_a_refund() -> None:
    changes = {"aae143": "03", "aae002": "202512", "dwjfje": "-800.00", "grjfje": "-400.00"}
    fact = contribution(CONTEXT, ROW | changes)
    assert (fact.kind, fact.employer_amount) == ("REFUND", Decimal("-800.00"))


def test_the_person_is_the_subject_unless_the_mask_says_otherwise() -> None:
    masked = OWNER[:6] + "********" + OWNER[-4:]
    assert contribution(CONTEXT, ROW).person == OWNER
    assert contribution(CONTEXT, ROW | {"aac002": masked}).person == OWNER
    assert contribution(CONTEXT, ROW | {"aac002": "1" + masked[1:]}).person == "9000000001"
    unknown = replace(CONTEXT, subject=Subject("92999900MA9XXXX018", None, "某茶舍"))
    assert contribution(unknown, ROW).person == "9000000001"


def test_a_city_may_name_fields_and_codes_its_own_way() -> None:
    config = {**CONTEXT.config, "fields": '{"employer_amount": ["yjhj"]}', "maps": '{"aae140": {"390": "MEDICAL"}}', "rate_as": "fraction"}
    city = replace(CONTEXT, config=config)
    row = {name: value for name, value in ROW.items() if name != "dwjfje"} | {"yjhj": "801.00", "aae140": "390"}
    assert (contribution(city, row).employer_amount, contribution(city, row).insurance) == (Decimal("801.00"), "MEDICAL")
    assert contribution(city, row | {"aae140": "110"}).insurance == "PENSION"
    assert fund_entry(city, ENTRY | {"dwjcbl": "0.05"}).employer_rate == Decimal("0.05")
    assert fund_entry(CONTEXT, ENTRY | {"dwjcbl": "5.00"}).employer_rate == Decimal("0.05")


def test_the_second_alias_counts_where_the_first_is_empty() -> None:
    assert contribution(CONTEXT, ROW | {"dwjfje": None, "dwjfhj": "802.00"}).employer_amount == Decimal("802.00")


def test_windows_touch_at_most_so_many_months() -> None:
    found = slices("x", date(2020, 2, 15), date(2026, 1, 20), 36)
    assert [(w.first, w.last) for w in found] == [(date(2020, 2, 15), date(2023, 1, 31)), (date(2023, 2, 1), date(2026, 1, 20))]
    assert slices("x", date(2026, 1, 21), date(2026, 1, 20), 36) == []


def test_account_numbers_are_sealed_in_cursors() -> None:
    text = sealed(CONTEXT, ["330100000001"])
    assert "330100000001" not in text
    assert opened(CONTEXT, text) == ["330100000001"]
    rotated = replace(CONTEXT, config={**CONTEXT.config, "client_secret": "another"})
    assert opened(rotated, text) is None
    cursor = {"page": 2, "account": 1, "accounts": text, "seen": 60, "base": 50}
    again = STREAMS["fund_entries"].request(rotated, WINDOW, cursor)
    assert again.path == "/sysapi/hf/account/query"
    assert json.loads(again.body)["page"] == 1


def test_evidence_holds_no_credentials() -> None:
    for stream in connector.streams:
        request = stream.request(CONTEXT, WINDOW, None)
        assert [name for name, _ in request.headers] == ["Content-Type"]
        assert b"token" not in request.body
        assert request.query == ()


def test_the_wait_of_an_accepted_answer_is_read() -> None:
    found = reading.answer(CONTEXT, response(202, "ACCEPTED", {"taskid": "T1", "retryafter": 3}))
    assert reading.accepted(reading.Place(), found).wait == 3.0


IO = {"socket", "httpx", "asyncio", "os", "random", "secrets", "time", "starlette", "urllib.request"}


def test_nothing_but_the_sandbox_knows_a_socket(tmp_path: Path) -> None:
    folder = Path(connector.sign.__code__.co_filename).parent  # type: ignore[attr-defined]
    pure = [path for path in folder.glob("*.py") if not path.name.startswith("sandbox")]
    assert len(pure) == 9
    assert not IO & {name for path in pure for name in _imports(path)}
    control = tmp_path / "control.py"
    control.write_text("def sneak():\n    import socket\n    from starlette.requests import Request\n")
    assert IO & _imports(control) == {"socket", "starlette"}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, node.module.split(".")[0]}
    return found
