"""A look at the pages in a real browser, short enough for every run: both languages, phone and desk, dark and bright, with axe-core; and that axe-core notices.

The long walk through every state is in ``test_browser.py``.
"""

from __future__ import annotations

import asyncio

import pytest

from hub.domain.enums import SourceKind
from hub.link.paper import Paper
from tests.hub.link.chromium import DESKTOP, PHONE, Chromium, Page
from tests.hub.link.eyes import Eyes
from tests.hub.link.owning import tells
from tests.hub.link.side import RETURN, Side


async def test_a_short_look(browser: Chromium, eyes: Eyes, side: Side) -> None:
    """The whole way to the partner app, by the keyboard where it matters."""
    async with browser.page(PHONE, "zh-CN") as page:
        await page.go(await side.link((SourceKind.SHOP,)))
        await eyes.see(page, "ask-phone-zh", "zh")
        await tick_and_press_by_keyboard(page)
        assert await side.status() == "ACTIVE"
        await eyes.see(page, "agreed-phone-zh", "zh")
        await page.press("[hreflang=en]")
        await page.press("form[action$='/finish'] button")
        assert (await page.url()).startswith(RETURN), "the policy lets the form lead to the partner app"
    side.world.time.turn(hours=48)  # What she left unticked she is not asked for again before.
    async with browser.page(DESKTOP, "en-GB", dark=True) as page:
        await page.go(await side.link())
        await eyes.see(page, "ask-desktop-en-dark", "en")
        assert await page.run("getComputedStyle(document.body).backgroundColor") == "rgb(16, 21, 27)"
        await page.press("[hreflang=zh-CN]")
        await page.press("main form button")
        await eyes.see(page, "nothing-ticked-desktop-zh-dark", "zh")


async def test_the_customers_own_page(browser: Chromium, eyes: Eyes, side: Side) -> None:
    """Bound until a platform tells whose the account is, then his own: he objects by the keyboard alone."""
    async with browser.page(PHONE, "zh-CN") as page:
        await page.go(await side.link((SourceKind.SHOP,)))
        await tick_and_press_by_keyboard(page)
        await page.press("form[action$='/finish'] button")
        await page.back()
        await page.press("form[action$='/manage/open'] button")
        await eyes.see(page, "bound-phone-zh", "zh")
        await tells(side, None)
        await page.press("main .refresh a")
        await eyes.see(page, "own-phone-zh", "zh")
        await page.run("document.querySelector('#o-kind').focus()")
        await page.key("ArrowDown", 40)
        assert await page.run("document.activeElement.value") == "Shop"
        await stop_at(page, "textarea")
        for letter in "mine":
            await page.key(letter, ord(letter.upper()), text=letter)
        await stop_at(page, "submit")
        async with page.turning():
            await page.key("Enter", 13, text="\r")
        await eyes.see(page, "objected-phone-zh", "zh")
        await page.press("[hreflang=en]")
        await eyes.see(page, "objected-phone-en", "en")
    assert [row["kind"] for row in await side.rows("SELECT kind FROM dispute WHERE customer_id = :customer")] == ["Shop"]


async def tick_and_press_by_keyboard(page: Page) -> None:
    """Tab until the box, space; tab until the button, enter: the platform agrees and leads back."""
    await stop_at(page, "checkbox")
    await page.key(" ", 32, text=" ")
    assert await page.run("document.activeElement.checked")
    assert await page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid", "where the focus is, can be seen"
    await stop_at(page, "submit")
    async with page.turning():
        await page.key("Enter", 13, text="\r")


async def stop_at(page: Page, kind: str) -> None:
    for _ in range(12):
        await page.key("Tab", 9)
        if await page.run("document.activeElement.type") == kind:
            return
    raise AssertionError(f"the keyboard does not reach a {kind}")


DEFECTS = {
    "label": "document.querySelector('label').replaceWith(document.querySelector('label input'))",
    "color-contrast": "document.querySelector('main .lead').style.color = '#b9c0c8'",
    "html-has-lang": "document.documentElement.removeAttribute('lang')",
    "button-name": "document.querySelector('main button').textContent = ''",
}
SMALL = "document.querySelector('main button').style.cssText = 'min-height: 0; height: 20px; padding: 0'"
SCRIPT = "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = true'}))"


async def test_what_is_broken_is_seen(browser: Chromium, eyes: Eyes, side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    url = await side.link()
    async with browser.page(PHONE, "zh-CN") as page:
        await page.go(url)
        assert await eyes.findings(page) == []
        for rule, defect in DEFECTS.items():
            await page.run(defect)
            assert any(f" {rule}:" in one for one in await eyes.findings(page)), rule
            await page.go(f"{side.origin}/link/")
        await page.run(SMALL)
        with pytest.raises(AssertionError, match="too small"):
            await eyes.see(page, "small", "zh")
        await page.go(f"{side.origin}/link/")
        await page.run(SCRIPT)
        assert await page.run("window.ran") is None, "the policy holds in a real browser"
        with pytest.raises(AssertionError, match="script"):
            await eyes.see(page, "scripted", "zh")
        whole = Paper.policy
        monkeypatch.setattr(Paper, "policy", lambda paper, *_: whole(paper))
        await page.go(f"{side.origin}/link/")
        page.complaints.clear()
        await page.click("form[action$='/finish'] button")
        async with asyncio.timeout(5):
            while not page.complaints:  # noqa: ASYNC110 -- it happens in the browser
                await asyncio.sleep(0.05)
        assert "form-action" in page.complaints[0] and (await page.url()).endswith("/link/"), "the way to the app needs its origin named"
