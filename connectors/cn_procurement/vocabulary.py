"""The platform's words: what they mean here, and how a record is read field by field.

All names are the profile's (README.md). Words are Chinese; one that stands in no table is quarantined, never guessed; the setting ``maps`` adds words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from hub.connect import Context, Record, Unreadable
from hub.domain.enums import SourceKind
from hub.domain.money import yuan

SCOPE = "procurement.read"
SOURCE_OF = {SCOPE: SourceKind.PROCUREMENT}

GOVERNMENT, PRIVATE = "GOVERNMENT", "PRIVATE"
MAPS: Mapping[str, Mapping[str, str]] = {
    "cgrlx": {"政府采购人": GOVERNMENT, "核心企业": PRIVATE, "其他企业": PRIVATE},
    "qqf": {"采购人确认": "BUYER", "平台核验": "PLATFORM"},
    "htzt": {"履约中": "OPEN", "已验收": "DELIVERED", "已解除": "CANCELLED"},
    "sdzt": {"已锁定": "LOCKED", "未锁定": "FREE"},
}

UNITS: Mapping[str, tuple[re.Pattern[str], int]] = {
    "WY": (re.compile(r"\d+\.\d{6}"), 10_000),
    "Y": (re.compile(r"\d+\.\d{2}"), 1),
}
"""Ten thousand yuan (万元) with six decimals, yuan with two: the form of a text and what one unit is in yuan. So one is never read as the other."""


_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")


@lru_cache(maxsize=32)
def _maps(overrides: str) -> Mapping[str, Mapping[str, str]]:
    return {**MAPS, **{name: {**MAPS.get(name, {}), **table} for name, table in json.loads(overrides or "{}").items()}}


class Row:
    """One vendor record. Every method raises Unreadable with the field, never with the value; null and empty mean unknown."""

    def __init__(self, context: Context, record: Record) -> None:
        self.record, self.maps = record, _maps(context.config.get("maps", "{}"))

    def text(self, field: str) -> str:
        value = self.record.get(field)
        if not isinstance(value, str) or not value:
            raise Unreadable(field, "is missing")
        return value

    def optional(self, field: str) -> str | None:
        return None if self.record.get(field) in (None, "") else self.text(field)

    def party(self, field: str) -> str:
        """A unified social credit code of somebody else. Its check character is not looked at: it is compared with lists, and nobody is known by it."""
        text = self.text(field)
        if not _CODE.fullmatch(text):
            raise Unreadable(field, "is not a unified social credit code")
        return text

    def day(self, field: str) -> date:
        """``yyyyMMdd``."""
        text = self.text(field)
        try:
            return datetime.strptime(text, "%Y%m%d").date() if len(text) == 8 else _no_day(field)
        except ValueError:
            return _no_day(field)

    def optional_day(self, field: str) -> date | None:
        return None if self.optional(field) is None else self.day(field)

    def amount(self, field: str) -> Decimal:
        """Yuan; the record's ``unit`` says the unit on the wire, and the text must have its form."""
        text, unit = self.text(field), str(self.record.get("unit"))
        form, size = UNITS.get(unit, (None, 0))
        if form is None or not form.fullmatch(text):
            raise Unreadable(field, "is not an amount in the unit of the answer")
        value = yuan(text) * size
        if value != round(value, 2):
            raise Unreadable(field, "has a fraction of a fen")
        return round(value, 2)

    def optional_amount(self, field: str) -> Decimal | None:
        return None if self.optional(field) is None else self.amount(field)

    def word(self, table: str) -> str:
        """The meaning of a word; table and field have one name."""
        meaning = self.maps.get(table, {}).get(self.text(table))
        if meaning is None:
            raise Unreadable(table, "is a word that stands in no table")
        return meaning

    def optional_word(self, table: str) -> str | None:
        return None if self.optional(table) is None else self.word(table)


def _no_day(field: str) -> date:
    raise Unreadable(field, "is not a date") from None
