"""The feed's words: units of area and yield, answers, points, and how a record is read field by field.

All names are the profile's (README.md); those in capitals are the fields of the land register's public data dictionary. The setting ``crops`` says how the lender's crop table
calls a crop that the feed calls otherwise.
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

SCOPE = "farm.read"
SOURCE_OF = {SCOPE: SourceKind.FARM}

AREAS: Mapping[str, Decimal] = {"亩": Decimal(1), "厘": Decimal("0.01"), "公顷": Decimal(15), "平方米": Decimal("0.0015")}
"""What one unit of area is in mu (亩)."""
YIELDS: Mapping[str, Decimal] = {"公斤/亩": Decimal(1), "公斤/公顷": Decimal(15), "斤/亩": Decimal(2)}
"""How many of a unit of yield are one kg per mu."""
MILLIONTH = Decimal("0.000001")

_NUMBER = re.compile(r"\d{1,9}(\.\d{1,6})?")
_POINT = re.compile(r"POINT\((-?\d{1,3}(?:\.\d+)?) (-?\d{1,2}(?:\.\d+)?)\)")


@lru_cache(maxsize=32)
def _crops(overrides: str) -> Mapping[str, str]:
    found: Mapping[str, str] = json.loads(overrides or "{}")
    return found


class Row:
    """One vendor record. Every method raises Unreadable with the field, never with the value; null and empty mean unknown."""

    def __init__(self, context: Context, record: Record) -> None:
        self.record, self.crops = record, _crops(context.config.get("crops", "{}"))

    def text(self, field: str) -> str:
        value = self.record.get(field)
        if not isinstance(value, str) or not value:
            raise Unreadable(field, "is missing")
        return value

    def optional(self, field: str) -> str | None:
        return None if self.record.get(field) in (None, "") else self.text(field)

    def crop(self, field: str) -> str:
        text = self.text(field)
        return self.crops.get(text, text)

    def area(self, field: str) -> Decimal:
        """In mu; the record's ``areaUnit`` says the unit on the wire."""
        return self._number(field) * _unit(self.record, "areaUnit", AREAS)

    def optional_area(self, field: str) -> Decimal | None:
        return None if self.optional(field) is None else self.area(field)

    def yield_of(self, field: str) -> Decimal:
        """In kg per mu, to the millionth; the record's ``yieldUnit`` says the unit on the wire."""
        return (self._number(field) / _unit(self.record, "yieldUnit", YIELDS)).quantize(MILLIONTH)

    def _number(self, field: str) -> Decimal:
        text = self.text(field)
        if not _NUMBER.fullmatch(text):
            raise Unreadable(field, "is not a number")
        return Decimal(text)

    def point(self, field: str) -> tuple[float, float]:
        """Latitude and longitude. On the wire the longitude comes first."""
        found = _POINT.fullmatch(self.text(field))
        if found is None or abs(float(found[1])) > 180 or abs(float(found[2])) > 90:
            raise Unreadable(field, "is not a point")
        return float(found[2]), float(found[1])

    def day(self, field: str) -> date:
        """``yyyy/MM/dd``."""
        try:
            return datetime.strptime(self.text(field), "%Y/%m/%d").date()
        except ValueError:
            raise Unreadable(field, "is not a date") from None

    def count(self, field: str) -> int:
        value = self.record.get(field)
        if type(value) is not int or value < 0:
            raise Unreadable(field, "is not a count")
        return value

    def yes(self, field: str) -> bool:
        """是 or 否."""
        text = self.text(field)
        if text not in ("是", "否"):
            raise Unreadable(field, "is neither yes nor no")
        return text == "是"


def _unit(record: Record, name: str, units: Mapping[str, Decimal]) -> Decimal:
    unit = units.get(str(record.get(name)))
    if unit is None:
        raise Unreadable(name, "is a unit that stands in no table")
    return unit
