"""What the pages show: the whole offer, in two languages, under a strict policy, with nothing of a name ever read as HTML."""

from __future__ import annotations

import hashlib
import re
from html import unescape

import pytest

from hub.consent import grants
from hub.domain.enums import SourceKind
from tests.hub.link.side import Person, Side
from tests.hub.link.test_manage import managed
from tests.hub.sync.world import GRANTEE, NOW


async def test_both_languages(side: Side, me: Person) -> None:
    url = await side.link()
    chinese = await me.open(url)
    english = (await me.get("/link/?lang=en")).text
    assert '<html lang="zh-CN">' in chinese
    assert '<html lang="en">' in english
    translated = re.sub(r'<p class="binding" lang="zh-CN">.*?</p>', "", english)
    assert english.count('class="binding"') == 4, "the texts that bind are shown in either language"
    for words in ("数据授权", "剧本平台", "未授权", "授信审批", "店铺、订单和退款信息", "同意并前往平台授权", "不授权，返回"):
        assert words in chinese
        assert words not in translated
    for words in (
        "Authorise",
        "Scripted platform",
        "not authorised",
        "credit approval",
        "shop, orders and refunds",
        "Do not authorise, return",
    ):
        assert words in english
        assert words not in chinese
    assert '<html lang="en">' in (await me.get("/link/")).text, "a choice stays"
    me.client.cookies.delete("link_language")
    assert '<html lang="en">' in (await me.get("/link/", **{"Accept-Language": "de-CH, en"})).text
    assert '<html lang="zh-CN">' in (await me.get("/link/?lang=zh", **{"Accept-Language": "en"})).text


async def test_what_is_shown_is_what_is_hashed_also_on_a_later_day(side: Side, me: Person) -> None:
    await me.open(await side.link())
    side.world.time.turn(days=20)
    page = unescape((await me.get("/link/")).text)
    shown = {hashlib.sha256(text.encode()).hexdigest() for text in re.findall(r'<p class="binding" lang="zh-CN">(.*?)</p>', page)}
    rows = await side.rows("SELECT text_hash FROM consent WHERE customer_id = :customer")
    assert {row["text_hash"] for row in rows} < shown
    assert len(shown) == 4, "two consents, and for each that the app may have it"


async def test_how_often_data_are_fetched_is_said_as_the_consent_has_it(side: Side, me: Person) -> None:
    await me.open(await side.link((SourceKind.SHOP,)))
    for set_to, said in (
        ("fetches_per_day = 4", "授权有效期内定期获取，每天不超过 4 次"),
        ("fetches_per_day = NULL", "<dd>授权有效期内定期获取</dd>"),
        ("fetch_type = 'ONETIME'", "<dd>一次</dd>"),
    ):
        await side.world.do(f"UPDATE consent SET {set_to} WHERE customer_id = :customer AND status = 'PENDING'")
        assert said in (await me.get("/link/")).text


async def test_when_a_consent_ends_is_said_as_it_stands(side: Side, me: Person) -> None:
    """One that became narrower ends before the day that its text names."""
    page = await me.open(await side.link((SourceKind.SHOP,)))
    assert "<dd>2026年7月31日</dd>" in page and "2026年3月9日" not in page
    await me.get(await me.to_platform_and_back(await me.agree(page)))
    await side.world.do("UPDATE consent SET expires_at = '2026-03-09T23:59:59+08:00' WHERE customer_id = :customer")
    page = await managed(side, me)
    assert "<dd>2026年3月9日</dd>" in page and "<dd>2026年7月31日</dd>" not in page


async def test_what_has_ended_is_not_shown(side: Side, me: Person) -> None:
    page = await me.open(await side.link((SourceKind.SHOP,)))
    await me.get(await me.to_platform_and_back(await me.agree(page)))
    (row,) = await side.rows("SELECT consent_id FROM consent WHERE customer_id = :customer")
    async with side.world.database.work() as tx:
        await grants.withdraw(tx, side.world.customer_id, row["consent_id"], NOW)
    assert 'type="checkbox"' not in (await me.get("/link/")).text
    again = await me.open(await side.link((SourceKind.SHOP,)))
    assert again.count('type="checkbox" id="c-') == 2, "the consent, and that the app may have it"
    assert str(row["consent_id"]) not in again


POLICY = r"default-src 'none'; style-src 'self'; form-action 'self'( http://127\.0\.0\.1:\d+ https://partner\.example)?; frame-ancestors 'none'; base-uri 'none'"


async def test_every_page_has_the_strict_policy(side: Side, me: Person) -> None:
    url = await side.link()
    answers = [await me.get(url), await me.get("/link/"), await me.get("/link/s/unknown"), await me.get("/link/callback/scripted?state=x")]
    answers.append(await me.post("/link/agree", []))
    assert [answer.status_code for answer in answers] == [303, 200, 403, 403, 403]
    for answer in answers:
        assert re.fullmatch(POLICY, answer.headers["content-security-policy"])
        assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert side.world.server.origin in answers[1].headers["content-security-policy"], "the form may lead to the platform, and nowhere else"


async def test_the_page_is_self_contained(side: Side, me: Person) -> None:
    page = await me.open(await side.link())
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="([^"?]+)', page) == ["/link/style.css", "#content"]
    assert not re.search(r"<style|style=|\son[a-z]+=|javascript:|<img|<iframe", page)
    style = await me.get("/link/style.css")
    assert (style.status_code, style.headers["content-type"].split(";")[0]) == (200, "text/css")
    assert "url(" not in style.text


HOSTILE = "<b onclick='x'>\"&</b>"


async def test_names_are_text(side: Side, me: Person) -> None:
    url = await side.link()
    await side.world.do("UPDATE customer SET name_masked = :name WHERE customer_id = :customer", name=HOSTILE)
    await side.world.do("UPDATE connection SET last_fault_detail = :name WHERE customer_id = :customer", name=HOSTILE)
    await side.world.do("UPDATE consent SET scenarios = ARRAY[CAST(:name AS text)] WHERE customer_id = :customer", name=HOSTILE)
    await side.world.do("UPDATE link_session SET grantee = :name WHERE customer_id = :customer", name=HOSTILE)
    await side.world.do("UPDATE consent SET grantee = :name WHERE customer_id = :customer", name=HOSTILE)
    for path in (None, "/link/?lang=en"):
        page = await me.open(url) if path is None else (await me.get(path)).text
        assert "<b onclick" not in page
        assert unescape(page).count(HOSTILE) >= 6


async def test_a_refusal_is_text_too(side: Side, me: Person) -> None:
    answer = await me.get("/link/callback/<b>?state=<b>")
    assert answer.status_code == 403
    assert "<b>" not in answer.text


@pytest.mark.parametrize(("method", "path"), [("GET", "/link/agree"), ("GET", "/link/finish"), ("POST", "/link/"), ("POST", "/link/s/x")])
async def test_methods(side: Side, me: Person, method: str, path: str) -> None:
    assert (await me.client.request(method, side.origin + path)).status_code == 405


async def test_the_customer_and_the_grantee_are_named(side: Side, me: Person) -> None:
    page = await me.open(await side.link())
    assert page.count(GRANTEE) >= 3
    assert "甲*" in page
    assert "甲某" not in page


async def test_a_fault_is_told_by_its_class_in_the_customer_s_language(side: Side, me: Person) -> None:
    """Its words are the operator's."""
    await me.open(await side.link())
    statement = (
        "UPDATE connection SET last_fault = :fault, last_fault_detail = 'the secret of app 123 is wrong' WHERE customer_id = :customer"
    )
    for fault, zh, en in (
        ("Misconfigured", "机构的服务暂未设置好", "not set up correctly"),
        ("Anything", "平台暂时没有回应", "did not answer"),
    ):
        await side.world.do(statement, fault=fault)
        for path, words in (("/link/?lang=zh", zh), ("/link/?lang=en", en)):
            page = (await me.get(path)).text
            assert words in page
            assert "app 123" not in page
