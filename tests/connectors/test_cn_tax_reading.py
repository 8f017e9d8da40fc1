"""The pure side of cn_tax: signatures, envelopes and faults, pages. No platform behind it."""

from __future__ import annotations

import ast
import json
from base64 import b64decode
from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

import connectors.cn_tax as package
from connectors.cn_tax import cursor, reading
from connectors.cn_tax.sign import callback_signature, canonical, digest, sealer
from hub.connect import (
    ContractBroken,
    Fault,
    Interval,
    Misconfigured,
    NotPermitted,
    Page,
    Pending,
    Reauthorise,
    RefreshNeeded,
    Response,
    RetryAt,
)
from hub.domain.facts import TaxViolation
from tests.connectors.cn_tax_world import CONTEXT, MAKER, NOW, WINDOW, envelope, item_entry, stream

# --- digest and callback


def test_digest_of_our_own_rows() -> None:
    """The hash was made with sha256sum over the bytes, not with the code under test."""
    rows: list[dict[str, Any]] = [{"Z": 'q"\n', "A": "x/税", "N": 3, "B": None}, {"A": "-80.00"}]
    assert canonical(rows[1]) == '{"A":"-80.00"}\n'
    assert digest(rows) == "f3f681d8fbbb334125bf15bf4e3bd96cb7c6afe39638abaffd3afa7bc3587fac"
    assert digest(reversed(rows)) != digest(rows)


def test_callback_of_our_own() -> None:
    """The signature was made with openssl."""
    body = b'{"event":"authorization.changed"}'
    signature = "BvalO3TH9c6RUEvOXINm1KQhN2jD6VAm8By25LBoPrI="
    assert callback_signature("our-own-callback-key", "1700000000", "n-1", body) == signature


def test_published_vectors(shared: Path) -> None:
    vectors = {one["platform"]: one for one in json.loads((shared / "oracles/signature-vectors/vectors.json").read_text("utf-8"))}
    assert digest(vectors["cn_tax-digest"]["rows"]) == vectors["cn_tax-digest"]["expected"]
    one = vectors["cn_tax-callback"]
    assert callback_signature(one["secret"], one["timestamp"], one["nonce"], one["body"].encode()) == one["expected"]


# --- envelopes and faults


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "T0100", Misconfigured),
        (400, "T0101", ContractBroken),
        (401, "T0401", RefreshNeeded),
        (403, "T0402", Pending),
        (403, "T0403", Reauthorise),
        (403, "T0404", NotPermitted),
        (403, "T0405", Misconfigured),
        (404, "T0201", ContractBroken),
        (409, "T0203", Pending),
        (409, "T0302", ContractBroken),
        (429, "T0429", RetryAt),
        (500, "T0500", RetryAt),
        (503, "T0503", RetryAt),
        (400, "T9999", ContractBroken),
        (500, "00000", ContractBroken),
    ],
)
def test_each_code_is_one_fault(status: int, code: str, kind: type[Fault]) -> None:
    body = {"code": code, "message": f"secret of {MAKER}", "request_id": "r", "data": {"field": f"{MAKER} 税"}}
    with pytest.raises(kind) as caught:
        reading.envelope(Response(status, {"retry-after": "9"}, json.dumps(body).encode()), NOW)
    assert caught.value.code == code
    assert MAKER not in str(caught.value)
    if isinstance(caught.value, Pending | RetryAt):
        assert caught.value.seconds == 9


@pytest.mark.parametrize("code", ["T0202", "T0301"])
def test_steering_codes_are_no_faults(code: str) -> None:
    body = {"code": code, "message": "m", "request_id": "r", "data": {"CJBH": "CJ1"}}
    assert reading.envelope(Response(409, {}, json.dumps(body).encode()), NOW).code == code


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (502, b"<html></html>", RetryAt),
        (504, b'{"error":"timeout"}', RetryAt),
        (429, b"slow down", RetryAt),
        (200, b"<html></html>", ContractBroken),
        (200, b"[]", ContractBroken),
        (404, b"{}", ContractBroken),
    ],
)
def test_what_is_no_envelope(status: int, body: bytes, kind: type[Fault]) -> None:
    with pytest.raises(kind):
        reading.envelope(Response(status, {}, body), NOW)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": "invalid_client"}, Misconfigured),
        (400, {"error": "invalid_scope"}, Misconfigured),
        (500, {"error": "server_error"}, RetryAt),
        (200, {"access_token": "t", "token_type": "mac"}, ContractBroken),
        (200, {"access_token": "", "token_type": "Bearer"}, ContractBroken),
        (200, {"access_token": "t", "token_type": "bearer", "scope": "tax.collect"}, Misconfigured),
    ],
)
def test_token_answers(status: int, body: dict[str, Any], kind: type[Fault]) -> None:
    with pytest.raises(kind):
        reading.token(Response(status, {}, json.dumps(body).encode()), "tax.authorize tax.collect", NOW)


@pytest.mark.parametrize("state", ["30", "40", "50"])
def test_an_ended_authorisation_needs_a_new_one(state: str) -> None:
    data = {"SQBH": "SQ1", "NSRSBH": MAKER, "SQZT_DM": state, "SJX": ["SBXX"]}
    with pytest.raises(Reauthorise) as caught:
        reading.grant(data, reading.Token("t", 1), number="SQ1", taxpayer=MAKER, sources={"SBXX": "TAX"})
    assert caught.value.code == state


def test_deleting_what_is_gone_is_done() -> None:
    reading.deleted(Response(204, {}, b""), NOW)
    for status, code in ((404, "T0201"), (403, "T0403")):
        reading.deleted(Response(status, {}, json.dumps({"code": code, "data": None}).encode()), NOW)
    with pytest.raises(RetryAt):
        reading.deleted(Response(500, {}, b'{"code":"T0500","data":null}'), NOW)
    with pytest.raises(ContractBroken):
        reading.deleted(Response(400, {}, b'{"code":"T0101","data":null}'), NOW)


# --- collections and pages


def _poll(**entry: Any) -> Page:
    at = {"step": "poll", "collection": "CJ1", "order": {"attempt": 0, "before": 0}, "day": "2026-01-20", "waited": 0, "followed": False}
    snapshot = entry.pop("KZSJ", None)
    answer = envelope(CJBH="CJ1", CJZT_DM="30", KZSJ=snapshot, XM=[item_entry(**entry)])
    return stream("returns").read(CONTEXT, WINDOW, at, answer)


def test_results_of_an_item() -> None:
    assert _poll(result="1") == Page(total=0)
    spans = [{"QQ": "2024-01-01", "QZ": "2025-02-28"}, {"QQ": "2025-12-01", "QZ": "2026-01-19"}]
    days = (Interval(date(2025, 1, 1), date(2025, 2, 28)), Interval(date(2025, 12, 1), date(2025, 12, 31)))
    assert _poll(result="2", FGQJ=spans) == Page(total=0, covered=days)
    with pytest.raises(NotPermitted):
        _poll(result="4")
    for broken in ({"result": "7"}, {"result": "0", "ZJLS": "3", "ZY": "x"}, {"result": "1", "FGQJ": [{"QQ": "2024"}]}, {"result": None}):
        with pytest.raises(ContractBroken):
            _poll(**broken)
    with pytest.raises(Misconfigured, match="digest_max_rows"):
        _poll(result="0", ZJLS=50001, ZY="x")


def test_without_covered_days_the_snapshot_counts() -> None:
    assert _poll(result="1", KZSJ="2025-06-02 00:10:00").covered == (Interval(date(2025, 1, 1), date(2025, 6, 1)),)


def _page(packed: list[Any], /, **changes: Any) -> Page:
    order = {"attempt": 0, "before": 0}
    sent = {
        "collection": "CJ1",
        "order": order,
        "day": "2026-01-20",
        "rows": len(packed),
        "digest": digest(packed),
        "covered": None,
        "page_size": 200,
    }
    data = {"CJBH": "CJ1", "SJX_DM": "WFWZ", "JEDW": "1", "page": 1, "page_size": 200, "pages": 1, "total": len(packed), "rows": packed}
    at = {"step": "check", "package": sent, "page": 1, "chunks": []}
    return stream("violations").read(CONTEXT, WINDOW, at, envelope(**(data | changes)))


ROW = {"NSRSBH": MAKER, "WFWZUUID": "W1", "WFXWMC": "逾期\u2028申报\x85", "CLJDRQ": "2025-03-04", "CFJE": "50.00", "CLZT_DM": "2"}


def test_a_page_of_rows() -> None:
    page = _page([ROW])
    assert page.records == ({"JEDW": "1", **ROW},)
    assert (page.next, page.total) == (None, 1)
    (fact,) = stream("violations").normalise(CONTEXT, page.records[0])
    assert fact == TaxViolation(violation_number="W1", kind=ROW["WFXWMC"], decided_on=date(2025, 3, 4), penalty=D("50.00"), open=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"JEDW": None},
        {"JEDW": "3"},
        {"CJBH": "CJ2"},
        {"SJX_DM": "SBXX"},
        {"page": 2},
        {"pages": 0},
        {"total": 2},
        {"rows": None},
        {"rows": []},
        {"rows": [ROW | {"CFJE": 50.5}]},
        {"rows": [ROW | {"CFJE": True}]},
        {"rows": [ROW | {"CFJE": ["50.00"]}]},
        {"rows": ["row"]},
        {"rows": [ROW | {"CFJE": "51.00"}]},
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else one,
)
def test_a_page_that_breaks_the_contract(changes: dict[str, Any]) -> None:
    with pytest.raises(ContractBroken):
        _page([ROW], **changes)


def test_cursors_survive_json() -> None:
    order = cursor.Order(1, 7)
    whole = cursor.Package("CJ1", order, "2026-01-20", 3, "ab", (("2025-01-01", "2025-02-01"),), 200)
    for step in (
        order,
        cursor.Poll("CJ1", order, "2026-01-20", 1.5, True),
        cursor.Check(whole, 2, ("x", "y")),
        cursor.Emit(whole, 2, ("h",), 3, ("SB1",), "sealed", 2),
    ):
        assert cursor.load(json.loads(json.dumps(cursor.dump(step)))) == step
    assert cursor.load(None) == cursor.Order()


def test_a_cursor_shows_no_rows() -> None:
    key, other = sealer(CONTEXT), sealer(replace(CONTEXT, config={**CONTEXT.config, "client_secret": "another"}))
    sealed = cursor.seal(key, "税务\n" * 100)
    assert cursor.unseal(key, sealed) == "税务\n" * 100
    assert len(sealed) < 100 and "税务".encode() not in b64decode(sealed)
    with pytest.raises(cursor.Lost):
        cursor.unseal(other, sealed)


def test_the_connector_opens_no_socket() -> None:
    """Only the simulated platform may know the web; the rest is data and pure functions."""
    forbidden = {"socket", "ssl", "httpx", "asyncio", "starlette", "os", "time", "random", "secrets"}
    folder = Path(package.__file__ or "").parent
    found = {path.name: sorted(_imports(path) & forbidden) for path in folder.glob("*.py") if not path.name.startswith("sandbox")}
    assert {name: names for name, names in found.items() if names} == {}
    assert "starlette" in _imports(folder / "sandbox.py")


def _imports(path: Path) -> set[str]:
    roots = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            roots |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            roots.add((node.module or "").split(".")[0])
    return roots
