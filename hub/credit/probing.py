"""What an expression of a policy can give, found by trying: each of its names with every kind of value it may have.

The values that matter are those at which a comparison turns: the numbers the expression names, a little less, a little more. So a wrong type, a word that never
comes, a condition that cannot turn and a row that is never reached show when a policy is loaded, not when the first customer meets them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import islice
from math import prod

from hub.credit import late_features
from hub.credit.barred import barred_fault
from hub.credit.expressions import Known, Value, names_in, numbers_in, parse_fault, raw, texts_in
from hub.credit.features import CATALOGUE
from hub.credit.features.owner import LEVELS
from hub.credit.scenario.inputs import KINDS, Kind
from hub.domain.enums import Unit

WORDS: Mapping[str, tuple[str, ...]] = {
    "ss_tax_rating": ("A", "B", "M", "C", "D"),
    "ss_industry_risk": ("LOW", "MEDIUM", "HIGH", "PROHIBITED"),
    "op_education": LEVELS,
}
"""The words of textual features."""
SPECIAL = {"rr_dscr": "NO_DEBT"}
"""Numbers that may be a word instead."""
OFFERED: Mapping[str, Kind] = {"rate": "NUMBER", "term": "NUMBER"}
"""What a cap may name beside everything else."""
WHOLE = frozenset({Unit.COUNT, Unit.MONTHS, Unit.DPD, Unit.YEARS})
"""Units of whole numbers that are not below 0."""
NEAR = Decimal("0.0001")
MOST, ENOUGH, STEP = 20_000, 500, 104_729
"""Combinations that are tried for a condition, and for the type of an amount; the prime step from one to the next."""
_TEXT, _PARTS = re.compile(r"'[^']*'|\"[^\"]*\""), re.compile(r"\b(?:and|or)\b|[?:]")
_EQUAL, _QUOTIENT = re.compile(r"[=!]=|\bin\b"), re.compile(r"[/%]")
_GROUP = re.compile(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]")


def kind_of(name: str) -> Kind | None:
    """What a name stands for; None for one nobody provides."""
    if name in KINDS:
        return KINDS[name]
    if name not in CATALOGUE:
        return None
    unit = CATALOGUE[name].unit
    return WORDS.get(name, ()) if unit is Unit.ENUM else "FLAG" if unit is Unit.BOOL else "NUMBER"


@cache
def condition_fault(expression: str) -> str | None:
    """What is wrong with a condition; None for one that may be true and may be false."""
    fault = _readable_fault(expression, offered=False)
    if fault:
        return fault
    if any(_EQUAL.search(part) and _QUOTIENT.search(part) for part in _PARTS.split(_TEXT.sub("''", expression))):
        return "asks whether a quotient equals something: by zero there is none, and what is unknown equals nothing"
    outcomes = set()
    for names in probes(expression):
        try:
            found = raw(expression, names)
        except RuntimeError:
            return "compares what cannot be compared"
        if not isinstance(found, bool):
            return "is no condition: it gives a value"
        outcomes.add(found)
    if len(outcomes) > 1 or not _all_tried(names_in(expression), expression):
        return None
    return f"is always {'true' if True in outcomes else 'false'}"


@cache
def amount_fault(expression: str, *, offered: bool = False) -> str | None:
    """What is wrong with an amount; None for one that is a number and whose rows can all be reached."""
    fault = _readable_fault(expression, offered=offered)
    if fault:
        return fault
    for names in islice(probes(expression), ENOUGH):
        try:
            found = raw(expression, names)
        except RuntimeError:
            return "computes with what is no number"
        if isinstance(found, bool) or not isinstance(found, int | float):
            return "is no amount: it gives a condition or a text"
    return next(_dead_rows(expression), None)


def never_together(holds: str, fails: str) -> bool:
    """No values make the one true and the other false."""
    both = tuple(dict.fromkeys((*names_in(holds), *names_in(fails))))
    expression = f"{holds} and {fails}"
    found = any(raw(holds, one) is True and raw(fails, one) is False for one in _assignments(both, expression))
    return not found and _all_tried(both, expression)


def probes(expression: str) -> Iterator[dict[str, Known]]:
    """Values for the names of an expression, every combination."""
    return _assignments(names_in(expression), expression)


def _assignments(names: tuple[str, ...], expression: str, *, special: bool = True) -> Iterator[dict[str, Known]]:
    values = [_values(name, expression, special=special) for name in names]
    for chosen in _spread(values):
        yield {name: Known(value, None, _kind(name) == "NUMBER") for name, value in zip(names, chosen, strict=True)}


def _all_tried(names: tuple[str, ...], expression: str) -> bool:
    """Every combination was tried, so that what never came can be said never to come."""
    return prod(len(_values(name, expression, special=True)) for name in names) <= MOST


def _spread(values: Sequence[Sequence[Value]]) -> Iterator[list[Value]]:
    """Every combination, or as many as are tried, far apart: a prime step through all of them meets each value of each name."""
    total = prod(len(one) for one in values)
    for number in range(min(total, MOST)):
        place, chosen = number * STEP % total, list[Value]()
        for one in values:
            place, at = divmod(place, len(one))
            chosen.append(one[at])
        yield chosen


def _kind(name: str) -> Kind | None:
    return OFFERED.get(name) or kind_of(name)


def _values(name: str, expression: str, *, special: bool) -> list[Value]:
    kind = _kind(name)
    if kind == "FLAG":
        return [True, False]
    if kind != "NUMBER":
        return list(kind or ())
    words = [SPECIAL[name]] if special and name in SPECIAL else []
    if name in CATALOGUE and CATALOGUE[name].unit in WHOLE:
        return [*sorted({max(0, int(number) + step) for number in (*numbers_in(expression), Decimal(0)) for step in (-1, 0, 1)}), *words]
    turning = {Decimal(1), *(number for number in numbers_in(expression) if number)}
    near = {sign * number + step for number in turning for sign in (1, -1) for step in (-NEAR, Decimal(0), NEAR)}
    zero = [] if "/" in expression else [Decimal(0)]
    return [*zero, *sorted(near), *words]


def _readable_fault(expression: str, *, offered: bool) -> str | None:
    if barred := barred_fault(names_in(expression)):
        return barred
    unknown = [name for name in names_in(expression) if kind_of(name) is None and not (offered and name in OFFERED)]
    if unknown:
        return f"names {unknown[0]!r}, which nothing is called"
    if made_later := [name for name in names_in(expression) if name in late_features.OF_THE_OFFER]:
        return f"names {made_later[0]!r}, which is made of the offer that it would lead to (domain brief, 5.1)"
    if fault := parse_fault(expression):
        return f"cannot be read ({fault})"
    words = {word for name in names_in(expression) for word in (_kind(name) or ()) if isinstance(_kind(name), tuple)} | set(
        SPECIAL.values()
    )
    strange = sorted(texts_in(expression) - words)
    return f"asks for {strange[0]!r}, which none of its names can be" if strange else None


def _dead_rows(expression: str) -> Iterator[str]:
    """Rows of ``a ? x : b ? y : z`` that no values reach."""
    for rows in _choices(expression):
        yield from dead_conditions(rows)
        if exhaustive(rows):
            yield "has a last row that is never reached"


def dead_conditions(rows: Sequence[str]) -> Iterator[str]:
    """Of conditions that are tried one after the other, those that none but an earlier one's values meet."""
    for number, row in enumerate(rows):
        before = rows[:number]
        reached = any(raw(row, one) is True and not any(raw(text, one) is True for text in before) for one in _together((*before, row)))
        if not reached and _all_together((*before, row)):
            yield f"has a row that is never reached: {row!r}"


def exhaustive(rows: Sequence[str]) -> bool:
    """Whatever the values are, one of the conditions holds."""
    return not any(all(raw(text, one) is False for text in rows) for one in _together(rows)) and _all_together(rows)


def _together(rows: Sequence[str]) -> Iterator[dict[str, Known]]:
    return _assignments(_names_of(rows), " and ".join(rows), special=False)


def _all_together(rows: Sequence[str]) -> bool:
    return _all_tried(_names_of(rows), " and ".join(rows))


def _names_of(rows: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for text in rows for name in names_in(text)))


def _choices(expression: str) -> Iterator[list[str]]:
    """The conditions of each chain of choices, innermost groups first."""
    text = expression
    while "?" in text:
        group = next((found for found in _GROUP.finditer(text) if "?" in found[0]), None)
        inner = (group[1] if group[1] is not None else group[2]) if group else text
        for part in inner.split(","):
            pieces = re.split(r"[?:]", part)
            if len(pieces) > 1:
                yield [piece.strip() for piece in pieces[:-1:2]]
        if group is None:
            return
        text = text[: group.start()] + "1" + text[group.end() :]
