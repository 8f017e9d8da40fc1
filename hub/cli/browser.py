"""The customer of a demo, as a browser would act: opens the link, ticks, agrees at each platform, comes back.

It reads the pages as HTML and submits their forms; it knows nothing of tokens, codes or signatures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

from hub.errors import ContractBroken, PlatformBusy
from hub.http import Browser


@dataclass
class Form:
    """A form of a page: where it goes, its hidden fields, its ticked and offered checkboxes."""

    action: str
    hidden: dict[str, str] = field(default_factory=dict)
    boxes: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(values.get("action", "")))
        elif tag == "input" and self.forms and values.get("type") == "hidden":
            self.forms[-1].hidden[values["name"]] = values.get("value", "")
        elif tag == "input" and self.forms and values.get("type") == "checkbox" and "disabled" not in values:
            self.forms[-1].boxes.append((values["name"], values.get("value", "")))


def forms_of(html: str) -> list[Form]:
    parser = _Forms()
    parser.feed(html)
    return parser.forms


async def authorise_everything(browser: Browser, url: str, *, login: str, wants: Callable[[str], bool]) -> list[str]:
    """Walks a link page to its end. ``wants`` says for a consent id whether the customer ticks it. Returns the platforms that could not be reached."""
    page_url, html = await _open(browser, url)
    unreachable: list[str] = []
    while form := _next_platform(html, wants, unreachable):
        ticked = [(name, value) for name, value in form.boxes if wants(value)]
        try:
            await _at_platform(browser, urljoin(page_url, form.action), [*form.hidden.items(), *ticked], login)
        except (PlatformBusy, ContractBroken):
            unreachable.append(form.hidden["connector"])
        page_url, html = await _open(browser, page_url)
    last = forms_of(html)[-1]
    await browser.post(urljoin(page_url, last.action), urlencode(last.hidden), follow=False)
    return unreachable


def _next_platform(html: str, wants: Callable[[str], bool], skip: list[str]) -> Form | None:
    for form in forms_of(html):
        if form.hidden.get("connector") not in (None, *skip) and any(wants(value) for _, value in form.boxes):
            return form
    return None


async def _open(browser: Browser, url: str) -> tuple[str, str]:
    answer = await browser.get(url)
    if answer.status != 200:
        raise ContractBroken(f"The page answered with status {answer.status}.")
    return answer.url, answer.text


async def _at_platform(browser: Browser, url: str, fields: list[tuple[str, str]], login: str) -> None:
    """Agrees on our page, then on the platform's."""
    answer = await browser.post(url, urlencode(fields))
    if answer.status != 200:
        raise ContractBroken(f"The platform's page answered with status {answer.status}.")
    platform_forms = [form for form in forms_of(answer.text) if "connector" not in form.hidden and "csrf" not in form.hidden]
    if platform_forms:
        form = platform_forms[0]
        done = await browser.post(urljoin(answer.url, form.action), urlencode({**form.hidden, "login": login, "decision": "agree"}))
        if done.status != 200:
            raise ContractBroken(f"Coming back from the platform failed with status {done.status}.")
