"""Expressions of policies, in zen-engine's language, with exact decimals and three values.

A name stands for a feature or an input. Before an expression is evaluated its names are looked at: one that is NOT_APPLICABLE or missing makes the whole expression
so, because null never compares. Numbers are handed over as text, since zen-engine computes decimals exactly but takes Python's as floats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import compress
from typing import Any

import msgspec
import zen

from hub.credit.values import Feature
from hub.domain.enums import MissingReason, Unit

_STRING = re.compile(r"'[^']*'|\"[^\"]*\"")
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w*\s*\()")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
_ARITHMETIC = re.compile(r"[/%*^]")
_WORDS = frozenset({"and", "or", "not", "in", "true", "false", "null"})
SMALLEST = Decimal(1).scaleb(-26)
TEXTUAL = frozenset({Unit.ENUM, Unit.BOOL})

Value = Decimal | int | str | bool


class Known(msgspec.Struct, frozen=True, gc=False):
    """What a name stands for: a value, or why there is none. ``numeric`` decides how it is handed over."""

    value: Value | None
    missing: MissingReason | None
    numeric: bool
    features: tuple[str, ...] = ()

    @staticmethod
    def of(feature: Feature) -> Known:
        return Known(feature.value, feature.missing, feature.unit not in TEXTUAL, (feature.id,))

    @property
    def as_number(self) -> bool:
        """Whether it is handed over as a number. NO_DEBT and the like: a numeric feature whose value is text is compared as text."""
        return self.numeric and not isinstance(self.value, str)

    @property
    def handed_over(self) -> Value | None:
        """The value as zen-engine is given it."""
        return _plain(self.value) if self.as_number else self.value


Names = Mapping[str, Known]
Memo = dict[Any, Any]
"""What expressions gave, by their text and by which values their names stand for; the values are kept beside it, so that no other has their place in memory."""


class _Found(dict[str, Known]):
    """Names that were asked for before; others are looked for in the layers."""

    def __init__(self, layers: tuple[Names, ...]) -> None:
        self.layers = layers

    def __missing__(self, name: str) -> Known:
        for layer in self.layers:
            if name in layer:
                self[name] = layer[name]
                return self[name]
        raise KeyError(name)


class Layers(Mapping[str, Known]):
    """Names of several mappings, the first that has one counts. Nothing is read before it is asked for, and nothing twice.

    ``memo`` is that of a dossier: scenarios ask the same of the same values. Of layers over layers it is that of those below.
    """

    def __init__(self, *layers: Names, memo: Memo | None = None) -> None:
        self._layers = layers
        self.found = _Found(layers)
        below = (one.memo for one in layers if isinstance(one, Layers))
        self.memo: Memo = memo if memo is not None else next(below, {})

    def __getitem__(self, name: str) -> Known:
        return self.found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for layer in self._layers for name in layer))

    def __len__(self) -> int:
        return len(set().union(*self._layers))


class Missing(msgspec.Struct, frozen=True, gc=False):
    """An expression that cannot be evaluated, and the reason of the first of its names that has no value; or of its own, where no number comes out."""

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
    return _run(expression, _known(expression, names), as_text=False)


def evaluate(expression: str, names: Names) -> bool | Missing:
    """The truth of a condition."""
    found = _once(expression, names, as_text=False)
    return found if isinstance(found, Missing) else bool(found)


def amount(expression: str, names: Names) -> Decimal | Missing:
    """The exact value of an amount."""
    found = _once(expression, names, as_text=True)
    return found if isinstance(found, Missing) else Decimal(str(found))


def features_in(expression: str, names: Names) -> tuple[str, ...]:
    """The features an expression depends on."""
    return tuple(dict.fromkeys(feature for one in _known(expression, names) for feature in one.features))


def _known(expression: str, names: Names) -> list[Known]:
    """What the names of an expression stand for."""
    found = names.found if isinstance(names, Layers) else names
    return [found[name] for name in names_in(expression)]


def _once(expression: str, names: Names, *, as_text: bool) -> Any:
    """What an expression gives, or why nothing; where names have a memo, once for the same values."""
    known = _known(expression, names)
    if not isinstance(names, Layers):
        return _missing(known) or _computed(expression, known, as_text=as_text)
    key = (expression, as_text, *map(id, known))
    held = names.memo.get(key)
    if held is None:
        held = names.memo[key] = (_missing(known) or _computed(expression, known, as_text=as_text), known)
    return held[0]


def _missing(known: Sequence[Known]) -> Missing | None:
    reasons = [one.missing for one in known if one.missing]
    if not reasons:
        return None
    return Missing(MissingReason.NOT_APPLICABLE if MissingReason.NOT_APPLICABLE in reasons else reasons[0])


def _computed(expression: str, known: Sequence[Known], *, as_text: bool) -> Any:
    """As :func:`_run`. By zero nothing is divided, and nothing is computed beyond 28 digits: zen-engine gives null or stops, and null is unknown, not false."""
    try:
        found = _run(expression, known, as_text=as_text)
    except RuntimeError:
        if not _ARITHMETIC.search(_STRING.sub("", expression)):
            raise
        found = None
    return Missing(MissingReason.ZERO_DENOMINATOR) if found in (None, "null") else found


def _run(expression: str, known: Sequence[Known], *, as_text: bool) -> Any:
    compiled = _compiled(expression, tuple([one.as_number for one in known]), as_text)
    return compiled.evaluate(dict(zip(names_in(expression), [one.handed_over for one in known], strict=True)))


def _plain(value: Value | None) -> str:
    """A number as zen-engine reads it: no exponent, at most 26 decimals (its own limit is 28, leading zeros included)."""
    number = Decimal(value or 0)
    exponent = number.as_tuple().exponent
    return f"{number.quantize(SMALLEST) if isinstance(exponent, int) and exponent < -26 else number:f}"


@cache
def _compiled(expression: str, as_number: tuple[bool, ...], as_text: bool) -> Any:
    """``as_number`` says of each name in its order whether it is handed over as a number."""
    numeric = frozenset(compress(names_in(expression), as_number))
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
