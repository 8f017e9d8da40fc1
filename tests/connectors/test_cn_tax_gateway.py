"""The simulated tax gateway as a client sees it that this project did not write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from connectors.cn_tax import connector, requests
from hub.connect import (
    Grant,
    Misconfigured,
    Pending,
)
from tests.connectors.cn_tax_world import (
    SHOP,
    WINDOW,
    ask,
    drive,
    maker,
    shop,
    step,
    stream,
)
from tests.contract.drive import REDIRECT


async def _call(client: httpx.AsyncClient, token: str, body: Mapping[str, Any], key: str = "k-1") -> tuple[int, str]:
    answer = await client.post("/collections", json=body, headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key})
    return answer.status_code, answer.json()["code"]


async def test_an_outside_client_gets_its_data() -> None:
    it = drive(shop())
    out = it.platform.outsider
    login = await it.client.post(
        out["token_path"], data={"grant_type": "client_credentials"}, auth=(out["client_id"], out["client_secret"])
    )
    assert login.headers["cache-control"] == "no-store"
    headers = {"Authorization": f"Bearer {login.json()['access_token']}", "Idempotency-Key": "7f8d"}
    order = {"SQBH": out["SQBH"], "SJX": ["SBXX"], "SJQQ": out["period"]["from"], "SJQZ": out["period"]["to"]}
    accepted = await it.client.post("/collections", json=order, headers=headers)
    assert (accepted.status_code, accepted.json()["data"]["CJZT_DM"]) == (202, "10")
    place = accepted.headers["location"]
    states = [(await it.client.get(place, headers=headers)).json()["data"] for _ in range(2)]
    assert [one["CJZT_DM"] for one in states] == ["20", "30"]
    assert (states[1]["XM"][0]["JGDM"], states[1]["XM"][0]["ZJLS"]) == ("0", 13)
    page = (await it.client.get(f"{place}/items/SBXX?page=1&page_size=100", headers=headers)).json()["data"]
    assert (page["total"], page["pages"], page["JEDW"], len(page["rows"])) == (13, 1, "1", 13)
    assert all(row["NSRSBH"] == SHOP for row in page["rows"])
    beyond = (await it.client.get(f"{place}/items/SBXX?page=9&page_size=100", headers=headers)).json()["data"]
    assert (beyond["rows"], beyond["total"]) == ([], 13)
    assert out["redirect_uri"].startswith("http://127.0.0.1")


async def test_the_gateway_checks_in_the_documented_order() -> None:
    it = drive(maker())
    out = it.platform.outsider
    login = await it.client.post(
        out["token_path"], data={"grant_type": "client_credentials"}, auth=(out["client_id"], out["client_secret"])
    )
    token = login.json()["access_token"]
    good = {"SQBH": out["SQBH"], "SJX": ["SBXX"], "SJQQ": "2025-01-01", "SJQZ": "2025-12-31"}
    assert await _call(it.client, "stale", good) == (401, "T0401")
    assert await _call(it.client, token, good, key="") == (400, "T0100")
    assert await _call(it.client, token, good | {"SJX": []}) == (400, "T0100")
    assert await _call(it.client, token, good | {"SQBH": "SQ9999"}) == (404, "T0201")
    assert await _call(it.client, token, good | {"SJQQ": "2022-01-01"}) == (400, "T0101")
    assert await _call(it.client, token, good) == (202, "00000")
    assert await _call(it.client, token, good) == (202, "00000")
    assert await _call(it.client, token, good | {"SJX": ["JKXX"]}) == (409, "T0302")
    assert await _call(it.client, token, good, key="k-2") == (409, "T0301")
    narrow = await it.client.post(
        out["token_path"],
        data={"grant_type": "client_credentials", "scope": "tax.authorize"},
        auth=(out["client_id"], out["client_secret"]),
    )
    assert await _call(it.client, narrow.json()["access_token"], good) == (403, "T0405")


async def test_not_authorised_yet() -> None:
    it = drive(maker())
    begin = connector.authorisation.begin(it.context, redirect_uri=REDIRECT, state="s", verifier="v" * 64, text_hash="ab" * 32)
    await it.talk(begin)
    token = await it.talk(connector.authorisation.refresh(replace(it.context, grant=Grant("", extra={"SQBH": "SQ0002"}))))
    it.context = replace(it.context, grant=token)
    with pytest.raises(Pending) as caught:
        await step(it, "returns")
    assert caught.value.code == "T0402"


@pytest.mark.parametrize("field", ["SYMD_DM", "SQWBZY", "redirect_uri", "state", "SQYXQZ", "NSRSBH", "SJX", "SJQQ"])
async def test_an_authorisation_with_a_wrong_parameter_names_it(field: str) -> None:
    it = drive(maker())
    token = await it.talk(connector.authorisation.refresh(replace(it.context, grant=Grant(""))))
    it.context = replace(it.context, grant=token)
    asked = requests.authorisation(it.context, redirect_uri=REDIRECT, state="s", text_hash="ab" * 32)
    body = json.loads(asked.body) | {field: [] if field == "SJX" else "2099-01-01" if field == "SQYXQZ" else ""}
    answer = await ask(it, replace(asked, body=json.dumps(body).encode()))
    assert (answer.status, json.loads(answer.body)["data"]) == (400, {"field": field})
    with pytest.raises(Misconfigured, match=field):
        stream("returns").read(it.context, WINDOW, None, answer)
