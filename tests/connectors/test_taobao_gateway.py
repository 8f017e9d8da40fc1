"""The gateway itself, as a client that is not ours would find it: signatures, checks, envelopes."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox.platform import World
from connectors.taobao.sandbox import APP_KEY, Top, platform
from connectors.taobao.sign import METHODS, signature, verify
from hub.domain.periods import china_text
from tests.connectors.shop_persona import persona


class Outsider:
    """A TOP client of twenty lines, with its own signature."""

    def __init__(self) -> None:
        world = World((persona(),))
        self.top = Top(world)
        self.platform = platform(self.top, world)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.platform.app), base_url="http://top.test")

    async def call(
        self, method: str, *, fmt: str | None = "json", tamper: dict[str, str] | None = None, at: datetime | None = None, **business: str
    ) -> httpx.Response:
        given = {
            "method": method,
            "app_key": APP_KEY,
            "session": str(self.platform.outsider["session"]),
            "timestamp": china_text(at or datetime.now(UTC)),
        }
        given |= {"v": "2.0", "sign_method": "md5", **business, **({"format": fmt} if fmt else {})}
        secret = str(self.platform.outsider["app_secret"])
        text = secret + "".join(name + given[name] for name in sorted(given)) + secret
        given["sign"] = hashlib.md5(text.encode()).hexdigest().upper()
        return await self.client.post("/router/rest", data=given | (tamper or {}))


def _code(answer: httpx.Response) -> int:
    return int(answer.json()["error_response"]["code"])


SPAN = {"fields": "tid", "start_created": "2025-12-01 00:00:00", "end_created": "2025-12-01 23:59:59"}


async def test_an_outsider_gets_its_data() -> None:
    answer = await Outsider().call("taobao.trades.sold.get", **SPAN, page_size="100", use_has_next="true")
    found: dict[str, Any] = answer.json()["trades_sold_get_response"]
    assert found["has_next"] is True
    assert "total_results" not in found
    assert len(found["trades"]["trade"]) == 100


async def test_without_a_format_the_answer_is_xml() -> None:
    answer = await Outsider().call("taobao.shop.seller.get", fmt=None, fields="sid,title")
    assert answer.headers["content-type"].startswith("text/xml")
    assert "<title>一川渔具</title>" in answer.text


async def test_an_empty_result_has_an_empty_wrapper() -> None:
    answer = await Outsider().call(
        "taobao.trades.sold.get", fields="tid", start_created="2025-10-05 00:00:00", end_created="2025-10-05 23:59:59"
    )
    assert answer.json()["trades_sold_get_response"]["trades"] == {}


@pytest.mark.parametrize(
    ("change", "code"),
    [({"page_size": "99"}, 25), ({"sign": "0" * 32}, 25), ({"app_key": "1"}, 29), ({"sign_method": "sha1"}, 25)],
)
async def test_one_changed_parameter_is_refused(change: dict[str, str], code: int) -> None:
    answer = await Outsider().call("taobao.trades.sold.get", tamper=change, **SPAN)
    assert answer.status_code == 200
    assert _code(answer) == code


async def test_checks_in_their_order() -> None:
    outsider = Outsider()
    assert _code(await outsider.call("taobao.trades.sold.get", at=datetime.now(UTC) - timedelta(minutes=11), **SPAN)) == 31
    assert _code(await outsider.call("taobao.no.such", **SPAN)) == 22
    assert (
        _code(await outsider.call("taobao.trades.sold.get", start_created="2025-12-01 00:00:00", end_created="2025-12-01 23:59:59")) == 40
    )
    wide = {"fields": "tid", "start_modified": "2025-12-01 00:00:00", "end_modified": "2025-12-02 00:00:01"}
    assert _code(await outsider.call("taobao.trades.sold.increment.get", **wide)) == 41
    outsider.top.sessions.clear()
    assert _code(await outsider.call("taobao.trades.sold.get", **SPAN)) == 27


async def test_the_increment_serves_what_changed_in_a_day() -> None:
    answer = await Outsider().call(
        "taobao.trades.sold.increment.get", fields="tid", start_modified="2025-12-10 00:00:00", end_modified="2025-12-10 23:59:59"
    )
    assert answer.json()["trades_sold_increment_get_response"]["total_results"] > 0


async def test_a_wrong_secret_gets_no_token() -> None:
    outsider = Outsider()
    form = {
        "grant_type": "authorization_code",
        "code": str(outsider.platform.outsider["code"]),
        "client_id": APP_KEY,
        "client_secret": "wrong",
    }
    answer = await outsider.client.post("/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
    form |= {"client_secret": outsider.top.secret, "redirect_uri": str(outsider.platform.outsider["redirect_uri"])}
    assert (await outsider.client.post("/token", data=form)).json()["token_type"] == "Bearer"


@pytest.mark.parametrize("method", METHODS)
def test_one_changed_byte_is_noticed(method: str) -> None:
    given = {"method": "taobao.shop.seller.get", "sign_method": method, "fields": "sid", "empty": ""}
    signed = given | {"sign": signature(given, "secret", method)}
    assert verify(signed, "secret")
    assert not verify(signed | {"fields": "sie"}, "secret")
    assert not verify(signed, "secreu")


def test_the_hmac_text_is_names_and_values_and_nothing_else() -> None:
    """RFC 4231, test case 2, through the canonicaliser: key "Jefe", data "what do ya want for nothing?"."""
    given = {"what do ya want ": "for nothing?"}
    assert signature(given, "Jefe", "hmac-sha256") == "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843"
    assert (
        signature(given, "Jefe", "hmac")
        == hmac.new(b"Jefe", b"what do ya want for nothing?", "md5").hexdigest().upper()
        == "750C783E6AB0B503EAA86E310A5DB738"
    )


def test_the_published_vectors(shared: Path) -> None:
    vectors = [
        row
        for row in json.loads((shared / "oracles" / "signature-vectors" / "vectors.json").read_text("utf-8"))
        if row["platform"] == "taobao-top"
    ]
    assert len(vectors) >= 2
    for row in vectors:
        assert signature(row["params"], row["secret"], row["params"]["sign_method"]) == row["expected"]
