"""cn_public_records' pure functions: the table of errors, frames, codes, units. No gateway involved."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.cn_public_records import connector
from connectors.cn_public_records.normalise import business, case, check
from hub.connect import (
    ContractBroken,
    Fault,
    Misconfigured,
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
from hub.domain.facts import IdentityVerification
from tests.connectors.cn_persona import BUSINESS, OWNER, context_of

STREAMS = {stream.name: stream for stream in connector.streams}
CONTEXT = context_of(connector, Subject(BUSINESS, OWNER, "苏州青禾茶舍"))
WINDOW = Window("public_records", date(2025, 1, 1), date(2025, 12, 31))


def read(status: int, code: str, data: Any = None, **headers: str) -> Page:
    body = json.dumps({"code": code, "message": "", "request_id": "r", "data": data}).encode()
    heads = {name.replace("_", "-"): value for name, value in headers.items()}
    return STREAMS["public_records"].read(CONTEXT, WINDOW, None, Response(status, heads, body))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "P0100", ContractBroken),
        (400, "P0101", ContractBroken),
        (404, "P0201", ContractBroken),
        (401, "P0401", RefreshNeeded),
        (403, "P0402", Pending),
        (403, "P0403", Reauthorise),
        (403, "P0404", NotPermitted),
        (403, "P0405", Misconfigured),
        (404, "P0204", NoData),
        (429, "P0429", RetryAt),
        (500, "P0500", RetryAt),
        (503, "P0503", RetryAt),
        (418, "P9999", ContractBroken),
        (500, "P9999", RetryAt),
        (500, "00000", RetryAt),
    ],
)
def test_the_table_of_errors(status: int, code: str, kind: type[Fault]) -> None:
    with pytest.raises(kind) as caught:
        read(status, code, retry_after="4")
    assert type(caught.value) is kind
    if kind is RetryAt:
        assert caught.value.seconds == 4.0  # type: ignore[attr-defined]


def test_a_proxys_page_is_never_an_envelope() -> None:
    with pytest.raises(RetryAt) as caught:
        STREAMS["household"].read(CONTEXT, WINDOW, None, Response(502, {}, b"<html></html>"))
    assert caught.value.seconds is None


def test_no_entry_is_covered_unless_the_register_says_otherwise() -> None:
    for data, covered in ((None, True), ({"sjfg": []}, False)):
        with pytest.raises(NoData) as caught:
            read(404, "P0204", data)
        assert caught.value.covered is covered
    page = read(404, "P0204", {"sjfg": [{"qsrq": "2024-01-01", "zzrq": "2025-03-31"}]})
    assert [(span.first, span.last) for span in page.covered or ()] == [(date(2025, 1, 1), date(2025, 3, 31))]


@pytest.mark.parametrize("missing", ["jedw", "kzsj", "rows", "pages", "total"])
def test_an_answer_without_its_frame_breaks_the_contract(missing: str) -> None:
    data = {"jedw": "1", "kzsj": "2026-01-20 02:00:00", "pages": 0, "total": 0, "rows": []}
    assert read(200, "00000", data).total == 0
    with pytest.raises(ContractBroken):
        read(200, "00000", {name: value for name, value in data.items() if name != missing})


CASE = {"ah": "A1", "ajlx": "01", "dsrdw": "2", "ajzt": "1", "larq": "2025-09-02", "jarq": None, "saje": "86000.00", "jedw": "1"}
ENTRY = {
    "tyshxydm": BUSINESS,
    "ztmc": "苏州青禾茶舍",
    "ztzt": "1",
    "hydm": "F5226",
    "clrq": "2021-03-09",
    "zczb": None,
    "djcs": "苏州市",
    "jedw": "1",
}


@pytest.mark.parametrize(
    ("function", "record", "path"),
    [
        (case, CASE | {"saje": "8600000"}, "saje"),
        (case, CASE | {"ajlx": "77"}, "ajlx"),
        (case, CASE | {"larq": "2025-9-"}, "larq"),
        (case, CASE | {"ah": ""}, "ah"),
        (business, ENTRY | {"tyshxydm": BUSINESS[:-1] + ("0" if BUSINESS[-1] != "0" else "1")}, "tyshxydm"),
        (business, ENTRY | {"djwd": "north"}, "djwd"),
        (business, ENTRY | {"ztzt": "9"}, "ztzt"),
        (check, {"zjhm": OWNER, "hyfs": "01", "hyjg": "4", "hyrq": "2026-01-17"}, "hyjg"),
    ],
)
def test_what_cannot_be_read_is_named(function: Any, record: dict[str, Any], path: str) -> None:
    with pytest.raises(Unreadable) as caught:
        function(CONTEXT, record)
    assert caught.value.path == path


def test_amounts_in_fen_codes_of_a_register_and_what_is_unknown() -> None:
    assert case(CONTEXT, CASE | {"saje": "8600000", "jedw": "2"}).amount == Decimal("86000.00")
    other = replace(CONTEXT, config={**CONTEXT.config, "maps": '{"ajlx": {"77": "ENFORCEMENT"}}'})
    assert case(other, CASE | {"ajlx": "77"}).kind == "ENFORCEMENT"
    entry = business(CONTEXT, ENTRY)
    assert (entry.registered_capital, entry.responsible, entry.latitude, entry.operating_city) == (None, None, None, None)
    unavailable = check(CONTEXT, {"zjhm": OWNER, "hyfs": "01", "hyjg": "3", "hyrq": "2026-01-17"})
    assert unavailable == IdentityVerification(person=OWNER, method="TWO_FACTOR", result="UNAVAILABLE", checked_on=date(2026, 1, 17))  # type: ignore[arg-type]


def test_no_identifier_travels_and_evidence_holds_no_credentials() -> None:
    for stream in connector.streams:
        request = stream.request(CONTEXT, WINDOW, None)
        assert OWNER.encode() not in request.body
        assert BUSINESS.encode() not in request.body
        assert (request.query, [name for name, _ in request.headers]) == ((), ["Content-Type"])


IO = {"socket", "httpx", "asyncio", "os", "random", "secrets", "time", "urllib.request"}


def test_nothing_but_the_sandbox_knows_a_socket(tmp_path: Path) -> None:
    folder = Path(business.__code__.co_filename).parent
    pure = [path for path in folder.glob("*.py") if not path.name.startswith("sandbox")]
    assert len(pure) == 6
    assert not IO & {name for path in pure for name in _imports(path)}
    control = tmp_path / "control.py"
    control.write_text("def sneak():\n    import socket\n    from urllib.request import urlopen\n")
    assert IO & _imports(control) == {"socket", "urllib.request"}


def _imports(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
