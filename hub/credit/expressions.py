"""Expressions of policies, in zen-engine's language, with exact decimals and three values.

A name stands for a feature or an input. Before an expression is evaluated its names are looked at: one that is NOT_APPLICABLE or missing makes the whole expression
so, because null never compares. Numbers are handed over as text, since zen-engine computes decimals exactly but takes Python's as floats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import zen

from hub.credit.values import Feature
from hub.domain.enums import MissingReason, Unit

_STRING = re.compile(r"'[^']*'|\"[^\"]*\"")
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w*\s*\()")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
_WORDS = frozenset({"and", "or", "not", "in", "true", "false", "null"})
SMALLEST = Decimal(1).scaleb(-26)
TEXTUAL = frozenset({Unit.ENUM, Unit.BOOL})

Value = Decimal | int | str | bool


@dataclass(frozen=True, slots=True)
class Known:
    """What a name stands for: a value, or why there is none. ``numeric`` decides how it is handed over."""

    value: Value | None
    missing: MissingReason | None
    numeric: bool
    features: tuple[str, ...] = ()

    @staticmethod
    def of(feature: Feature) -> Known:
        return Known(feature.value, feature.missing, feature.unit not in TEXTUAL, (feature.id,))


Names = Mapping[str, Known]


class Layers(Mapping[str, Known]):
    """Names of several mappings, the first that has one counts. Nothing is read before it is asked for."""

    def __init__(self, *layers: Names) -> None:
        self._layers = layers

    def __getitem__(self, name: str) -> Known:
        for layer in self._layers:
            if name in layer:
                return layer[name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for layer in self._layers for name in layer))

    def __len__(self) -> int:
        return len(set().union(*self._layers))


@dataclass(frozen=True, slots=True)
class Missing:
    """An expression that cannot be evaluated, and the reason of the first of its names that has no value."""

    reason: MissingReason


@cache
def names_in(expression: str) -> tuple[str, ...]:
    """The names an expression uses, in order."""
    plain = _STRING.sub("''", expression)
    return tuple(dict.fromkeys(name for name in _NAME.findall(plain) if name not in _WORDS))


def parse_fault(expression: str) -> str | None:
    """Why an expression cannot be read; None when it can."""
    try:
        zen.compile_expression(expression)
    except RuntimeError as error:
        return _first_line(error)
    return None


def raw(expression: str, names: Names) -> Any:
    """What an expression gives for names that all have a value, of whatever type. Raises RuntimeError where types do not fit."""
    return _run(expression, names, as_text=False)


def evaluate(expression: str, names: Names) -> bool | Missing:
    """The truth of a condition."""
    missing = _missing(expression, names)
    return missing or bool(_run(expression, names, as_text=False))


def amount(expression: str, names: Names) -> Decimal | Missing:
    """The exact value of an amount."""
    missing = _missing(expression, names)
    return missing or Decimal(str(_run(expression, names, as_text=True)))


def features_in(expression: str, names: Names) -> tuple[str, ...]:
    """The features an expression depends on."""
    return tuple(dict.fromkeys(feature for name in names_in(expression) for feature in names[name].features))


def _missing(expression: str, names: Names) -> Missing | None:
    reasons = [names[name].missing for name in names_in(expression) if names[name].missing]
    if not reasons:
        return None
    return Missing(
        MissingReason.NOT_APPLICABLE if MissingReason.NOT_APPLICABLE in reasons else next(reason for reason in reasons if reason)
    )


def _run(expression: str, names: Names, *, as_text: bool) -> Any:
    used = names_in(expression)
    # NO_DEBT and the like: a numeric feature whose value is text is compared as text.
    numeric = frozenset(name for name in used if names[name].numeric and not isinstance(names[name].value, str))
    context = {name: _plain(names[name].value) if name in numeric else names[name].value for name in used}
    return _compiled(expression, numeric, as_text).evaluate(context)


def _plain(value: Value | None) -> str:
    """A number as zen-engine reads it: no exponent, at most 26 decimals (its own limit is 28, leading zeros included)."""
    number = Decimal(value or 0)
    exponent = number.as_tuple().exponent
    return f"{number.quantize(SMALLEST) if isinstance(exponent, int) and exponent < -26 else number:f}"


@cache
def _compiled(expression: str, numeric: frozenset[str], as_text: bool) -> Any:
    parts = _STRING.split(expression)
    texts = _STRING.findall(expression)
    read = [_NAME.sub(lambda found: f"number({found[0]})" if found[0] in numeric else found[0], part) for part in parts]
    joined = "".join(part + (texts[index] if index < len(texts) else "") for index, part in enumerate(read))
    return zen.compile_expression(f"string({joined})" if as_text else joined)


@cache
def texts_in(expression: str) -> frozenset[str]:
    """The texts in quotes that an expression uses."""
    return frozenset(text[1:-1] for text in _STRING.findall(expression))


@cache
def numbers_in(expression: str) -> frozenset[Decimal]:
    """The numbers an expression names."""
    return frozenset(Decimal(number) for number in _NUMBER.findall(_STRING.sub("''", expression)))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:160]
