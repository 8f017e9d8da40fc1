"""Every word of the hosted pages, in Chinese and in English: one document per language, with the same keys.

A key that is not there is an error, never an empty place. Times are shown in China Standard Time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files

import orjson
from markupsafe import Markup

from hub.consent.terms import terms
from hub.domain.facts import snake, spec_of_name
from hub.domain.periods import CHINA

LANGUAGES = ("zh", "en")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


@cache
def document(name: str) -> Mapping[str, str]:
    """``zh`` and ``en`` are the pages' words, ``dictionary.zh`` the Chinese names of the data dictionary's fields."""
    found: dict[str, str] = orjson.loads((files(__package__) / f"{name}.json").read_bytes())
    return found


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language, as the templates call them."""

    language: str

    def __call__(self, key: str, **values: object) -> Markup:
        """The text of a key with its places filled, what fills them as text. Raises KeyError for one that is not there."""
        return Markup(document(self.language)[key]).format(**values)  # noqa: S704 -- our own words; a test looks that none of them is read as HTML

    def known(self, key: str, default: str) -> str:
        """The text of a key that comes from outside (a scenario, a state), or what it comes as."""
        return document(self.language).get(key, default)

    def either(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def purpose(self, code: str) -> str:
        found = terms()["purposes"].get(code)
        return str(found[self.language]) if found else code

    def source(self, code: str) -> str:
        """A kind of source, as its consent calls it."""
        return str(terms()["sources"][code][self.language])

    def kind(self, name: str) -> str:
        """A kind of fact: its Chinese term, or its name in plain English."""
        if self.language == "zh":
            return re.split(r"[:：.(（]", spec_of_name(name).doc, maxsplit=1)[0].strip()
        return snake(name).replace("_", " ")

    def field(self, name: str) -> str:
        """A field of the data dictionary."""
        return document("dictionary.zh").get(name, name) if self.language == "zh" else name.replace("_", " ")

    def scenarios(self, codes: tuple[str, ...]) -> str:
        """Products by name; one that has none yet by its code."""
        return self.either("、", ", ").join(self.known(f"scenario.{code}", code) for code in codes)

    def listed(self, fields: tuple[str, ...]) -> str:
        return self.either("、", ", ").join(self.field(name) for name in fields)

    def day(self, day: date) -> str:
        if self.language == "zh":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def time(self, at: datetime) -> str:
        return f"{at.astimezone(CHINA):%H:%M}"

    def moment(self, at: datetime) -> str:
        return f"{self.day(at.astimezone(CHINA).date())} {self.time(at)}"


def preferred(accepted: str) -> str:
    """The language for a browser's Accept-Language: the first of ours that it names, else English; Chinese for a browser that names none."""
    named = [part.split(";")[0].strip().lower()[:2] for part in accepted.split(",") if part.strip()]
    if not named:
        return "zh"
    return next((language for language in named if language in LANGUAGES), "en")
