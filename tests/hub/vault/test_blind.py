"""Blind indexes against the standard library's HMAC (RFC 2104), which is slower and somebody else's."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.vault import IDENTIFIER, Blind

MASTER = bytes(range(32))
TEXTS = st.lists(st.text(max_size=200), max_size=20)


def expected(family: str, text: str, master: bytes = MASTER) -> str:
    key = hmac.digest(master, family.encode(), "sha256")
    return urlsafe_b64encode(hmac.digest(key, text.encode(), "sha256")).decode().rstrip("=")


@given(TEXTS)
def test_a_column_of_texts_is_hashed_like_each_of_them(texts: list[str]) -> None:
    hasher = Blind(MASTER).hasher("Order", "buyer")
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    assert hasher(texts) == [expected("Order.buyer", text) for text in texts]


@pytest.mark.parametrize("written", ["11010519491231002x", " 11010519491231002X", "11010519491231002X\n"])
def test_an_identifier_is_canonical_before_it_is_hashed(written: str) -> None:
    blind = Blind(MASTER)
    wanted = expected(IDENTIFIER, "11010519491231002X")
    assert blind.hash(IDENTIFIER, written) == wanted
    assert blind.hasher("Shop", "owner")([written]) == [wanted]


def test_other_texts_are_hashed_as_they_are() -> None:
    blind = Blind(MASTER)
    assert blind.hash("request.body", " a ") == expected("request.body", " a ") != blind.hash("request.body", "A")


def test_fields_that_are_compared_share_a_family_and_no_others() -> None:
    blind = Blind(MASTER)
    hashed = {(kind, field): blind.of_field(kind, field, "X1") for kind, field in [
        ("Shop", "owner"), ("PaymentAccount", "holder"), ("TaxReturn", "responsible"), ("Education", "person"), ("CreditAccount", "borrower"),
        ("PaymentAccount", "account_number"), ("PaymentTransaction", "account_number"), ("Order", "buyer"), ("Refund", "buyer"),
    ]}  # fmt: skip
    assert {kind_field for kind_field, value in hashed.items() if value == expected(IDENTIFIER, "X1")} == set(list(hashed)[:5])
    assert hashed["PaymentAccount", "account_number"] == hashed["PaymentTransaction", "account_number"] == expected("account", "X1")
    assert hashed["Order", "buyer"] == expected("Order.buyer", "X1") != hashed["Refund", "buyer"]


def test_another_master_key_gives_other_hashes() -> None:
    assert Blind(bytes(32)).hash("a", "b") == expected("a", "b", bytes(32)) != Blind(MASTER).hash("a", "b")
