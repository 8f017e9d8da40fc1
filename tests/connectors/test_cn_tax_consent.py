"""How a taxpayer lets the hub in at the tax gateway, refuses, narrows and revokes."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.cn_tax import connector
from hub.connect import (
    ContractBroken,
    Grant,
    Misconfigured,
    NotPermitted,
    Pending,
    Reauthorise,
    RefreshNeeded,
    Response,
)
from hub.domain.enums import SourceKind
from tests.connectors.cn_tax_world import (
    drive,
    maker,
    shop,
    step,
    stream,
)
from tests.contract.drive import REDIRECT


async def test_a_grant_carries_what_was_granted() -> None:
    it = drive(maker())
    grant = await it.link()
    assert grant.scopes == ("TAX", "FINANCIALS", "INVOICE")
    assert grant.extra["SJX"] == "NSRJBXX,NSXYDJ,SBXX,JKXX,QSXX,WFWZ,GRSDMX,CWBB,FPXX"
    assert (grant.extra["SQYXQZ"], grant.refresh_token, grant.expires_in) == ("2026-07-19", None, 7200)


async def test_only_items_of_consented_sources_are_asked_for() -> None:
    it = drive(maker())
    it.context = replace(it.context, sources=frozenset({SourceKind.INVOICE}))
    assert (await it.link()).extra["SJX"] == "FPXX"


async def test_the_taxpayer_can_untick_items() -> None:
    it = drive(maker())
    auth = connector.authorisation
    url = await it.talk(auth.begin(it.context, redirect_uri=REDIRECT, state="s", verifier="v" * 64, text_hash="ab" * 32))
    ticket = parse_qs(urlsplit(url).query)["ticket"][0]
    assert 'name="SJX" value="CWBB" checked' in (await it.client.get(url)).text
    kept = {"ticket": ticket, "decision": "agree", "SJX": ["SBXX", "FPXX"]}
    answer = await it.client.post("/authorize", data=kept)
    callback = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert (callback["state"], callback["result"]) == ("s", "agree")
    grant = await it.talk(auth.complete(it.context, redirect_uri=REDIRECT, verifier="v" * 64, callback=callback))
    assert (grant.scopes, grant.extra["SJX"]) == (("TAX", "INVOICE"), "SBXX,FPXX")
    it.context = replace(it.context, grant=grant)
    with pytest.raises(NotPermitted):
        await it.pull(stream("ratings"))
    assert len((await it.pull(stream("returns"))).facts) == 13


async def test_a_refusal_is_final() -> None:
    with pytest.raises(Reauthorise):
        await drive(maker()).link(decision="refuse")


async def test_the_redirect_is_only_a_hint() -> None:
    it = drive(maker())
    await it.talk(connector.authorisation.begin(it.context, redirect_uri=REDIRECT, state="s", verifier="v" * 64, text_hash="ab" * 32))
    hint = {"state": "s", "SQBH": "SQ0002", "result": "agree"}
    with pytest.raises(Pending):
        await it.talk(connector.authorisation.complete(it.context, redirect_uri=REDIRECT, verifier="v" * 64, callback=hint))


async def test_another_taxpayers_authorisation_is_refused() -> None:
    it = drive(maker(), shop())
    foreign = drive(shop())
    foreign.platform, foreign.client = it.platform, it.client
    foreign.config.update(it.platform.config)
    number = (await foreign.link()).extra["SQBH"]
    hint = {"state": "s", "SQBH": number, "result": "agree"}
    with pytest.raises(ContractBroken, match="another taxpayer"):
        await it.talk(connector.authorisation.complete(it.context, redirect_uri=REDIRECT, verifier="v" * 64, callback=hint))
    with pytest.raises(ContractBroken, match="names no authorisation"):
        await it.talk(connector.authorisation.complete(it.context, redirect_uri=REDIRECT, verifier="v" * 64, callback={"state": "s"}))


async def test_a_ticket_works_once_and_for_its_own_taxpayer() -> None:
    it = drive(maker(), shop())
    begin = connector.authorisation.begin(it.context, redirect_uri=REDIRECT, state="s", verifier="v" * 64, text_hash="ab" * 32)
    url = await it.talk(begin)
    ticket = parse_qs(urlsplit(url).query)["ticket"][0]
    wrong = await it.client.post("/authorize", data={"ticket": ticket, "decision": "agree", "login": "shop"})
    assert wrong.status_code == 403
    good = await it.client.post("/authorize", data={"ticket": ticket, "decision": "agree", "login": "maker"})
    assert good.status_code == 302
    again = await it.client.post("/authorize", data={"ticket": ticket, "decision": "agree", "login": "maker"})
    assert (again.status_code, (await it.client.get(url)).status_code) == (410, 410)


async def test_a_foreign_page_is_not_opened() -> None:
    it = drive(maker())
    begin = connector.authorisation.begin(it.context, redirect_uri=REDIRECT, state="s", verifier="v" * 64, text_hash="ab" * 32)
    begin.send(None)
    begin.send(Response(200, {}, b'{"access_token":"t","token_type":"Bearer","expires_in":7200}'))
    for url in ("https://elsewhere.example/authorize", "javascript:alert(1)", None):
        body = {"code": "00000", "data": {"SQBH": "SQ1", "authorize_url": url}}
        with pytest.raises(ContractBroken):
            begin.send(Response(201, {}, json.dumps(body).encode()))
        begin = connector.authorisation.begin(it.context, redirect_uri=REDIRECT, state="s", verifier="v" * 64, text_hash="ab" * 32)
        begin.send(None)
        begin.send(Response(200, {}, b'{"access_token":"t","token_type":"Bearer","expires_in":7200}'))


async def test_a_wrong_secret_is_the_operators_business() -> None:
    it = drive(maker())
    it.context = replace(it.context, config={**it.config, "client_secret": "wrong"})
    with pytest.raises(Misconfigured) as caught:
        await it.link()
    assert caught.value.code == "invalid_client"


async def test_credentials_go_in_the_header_only() -> None:
    it = drive(maker())
    form = {"grant_type": "client_credentials", "client_id": it.config["client_id"], "client_secret": it.config["client_secret"]}
    answer = await it.client.post("/oauth2/token", data=form)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Basic")


async def test_revoking_ends_the_next_call() -> None:
    it = drive(maker())
    await it.link()
    await it.talk(connector.authorisation.revoke(it.context))
    with pytest.raises(Reauthorise):
        await it.pull(stream("returns"))
    await it.talk(connector.authorisation.revoke(it.context))


async def test_revoked_between_two_polls() -> None:
    it = drive(maker())
    await it.link()
    cursor = (await step(it, "returns")).next
    cursor = (await step(it, "returns", cursor)).next
    await it.talk(connector.authorisation.revoke(it.context))
    with pytest.raises(Reauthorise) as caught:
        await step(it, "returns", cursor)
    assert caught.value.code == "T0403"


async def test_a_token_that_ends_between_pages_is_renewed_once() -> None:
    it = drive(maker(), switches=("short_tokens",))
    it.context = replace(it.context, config={**it.config, "page_size": "10"})
    await it.link()
    renewed, cursor, facts = 0, None, []
    for _ in range(60):
        try:
            page = await step(it, "returns", cursor)
        except RefreshNeeded:
            grant: Grant = await it.talk(connector.authorisation.refresh(it.context))
            it.context = replace(it.context, grant=grant)
            renewed += 1
            continue
        facts += [fact for record in page.records for fact in stream("returns").normalise(it.context, record)]
        cursor = page.next
        if cursor is None:
            break
    assert (len(facts), renewed) == (13, 3)
    assert it.context.grant is not None and it.context.grant.extra["SJX"].startswith("NSRJBXX,")
