"""The way through a link, and everybody who may not walk it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from hub.cli.browser import forms_of
from hub.domain.enums import SourceKind
from hub.link.pages import COOKIE
from hub.sync.linking import Linking
from tests.hub.link.side import RETURN, Person, Side, consents_in, person, platform_form
from tests.hub.sync.platform import raw
from tests.hub.sync.world import new_customer


async def test_the_whole_way(side: Side, me: Person) -> None:
    page = await me.open(await side.link())
    callback = await me.to_platform_and_back(await me.agree(page))
    assert (await me.get(callback)).headers["location"] == "/link/"
    assert await side.consents() == {"SHOP": "ACTIVE", "SETTLEMENT": "ACTIVE"}
    assert await side.status() == "ACTIVE"
    (row,) = await side.rows("SELECT connection_id, due_at <= now() AS due FROM connection WHERE customer_id = :customer")
    assert (row["due"], side.nudged) == (True, [row["connection_id"]])
    done = forms_of((await me.get("/link/")).text)[-1]
    back = await me.post(done, list(done.hidden.items()))
    assert back.headers["location"].startswith(f"{RETURN}&link=")
    assert back.headers["location"].endswith("&status=done")
    finished = (await me.get("/link/")).text
    assert "本链接已关闭" in finished and 'type="checkbox"' not in finished, "a finished link takes nothing any more"


async def test_a_link_opens_in_one_browser_only(side: Side, me: Person) -> None:
    url = await side.link()
    await me.open(url)
    async with person(side) as another:
        refused = await another.get(url)
        assert refused.status_code == 403
        assert "已被使用" in refused.text
        assert COOKIE not in another.client.cookies
        assert (await another.get("/link/")).status_code == 403
        another.client.cookies.set(COOKIE, "guessed", path="/link")
        assert (await another.get(url)).status_code == 403
        assert (await another.get("/link/")).status_code == 403
    assert (await me.get(url)).status_code == 303, "its own browser may open it again"


@pytest.mark.parametrize("token", ["", "x", "../s", "a" * 43, "%00"])
async def test_an_unknown_link_is_answered_like_a_used_one(side: Side, me: Person, token: str) -> None:
    answer = await me.get(f"/link/s/{token}")
    assert answer.status_code in (403, 404)
    assert COOKIE not in me.client.cookies


async def test_an_expired_link(side: Side, me: Person) -> None:
    url = await side.link()
    await me.open(url)
    await side.world.do("UPDATE link_session SET expires_at = now() - interval '1 second' WHERE customer_id = :customer")
    for path in (url, "/link/"):
        assert (await me.get(path)).status_code == 403


async def test_the_cookie_is_for_these_pages_and_for_no_script(side: Side, me: Person) -> None:
    answer = await me.get(await side.link())
    cookie = answer.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=lax", "path=/link", "max-age=3600"))
    secret = me.client.cookies[COOKIE]
    (row,) = await side.rows("SELECT browser_hash, token_hash FROM link_session WHERE customer_id = :customer")
    assert row["browser_hash"] == hashlib.sha256(secret.encode()).hexdigest()


async def test_two_customers_in_one_browser_are_kept_apart(side: Side, me: Person) -> None:
    """At a counter the next customer opens his link where the last one did not finish: he acts for himself."""
    other = await new_customer(side.world.equipment, "110101199003070003")
    await me.open(await side.link())
    first_cookie = me.client.cookies[COOKIE]
    page = await me.open(await side.link(customer_id=other))
    assert me.client.cookies[COOKIE] != first_cookie
    assert (await me.agree(page)).status_code == 303
    assert set((await side.consents()).values()) == {"PENDING"}, "nothing was given for the first customer"


async def test_a_browser_that_brings_a_cookie_gets_a_new_secret(side: Side, me: Person) -> None:
    me.client.cookies.set(COOKIE, "planted-by-somebody", path="/link")
    await me.get(await side.link())
    (row,) = await side.rows("SELECT browser_hash FROM link_session WHERE customer_id = :customer")
    assert row["browser_hash"] != hashlib.sha256(b"planted-by-somebody").hexdigest()


async def test_only_what_was_ticked_is_given(side: Side, me: Person) -> None:
    await me.to_platform_and_back(await me.agree(await me.open(await side.link()), take=1))
    assert sorted((await side.consents()).values()) == ["ACTIVE", "PENDING"]


async def test_what_is_left_can_be_agreed_to_later(side: Side, me: Person) -> None:
    callback = await me.to_platform_and_back(await me.agree(await me.open(await side.link()), take=1))
    await me.get(callback)
    form = platform_form((await me.get("/link/")).text)
    assert len(consents_in(form)) == 1, "what was given cannot be ticked again, the other one can"
    await me.get(await me.to_platform_and_back(await me.agree((await me.get("/link/")).text)))
    assert set((await side.consents()).values()) == {"ACTIVE"}
    assert len(side.nudged) == 2


async def test_a_connection_that_must_be_authorised_again_can_be(side: Side, me: Person) -> None:
    await me.get(await me.to_platform_and_back(await me.agree(await me.open(await side.link()))))
    await side.world.do("UPDATE connection SET status = 'REAUTHORISE' WHERE customer_id = :customer")
    page = (await me.get("/link/")).text
    assert "需重新授权" in page
    await me.get(await me.to_platform_and_back(await me.agree(page)))
    assert await side.status() == "ACTIVE"


async def test_nothing_ticked_goes_nowhere(side: Side, me: Person) -> None:
    page = await me.open(await side.link())
    refused = await me.agree(page, take=0)
    assert refused.status_code == 403
    assert "至少勾选一项" in refused.text
    assert (set((await side.consents()).values()), side.world.platform.heard) == ({"PENDING"}, [])


async def test_a_consent_that_is_not_offered_here_cannot_be_ticked(side: Side, me: Person) -> None:
    """Another customer's, an invented one, one of another platform."""
    other = await new_customer(side.world.equipment, "110101199003070003")
    await side.link(customer_id=other)
    (foreign, *_) = await side.rows("SELECT consent_id FROM consent WHERE customer_id = :other", other=other)
    form = platform_form(await me.open(await side.link()))
    for wrong in (str(foreign["consent_id"]), "11111111-1111-7111-8111-111111111111", "x"):
        assert (await me.post(form, [*form.hidden.items(), *form.boxes, ("consent", wrong)])).status_code == 403
    fields = [("csrf", form.hidden["csrf"]), ("connector", "partner_app"), *form.boxes]
    assert (await me.post(form, fields)).status_code == 403
    assert set((await side.consents()).values()) == {"PENDING"}


@pytest.mark.parametrize("csrf", [None, "", "0" * 64, "ä"])
async def test_a_form_from_elsewhere_is_refused(side: Side, me: Person, csrf: str | None) -> None:
    form = platform_form(await me.open(await side.link()))
    token = [] if csrf is None else [("csrf", csrf)]
    for action in ("/link/agree", "/link/finish"):
        answer = await me.post(action, [*token, ("connector", "scripted"), *form.boxes])
        assert answer.status_code == 403
    assert set((await side.consents()).values()) == {"PENDING"}
    (row,) = await side.rows("SELECT status FROM link_session WHERE customer_id = :customer")
    assert row["status"] == "OPEN"


async def test_a_csrf_token_of_another_browser_is_refused(side: Side, me: Person) -> None:
    other = await new_customer(side.world.equipment, "110101199003070003")
    form = platform_form(await me.open(await side.link()))
    async with person(side) as another:
        theirs = platform_form(await another.open(await side.link(customer_id=other)))
    assert (await me.post(form, [("csrf", theirs.hidden["csrf"]), ("connector", "scripted"), *form.boxes])).status_code == 403


async def refused_callback(side: Side, who: Person, url: str) -> None:
    assert (await who.get(url)).status_code == 403
    assert (await side.status(), side.nudged) == ("LINKING", [])
    assert side.world.platform.asked("/oauth2/token") == [], "no code goes to the platform"


async def test_a_state_that_is_not_ours(side: Side, me: Person) -> None:
    callback = await me.to_platform_and_back(await me.agree(await me.open(await side.link())))
    state = parse_qs(urlsplit(callback).query)["state"][0]
    for wrong in ("", "x", state[:-1], state + "x", state.lower() + "-"):
        await refused_callback(side, me, callback.replace(state, wrong))
    await refused_callback(side, me, callback.split("?")[0])
    assert (await me.get(callback)).status_code == 303, "the right one is still good"


async def test_a_state_is_used_once(side: Side, me: Person) -> None:
    callback = await me.to_platform_and_back(await me.agree(await me.open(await side.link())))
    assert (await me.get(callback)).status_code == 303
    assert (await me.get(callback)).status_code == 403
    assert len(side.world.platform.asked("/oauth2/token")) == 1


async def test_a_state_lasts_ten_minutes(side: Side, me: Person) -> None:
    callback = await me.to_platform_and_back(await me.agree(await me.open(await side.link())))
    (row,) = await side.rows("SELECT expires_at - now() AS rest FROM authorisation_attempt WHERE customer_id = :customer")
    assert 590 < row["rest"].total_seconds() <= 600
    await side.world.do("UPDATE authorisation_attempt SET expires_at = now() WHERE customer_id = :customer")
    await refused_callback(side, me, callback)


async def test_a_state_is_bound_to_its_browser_and_customer(side: Side, me: Person) -> None:
    """A callback that is put under another customer's hands gives that customer nothing."""
    callback = await me.to_platform_and_back(await me.agree(await me.open(await side.link())))
    other = await new_customer(side.world.equipment, "110101199003070003")
    async with person(side) as another:
        await refused_callback(side, another, callback)
        await another.open(await side.link(customer_id=other))
        await refused_callback(side, another, callback)


async def test_a_callback_of_another_connector(side: Side, me: Person) -> None:
    callback = await me.to_platform_and_back(await me.agree(await me.open(await side.link())))
    await refused_callback(side, me, callback.replace("/callback/scripted", "/callback/another"))


async def answered(side: Side, me: Person, said: str | None) -> int:
    """The status of a callback that names an issuer."""
    callback = await me.to_platform_and_back(await me.agree(await me.open(await side.link())))
    return (await me.get(callback if said is None else f"{callback}&iss={quote(said, safe='')}")).status_code


@pytest.mark.parametrize("said", ["https://evil.example", "", "{origin}.evil.example", "http://127.0.0.1:1"])
async def test_an_answer_that_names_another_issuer(side: Side, me: Person, said: str) -> None:
    """Mix-up: the code of one platform would be sent to another (RFC 9207)."""
    assert await answered(side, me, said.replace("{origin}", side.world.server.origin)) == 403
    assert (await side.status(), side.world.platform.asked("/oauth2/token")) == ("LINKING", [])


@pytest.mark.parametrize("said", [None, "{origin}", "{origin}/"])
async def test_an_answer_that_names_nobody_or_the_platform(side: Side, me: Person, said: str | None) -> None:
    assert await answered(side, me, said and said.replace("{origin}", side.world.server.origin)) == 303
    assert await side.status() == "ACTIVE"


@pytest.mark.parametrize(("said", "good"), [("https://issuer.example", True), ("https://issuer.example/", False), (None, False)])
async def test_an_issuer_that_the_operator_knows_must_be_named(side: Side, me: Person, said: str | None, good: bool) -> None:
    linking = side.links.platforms
    assert isinstance(linking, Linking)
    config = {**linking.equipment.configs["scripted"], "issuer": "https://issuer.example"}
    linking.equipment = replace(linking.equipment, configs={"scripted": config})
    assert await answered(side, me, said) == (303 if good else 403)
    assert await side.status() == ("ACTIVE" if good else "LINKING")


async def test_the_verifier_is_sealed_and_never_travels_with_the_browser(side: Side, me: Person) -> None:
    callback = await me.to_platform_and_back(await me.agree(await me.open(await side.link())))
    (asked,) = side.world.platform.asked("/oauth2/authorize")
    assert (asked["code_challenge_method"], len(asked["code_challenge"])) == ("S256", 43)
    await me.get(callback)
    (exchanged,) = side.world.platform.asked("/oauth2/token")
    (row,) = await side.rows("SELECT verifier, state_hash FROM authorisation_attempt WHERE customer_id = :customer")
    assert exchanged["code_verifier"].encode() not in bytes(row["verifier"])
    assert exchanged["code_verifier"] not in str(asked)
    assert row["state_hash"] == hashlib.sha256(asked["state"].encode()).hexdigest()


async def test_a_customer_who_refuses_at_the_platform_comes_back_to_the_page(side: Side, me: Person) -> None:
    side.world.platform.decision = "refuse"
    callback = await me.to_platform_and_back(await me.agree(await me.open(await side.link())))
    assert (await me.get(callback)).headers["location"] == "/link/"
    assert (await side.status(), side.nudged) == ("LINKING", [])
    side.world.platform.decision = "agree"
    await me.get(await me.to_platform_and_back(await me.agree((await me.get("/link/")).text)))
    assert await side.status() == "ACTIVE"


@pytest.mark.parametrize(("answer", "status"), [(raw("<html>busy</html>", 503), 503), (raw("[]"), 502)])
async def test_a_platform_in_trouble_is_said_as_such(side: Side, me: Person, answer: object, status: int) -> None:
    side.world.platform.says("/oauth2/token", answer)  # type: ignore[arg-type]
    callback = await me.to_platform_and_back(await me.agree(await me.open(await side.link())))
    assert (await me.get(callback)).status_code == status
    assert await side.status() == "LINKING"


async def test_how_the_hub_is_configured_is_not_the_customers_business(side: Side, me: Person) -> None:
    side.world.platform.says("/oauth2/token", raw('{"error": "invalid_client"}', 401))
    callback = await me.to_platform_and_back(await me.agree(await me.open(await side.link())))
    answer = await me.get(callback)
    assert answer.status_code == 500
    assert "暂未设置好" in answer.text
    assert "connectors.json" not in answer.text


async def test_a_source_that_nobody_serves_cannot_be_asked_for(side: Side) -> None:
    with pytest.raises(Exception, match="No connector of this hub serves FARM"):
        await side.link(sources=(SourceKind.FARM,))


async def test_a_partner_apps_own_source_needs_no_platform(side: Side, me: Person) -> None:
    page = await me.open(await side.link(sources=(SourceKind.DEVICE,)))
    form = next(form for form in forms_of(page) if form.hidden.get("connector") == "partner_app")
    answer = await me.post(form, [*form.hidden.items(), *form.boxes])
    assert answer.headers["location"].endswith("/link/")
    assert await side.consents() == {"DEVICE": "ACTIVE"}
    (row,) = await side.rows("SELECT status, due_at FROM connection WHERE customer_id = :customer")
    assert (row["status"], row["due_at"], side.nudged) == ("ACTIVE", None, [])
