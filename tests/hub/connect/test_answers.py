"""A platform's answer is read as the standard library would read it, numbers as Decimal; what neither takes is a fault, never a crash."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.connect import ContractBroken, Response, RetryAt
from hub.connect.answers import json_object

NOW = datetime(2026, 11, 27, tzinfo=UTC)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def read(body: bytes) -> Any:
    return json_object(Response(200, {}, body), NOW)


@given(value=VALUES, ascii_only=st.booleans())
def test_it_reads_what_the_standard_library_reads(value: Any, ascii_only: bool) -> None:
    body = json.dumps({"value": value}, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass" if ascii_only else "replace")
    assert read(body) == json.loads(body, parse_float=Decimal)


def test_no_number_becomes_a_float() -> None:
    found = read(b'{"a": 1.10, "b": 1e400, "c": 123456789012345678901234567890, "d": NaN, "e": -Infinity, "f": -0.00}')
    assert [str(value) for value in found.values()] == ["1.10", "1E+400", "123456789012345678901234567890", "NaN", "-Infinity", "-0.00"]
    assert {type(value) for value in found.values()} == {Decimal, int}


@pytest.mark.parametrize("body", [rb'{"a": "\ud800"}', '{"a": "é"}'.encode("utf-16"), b'\xef\xbb\xbf{"a": 1}'])
def test_what_only_one_record_suffers_from_does_not_cost_the_page(body: bytes) -> None:
    assert list(read(body)) == ["a"]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[1]", b"null", b'{"a": 1', b"[" * 100_000, b'{"a": 1e99999999999999999999}', b"[" + b"9" * 5000 + b"]"]
)
def test_what_is_no_object_is_a_fault(body: bytes) -> None:
    with pytest.raises(ContractBroken):
        read(body)
    with pytest.raises(RetryAt if body not in (b"[1]", b"null") else ContractBroken):
        json_object(Response(502, {}, body), NOW)
