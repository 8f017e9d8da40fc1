"""The fast way from a fact to its row equals the plain one, over random facts of every kind; and digests stay what they were."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.connect import Unreadable
from hub.domain.facts import FactSpec, FieldSpec, FieldType, Invoice, TaxpayerProfile, all_specs
from hub.domain.facts.order import Order, OrderStatus
from hub.domain.identifiers import PersonalId, mask
from hub.domain.periods import CHINA
from hub.store import encoders
from hub.store.encoders import Encoders, masked
from hub.store.rows import digest, plain_row
from hub.vault import Blind

BLIND = Blind(b"k" * 32)
TEXTS = st.text(st.characters() | st.sampled_from("\0\ud800|\\\"'{},\n"), max_size=12) | st.sampled_from(
    ["", "a|b", "x" * 501, "\\u0000", "\ud83d"]
)
ZONES = st.sampled_from(
    [UTC, CHINA, timezone(timedelta(hours=-3)), timezone(timedelta(minutes=7)), timezone(timedelta(hours=8, seconds=5)), None]
)
AMOUNTS = st.decimals(allow_nan=True, allow_infinity=True) | st.decimals(-(10**7), 10**7, places=2) | st.sampled_from(
    [Decimal("-0.00"), Decimal("1E+3"), Decimal("100"), Decimal("0.10"), Decimal(10) ** 16, Decimal(10) ** 12, Decimal("1E-7")]
)  # fmt: skip
PARTIES = st.sampled_from(
    [
        "92330203MA2DEMKX0M",
        "110105194912310021",
        "110105194912310021\0",
        "\ud800110105194912310021",
        "11010519491231002x",
        "11010519491231002101",
        "110105491231002|",
    ]
)
VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.TEXT: TEXTS,
    FieldType.PARTY: TEXTS | PARTIES,
    FieldType.PERSONAL: TEXTS | st.sampled_from(["110105194912310021", "13800000000", "张三"]),
    FieldType.INT: st.integers() | st.integers(-1000, 1000) | st.booleans(),
    FieldType.MONEY: AMOUNTS,
    FieldType.NUMBER: AMOUNTS,
    FieldType.COORDINATE: st.floats() | st.floats(-180, 180),
    FieldType.DATE: st.dates(),
    FieldType.INSTANT: st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES),
    FieldType.MONTH: st.sampled_from(["2025-01", "2025-13", "0000-01", "2025-1", "二〇二五"]) | st.dates().map(lambda day: f"{day:%Y-%m}"),
    FieldType.BOOL: st.booleans(),
    FieldType.LINES: st.dictionaries(TEXTS, AMOUNTS, max_size=3),
}


def value_of(field: FieldSpec) -> st.SearchStrategy[Any]:
    own = st.sampled_from(list(field.enum)) if field.enum else VALUES[field.kind]
    return own if not field.nullable else st.none() | own


def fact_of(spec: FactSpec) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({field.name: value_of(field) for field in spec.fields}).map(lambda values: spec.cls(**values))


FACTS = {spec.name: fact_of(spec) for spec in all_specs()}
"""Made once: an example that makes its strategies anew takes longer for that than for all it proves."""


def fast(fact: object) -> Any:
    (row,) = Encoders(BLIND).rows(type(fact), [fact])
    if isinstance(row, Exception):
        raise row
    return row


def outcome(make: Any, fact: object) -> Any:
    """The row, its columns by their value, or what was refused and why."""
    try:
        key, digest, occurred, *columns = make(fact)
    except Unreadable as fault:
        return fault.path, fault.reason
    except (ValueError, ArithmeticError, TypeError, LookupError) as stumbled:
        return type(stumbled)
    return key, digest, occurred, [stored(column) for column in columns]


def stored(value: object) -> object:
    """What PostgreSQL makes of a column, as far as the two ways write it differently."""
    return value.isoformat() if isinstance(value, datetime) else value


def same(fast: Any, plain: Any) -> bool:
    if not (isinstance(fast, tuple) and isinstance(plain, tuple) and len(fast) == 4 == len(plain)):
        return bool(fast == plain)
    return fast[:3] == plain[:3] and all(
        one == other or (isinstance(other, Decimal) and Decimal(one) == other) for one, other in zip(fast[3], plain[3], strict=True)
    )


@pytest.mark.parametrize("spec", all_specs(), ids=lambda spec: spec.name)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_fast_way_equals_the_plain_one(spec: FactSpec, data: st.DataObject) -> None:
    fact = data.draw(FACTS[spec.name])
    assert same(outcome(fast, fact), outcome(lambda one: plain_row(one, BLIND), fact))


@pytest.mark.parametrize("spec", all_specs(), ids=lambda spec: spec.name)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_many_at_once_are_what_each_is_alone(spec: FactSpec, data: st.DataObject) -> None:
    """Whichever of them are odd, and wherever they stand."""
    facts = data.draw(st.lists(FACTS[spec.name], max_size=9))
    for fact, row in zip(facts, Encoders(BLIND).rows(spec.cls, facts), strict=True):
        assert outcome(_said(row), fact) == outcome(fast, fact)


GOOD: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.TEXT: st.sampled_from(["", "a|b", "c\\d", "杭州", "x" * 40]),
    FieldType.PARTY: st.sampled_from(["", "a|b", "92330203MA2DEMKX0M", "110105194912310021", "11010519491231002x", "11010519491231002101"]),
    FieldType.PERSONAL: st.sampled_from(["110105194912310021", "13800000000", "张三", "AAHd001"]),
    FieldType.INT: st.integers(-1000, 1000),
    FieldType.MONEY: st.decimals(-(10**7), 10**7, places=2),
    FieldType.NUMBER: st.decimals(-(10**7), 10**7, places=4),
    FieldType.COORDINATE: st.floats(-180, 180),
    FieldType.DATE: st.dates(date(2000, 1, 1)),
    FieldType.INSTANT: st.datetimes(datetime(2000, 1, 1), timezones=st.sampled_from([UTC, CHINA])),
    FieldType.MONTH: st.sampled_from(["2025-01", "2025-12"]),
    FieldType.BOOL: st.booleans(),
}


def good_of(spec: FactSpec) -> st.SearchStrategy[Any]:
    """Facts that are nothing special, with gaps where there may be some."""
    own = {field.name: st.sampled_from(list(field.enum)) if field.enum else GOOD[field.kind] for field in spec.fields}
    nullable = {field.name for field in spec.fields if field.nullable}
    return st.fixed_dictionaries({name: st.none() | one if name in nullable else one for name, one in own.items()}).map(
        lambda v: spec.cls(**v)
    )


PLAIN = [spec for spec in all_specs() if not any(field.kind is FieldType.LINES for field in spec.fields)]


@pytest.mark.parametrize("spec", PLAIN, ids=lambda spec: spec.name)
def test_many_ordinary_ones_at_once_equal_the_plain_way(spec: FactSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them on the fast way, as one batch; values and gaps in their places."""

    def odd(fact: object, blind: Blind) -> Any:
        raise AssertionError("the long way")

    monkeypatch.setattr(encoders, "_odd", odd)

    @settings(max_examples=20, deadline=None)
    @given(facts=st.lists(good_of(spec), min_size=2, max_size=8))
    def hold(facts: list[Any]) -> None:
        for fact, row in zip(facts, Encoders(BLIND).rows(spec.cls, facts), strict=True):
            assert same(outcome(_said(row), fact), outcome(lambda one: plain_row(one, BLIND), fact))

    hold()


def _said(row: Any) -> Any:
    def make(_: object) -> Any:
        if isinstance(row, Exception):
            raise row
        return row

    return make


def order(**values: Any) -> Order:
    made = {
        "platform": "p", "order_number": "1", "status": OrderStatus.PAID, "created_at": datetime(2026, 1, 1, 20, tzinfo=UTC), "paid_at": None,
        "shipped_at": None, "completed_at": None, "goods_amount": Decimal("10.50"), "discount": Decimal("0.00"), "paid_amount": Decimal("100"),
        "buyer": PersonalId("AAHd001"), "receiver_address": None, "receiver_city": "杭州",
    }  # fmt: skip
    return Order(**{**made, **values})


def test_ordinary_facts_go_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test above would compare the plain way with itself."""

    def odd(fact: object, blind: Blind) -> Any:
        raise AssertionError("the long way")

    encoders._factory.cache_clear()
    monkeypatch.setattr(encoders, "_odd", odd)
    try:
        assert fast(order())[0] == "p|1"
        assert len(Encoders(BLIND).rows(Order, [order(order_number=str(number)) for number in range(100)])) == 100
        for strange in (order(order_number="a\0"), order(created_at=datetime(2026, 1, 1)), order(goods_amount=Decimal("NaN"))):
            with pytest.raises(AssertionError, match="long way"):
                fast(strange)
    finally:
        encoders._factory.cache_clear()


def test_a_broken_encoder_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: amounts that keep their zeros have another digest."""
    encoders._factory.cache_clear()
    monkeypatch.setitem(encoders._GOOD, FieldType.MONEY, ("True", ("list(map(str, {o}))",)))
    try:
        assert not same(outcome(fast, order()), outcome(lambda one: plain_row(one, BLIND), order()))
    finally:
        encoders._factory.cache_clear()


def test_digests_are_what_they_always_were() -> None:
    """Facts are compared by what is stored: another digest of the same fact would be a new version of everything."""
    assert fast(order())[1] == DIGEST


def test_a_businesss_invoice_has_the_key_and_the_digest_that_it_always_had() -> None:
    """From before a party's number had a mask. A natural person's mask does not count either, and no digest is of the number."""
    names = [
        "code",
        "number",
        "direction",
        "kind_code",
        "issued_on",
        "seller",
        "buyer",
        "net",
        "tax",
        "gross",
        "status",
        "original_number",
        "red_reason",
    ]
    values = [
        "",
        "1",
        "OUTPUT",
        "32",
        date(2026, 1, 1),
        "91",
        "92330203MA2DEMKX0M",
        Decimal("1.00"),
        Decimal(0),
        Decimal(1),
        "NORMAL",
        None,
        None,
    ]
    row = fast(Invoice(**dict(zip(names, values, strict=True))))
    assert row[:2] == ("|1", digest(values)) and row[8:12] == ("91", None, "92330203MA2DEMKX0M", None)
    values[6] = "11010519491231002x"
    row = fast(Invoice(**dict(zip(names, values, strict=True))))
    hashed = BLIND.hash("identifier", "11010519491231002X")
    assert row[8:12] == ("91", None, hashed, "110105********002X") and row[1] == digest([*values[:6], hashed, *values[7:]])
    person = TaxpayerProfile(
        taxpayer_number="11010519491231002X", uscc=None, holder=None, taxpayer_type=None, vat_frequency=None, status="NORMAL"
    )
    assert fast(person)[0] == hashed


DIGEST = "38c5778e418025264021bcc63eea2d7dc8fedeb2c36fabf7644c995243e6dc7c"


@given(text=st.text(st.characters(codec="utf-8")), family=st.sampled_from(["identifier", "Order.buyer"]))
def test_a_blind_index_is_an_hmac(text: str, family: str) -> None:
    plain = text.strip().upper() if family == "identifier" else text
    key = hmac.digest(b"k" * 32, family.encode(), "sha256")
    assert BLIND.hash(family, text) == base64.urlsafe_b64encode(hmac.digest(key, plain.encode(), "sha256")).decode().rstrip("=")


NUMBERS = st.text("0123456789", max_size=20) | st.text("0123456789aX\n", max_size=20)


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(TEXTS | NUMBERS, max_size=8) | st.lists(NUMBERS, max_size=8))
def test_what_is_masked_together_is_what_each_is_alone(texts: list[str]) -> None:
    assert masked(texts) == [mask(text) for text in texts]


def test_the_day_in_china_whatever_the_offset() -> None:
    midnight = datetime(2026, 1, 1, 16, tzinfo=UTC)
    for zones in ([UTC], [CHINA], [timezone(timedelta(hours=8))], [UTC, CHINA], [timezone(timedelta(hours=9))]):
        facts = [order(created_at=(midnight - timedelta(seconds=late)).astimezone(zone)) for zone in zones for late in (0, 1)]
        assert [row[2] for row in Encoders(BLIND).rows(Order, facts)] == [date(2026, 1, 2), date(2026, 1, 1)] * len(zones)
