"""A customer's way in a real browser: both languages, on a phone and at a desk, every state looked at by axe-core and kept as a picture.

The hub, its GraphQL API, its worker and the platforms are those of the demo, on loopback. ``make screenshots`` keeps the pictures.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.cli.journey import Journey
from hub.cli.stage import RETURN_URL, Stage
from hub.consent import grants
from hub.domain.identifiers import CustomerId
from hub.store.embedded import Urls
from tests.e2e.case import on_stage, small_seller
from tests.hub.link.chromium import DESKTOP, PHONE, Chromium, Page, Size
from tests.hub.link.eyes import Eyes

ACCEPTED = {"zh": "zh-CN,zh;q=0.9", "en": "en-GB,en;q=0.9"}
ASKED = ["TAX", "SHOP", "SETTLEMENT", "PAYMENT", "DEVICE"]
STATES = (
    "ask", "nothing-ticked", "refused", "part-agreed", "progress", "done", "manage-bound", "finished", "manage", "objected", "withdrawn", "manage-after", "declined", "expired", "gone",
)  # fmt: skip


class Walk:
    """One customer at one screen in one language."""

    def __init__(self, stage: Stage, page: Page, eyes: Eyes, language: str, size: Size) -> None:
        self.stage, self.page, self.eyes, self.language, self.size = stage, page, eyes, language, size
        self.persona = small_seller()
        self.journey = Journey(stage, self.persona)

    async def see(self, state: str) -> str:
        await self.eyes.see(self.page, f"{state}-{self.language}-{self.size.name}", self.language)
        return await self.page.text()

    async def link(self) -> str:
        asked = {"customerId": str(self.journey.customer_id), "sources": ASKED, "scenarios": ["S03"], "purpose": "CREDIT_APPROVAL"}
        made = await self.stage.partner.mutate("CreateLinkSession", {"input": {**asked, "returnUrl": RETURN_URL}})
        return str(made["url"])

    async def agree(self, connector: str) -> None:
        """Ticks everything of a platform and presses its button; leads to the platform."""
        await self.page.run(f"[...document.querySelectorAll('{form(connector)} [type=checkbox]')].forEach(box => box.click())")
        await self.page.press(f"{form(connector)} button")

    async def at_platform(self, decision: str) -> None:
        await self.page.run(f"(document.querySelector('[name=login]') || {{}}).value = {self.persona.id!r}")
        await self.page.press(f"[name=decision][value={decision}]")
        assert (await self.page.url()).endswith("/link/")


def form(connector: str) -> str:
    return f"form:has([name=connector][value={connector}])"


@asynccontextmanager
async def walking(browser: Chromium, eyes: Eyes, home: Path, urls: Urls, language: str, size: Size) -> AsyncIterator[Walk]:
    async with on_stage(home, urls, small_seller()) as stage, browser.page(size, ACCEPTED[language]) as page:
        walk = Walk(stage, page, eyes, language, size)
        await walk.journey.register()
        yield walk


@pytest.mark.load
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=lambda size: size.name)
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_every_state(browser: Chromium, eyes: Eyes, urls: Urls, tmp_path: Path, language: str, size: Size) -> None:
    async with walking(browser, eyes, tmp_path / "home", urls, language, size) as walk:
        await asks_and_is_refused(walk)
        await agrees_and_waits(walk)
        await manages(walk)
        await ends(walk)
    assert {name.removesuffix(f"-{language}-{size.name}") for name in eyes.seen} == set(STATES)
    print(f"{len(eyes.seen)} states, 0 serious or critical findings, {len(eyes.mild)} below: {sorted(set(eyes.mild))}")


async def asks_and_is_refused(walk: Walk) -> None:
    page = walk.page
    await page.go(await walk.link())
    await walk.see("ask")
    await page.press(f"{form('taobao')} button")
    await walk.see("nothing-ticked")
    await page.press("main a.button")
    await walk.agree("taobao")
    await walk.at_platform("refuse")
    await walk.see("refused")


async def agrees_and_waits(walk: Walk) -> None:
    page, stage = walk.page, walk.stage
    await page.press(f"{form('taobao')} button")
    await walk.at_platform("agree")
    await walk.agree("partner_app")
    await walk.see("part-agreed")
    stage.world.switches["taobao"] = {"slow"}
    stage.start_worker()
    await until(page, stage, '.progress.RUNNING progress:not([value="0"])')
    await walk.see("progress")
    stage.world.switches.clear()
    for connector in ("cn_tax", "alipay"):
        await walk.agree(connector)
        await walk.at_platform("agree")
    await until(page, stage, ".progress.COMPLETE", 3)
    await walk.see("done")


async def until(page: Page, stage: Stage, selector: str, times: int = 1) -> None:
    """Follows the page's own link until something stands on it so often."""
    async with asyncio.timeout(400):
        while await page.run(f"document.querySelectorAll('{selector}').length") < times:
            await asyncio.sleep(1)
            await page.go(f"{stage.origin}/link/")


async def manages(walk: Walk) -> None:
    page, stage = walk.page, walk.stage
    await walk.journey.evaluate()
    for question in ("CustomerEnhancement", "LimitEvidence"):
        await walk.journey.ask(question)
    await page.press("form[action$='/manage/open'] button")
    told = await walk.see("manage-bound")
    assert "Risk desk" not in told, "the link is not finished: the page may be before the app's eyes"
    await page.go(f"{stage.origin}/link/")
    await page.press("form[action$='/finish'] button")
    assert (await page.url()).startswith(RETURN_URL) and (await page.url()).endswith("&status=done")
    await page.back()
    await walk.see("finished")
    await page.press("form[action$='/manage/open'] button")
    told = await walk.see("manage")
    assert "Risk desk" in told, "the platforms say whose the accounts are"
    await page.run(
        "document.querySelector('#o-kind').value = 'Shop', document.querySelector('#o-words').value = '主营类目不对 / wrong category'"
    )
    await page.press("form[action$='/manage/object'] button")
    assert "wrong category" in await walk.see("objected")
    await page.run("[...document.querySelectorAll('main label')].find(one => /behaviour|行为/.test(one.innerText)).click()")
    await page.press("form[action$='/manage/withdraw'] button")
    await walk.see("withdrawn")
    await page.press("main a.button")
    await walk.see("manage-after")
    assert "REVOKED" in await statuses(stage, walk.journey.customer_id)
    answer = await stage.partner.query("SourceStatus", {"id": str(walk.journey.customer_id)})
    told = {one["source"]: one["status"] for one in answer["customer"]["sources"]}
    assert (told["DEVICE"], told["SHOP"]) == ("CONSENT_WITHDRAWN", "AVAILABLE"), "what was withdrawn here is gone for the app at once"
    await page.go(f"{stage.origin}/link/")


async def statuses(stage: Stage, customer_id: CustomerId) -> list[str]:
    async with stage.database.work() as tx:
        return [row["status"] for row in await grants.consents_of(tx, customer_id)]


async def later(stage: Stage) -> None:
    """He may be asked again."""
    async with stage.database.work() as tx:
        await tx.execute(text("UPDATE refusal SET again_at = refused_at"))


async def ends(walk: Walk) -> None:
    page, stage = walk.page, walk.stage
    await later(stage)
    url = await walk.link()
    await page.go(url)
    await page.press("form[action$='/finish'] button")
    assert (await page.url()).startswith(RETURN_URL)
    await page.back()
    await walk.see("declined")
    await later(stage)
    await page.go(await walk.link())
    async with stage.database.work() as tx:
        await tx.execute(text("UPDATE link_session SET expires_at = now()"))
    await page.go(f"{stage.origin}/link/")
    await walk.see("expired")
    await page.call("Network.clearBrowserCookies")
    await page.go(url)
    await walk.see("gone")
