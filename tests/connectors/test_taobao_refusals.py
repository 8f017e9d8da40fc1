"""What the simulated TOP refuses, and what it does when a seller, a code or a quota ends."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest

from connectors.sandbox.platform import World
from connectors.taobao import connector
from connectors.taobao.sandbox import APP_KEY, Top, build, platform
from connectors.taobao.sign import signature
from hub.connect import Misconfigured, Reauthorise, RefreshNeeded, Request, RetryAt, Window
from hub.domain.periods import china_text
from tests.connectors.shop_persona import persona
from tests.contract.drive import REDIRECT, Drive

STREAMS = {stream.name: stream for stream in connector.streams}
DAY = Window("orders", date(2025, 12, 3), date(2025, 12, 3))


async def linked(top: Top) -> Drive:
    drive = Drive(connector, platform(top, top.world), top.world.personas[0], data_from=date(2025, 7, 20))
    await drive.link()
    return drive


@pytest.fixture
def top() -> Top:
    return Top(World((persona(),)))


@pytest.fixture
async def drive(top: Top) -> Drive:
    return await linked(top)


async def page(drive: Drive, request: Request | None = None) -> Any:
    request = request or connector.sign(drive.context, STREAMS["orders"].request(drive.context, DAY, None))
    return STREAMS["orders"].read(drive.context, DAY, None, await drive.send(request))


async def test_a_wrong_secret_is_the_operators_to_fix(drive: Drive) -> None:
    drive.config["app_secret"] = "wrong"
    with pytest.raises(Misconfigured) as caught:
        await page(drive)
    assert caught.value.code == "25"
    with pytest.raises(Misconfigured):
        await drive.link()


@pytest.mark.parametrize("method", ["md5", "hmac", "hmac-sha256"])
async def test_each_sign_method_is_accepted_and_one_changed_byte_refused(drive: Drive, method: str) -> None:
    drive.config["sign_method"] = method
    signed = connector.sign(drive.context, STREAMS["orders"].request(drive.context, DAY, None))
    assert (await page(drive, signed)).next["total"] == 129
    with pytest.raises(Misconfigured):
        await page(drive, replace(signed, body=signed.body.replace(b"tid%2C", b"tie%2C")))


async def test_the_rate_is_limited_for_as_long_as_it_says(top: Top) -> None:
    slow = Top(top.world, per_second=0.5, burst=1)
    drive = await linked(slow)
    await page(drive)
    with pytest.raises(RetryAt) as caught:
        await page(drive)
    assert caught.value.seconds == 2.0


async def test_an_ended_subscription_needs_the_customer(top: Top, drive: Drive) -> None:
    top.end(drive.persona)
    with pytest.raises(RefreshNeeded):
        await page(drive)
    with pytest.raises(Reauthorise):
        await drive.talk(connector.authorisation.refresh(drive.context))
    assert await drive.talk(connector.authorisation.revoke(drive.context)) is None


async def test_a_refresh_does_not_extend(drive: Drive) -> None:
    first = drive.context.grant
    again = await drive.talk(connector.authorisation.refresh(drive.context))
    assert first and again.access_token != first.access_token and again.refresh_token == first.refresh_token
    assert again.refresh_expires_in <= (first.refresh_expires_in or 0)
    assert again.expires_in == 86_400


async def test_a_code_expires_and_is_for_one_address(top: Top, drive: Drive) -> None:
    for code in (top.issue_code(drive.persona, REDIRECT, life=-1), top.issue_code(drive.persona, "http://127.0.0.1/other")):
        dialogue = connector.authorisation.complete(drive.context, redirect_uri=REDIRECT, verifier="", callback={"code": code})
        with pytest.raises(Reauthorise):
            await drive.talk(dialogue)


async def test_an_unregistered_redirect_is_not_followed(drive: Drive) -> None:
    asked = {"response_type": "code", "client_id": APP_KEY, "redirect_uri": "https://elsewhere.example/"}
    assert (await drive.client.get("/authorize", params=asked)).status_code == 400


class Client:
    """Signs whatever it is told to send."""

    def __init__(self, top: Top) -> None:
        self.secret, self.session = top.secret, str(top.issue_session(top.world.personas[0])["access_token"])
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=platform(top, top.world).app), base_url="http://top.test")

    async def ask(self, changes: Mapping[str, str | None] | None = None, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        given: dict[str, str | None] = {
            "method": "taobao.trades.sold.get",
            "app_key": APP_KEY,
            "session": self.session,
            "timestamp": china_text(persona().known_at),
            "v": "2.0",
            "format": "json",
            "sign_method": "md5",
            "fields": "tid,status,orders.refund_status",
            "start_created": "2025-09-01 00:00:00",
            "end_created": "2025-09-01 23:59:59",
        }
        sent = {name: value for name, value in {**given, **(changes or {})}.items() if value is not None}
        sent.setdefault("sign", signature({**(query or {}), **sent}, self.secret, "md5"))
        answer = await self.http.post("/router/rest", params=query, data={name: value for name, value in sent.items() if value != "-"})
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"method": "-"}, 21),
        ({"app_key": "-"}, 28),
        ({"sign": "-"}, 24),
        ({"sign": "é"}, 25),
        ({"timestamp": "-"}, 30),
        ({"timestamp": "soon"}, 31),
        ({"v": "-"}, 32),
        ({"session": None}, 26),
        ({"session": "nobody's"}, 27),
        ({"fields": None}, 40),
        ({"start_created": None}, 40),
        ({"start_created": "2025-09-02"}, 41),
        ({"end_created": "2025-08-31 00:00:00"}, 41),
        ({"page_size": "101"}, 41),
        ({"page_no": "x"}, 41),
        ({"start_created": "2025-08-01 00:00:00", "end_created": "2025-08-02 00:00:00"}, 41),
    ],
)
async def test_each_fault_has_its_code(top: Top, change: dict[str, str | None], code: int) -> None:
    assert (await Client(top).ask(change))["error_response"]["code"] == code


async def test_the_clock_of_a_persona_is_a_good_clock(top: Top) -> None:
    assert "trades_sold_get_response" in await Client(top).ask()


async def test_a_parameter_sent_twice_is_refused(top: Top) -> None:
    assert (await Client(top).ask(query={"fields": "tid"}))["error_response"]["code"] == 41


async def test_parameters_may_stand_in_the_query_too(top: Top) -> None:
    assert "trades_sold_get_response" in await Client(top).ask(query={"page_size": "100"})


async def test_only_the_fields_asked_for_are_sent(top: Top) -> None:
    trades = (await Client(top).ask())["trades_sold_get_response"]["trades"]["trade"]
    assert {name for trade in trades for name in trade} == {"tid", "status", "orders"}
    assert trades[-1]["orders"]["order"][0]["refund_status"] == "SUCCESS"


async def test_a_window_partly_served_says_which_days(top: Top) -> None:
    answer = await Client(top).ask({"start_created": "2025-08-30 00:00:00", "page_size": "100"})
    assert answer["trades_sold_get_response"]["zx_days"] == [["2025-09-01", "2025-09-01"]]


async def test_the_outsider_has_what_he_needs(top: Top) -> None:
    outsider = platform(top, top.world).outsider
    assert outsider["period"] == {"from": "2025-12-01", "to": "2025-12-31"}
    assert outsider["code"] in top.codes and outsider["session"] in top.sessions
    assert top.sessions[outsider["session"]].expires > time.time()


def test_a_sandbox_of_nobody_can_be_built() -> None:
    assert "code" not in build(World(())).outsider
