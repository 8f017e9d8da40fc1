"""cn_tax's callback: verified, read as a hint, and sent by the simulated gateway when a collection is finished or an authorisation withdrawn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import cn_tax
from connectors.cn_tax.callback import WEBHOOK, verify
from connectors.cn_tax.sandbox import build
from connectors.cn_tax.sign import callback_signature
from connectors.sandbox.platform import World
from hub.connect import Delivery, Forged, Hint, Reauthorise, Stale
from tests.connectors.cn_tax_world import drive, maker, step, to_package
from tests.contract.drive import Drive

KEY = {"callback_secret": "our-own-callback-key"}
AT = datetime.fromtimestamp(1700000000, UTC)
BODY = b'{"event":"authorization.changed","event_id":"EV-9","SQBH":"SQ0009"}'
GOOD = Delivery(
    {"x-tax-timestamp": "1700000000", "x-tax-nonce": "n-1", "x-tax-signature": "wlW1aoBP8pk0xPHupipQvp/jyXJlj/vlag/lvLv4zrI="}, BODY, AT
)
"""The signature was made with openssl."""


def signed(body: bytes) -> Delivery:
    made = callback_signature(KEY["callback_secret"], "1700000000", "n-1", body)
    return replace(GOOD, body=body, headers={**GOOD.headers, "x-tax-signature": made})


def test_a_genuine_callback_is_a_hint() -> None:
    assert verify(KEY, GOOD) == Hint("EV-9", "SQ0009", "CHANGED")
    finished = signed(b'{"event":"collection.finished","event_id":"EV-8","SQBH":"SQ0009","CJBH":"CJ1","CJZT_DM":"30"}')
    assert verify(KEY, finished) == Hint("EV-8", "SQ0009", "READY")
    unknown = signed(b'{"event":"tea.served","event_id":"EV-7","SQBH":"SQ0009"}')
    assert verify(KEY, unknown) == Hint("EV-7", "", "CHANGED"), "received, and about nobody"


@pytest.mark.parametrize(
    "change",
    [
        {"x-tax-timestamp": "1700000001"},
        {"x-tax-timestamp": "+1700000000"},
        {"x-tax-timestamp": ""},
        {"x-tax-nonce": "n-2"},
        {"x-tax-nonce": ""},
        {"x-tax-signature": "xlW1aoBP8pk0xPHupipQvp/jyXJlj/vlag/lvLv4zrI="},
        {"x-tax-signature": ""},
        {"x-tax-signature": "税"},
    ],
)
def test_a_changed_header_is_refused(change: Mapping[str, str]) -> None:
    with pytest.raises(Forged):
        verify(KEY, replace(GOOD, headers={**GOOD.headers, **change}))


def test_another_body_or_key_is_refused() -> None:
    for at in range(len(BODY)):
        with pytest.raises(Forged):
            verify(KEY, replace(GOOD, body=BODY[:at] + bytes([BODY[at] ^ 1]) + BODY[at + 1 :]))
    for key in ("another-key", ""):
        with pytest.raises(Forged):
            verify({"callback_secret": key}, GOOD)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_it_is_good_for_300_seconds(seconds: int) -> None:
    verify(KEY, replace(GOOD, now=AT + timedelta(seconds=seconds // abs(seconds) * 300)))
    with pytest.raises(Stale):
        verify(KEY, replace(GOOD, now=AT + timedelta(seconds=seconds)))


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"{}", b'{"event":"authorization.changed"}', b"not JSON", b'{"event":[],"event_id":1,"SQBH":2}']
)
def test_what_is_signed_but_unreadable_is_no_hint(body: bytes) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        verify(KEY, signed(body))


texts = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=60)


@given(at=st.one_of(texts, st.just("1700000000")), nonce=texts, signature=texts, body=st.one_of(st.binary(max_size=100), st.just(BODY)))
def test_whatever_is_sent_without_the_key_is_a_forgery(at: str, nonce: str, signature: str, body: bytes) -> None:
    with pytest.raises(Forged):
        verify(KEY, Delivery({"x-tax-timestamp": at, "x-tax-nonce": nonce, "x-tax-signature": signature}, body, AT))


def gateway() -> tuple[World, Drive]:
    """A gateway that knows where to push, and its first taxpayer."""
    world = World((maker(),), hooks={"cn_tax": "https://hub.example/webhooks/cn_tax"})
    return world, Drive(cn_tax.connector, build(world), world.personas[0])


def pushed(world: World, it: Drive) -> list[Hint]:
    """What waits to be carried, as the hub would read it."""
    letters = [world.pushes.get_nowait().sign() for _ in range(world.pushes.qsize())]
    lower = [{name.lower(): value for name, value in one.headers.items()} for one in letters]
    return [verify(it.config, Delivery(headers, one.body, datetime.now(UTC))) for headers, one in zip(lower, letters, strict=True)]


async def test_the_gateway_tells_once_that_a_collection_is_finished() -> None:
    world, it = gateway()
    await it.link()
    assert pushed(world, it) == []
    await to_package(it, "returns")
    (hint,) = pushed(world, it)
    assert it.context.grant is not None
    assert (hint.kind, hint.reference) == ("READY", WEBHOOK.reference(it.context.grant))
    await step(it, "returns", await to_package(it, "returns"))
    assert pushed(world, it)[1:] == [], "the second one is another collection's"


async def test_a_withdrawal_at_the_gateway_is_told_and_true() -> None:
    world, it = gateway()
    await it.link()
    it.platform.events["authorisation withdrawn"](world.personas[0])
    (hint,) = pushed(world, it)
    assert it.context.grant is not None
    assert (hint.kind, hint.reference) == ("CHANGED", WEBHOOK.reference(it.context.grant))
    with pytest.raises(Reauthorise):
        await to_package(it, "returns")


async def test_who_registered_no_address_is_told_nothing() -> None:
    it = drive(maker())
    await it.link()
    await to_package(it, "returns")
    assert not it.platform.app.world.pushes.qsize()  # type: ignore[attr-defined]


def test_it_is_declared_and_off_without_a_secret() -> None:
    assert cn_tax.connector.webhook is WEBHOOK
    assert WEBHOOK.is_on(KEY) and not WEBHOOK.is_on({"callback_secret": ""}) and not WEBHOOK.is_on({})
    assert json.loads(BODY)["SQBH"] == "SQ0009"
