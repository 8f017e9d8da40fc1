"""The vendor's own client, alipay-sdk-python, reads the simulated platform over a real loopback port and checks its signatures.

It was not written by this project, so what it accepts and refuses says whether the platform is right. It cannot be given a port (its URL builder fails)
and stamps requests with the local clock, hence the replaced connection and the time zone.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.alipay.sandbox import build
from connectors.alipay.sign import signature_of, signed_text
from connectors.sandbox.expand_ledger import ledger_accounts
from connectors.sandbox.platform import World
from connectors.sandbox.serve import Server, bind
from tests.connectors.money_persona import noodle_shop

API = "alipay.aop.api"
WORLD = World((noodle_shop(),))
SIMULATED = build(WORLD)
OUTSIDER = SIMULATED.outsider


class Tampered:
    """A man in the middle: passes answers through ``change``."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.change: Callable[[bytes], bytes] = lambda body: body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, keep)
        body = self.change(b"".join(message.get("body", b"") for message in messages))
        start = next(message for message in messages if message["type"] == "http.response.start")
        headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})


def _module(name: str) -> Any:
    """A module of the client, which warns while it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(f"{API}.{name}")


def _load(module: str, name: str) -> Any:
    return getattr(_module(module), name)


@pytest.fixture(autouse=True)
def _china_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
async def middle() -> Tampered:
    return Tampered(SIMULATED.app)


@pytest.fixture
async def gateway(middle: Tampered, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The gateway's address on loopback, which the client is taught to reach."""
    server = Server(middle, bind("127.0.0.1", 0))

    def connection(url: str, query: str, timeout: int) -> tuple[str, http.client.HTTPConnection]:
        parts = urlsplit(url)
        return f"{parts.path}?{query}", http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)

    monkeypatch.setattr(_module("util.WebUtils"), "get_http_connection", connection)
    await server.start()
    yield server.origin + OUTSIDER["gateway_path"]
    await server.stop()


def _bare(pem: str) -> str:
    return "".join(line for line in pem.splitlines() if "-----" not in line)


def _client(gateway: str, key: str = OUTSIDER["app_private_key_pkcs1"]) -> Any:
    config = _load("AlipayClientConfig", "AlipayClientConfig")()
    config.server_url, config.app_id = gateway, OUTSIDER["app_id"]
    config.app_private_key, config.alipay_public_key = _bare(key), _bare(OUTSIDER["alipay_public_key"])
    return _load("DefaultAlipayClient", "DefaultAlipayClient")(config)


def _log_request(account: str, token: str = OUTSIDER["app_auth_token"], end: str = OUTSIDER["period"]["to"]) -> Any:
    model = _load("domain.AlipayDataBillAccountlogQueryModel", "AlipayDataBillAccountlogQueryModel")()
    model.bill_user_id, model.start_time, model.end_time = account, OUTSIDER["period"]["from"], end
    model.page_no, model.page_size = "1", "1000"
    request = _load("request.AlipayDataBillAccountlogQueryRequest", "AlipayDataBillAccountlogQueryRequest")(biz_model=model)
    request.add_other_text_param("app_auth_token", token)
    return request


async def _log(client: Any, request: Any) -> Any:
    """The client blocks, so it runs in a thread."""
    response = _load("response.AlipayDataBillAccountlogQueryResponse", "AlipayDataBillAccountlogQueryResponse")()
    response.parse_response_content(await asyncio.to_thread(client.execute, request))
    return response


async def test_the_vendors_client_reads_the_account_log(gateway: str) -> None:
    for account, ledger in zip(OUTSIDER["bill_user_ids"], ledger_accounts(WORLD.personas[0]), strict=True):
        answer = await _log(_client(gateway), _log_request(account))
        assert answer.is_success()
        expected = [movement for movement in ledger.movements if f"{movement.at:%Y-%m}" == OUTSIDER["period"]["from"][:7]]
        assert int(answer.total_size) == len(answer.detail_list) == len(expected) > 0
        got = [(row.trans_dt, row.direction, Decimal(row.trans_amount), Decimal(row.balance)) for row in answer.detail_list]
        words = {"IN": "收入", "OUT": "支出"}
        assert got == [(f"{m.at:%Y-%m-%d %H:%M:%S}", words[m.direction], m.amount, m.balance) for m in expected]


async def test_it_exchanges_a_code_once_and_uses_its_token(gateway: str) -> None:
    model = _load("domain.AlipayOpenAuthTokenAppModel", "AlipayOpenAuthTokenAppModel")()
    model.grant_type, model.code = "authorization_code", OUTSIDER["app_auth_code"]
    request = _load("request.AlipayOpenAuthTokenAppRequest", "AlipayOpenAuthTokenAppRequest")(biz_model=model)
    client, kind = _client(gateway), _load("response.AlipayOpenAuthTokenAppResponse", "AlipayOpenAuthTokenAppResponse")
    first, second = kind(), kind()
    first.parse_response_content(await asyncio.to_thread(client.execute, request))
    second.parse_response_content(await asyncio.to_thread(client.execute, request))
    assert (first.is_success(), first.user_id, first.expires_in) == (True, OUTSIDER["bill_user_ids"][0], "31536000")
    assert first.tokens[0].app_auth_token == first.app_auth_token
    assert (second.is_success(), second.sub_code) == (False, "isv.code-invalid")
    assert (await _log(client, _log_request("", first.app_auth_token))).total_size == "7"


async def test_it_is_told_when_a_window_is_too_long(gateway: str) -> None:
    answer = await _log(_client(gateway), _log_request("", end="2026-01-02 00:00:00"))
    assert (answer.is_success(), answer.code, answer.sub_code) == (False, "40002", "isv.invalid-parameter")


async def test_it_refuses_a_tampered_answer(gateway: str, middle: Tampered) -> None:
    middle.change = lambda body: body.replace(b"150.00", b"950.00", 1)
    with pytest.raises(_load("exception.Exception", "ResponseException"), match="sign verify failed"):
        await _log(_client(gateway), _log_request(""))


async def test_it_refuses_an_answer_written_again(gateway: str, middle: Tampered) -> None:
    middle.change = lambda body: json.dumps(json.loads(body), ensure_ascii=False).encode()
    with pytest.raises(_load("exception.Exception", "ResponseException"), match="sign verify failed"):
        await _log(_client(gateway), _log_request(""))


async def test_a_wrong_key_is_refused_by_the_platform(gateway: str) -> None:
    stranger = build(World(())).outsider["app_private_key_pkcs1"]
    answer = await _log(_client(gateway, stranger), _log_request(""))
    assert (answer.is_success(), answer.code, answer.sub_code) == (False, "40002", "isv.invalid-signature")


async def test_both_sign_the_same_text_alike() -> None:
    params = {"method": "m", "app_id": "1", "sign_type": "RSA2", "biz_content": '{"备注":"a&b=c"}', "timestamp": "2026-01-20 10:00:00"}
    theirs = _load("util.SignatureUtils", "get_sign_content")(params)
    signature = _load("util.SignatureUtils", "sign_with_rsa2")(_bare(OUTSIDER["app_private_key_pkcs1"]), theirs, "utf-8")
    assert signed_text({**params, "sign": "x", "empty": ""}) == theirs.encode()
    assert signature_of(theirs.encode(), OUTSIDER["app_private_key_pkcs8"]) == signature
