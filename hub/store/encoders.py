"""Facts to rows, fast: one function per kind of fact, written from its declaration.

It takes a fact apart in one pass: looks at the type and range of every field, makes key, digest and columns. Whatever is not plainly good it hands to
:func:`hub.store.rows.plain_row`, which either refuses it or writes it as it always was; so the fast way needs to be right only about what it lets through.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from math import isfinite
from typing import Any, cast

import orjson

from hub.domain.facts import FactSpec, FieldSpec, FieldType, spec_of
from hub.domain.identifiers import mask
from hub.domain.periods import CHINA, china_day
from hub.store.rows import DIGITS, LONGEST_KEY, Row, part, plain_row
from hub.vault import Blind

Encode = Callable[[Any], Row]

_OFFSETS = frozenset({UTC, CHINA, *(timezone(timedelta(minutes=minutes)) for minutes in range(-840, 855, 15))})
"""Offsets that are written the same by everybody. One with seconds is not."""


class Encoders:
    """The encoders of all kinds, with the blind-index keys they need."""

    def __init__(self, blind: Blind) -> None:
        self._blind = blind
        self._of: dict[type, Encode] = {}

    def row(self, fact: object) -> Row:
        """Raises Unreadable for a fact that PostgreSQL would refuse."""
        encode = self._of.get(type(fact))
        if encode is None:
            encode = self._of[type(fact)] = _factory(cast(Any, type(fact)))(self._blind)
        return encode(fact)


def _odd(fact: object, blind: Blind) -> Row:
    """The long way. Times as PostgreSQL's driver writes them: an offset may have seconds."""
    return tuple(str(value) if isinstance(value, datetime) else value for value in plain_row(fact, blind))


@cache
def _factory(cls: type) -> Callable[[Blind], Encode]:
    """Compiles a kind's encoder. The text holds names of the declaration and nothing else."""
    names: dict[str, Any] = {
        "Decimal": Decimal, "date": date, "datetime": datetime, "OFFSETS": _OFFSETS, "isfinite": isfinite, "mask": mask, "part": part, "odd": _odd,
        "dumps": orjson.dumps, "sha256": hashlib.sha256, "china_day": china_day, "month": re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII).fullmatch,
        **{kind.name: re.compile(rf"-?\d{{1,{DIGITS[kind]}}}(\.\d{{1,8}})?", re.ASCII).fullmatch for kind in (FieldType.MONEY, FieldType.NUMBER)},
        **{f"E_{field.name}": field.enum for field in spec_of(cls).fields},
    }  # fmt: skip
    exec("\n".join(_source(spec_of(cls))), names)  # noqa: S102
    return names["make"]  # type: ignore[no-any-return]


def _source(spec: FactSpec) -> Iterator[str]:
    yield "def make(blind):"
    for field in spec.fields:
        if field.kind is FieldType.PERSONAL:
            yield f"  H_{field.name} = blind.hasher({spec.name!r}, {field.name!r})"
    yield "  def encode(fact):"
    yield "    try:"
    for field in spec.fields:
        yield from (f"      {line}" for line in _field(field))
    yield from (f"      {line}" for line in _key(spec))
    columns = ", ".join(name for field in spec.fields for name in _columns(field))
    yield f"      row = dumps(({columns},))"
    yield r"""      if b"\\u0000" in row: return odd(fact, blind)"""
    yield f"      return (key, sha256(row).hexdigest(), {_occurred(spec)}, {columns})"
    # Half a surrogate pair, or a value that is no value of its field: the long way says which.
    yield "    except (TypeError, UnicodeEncodeError):"
    yield "      return odd(fact, blind)"
    yield "  return encode"


def _columns(field: FieldSpec) -> tuple[str, ...]:
    return (f"h_{field.name}", f"m_{field.name}") if field.kind is FieldType.PERSONAL else (f"c_{field.name}",)


def _field(field: FieldSpec) -> Iterator[str]:
    """Takes one field: its value ``v_``, its columns ``c_``, or ``h_`` and ``m_``."""
    name, columns = field.name, " = ".join(_columns(field))
    yield f"v_{name} = fact.{name}"
    if field.nullable:
        yield f"if v_{name} is None: {columns} = None"
        yield "else:"
    else:
        yield "if True:"
    good, value = _GOOD[field.kind]
    yield f"  if not ({good.format(v=f'v_{name}', n=name)}): return odd(fact, blind)"
    yield f"  {columns if field.kind is not FieldType.PERSONAL else f'h_{name}, m_{name}'} = {value.format(v=f'v_{name}', n=name)}"


_TRIMMED = '(t_{n}.rstrip("0").rstrip(".") if "." in t_{n} else t_{n})'
_GOOD: dict[FieldType, tuple[str, str]] = {
    FieldType.TEXT: ("type({v}) is str", "{v}"),
    FieldType.ENUM: ("type({v}) is E_{n}", "{v}._value_"),
    FieldType.INT: ("type({v}) is int and -10**18 < {v} < 10**18", "{v}"),
    FieldType.MONEY: ("type({v}) is Decimal and MONEY(t_{n} := str({v}))", _TRIMMED),
    FieldType.NUMBER: ("type({v}) is Decimal and NUMBER(t_{n} := str({v}))", _TRIMMED),
    FieldType.COORDINATE: ("type({v}) is float and -10000.0 < {v} < 10000.0", "{v}"),
    FieldType.DATE: ("type({v}) is date", "{v}"),
    FieldType.INSTANT: ("type({v}) is datetime and {v}.tzinfo in OFFSETS", "{v}"),
    FieldType.MONTH: ("type({v}) is str and month({v})", "{v}"),
    FieldType.BOOL: ("type({v}) is bool", "{v}"),
    FieldType.PERSONAL: ('type({v}) is str and "\\0" not in {v}', "H_{n}({v}), mask({v})"),
    FieldType.LINES: ("False", "None"),
}
"""Per type: what must hold, and the column. A statement's lines always go the long way: there are few of them."""


def _key(spec: FactSpec) -> Iterator[str]:
    """The natural key; its length is that of the plain parts."""
    kinds = {field.name: field.kind for field in spec.fields}
    for name in spec.key:
        yield f"k_{name} = {_plain_text(name, kinds[name])}"
    yield f"if {' + '.join(f'len(k_{name})' for name in spec.key)} + {len(spec.key) - 1} > {LONGEST_KEY}: return odd(fact, blind)"
    yield f"key = {' + chr(124) + '.join(_part(name, kinds[name]) for name in spec.key)}".replace("chr(124)", '"|"')


def _plain_text(name: str, kind: FieldType) -> str:
    text = {
        FieldType.ENUM: f"v_{name}._value_",
        FieldType.DATE: f"v_{name}.isoformat()",
        FieldType.INSTANT: f"v_{name}.isoformat()",
    }.get(kind, f"v_{name}" if kind in (FieldType.TEXT, FieldType.MONTH, FieldType.PERSONAL) else f"str(v_{name})")
    return f'"" if v_{name} is None else {text}'


def _part(name: str, kind: FieldType) -> str:
    if kind is FieldType.PERSONAL:
        return f'(h_{name} or "")'
    return f'(part(k_{name}) if "|" in k_{name} or "\\\\" in k_{name} else k_{name})'


def _occurred(spec: FactSpec) -> str:
    if spec.occurred is None:
        return "None"
    value = f"v_{spec.occurred}"
    kind = next(field.kind for field in spec.fields if field.name == spec.occurred)
    day = {
        FieldType.INSTANT: f"china_day({value})",
        FieldType.MONTH: f"date(int({value}[:4]), int({value}[5:]), 1)",
    }.get(kind, value)
    return f"None if {value} is None else {day}"
