"""alipay's asynchronous notification: what the simulated platform sends is verified, read as a hint, and refused when anything of it is another."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import alipay
from connectors.alipay.notify import WEBHOOK, verify
from connectors.alipay.sandbox import APP_ID, LATE_AMOUNT, Alipay, platform
from connectors.alipay.sandbox_notify import letter
from connectors.sandbox.platform import World
from connectors.sandbox.push import Letter
from hub.connect import Delivery, Forged, Interval, Misconfigured, Stale
from tests.connectors.alipay_case import LOG, linked
from tests.connectors.money_persona import noodle_shop

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def simulated() -> Alipay:
    return Alipay(World((noodle_shop(),), hooks={"alipay": "https://hub.example/webhooks/alipay"}))


@pytest.fixture
def config(simulated: Alipay) -> dict[str, str]:
    return dict(platform(simulated, simulated.world).config)


def fields(**change: str) -> dict[str, str]:
    told = {"notify_id": "n-1", "app_id": APP_ID, "seller_id": "2088000000000001", "notify_time": "2026-01-20 10:00:00"}
    return {name: value for name, value in {**told, **change}.items() if value != "-"}


def delivered(sent: Letter, now: datetime = datetime(2026, 1, 20, 2, 0, tzinfo=UTC)) -> Delivery:
    return Delivery({}, sent.body, now)


def signed(simulated: Alipay, **change: str) -> Delivery:
    return delivered(letter(fields(**change), simulated.platform_key.pkcs8))


def test_what_the_platform_sends_is_a_hint(simulated: Alipay, config: dict[str, str]) -> None:
    persona = simulated.world.personas[0]
    books = simulated.books_of(persona)
    push = simulated.notification(persona)
    hint = verify(config, delivered(push.sign(), datetime.now(UTC)))
    day = books.accounts[books.user_id].movements[-1].at.astimezone().date()
    assert (hint.reference, hint.kind, hint.streams) == (books.user_id, "CHANGED", (LOG.name,))
    assert hint.days is not None and abs((hint.days.first - day).days) <= 1
    again = verify(config, delivered(push.sign(), datetime.now(UTC)))
    assert again.event_id == hint.event_id, "an attempt more is the same event"
    assert verify(config, delivered(simulated.notification(persona).sign(), datetime.now(UTC))).event_id != hint.event_id


@pytest.mark.parametrize(
    ("told", "day"),
    [
        ({"gmt_create": "2025-12-31 23:59:59"}, date(2025, 12, 31)),
        ({"gmt_create": "2025-12-30 09:00:00", "gmt_payment": "2026-01-01 00:00:00"}, date(2026, 1, 1)),
        ({"gmt_payment": "2025-11-02 09:00:00", "gmt_refund": "2025-12-03 09:00:00.123"[:19]}, date(2025, 12, 3)),
        ({}, None),
    ],
)
def test_the_day_is_chinas_and_of_what_happened_last(
    simulated: Alipay, config: dict[str, str], told: dict[str, str], day: date | None
) -> None:
    assert verify(config, signed(simulated, **told)).days == (Interval(day, day) if day else None)


def test_each_changed_byte_is_refused(simulated: Alipay, config: dict[str, str]) -> None:
    sent = signed(simulated, gmt_payment="2026-01-18 10:00:00")
    assert verify(config, sent).event_id == "n-1"
    for at in range(len(sent.body)):
        body = sent.body[:at] + bytes([sent.body[at] ^ 1]) + sent.body[at + 1 :]
        # Where a form spells the same field in two ways (a hex digit's case) the fields are still the signed ones.
        if dict(parse_qsl(body.decode("latin-1"))) != dict(parse_qsl(sent.body.decode("latin-1"))):
            with pytest.raises(Forged):
                verify(config, replace(sent, body=body))


@pytest.mark.parametrize(("seconds", "error"), [(300, None), (-300, None), (301, Stale), (-301, Stale)])
def test_its_time_is_good_for_five_minutes(simulated: Alipay, config: dict[str, str], seconds: int, error: type[Exception] | None) -> None:
    sent = signed(simulated)
    sent = replace(sent, now=sent.now + timedelta(seconds=seconds))
    if error is None:
        assert verify(config, sent).event_id == "n-1"
    else:
        with pytest.raises(error):
            verify(config, sent)


def test_another_application_and_another_key_are_refused(simulated: Alipay, config: dict[str, str]) -> None:
    with pytest.raises(Forged, match="another application"):
        verify(config, signed(simulated, app_id="2021009900000002"))
    with pytest.raises(Forged):
        verify(config, delivered(letter(fields(), simulated.app_key.pkcs8)))
    with pytest.raises(Misconfigured):
        verify({**config, "alipay_public_key": "no key"}, signed(simulated))


@pytest.mark.parametrize("missing", ["notify_id", "notify_time"])
def test_what_is_signed_but_unreadable_is_no_hint(simulated: Alipay, config: dict[str, str], missing: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        verify(config, signed(simulated, **{missing: "-"}))


async def test_the_late_payment_is_served_and_told(simulated: Alipay) -> None:
    """The platform's own part of the end-to-end test: the log of that day has one row more, and one push waits."""
    persona = simulated.world.personas[0]
    drive = await linked(platform(simulated, simulated.world), persona)
    books = simulated.books_of(persona)
    before = len(books.accounts[books.user_id].movements)
    simulated.settle_late(persona)
    movements = books.accounts[books.user_id].movements
    assert len(movements) == before + 1 and [one.amount for one in movements].count(LATE_AMOUNT) == 1
    assert [one.at for one in movements] == sorted(one.at for one in movements)
    push = simulated.world.pushes.get_nowait()
    hint = verify(dict(drive.config), delivered(push.sign(), datetime.now(UTC)))
    assert drive.context.grant is not None and hint.reference == WEBHOOK.reference(drive.context.grant)
    assert push.is_received(WEBHOOK.receipt.status, WEBHOOK.receipt.body)
    assert not push.is_received(200, b"") and not push.is_received(204, b"success")


forms = st.one_of(
    st.binary(max_size=200),
    st.dictionaries(st.sampled_from(["sign", "sign_type", "app_id", "notify_time", "x"]), st.text(max_size=30)).map(
        lambda one: urlencode(one, errors="replace").encode()
    ),
    st.text("sign_type=RSA2&%+;AF0", max_size=120).map(lambda text: f"sign_type=RSA2&sign={text}".encode()),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=forms)
def test_whatever_is_sent_without_the_key_is_a_forgery(config: dict[str, str], body: bytes) -> None:
    """And nothing else: no other exception, however odd the form."""
    with pytest.raises(Forged):
        verify(config, Delivery({}, body, NOW))


def test_it_is_declared(config: dict[str, str]) -> None:
    assert alipay.connector.webhook is WEBHOOK and WEBHOOK.is_on(config)
    answers: list[Any] = [WEBHOOK.receipt.status, WEBHOOK.receipt.body, WEBHOOK.lag_days]
    assert answers == [200, b"success", 1]
