"""The form of a policy document, closed: every member there is, at every level, and what kind of value it has, in which range. What the values say together is judged
by :mod:`hub.credit.validation`.

A member that nobody reads is refused: it is a slip of the pen, and what it should have said would be missing from decisions. For people there are ``source``, ``notes``
and ``sources_of``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from itertools import islice
from typing import Any

from hub.credit.barred import price_faults
from hub.domain.assessments import LONGEST_RECORD
from hub.domain.enums import SourceKind
from hub.domain.models import ModelKind, ModelSlot

Path = tuple[str | int, ...]
Fault = tuple[Path, str, str]
"""Where, what is wrong, and the remedy."""
Shape = Callable[[Any, Path], Iterator[Fault]]
LONGEST_TEXT, LONGEST_LIST, LONGEST_NAME, LARGEST = 2_000, 100, 64, 10_000
UNKNOWN = "is not known"
MOST_FAULTS = 100
"""That are told at once: what is meant takes a while to find."""
LONGEST_TERM = 360
"""Months: no product of the field runs longer, and what does is a slip of the pen."""
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")

REVENUE = ("REQUIRED", "OPTIONAL", "NOT_APPLICABLE", "REPLACED")
SERIES = ("TRADE", "INVOICE", "TAX", "CASH", "NONE", None)
CAPS = ("PRODUCT", "REVENUE", "DEBT", "CAPACITY", "NEED", "REGULATORY")
REPAYMENTS = ("REVOLVING", "INTEREST_ONLY", "EQUAL_PRINCIPAL", "EQUAL_INSTALMENT", "BULLET", "SETTLEMENT_SHARE", "DAILY_SHARE")
GUARANTEES = (
    "UNSECURED", "REP_GUARANTEE", "CORE_GUARANTEE", "PUBLIC_GUARANTEE", "GUARANTEE_FUND", "CO_BORROWER", "INSURANCE_ASSIGNMENT",
    "RECEIVABLE_ASSIGNMENT",
)  # fmt: skip
ACTIONS = ("FREEZE_UNDRAWN", "REDUCE_UNDRAWN", "STOP_DRAWS", "REVIEW", "LOSE_SUBSIDY", "LOWER_CLASS")


@dataclass(frozen=True, slots=True)
class Kind:
    """A plain value. ``called`` says what it is."""

    called: str
    fits: Callable[[Any], bool]

    def __call__(self, value: Any, path: Path) -> Iterator[Fault]:
        if not self.fits(value):
            yield path, f"is no {self.called}", "Write one there."


@dataclass(frozen=True, slots=True)
class OneOf:
    """A word of a list."""

    words: tuple[str | None, ...]

    def __call__(self, value: Any, path: Path) -> Iterator[Fault]:
        if not isinstance(value, str | None) or value not in self.words:
            yield path, f"{str(value)[:LONGEST_NAME]!r} {UNKNOWN}", _meant(str(value), [str(word or "null") for word in self.words])


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
    """An object with these members, and no others."""

    needed: Mapping[str, Shape]
    free: Mapping[str, Shape]

    def __call__(self, value: Any, path: Path) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield path, "is no object", "Write an object there."
            return
        known = {**self.needed, **self.free}
        absent = [name for name in known if name not in value]
        unknown = islice((name for name in value if name not in known), MOST_FAULTS)
        strange = {name: get_close_matches(name[:LONGEST_NAME], absent, 1) for name in unknown}
        misspelt = {near[0] for near in strange.values() if near}
        for name in strange:
            yield (*path, name), f"`{name[:LONGEST_NAME]}` {UNKNOWN}", _meant(name, list(known), strange[name])
        if missing := [name for name in self.needed if name not in value and name not in misspelt]:
            yield path, f"it is incomplete: {', '.join(map(repr, missing))} missing", "Compare it with a policy that works."
        for name, shape in known.items():
            if name in value:
                yield from shape(value[name], (*path, name))


def _meant(word: str, known: list[str], near: list[str] | None = None) -> str:
    found = near or get_close_matches(word[:LONGEST_NAME], known, 1)
    return f"Did you mean `{found[0]}`?" if found else f"Known are {', '.join(known)}."


def _whole(least: int, most: int) -> Kind:
    return Kind(
        f"whole number from {least} to {most:,}",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most,
    )


def _source(value: Any, path: Path) -> Iterator[Fault]:
    yield from Members({}, {"kind": KIND, "any": ListOf(KIND), "months": MONTHS, "single_orders": MONTHS, "all": FLAG})(value, path)
    if not isinstance(value, dict):
        return
    if bool(value.get("any")) == ("kind" in value):
        yield path, "it has both of 'kind' and 'any', or neither", "Name the kind of source, or those of which any will do."
    if value.get("all") and "months" not in value:
        yield path, "it asks for all of no 'months'", "Say how many months, or leave 'all' out."


def _model(value: Any, path: Path) -> Iterator[Fault]:
    kind = str(value.get("kind")).upper() if isinstance(value, dict) else None
    if isinstance(value, dict) and "kind" in value and kind not in _MODELS:
        yield (*path, "kind"), "a wrong type or word: it is neither http nor onnx", "docs/operators.md has an example of each kind."
        return
    yield from _MODELS.get(str(kind), Members(_MODEL, {}))(value, path)


_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,18})?", re.ASCII)


def _is_decimal(value: Any) -> bool:
    return isinstance(value, str) and bool(_DECIMAL.fullmatch(value))


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value.strip()) > 0 and len(value) <= LONGEST_TEXT


NAME = Kind(
    "name of 1 to 64 letters, digits, dots, dashes or underscores",
    lambda value: isinstance(value, str) and _NAME.fullmatch(value) is not None,
)
TEXT = Kind(f"text of 1 to {LONGEST_TEXT:,} characters", _is_text)
TEXT_OR_NULL = Kind("text", lambda value: value is None or _is_text(value))
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
OBJECT = Kind("object", lambda value: isinstance(value, dict))
SHARE = Kind(
    'share from 0 to 1 as a decimal number in quotes, such as "0.20"', lambda value: _is_decimal(value) and 0 <= Decimal(value) <= 1
)
MONTHS, BONUS, COUNT = _whole(1, LONGEST_TERM), _whole(0, LONGEST_TERM), _whole(1, LARGEST)
AMOUNT = Kind(
    f"whole number from 1 to {LONGEST_TERM}, or expression",
    lambda value: MONTHS.fits(value) or _is_text(value),
)
DAY = Kind("day, such as 2026-01-01", _is_day)
KIND = OneOf(tuple(SourceKind))
TEXTS = ListOf(TEXT)
_FOR_PEOPLE = {"source": TEXT}
_RULE = Members({"code": TEXT, "pass": TEXT}, {"if_known": FLAG, "refer": TEXT_OR_NULL, **_FOR_PEOPLE})
_LEG = Members({"id": NAME, "amount": TEXT}, {"if_known": FLAG, "code": TEXT, **_FOR_PEOPLE})
_UPLIFT = Members({"share": SHARE, "any": TEXTS}, {"enabled": FLAG, **_FOR_PEOPLE})
_FEE = Members({"kind": TEXT}, {"once": SHARE, "yearly": SHARE, "guarantee": TEXT, **_FOR_PEOPLE})
_STEP = Members({"when": TEXT, "action": OneOf(ACTIONS)}, {"share": SHARE, **_FOR_PEOPLE})
_MODEL: Mapping[str, Shape] = {"kind": TEXT, "model": TEXT, "features": TEXTS}
_OF_MODEL: Mapping[str, Shape] = {"timeout_ms": COUNT, "missing": OneOf(("NAN", "REFUSE")), **_FOR_PEOPLE}
_MODELS = {
    ModelKind.HTTP.value: Members({**_MODEL, "url": TEXT, "request": OBJECT, "answer": OBJECT}, _OF_MODEL),
    ModelKind.ONNX.value: Members({**_MODEL, "file": TEXT, "sha256": TEXT, "outputs": TableOf(TEXT)}, _OF_MODEL),
}
_RECORD = Kind(f"text of 1 to {LONGEST_RECORD} characters", lambda value: _is_text(value) and len(value) <= LONGEST_RECORD)
ASSESSMENT = Members({"id": _RECORD, "on": DAY}, {})
"""By which impact assessment (PIPL 55-56): the institution's record of it, and its day. One may be drafted and tried without; not published."""

POLICY = Members(
    {
        "id": NAME,
        "version": NAME,
        "effective_from": DAY,
        "title": TEXT,
        "revenue_dimension": OneOf(REVENUE),
        "sources": ListOf(_source),
        "eligibility": ListOf(_RULE),
        "legs": ListOf(_LEG),
        "uplifts": ListOf(_UPLIFT),
        "uplift_ceiling": SHARE,
        "caps": Members({}, dict.fromkeys(CAPS, TEXT)),
        "term": Members({"base": AMOUNT, "bonus": BONUS}, {}),
        "repayment": ListOf(OneOf(REPAYMENTS)),
        "guarantee": ListOf(OneOf(GUARANTEES)),
    },
    {
        "assessment": ASSESSMENT,
        "revenue_dimension_of_persons": OneOf(REVENUE),
        "replaced_by": TEXTS,
        "observers": FLAG,
        "farmer": FLAG,
        "sales_series": OneOf(SERIES),
        "optional_sources": ListOf(KIND),
        "factor": TEXT_OR_NULL,
        "advance": Members(dict.fromkeys(("share", "government", "ceiling", "buyer_share"), SHARE), {}),
        "without_caps": ListOf(OneOf(CAPS)),
        "guarantee_when": Members({}, dict.fromkeys(GUARANTEES, TEXT)),
        "downgrade": ListOf(_STEP),
        "fees": ListOf(_FEE),
        "models": Members({}, dict.fromkeys(map(str, ModelSlot), _model)),
        "notes": TEXTS,
        "sources_of": Members({}, dict.fromkeys((*CAPS, "advance", "factor", "price", "term", "uplift_ceiling"), TEXT)),
        **_FOR_PEOPLE,
    },
)


def misshapen(document: Any) -> list[Fault]:
    """Every member that is not known, and every value that is not of its kind. A price of its own is refused by its law."""
    priced = list(price_faults(document)) if isinstance(document, dict) else []
    told = {path for path, _, _ in priced}
    return [*priced, *(one for one in islice(POLICY(document, ()), MOST_FAULTS) if one[0] not in told)]


def only_words(found: list[Fault]) -> bool:
    """Nothing but words that are not known: what the rest says can be looked at all the same."""
    return all(wrong[0] != "`" and wrong.endswith(UNKNOWN) for _, wrong, _ in found)


def written(path: Path) -> str:
    """``legs[2].amount``"""
    text = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path)
    return text.lstrip(".") or "the document"
