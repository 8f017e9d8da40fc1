"""Reading single fields of a record. What cannot be read raises Unreadable with the field's name, never with its value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from hub.connect import Unreadable
from hub.domain.identifiers import PersonalId
from hub.domain.money import ZERO
from hub.domain.periods import CHINA, Month

Record = Mapping[str, Any]
Word = TypeVar("Word")

_AMOUNT = re.compile(r"\d+(\.\d{1,2})?")
_SIGNED = re.compile(r"-?\d+(\.\d{1,2})?")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_ANGLE = re.compile(r"-?\d{1,3}(\.\d+)?")


def text(record: Record, name: str) -> str:
    """A text or a number: the vendor documents identifiers as Number and sends either."""
    value = record.get(name)
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise Unreadable(name, "missing")
    return str(value)


def optional(record: Record, name: str) -> str | None:
    return text(record, name) if record.get(name) else None


def personal(record: Record, name: str) -> PersonalId | None:
    found = optional(record, name)
    return PersonalId(found) if found else None


def word(record: Record, name: str, table: Mapping[str, Word]) -> Word:
    meaning = table.get(text(record, name))
    if meaning is None:
        raise Unreadable(name, "not in the code table")
    return meaning


def money(record: Record, name: str, pattern: re.Pattern[str] = _AMOUNT) -> Decimal:
    found = text(record, name)
    if not pattern.fullmatch(found):
        raise Unreadable(name, "not an amount in yuan")
    return Decimal(found)


def adjustment(record: Record, name: str) -> Decimal:
    """An amount that may be absent or negative."""
    return money(record, name, _SIGNED) if record.get(name) is not None else ZERO


def score(record: Record, name: str) -> Decimal:
    found = money(record, name)
    if found > 5:
        raise Unreadable(name, "not a score from 0 to 5")
    return found


def count(record: Record, name: str) -> int:
    found = text(record, name)
    if not found.isdecimal():
        raise Unreadable(name, "not a count")
    return int(found)


def maybe_count(record: Record, name: str) -> int | None:
    return count(record, name) if record.get(name) is not None else None


def degrees(record: Record, name: str) -> float | None:
    found = optional(record, name)
    if found and not _ANGLE.fullmatch(found):
        raise Unreadable(name, "not an angle")
    return float(found) if found else None


def day(record: Record, name: str) -> date:
    """A day, or the day of a time."""
    try:
        return date.fromisoformat(text(record, name)[:10])
    except ValueError:
        raise Unreadable(name, "not a day") from None


def month(record: Record, name: str) -> Month:
    found = text(record, name)
    if not _MONTH.fullmatch(found):
        raise Unreadable(name, "not a month")
    return Month(found)


def instant(record: Record, name: str) -> datetime:
    """A naked GMT+8 text. Not read with ``strptime``: a page holds hundreds of them."""
    found = text(record, name)
    try:
        if len(found) != 19 or found[10] != " ":
            raise ValueError
        return datetime.fromisoformat(found).replace(tzinfo=CHINA).astimezone(UTC)
    except ValueError:
        raise Unreadable(name, "not a time") from None


def maybe_instant(record: Record, name: str) -> datetime | None:
    return instant(record, name) if record.get(name) else None
