"""The form of a policy document: which members there are, and what kind of value each has. What they say is judged by :mod:`hub.credit.validation`.

A value of another kind would be met somewhere inside, as an error that names no place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.domain.enums import SourceKind

Path = tuple[str | int, ...]
Fault = tuple[Path, str, str]
"""Where, what is wrong, and the remedy."""
Shape = Callable[[Any, Path], Iterator[Fault]]
LONGEST_TEXT, LONGEST_LIST, LARGEST = 2_000, 100, 10_000
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A plain value. ``called`` says what it is."""

    called: str
    fits: Callable[[Any], bool]

    def __call__(self, value: Any, path: Path) -> Iterator[Fault]:
        if not self.fits(value):
            yield path, f"is no {self.called}", "Write one there."


@dataclass(frozen=True, slots=True)
class ListOf:
    of: Shape

    def __call__(self, value: Any, path: Path) -> Iterator[Fault]:
        if not isinstance(value, list) or len(value) > LONGEST_LIST:
            yield path, f"is no list of at most {LONGEST_LIST}", "Write a list there."
            return
        for number, one in enumerate(value):
            yield from self.of(one, (*path, number))


@dataclass(frozen=True, slots=True)
class TableOf:
    """Any names, with one kind of value."""

    of: Shape

    def __call__(self, value: Any, path: Path) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield path, "is no object", "Write an object there."
            return
        for name, one in value.items():
            yield from self.of(one, (*path, name))


@dataclass(frozen=True, slots=True)
class Members:
    """An object. Members beside those that are named are for people, and nobody reads them."""

    needed: Mapping[str, Shape]
    free: Mapping[str, Shape]

    def __call__(self, value: Any, path: Path) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield path, "is no object", "Write an object there."
            return
        if missing := [name for name in self.needed if name not in value]:
            yield path, f"it is incomplete: {', '.join(map(repr, missing))} missing", "Compare it with a policy that works."
        for name, shape in {**self.needed, **self.free}.items():
            if name in value:
                yield from shape(value[name], (*path, name))


def _source(value: Any, path: Path) -> Iterator[Fault]:
    yield from Members({}, {"kind": KIND, "any": ListOf(KIND), "months": COUNT, "single_orders": COUNT, "all": FLAG})(value, path)
    if isinstance(value, dict) and not value.get("any") and "kind" not in value:
        yield path, "it is incomplete: 'kind' or 'any' missing", "Name the kind of source, or those of which any will do."


def _is_decimal(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) <= 40 and abs(Decimal(value)) < 10**12
    except (InvalidOperation, ValueError):
        return False


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


NAME = Kind(
    "name of 1 to 64 letters, digits, dots, dashes or underscores",
    lambda value: isinstance(value, str) and _NAME.fullmatch(value) is not None,
)
TEXT = Kind(f"text of at most {LONGEST_TEXT:,} characters", _is_text)
TEXT_OR_NULL = Kind("text", lambda value: value is None or _is_text(value))
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
COUNT = Kind("whole number", _is_count)
AMOUNT = Kind("number or expression", lambda value: _is_count(value) or _is_text(value))
DECIMAL = Kind('decimal number as text, such as "0.20"', _is_decimal)
DAY = Kind("day, such as 2026-01-01", _is_day)
KIND = Kind("kind of source", lambda value: value in list(SourceKind))
TEXTS = ListOf(TEXT)
_RULE = Members({"code": TEXT, "pass": TEXT}, {"if_known": FLAG, "refer": TEXT_OR_NULL})
_LEG = Members({"id": TEXT, "amount": TEXT}, {"if_known": FLAG, "code": TEXT})
_UPLIFT = Members({"share": DECIMAL, "any": TEXTS}, {"enabled": FLAG})
_FEE = Members({"kind": TEXT}, {"once": DECIMAL, "yearly": DECIMAL, "guarantee": TEXT, "source": TEXT})
_STEP = Members({"when": TEXT, "action": TEXT}, {"share": DECIMAL})

POLICY = Members(
    {
        "id": NAME,
        "version": NAME,
        "effective_from": DAY,
        "title": TEXT,
        "revenue_dimension": TEXT,
        "sources": ListOf(_source),
        "eligibility": ListOf(_RULE),
        "legs": ListOf(_LEG),
        "uplifts": ListOf(_UPLIFT),
        "uplift_ceiling": DECIMAL,
        "caps": TableOf(TEXT),
        "term": Members({"base": AMOUNT, "bonus": COUNT}, {}),
        "repayment": TEXTS,
        "guarantee": TEXTS,
    },
    {
        "revenue_dimension_of_persons": TEXT,
        "replaced_by": TEXTS,
        "observers": FLAG,
        "farmer": FLAG,
        "sales_series": TEXT_OR_NULL,
        "optional_sources": ListOf(KIND),
        "factor": TEXT_OR_NULL,
        "advance": Members(dict.fromkeys(("share", "government", "ceiling", "buyer_share"), DECIMAL), {}),
        "without_caps": TEXTS,
        "guarantee_when": TableOf(TEXT),
        "downgrade": ListOf(_STEP),
        "fees": ListOf(_FEE),
        "sources_of": TableOf(TEXT),
    },
)


def misshapen(document: Any) -> list[Fault]:
    """Every value that is not of its kind."""
    return list(POLICY(document, ()))


def written(path: Path) -> str:
    """``legs[2].amount``"""
    text = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path)
    return text.lstrip(".") or "the document"
