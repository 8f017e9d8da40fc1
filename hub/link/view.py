"""What the pages that ask show, as values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.engine import RowMapping

from hub.connect import Connector
from hub.consent.terms import Handing, Offer
from hub.domain.audit import Accessed
from hub.domain.enums import ConnectionStatus, ConsentStatus, FetchType
from hub.domain.periods import china_day
from hub.link.progress import Connected, Progress, Stage

SHOWN = ("Customer.nameMasked", "Consent.status")
"""Coordinates of the contract for what the page shows."""


@dataclass(frozen=True, slots=True)
class HandedTo:
    """That the grantee may hand what a consent brings to the app of the page: asked for, or ``given``."""

    app: str
    text_zh: str
    text_en: str
    text_hash: str
    given: bool

    @staticmethod
    def of(words: Handing, *, given: bool) -> HandedTo:
        return HandedTo(words.app, words.text("zh"), words.text("en"), words.text_hash, given)


@dataclass(frozen=True, slots=True)
class Item:
    """One consent: a source in words, what is asked of it, and its full text. ``handed`` None: nobody but the grantee asks."""

    consent_id: str
    status: ConsentStatus
    zh: str
    en: str
    text_zh: str
    text_en: str
    grantee: str
    purpose: str
    scenarios: tuple[str, ...]
    data_from: date
    data_to: date
    expires_on: date
    life_days: int
    fetch: FetchType
    fetches_per_day: int | None
    written: bool
    adverse: bool
    changed_at: datetime
    text_hash: str
    handed: HandedTo | None = None

    @property
    def given(self) -> bool:
        return self.status == ConsentStatus.ACTIVE

    @property
    def asks_app(self) -> bool:
        """Whether it is still asked that the app may have it, too."""
        return self.handed is not None and not self.handed.given

    @property
    def shown(self) -> tuple[str, str]:
        """What of it a form comes back with."""
        return self.consent_id, self.text_hash + (self.handed.text_hash if self.handed is not None else "")

    @staticmethod
    def of(row: RowMapping | Mapping[str, Any], offer: Offer, handed: HandedTo | None = None) -> Item:
        return Item(
            consent_id=str(row["consent_id"]),
            status=ConsentStatus(row["status"]),
            zh=offer.term["zh"],
            en=offer.term["en"],
            text_zh=offer.text("zh"),
            text_en=offer.text("en"),
            grantee=row["grantee"],
            purpose=row["purpose"],
            scenarios=tuple(row["scenarios"]),
            data_from=row["data_from"],
            data_to=row["data_to"],
            expires_on=offer.expires_on if row["expires_at"] is None else china_day(row["expires_at"]),
            life_days=row["data_life_days"],
            fetch=FetchType(row["fetch_type"]),
            fetches_per_day=row["fetches_per_day"],
            written=row["written"],
            adverse=row["adverse_notice"],
            changed_at=row["changed_at"],
            text_hash=row["text_hash"],
            handed=handed,
        )


@dataclass(frozen=True, slots=True)
class PlatformView:
    """One platform with what it is asked for. ``state`` is OPEN until the customer has authorised it for something that is asked for here. ``remote``: there is a platform to go to.

    ``to_do``: something is left to agree to or to authorise here.
    """

    connector: str
    title: str
    title_zh: str
    remote: bool
    state: str
    items: tuple[Item, ...]
    fault: str | None
    progress: Progress

    @property
    def to_do(self) -> bool:
        return self.state != ConnectionStatus.ACTIVE or bool(self.asked)

    @property
    def authorised(self) -> bool:
        return self.state == ConnectionStatus.ACTIVE

    @property
    def fetches(self) -> bool:
        """Whether there is a fetch to watch: a partner app's own source is sent, not fetched."""
        return self.authorised and self.remote and any(item.given for item in self.items)

    @property
    def unfinished(self) -> bool:
        return self.fetches and self.progress.stage is not Stage.COMPLETE

    @property
    def offer(self) -> str:
        """What its form comes back with: it agrees to what was shown, and to nothing that was asked meanwhile."""
        return offer_of(item.shown for item in self.items)

    @property
    def asked(self) -> tuple[Item, ...]:
        """What is left to tick: the consent, that the app may have it, or both."""
        return tuple(item for item in self.items if not item.given or item.asks_app)

    @property
    def agreed(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.given)


def platform_view(name: str, connector: Connector | None, items: tuple[Item, ...], found: Connected | None) -> PlatformView:
    title, title_zh = titles(connector)
    unused = found is None or found.status == ConnectionStatus.LINKING or not any(item.given for item in items)
    state = "OPEN" if found is None or unused else found.status.value
    progress = found.progress if found is not None else Progress(Stage.WAITING, ())
    fault = found.fault if found is not None else None
    return PlatformView(name, title, title_zh, connector is not None, state, items, fault, progress)


def titles(connector: Connector | None) -> tuple[str, str]:
    return (connector.manifest.title, connector.manifest.title_zh) if connector else ("the partner app", "合作方应用")


@dataclass(frozen=True, slots=True)
class LinkView:
    """The page. ``origins`` are the platforms the page may send a form's answer to; ``back`` is where the partner app takes the customer back,
    ``look`` the row of the access log that is durable before it is shown."""

    grantee: str
    app: str
    customer: str
    purpose: str
    scenarios: tuple[str, ...]
    csrf: str
    platforms: tuple[PlatformView, ...]
    origins: tuple[str, ...]
    until: datetime
    finished: bool
    back: str
    look: Accessed

    @staticmethod
    def of(
        session: Row[Any], browser: str, customer: str, platforms: tuple[PlatformView, ...], origins: tuple[str, ...], back: str
    ) -> LinkView:
        asked = tuple(dict.fromkeys(scenario for one in platforms for item in one.items for scenario in item.scenarios))
        return LinkView(
            grantee=session.grantee,
            app=session.app or session.client_id,
            customer=customer,
            purpose=session.purpose,
            # What the consents say: another link of the same app may have asked them anew.
            scenarios=asked or tuple(session.scenarios),
            csrf=csrf_of(browser),
            platforms=platforms,
            origins=origins,
            until=session.expires_at,
            finished=session.status != "OPEN",
            back=back,
            look=Accessed(session.customer_id, session.client_id, session.purpose, "linkPage", "", SHOWN),
        )

    @property
    def agreed(self) -> bool:
        return any(platform.agreed for platform in self.platforms)

    @property
    def complete(self) -> bool:
        """Nothing is left to agree to or to authorise."""
        return bool(self.platforms) and not any(platform.to_do for platform in self.platforms)

    @property
    def unfinished(self) -> bool:
        """Something is still being fetched: the page is worth looking at again."""
        return any(platform.unfinished for platform in self.platforms)

    @property
    def authorised(self) -> int:
        return sum(platform.authorised for platform in self.platforms)


def offer_of(items: Iterable[tuple[str, str]]) -> str:
    """A digest of consents and of the texts they are asked with."""
    return hashlib.sha256("\n".join(sorted(f"{consent_id} {text_hash}" for consent_id, text_hash in items)).encode()).hexdigest()


def csrf_of(browser: str) -> str:
    """Derived from the cookie, which another site cannot read."""
    return hashlib.sha256(b"csrf|" + browser.encode()).hexdigest()
