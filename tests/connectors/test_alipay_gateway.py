"""alipay's gateway: authorisation, what it refuses, and the signatures that both sides check."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors import alipay
from connectors.alipay import reading, requests
from connectors.alipay.sandbox import Alipay, platform
from connectors.sandbox.platform import World
from hub.connect import (
    ContractBroken,
    Misconfigured,
    NoData,
    NotPermitted,
    Reauthorise,
    RefreshNeeded,
    Response,
    RetryAt,
)
from tests.connectors.alipay_case import ACCOUNTS, LOG, START, ask, linked, log_question
from tests.connectors.money_persona import noodle_shop
from tests.contract.drive import Drive


@pytest.fixture(scope="module")
def world() -> World:
    return World((noodle_shop(),))


@pytest.fixture(scope="module")
def simulated(world: World) -> Alipay:
    return Alipay(world)


@pytest.fixture
async def drive(simulated: Alipay, world: World) -> Drive:
    return await linked(platform(simulated, world), world.personas[0])


async def test_a_refusal_is_the_customers_answer(simulated: Alipay, world: World) -> None:
    drive = Drive(alipay.connector, platform(simulated, world), world.personas[0])
    with pytest.raises(Reauthorise, match="refused"):
        await drive.link(decision="refuse")


async def test_a_code_works_once(drive: Drive, simulated: Alipay) -> None:
    complete = alipay.connector.authorisation.complete
    callback = {"app_auth_code": simulated.desk.agree(drive.persona)}
    grant = await drive.talk(complete(drive.context, redirect_uri="", verifier="", callback=callback))
    assert (grant.expires_in, grant.refresh_expires_in) == (31_536_000, 32_140_800)
    with pytest.raises(Reauthorise):
        await drive.talk(complete(drive.context, redirect_uri="", verifier="", callback=callback))


async def test_a_code_ends_after_a_day(drive: Drive, world: World) -> None:
    own = Alipay(world)
    drive = await linked(platform(own, world), drive.persona)
    code = own.desk.agree(drive.persona)
    own.desk.now = lambda: datetime.now(UTC).timestamp() + 86_401
    with pytest.raises(Reauthorise):
        await drive.talk(
            alipay.connector.authorisation.complete(drive.context, redirect_uri="", verifier="", callback={"app_auth_code": code})
        )


async def test_a_callback_for_another_application_is_refused(drive: Drive) -> None:
    for callback in ({"app_id": "2021999", "app_auth_code": "x"}, {}):
        with pytest.raises(ContractBroken):
            await drive.talk(alipay.connector.authorisation.complete(drive.context, redirect_uri="", verifier="", callback=callback))


async def test_the_old_refresh_token_stays_usable(drive: Drive) -> None:
    first = drive.context.grant
    for _ in range(2):
        grant = await drive.talk(alipay.connector.authorisation.refresh(drive.context))
        assert first and grant.access_token != first.access_token and grant.extra == first.extra
    drive.context = replace(drive.context, grant=grant)
    assert (await drive.pull(ACCOUNTS)).fetched == 2


async def test_an_unregistered_redirect_is_not_followed(drive: Drive) -> None:
    answer = await drive.client.get(
        requests.AUTHORISE, params={"app_id": drive.config["app_id"], "redirect_uri": "https://elsewhere.example/"}
    )
    assert answer.status_code == 400


async def test_an_ended_authorisation_needs_the_customer(world: World) -> None:
    own = Alipay(world)
    drive = await linked(platform(own, world), world.personas[0])
    assert drive.context.grant
    own.desk.end(drive.context.grant.access_token)
    with pytest.raises(RefreshNeeded):
        await drive.pull(ACCOUNTS)
    with pytest.raises(Reauthorise):
        await drive.talk(alipay.connector.authorisation.refresh(drive.context))
    assert await drive.talk(alipay.connector.authorisation.revoke(drive.context)) is None


async def test_a_platform_without_the_extension_has_one_account(drive: Drive) -> None:
    drive.context.config["accounts_method"] = ""  # type: ignore[index]
    assert drive.context.grant
    drive.context = replace(drive.context, grant=replace(drive.context.grant, extra={}))
    assert ACCOUNTS.windows(drive.context, START, drive.context.today) == []
    assert (await drive.pull(LOG)).fetched == 17
    grant = await drive.talk(alipay.connector.authorisation.refresh(drive.context))
    assert json.loads(grant.extra["accounts"]) == [{"number": grant.account, "holder": ""}]


async def test_an_unknown_extension_is_no_obstacle_to_linking(drive: Drive) -> None:
    drive.context.config["accounts_method"] = "nobody.knows.it"  # type: ignore[index]
    grant = await drive.link()
    assert json.loads(grant.extra["accounts"]) == [{"number": grant.account, "holder": ""}]
    with pytest.raises(NotPermitted):
        await drive.pull(ACCOUNTS)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ({"start_time": "2025-11-30 00:00:00"}, ContractBroken),
        ({"end_time": "2025-12-01 00:00:00"}, ContractBroken),
        ({"page_size": "999"}, ContractBroken),
        ({"page_size": "2001"}, ContractBroken),
        ({"page_no": "0"}, ContractBroken),
        ({"start_time": "-"}, ContractBroken),
        ({"trans_code": "1"}, ContractBroken),
        ({"bill_user_id": "2088000000000000"}, NotPermitted),
        ({"start_time": "2025-11-01 00:00:00", "end_time": "2025-12-01 00:00:00"}, NoData),
        ({"start_time": "2026-01-11 00:00:00", "end_time": "2026-01-12 00:00:00"}, NoData),
    ],
)
async def test_a_wrong_question_is_refused(drive: Drive, content: dict[str, str], fault: type[Exception]) -> None:
    with pytest.raises(fault):
        reading.answer(drive.context, requests.ACCOUNT_LOG, await ask(drive, log_question(**content)))


@pytest.mark.parametrize(
    ("start", "end", "found"), [("04 10:00:00", "05 10:00:00", 1), ("04 10:00:01", "05 10:00:01", 1), ("05 00:00:00", "06 00:00:00", 2)]
)
async def test_a_window_is_half_open(drive: Drive, start: str, end: str, found: int) -> None:
    answer = await ask(drive, log_question(start_time=f"2025-12-{start}", end_time=f"2025-12-{end}"))
    content = reading.answer(drive.context, requests.ACCOUNT_LOG, answer)
    assert (len(content["detail_list"]), content["total_size"]) == (found, str(found))


async def test_a_window_of_31_days_passes(drive: Drive) -> None:
    """The control to the refused one of 32 days above."""
    content = reading.answer(drive.context, requests.ACCOUNT_LOG, await ask(drive, log_question()))
    assert (content["page_no"], content["page_size"], content["total_size"]) == ("1", "2000", "7")


async def test_the_platform_refuses_a_wrong_key(drive: Drive, simulated: Alipay) -> None:
    drive.context.config["app_private_key"] = simulated.platform_key.pkcs8  # type: ignore[index]
    with pytest.raises(Misconfigured) as refusal:
        await drive.pull(ACCOUNTS)
    assert refusal.value.code == "isv.invalid-signature"


async def test_the_platform_refuses_a_request_changed_by_one_byte(drive: Drive) -> None:
    signed = alipay.connector.sign(drive.context, log_question())
    changed = replace(signed, body=signed.body.replace(b"2025-12-01", b"2025-12-02"))
    assert signed.body != changed.body
    with pytest.raises(Misconfigured):
        reading.answer(drive.context, requests.ACCOUNT_LOG, await drive.send(changed))
    assert reading.answer(drive.context, requests.ACCOUNT_LOG, await drive.send(signed))


@pytest.mark.parametrize(
    ("name", "value", "sub_code"),
    [
        ("app_id", "2021", "isv.invalid-app-id"),
        ("sign_type", "RSA", "isv.invalid-signature-type"),
        ("timestamp", "2020-01-01 00:00:00", "isv.invalid-signature"),
        ("charset", "gbk", "isv.invalid-charset"),
        ("sign", "", "isv.missing-signature"),
    ],
)
async def test_common_parameters_are_checked(drive: Drive, name: str, value: str, sub_code: str) -> None:
    signed = alipay.connector.sign(drive.context, log_question())
    changed = replace(signed, query=tuple((key, value if key == name else text) for key, text in signed.query))
    with pytest.raises(Misconfigured) as refusal:
        reading.answer(drive.context, requests.ACCOUNT_LOG, await drive.send(changed))
    assert refusal.value.code == sub_code


async def test_an_old_timestamp_is_refused(drive: Drive) -> None:
    drive.context = replace(drive.context, now=datetime.now(UTC) - timedelta(minutes=20))
    with pytest.raises(Misconfigured) as refusal:
        reading.answer(drive.context, requests.ACCOUNT_LOG, await ask(drive, log_question()))
    assert refusal.value.code == "isv.invalid-timestamp"


async def test_the_rate_is_limited(world: World) -> None:
    drive = await linked(platform(Alipay(world, per_second=1, burst=3), world), world.personas[0])
    reading.answer(drive.context, requests.ACCOUNT_LOG, await ask(drive, log_question()))
    with pytest.raises(RetryAt):
        reading.answer(drive.context, requests.ACCOUNT_LOG, await ask(drive, log_question()))


async def answered(drive: Drive) -> bytes:
    answer = await ask(drive, log_question())
    assert reading.answer(drive.context, requests.ACCOUNT_LOG, answer)["code"] == "10000"
    return answer.body


async def test_a_changed_answer_is_never_read(drive: Drive) -> None:
    body = await answered(drive)
    at = body.index(b"150.00")
    changed = body[:at] + b"9" + body[at + 1 :]
    again = json.dumps(json.loads(body), ensure_ascii=False).encode()
    unsigned = body[: body.rindex(b',"sign"')] + b"}"
    other = body.replace(b"alipay_data_bill_accountlog_query_response", b"alipay_open_auth_token_app_response")
    for wrong in (changed, again, unsigned, other, body + b"x"):
        assert wrong != body
        with pytest.raises(ContractBroken):
            reading.answer(drive.context, requests.ACCOUNT_LOG, Response(200, {}, wrong))


async def test_an_answer_signed_by_somebody_else_is_not_read(drive: Drive, simulated: Alipay) -> None:
    body = await answered(drive)
    drive.context.config["alipay_public_key"] = simulated.app_key.public  # type: ignore[index]
    with pytest.raises(ContractBroken):
        reading.answer(drive.context, requests.ACCOUNT_LOG, Response(200, {}, body))


async def test_keys_without_header_lines_are_read(drive: Drive, simulated: Alipay) -> None:
    for text in (simulated.app_key.pkcs8, simulated.app_key.pkcs1):
        bare = "".join(line for line in text.splitlines() if "-----" not in line)
        drive.context.config["app_private_key"] = bare  # type: ignore[index]
        assert (await drive.pull(ACCOUNTS)).fetched == 2
    drive.context.config["app_private_key"] = "bm8ga2V5"  # type: ignore[index]
    with pytest.raises(Misconfigured, match="app_private_key"):
        await drive.pull(ACCOUNTS)


@pytest.mark.parametrize(("status", "body"), [(503, b"<html>503</html>"), (200, b"<html>login</html>"), (429, b"{}"), (502, b"")])
async def test_a_proxy_is_no_platform(drive: Drive, status: int, body: bytes) -> None:
    with pytest.raises(RetryAt):
        reading.answer(drive.context, requests.ACCOUNT_LOG, Response(status, {}, body))


async def test_the_platform_may_be_down(drive: Drive, world: World) -> None:
    world.switches["alipay"] = {"down"}
    try:
        with pytest.raises(RetryAt):
            reading.answer(drive.context, requests.ACCOUNT_LOG, await ask(drive, log_question()))
    finally:
        world.switches.clear()


@pytest.mark.parametrize(
    ("code", "sub_code", "fault"),
    [
        ("20000", "aop.unknow-error", RetryAt),
        ("40005", "isv.app-call-limited", RetryAt),
        ("20001", "aop.auth-token-time-out", RefreshNeeded),
        ("20001", "aop.invalid-app-auth-token-no-api", NotPermitted),
        ("40006", "isv.insufficient-isv-permissions", NotPermitted),
        ("40002", "isv.code-invalid", Reauthorise),
        ("40002", "isv.refresh-token-invalid", Reauthorise),
        ("40001", "isv.missing-app-id", Misconfigured),
        ("40002", "isv.invalid-parameter", ContractBroken),
        ("40004", "isp.bill_not_exist", NoData),
        ("40004", "SYSTEM_ODDITY", ContractBroken),
        ("", "", ContractBroken),
    ],
)
def test_every_documented_error_has_a_remedy(code: str, sub_code: str, fault: type[Exception]) -> None:
    assert type(reading.fault(code, sub_code)) is fault
