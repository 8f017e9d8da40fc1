"""A fact as the row it becomes: its key, its digest and its columns, and what of it PostgreSQL would refuse.

:func:`plain_row` says what a row is, field by field. :mod:`hub.store.encoders` writes the same, faster, for the facts that are nothing special.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, cast

import orjson

from hub.connect import Unreadable
from hub.domain.facts import FieldType, spec_of
from hub.domain.identifiers import mask, persons_number
from hub.vault import IDENTIFIER, Blind

LONGEST_KEY = 500
"""Characters. An index entry of PostgreSQL holds 2,704 bytes."""

Row = tuple[Any, ...]
"""source_key, content_hash (hex), occurred_on, then the fact's own columns in the order of its declaration."""
DAY = 2
"""Place of the day on which the fact counts."""


def plain_row(fact: Any, blind: Blind) -> Row:
    """Raises Unreadable for a fact that PostgreSQL would refuse: one bad record must not cost its page."""
    storable(fact)
    spec = spec_of(type(fact))
    columns: list[Any] = []
    digested: list[Any] = []
    shown: dict[str, str] = {}
    for name, kind in _fields(cast(Any, type(fact))):
        value = getattr(fact, name)
        made: tuple[Any, ...]
        if kind is FieldType.PERSONAL:
            shown[name] = blind.of_field(spec.name, name, value) if value is not None else ""
            made = (shown[name], mask(value)) if value is not None else (None, None)
        elif kind is FieldType.PARTY:
            made = party(value, blind) if value is not None else (None, None)
            shown[name] = part(made[0] or "")
        elif kind is FieldType.LINES:
            made = (lines(value),)
        else:
            made = (str(value) if kind is FieldType.ENUM and value is not None else value,)
        columns += made
        digested += made[:1] if kind is FieldType.PARTY else made
    key = "|".join(shown[name] if name in shown else part(_text(getattr(fact, name))) for name in spec.key)
    return (key, digest(digested), spec.occurred_on(fact), *columns)


@cache
def _fields(cls: type) -> tuple[tuple[str, FieldType], ...]:
    """By class: the hash of a whole declaration costs more than a row."""
    return tuple((field.name, field.kind) for field in spec_of(cls).fields)


def party(text: str, blind: Blind) -> tuple[str, str | None]:
    """The two columns of a party's number: a business's as it is, a natural person's as keyed hash and masked form.

    The second is left out of digests: it follows from the first, and what was written before there was one keeps its digest.
    """
    number = persons_number(text)
    return (text, None) if number is None else (blind.hash(IDENTIFIER, number), mask(number))


def lines(value: Mapping[str, Decimal] | None) -> str | None:
    """The lines of a statement as JSON, amounts as text."""
    if value is None:
        return None
    return orjson.dumps({line: str(amount) for line, amount in value.items()}, option=orjson.OPT_SORT_KEYS).decode()


def _text(value: object) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)


def part(text: str) -> str:
    """One part of a key. A separator inside it is escaped: a platform must not be able to make two keys one."""
    return text.replace("\\", "\\\\").replace("|", "\\|") if "|" in text or "\\" in text else text


def digest(columns: Sequence[Any]) -> str:
    """SHA-256 (hex) over the canonical text of the columns, as they are stored. What is stored was compared by it: it must never change."""
    return hashlib.sha256(orjson.dumps(columns, default=plain)).hexdigest()


def plain(value: Any) -> str:
    """An amount by its value: 10, 10.0 and 10.00 are one."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    raise TypeError(type(value).__name__)


def storable(fact: object) -> None:
    """Raises Unreadable, naming the field, for a fact that PostgreSQL would refuse."""
    spec = spec_of(type(fact))
    for field in spec.fields:
        value = getattr(fact, field.name)
        reason = _refusal(field.kind, value) if value is not None else "" if field.nullable else "is missing"
        if reason:
            raise Unreadable(field.name, reason)
    if len(spec.source_key(fact)) > LONGEST_KEY:
        raise Unreadable(spec.key[-1], "is longer than any key")


def _refusal(kind: FieldType, value: Any) -> str:
    """Why a value does not fit its column; empty when it does."""
    if isinstance(value, str):
        return _TEXTS.get(kind, _text_fault)(value)
    if kind is FieldType.LINES:
        return next((reason for line, amount in value.items() if (reason := _text_fault(line) or _number_fault(amount, 18))), "")
    if kind is FieldType.INSTANT:
        return "" if value.tzinfo is not None else "is a time without an offset"
    return _number_fault(value, DIGITS[kind]) if kind in DIGITS else ""


def _text_fault(text: str) -> str:
    """PostgreSQL keeps no NUL, UTF-8 no half of a surrogate pair."""
    return "holds a character that is none" if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text) else ""


def _month_fault(text: str) -> str:
    return "" if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text, re.ASCII) else "is no month"


def _number_fault(number: int | float | Decimal, digits: int) -> str:
    finite = number.is_finite() if isinstance(number, Decimal) else isinstance(number, int) or math.isfinite(number)
    return "" if finite and abs(number) < 10**digits else "is larger than any real one"


_TEXTS: Mapping[FieldType, Callable[[str], str]] = {FieldType.MONTH: _month_fault}
DIGITS: Mapping[FieldType, int] = {FieldType.INT: 18, FieldType.MONEY: 16, FieldType.NUMBER: 12, FieldType.COORDINATE: 4}
"""Digits before the point that a column holds, or a coordinate may have."""
