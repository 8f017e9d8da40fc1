"""The terms under which consent is asked: a dated document per version, and the text a customer is shown.

Written form and the notice of adverse effects follow 征信业管理条例 13 and 14; data life and range follow the principle of least data (PIPL 19).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from hub.domain.enums import ConsentMode, FetchType, SourceKind
from hub.domain.facts import all_specs
from hub.domain.periods import add_months, first_day, last_day, month_of

CURRENT = "2026-01-01"


@cache
def terms(version: str = CURRENT) -> dict[str, Any]:
    """The document of a version."""
    document: dict[str, Any] = orjson.loads((files(__package__) / f"{version}.json").read_bytes())
    return document


def day_of_asking(data_to: date, version: str) -> date:
    """A day that makes the same offer as the one a consent was asked with: offers change with the month, and their end tells which."""
    return first_day(add_months(month_of(data_to), -int(terms(version)["valid_months"])))


@dataclass(frozen=True, slots=True)
class Offer:
    """What one consent asks for."""

    source: SourceKind
    connector_title: str
    connector_title_zh: str
    grantee: str
    purpose: str
    scenarios: tuple[str, ...]
    today: date
    version: str = CURRENT

    @property
    def term(self) -> dict[str, Any]:
        found: dict[str, Any] = terms(self.version)["sources"][self.source]
        return found

    @property
    def data_from(self) -> date:
        return first_day(add_months(month_of(self.today), -int(self.term["months"])))

    @property
    def data_to(self) -> date:
        return self.expires_on

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of fact of its source, as they are declared when it is asked for: one that is declared later needs another consent (PIPL 14)."""
        return tuple(sorted(spec.name for spec in all_specs() if spec.source is self.source))

    @property
    def mode(self) -> ConsentMode:
        return ConsentMode(self._how["mode"])

    @property
    def fetch(self) -> FetchType:
        return FetchType(self._how["fetch"])

    @property
    def per_day(self) -> int:
        """How often a day its data may be fetched."""
        return int(self._how["per_day"])

    @property
    def _how(self) -> dict[str, Any]:
        found: dict[str, Any] = terms(self.version)["fetching"]
        return found

    @property
    def expires_on(self) -> date:
        return last_day(add_months(month_of(self.today), int(terms(self.version)["valid_months"])))

    def text(self, language: str) -> str:
        """The text the customer is shown, in ``zh`` or ``en``."""
        document = terms(self.version)
        return str(document["text"][language]).format(
            grantee=self.grantee,
            purpose=document["purposes"][self.purpose][language],
            connector=self.connector_title_zh if language == "zh" else self.connector_title,
            what=self.term[language],
            data_from=self.data_from,
            data_to=self.data_to,
            expires=self.expires_on,
            life=self.term["life_days"],
            scenarios=", ".join(self.scenarios),
            adverse=document["adverse"][language] if self.term["adverse"] else "",
        )

    @property
    def text_hash(self) -> str:
        """Hex SHA-256 of the Chinese text, which is the binding one."""
        return hashlib.sha256(self.text("zh").encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Handing:
    """What the consent of its own says by which the grantee may hand what ``offer`` brings to an ``app``, by its name (PIPL 23)."""

    offer: Offer
    app: str

    def text(self, language: str) -> str:
        """The text the customer is shown, in ``zh`` or ``en``."""
        document, offer = terms(self.offer.version), self.offer
        return str(document["handing"][language]).format(
            grantee=offer.grantee,
            app=self.app,
            purpose=document["purposes"][offer.purpose][language],
            what=offer.term[language],
            scenarios=", ".join(offer.scenarios),
        )

    @property
    def text_hash(self) -> str:
        """Hex SHA-256 of the Chinese text, which is the binding one."""
        return hashlib.sha256(self.text("zh").encode()).hexdigest()
