"""What the link page shows, as values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import RowMapping

from hub.consent.terms import Offer, terms
from hub.domain.enums import ConnectionStatus, ConsentStatus


@dataclass(frozen=True, slots=True)
class Item:
    """One consent: a source in words, and its full text."""

    consent_id: str
    given: bool
    zh: str
    en: str
    text_zh: str
    text_en: str

    @staticmethod
    def of(row: RowMapping, offer: Offer) -> Item:
        given = row["status"] == ConsentStatus.ACTIVE
        return Item(str(row["consent_id"]), given, offer.term["zh"], offer.term["en"], offer.text("zh"), offer.text("en"))


@dataclass(frozen=True, slots=True)
class PlatformView:
    """One platform with what it is asked for. ``state`` is OPEN until the customer has authorised it.

    ``to_do``: something is left to agree to here. An item that was given to a platform that is authorised cannot be ticked again.
    """

    connector: str
    title: str
    title_zh: str
    state: str
    items: tuple[Item, ...]
    fault: str | None

    @property
    def to_do(self) -> bool:
        return self.state != ConnectionStatus.ACTIVE or not all(item.given for item in self.items)

    def is_settled(self, item: Item) -> bool:
        return self.state == ConnectionStatus.ACTIVE and item.given


@dataclass(frozen=True, slots=True)
class LinkView:
    """The page. ``origins`` are the platforms the page may send a form's answer to."""

    grantee: str
    customer: str
    purpose_zh: str
    purpose_en: str
    csrf: str
    platforms: tuple[PlatformView, ...]
    origins: tuple[str, ...]

    @staticmethod
    def of(session: Any, browser: str, customer: str, platforms: tuple[PlatformView, ...], origins: tuple[str, ...]) -> LinkView:
        purpose = terms()["purposes"][session.purpose]
        return LinkView(session.grantee, customer, purpose["zh"], purpose["en"], csrf_of(browser), platforms, origins)


def csrf_of(browser: str) -> str:
    """Derived from the cookie, which another site cannot read."""
    return hashlib.sha256(b"csrf|" + browser.encode()).hexdigest()
