"""Facts to rows, fast: one function per kind of fact, written from its declaration, that takes many facts apart field by field.

It looks at the types and ranges of a whole column at once, then makes keys, digests and columns. Where a column holds anything that is not plainly good, the
facts are taken in halves until the odd one is alone; that one goes to :func:`hub.store.rows.plain_row`, which either refuses it or writes it as it always was.
So the fast way needs to be right only about what it lets through.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, cast

import orjson

from hub.connect import STUMBLES, Unreadable
from hub.domain.facts import FactSpec, FieldSpec, FieldType, spec_of
from hub.domain.identifiers import mask
from hub.domain.periods import CHINA
from hub.store.rows import DIGITS, LONGEST_KEY, Row, part, party, plain_row
from hub.vault import Blind

Encode = Callable[[Sequence[Any]], list[Row]]

_OFFSETS = frozenset({UTC, CHINA, *(timezone(timedelta(minutes=minutes)) for minutes in range(-840, 855, 15))})
"""Offsets that are written the same by everybody. One with seconds is not."""
_IN_CHINA = frozenset({CHINA})


class Odd(ValueError):
    """One of these facts is not plainly good."""


class Encoders:
    """The encoders of all kinds, with the blind-index keys they need."""

    def __init__(self, blind: Blind) -> None:
        self._blind = blind
        self._of: dict[type, Encode] = {}

    def rows(self, cls: type, facts: Sequence[object]) -> list[Row | Exception]:
        """The rows of facts of one kind, each in its place; in place of one that PostgreSQL would refuse the Unreadable that says why, and of one that cannot
        be read at all the error it was stumbled over.
        """
        try:
            encode = self._of.get(cls)
            if encode is None:
                encode = self._of[cls] = _factory(cast(Any, cls))(self._blind)
        except STUMBLES as error:
            return [error] * len(facts)
        return self._halved(encode, facts)

    def _halved(self, encode: Encode, facts: Sequence[object]) -> list[Row | Exception]:
        try:
            return cast(list[Row | Exception], encode(facts))
        except STUMBLES:
            if len(facts) <= 1:
                return [_odd(fact, self._blind) for fact in facts]
        middle = len(facts) // 2
        return self._halved(encode, facts[:middle]) + self._halved(encode, facts[middle:])


def _odd(fact: object, blind: Blind) -> Row | Exception:
    """The long way. Times as text, too: an offset may have seconds."""
    try:
        return tuple(value.isoformat() if isinstance(value, datetime) else value for value in plain_row(fact, blind))
    except (Unreadable, *STUMBLES) as error:
        return error


@cache
def _factory(cls: type) -> Callable[[Blind], Encode]:
    """Compiles a kind's encoder. The text holds names of the declaration and nothing else."""
    names: dict[str, Any] = {
        "NoneType": NoneType, "Odd": Odd, "OFFSETS": _OFFSETS, "CHINA": CHINA, "IN_CHINA": _IN_CHINA, "SEVEN": {7}, "masked": masked, "dumps": orjson.dumps, "date": date,
        "sha256": hashlib.sha256().copy, "spread": _spread, "escaped": _escaped, "longest": _longest, "parted": _parted, "times": _times,
        "month": re.compile(r"(?:\d{4}-(?:0[1-9]|1[0-2]))*", re.ASCII).fullmatch,
        **{kind.name: re.compile(rf"(?:-?+\d{{1,{DIGITS[kind]}}}+(?:\.\d{{1,8}}+)?+\n)*+", re.ASCII).fullmatch for kind in (FieldType.MONEY, FieldType.NUMBER)},
        **{f"T_{field.name}": frozenset({field.enum or _TYPES[field.kind]}) for field in spec_of(cls).fields},
    }  # fmt: skip
    exec("\n".join(_source(spec_of(cls))), names)  # noqa: S102
    return names["make"]  # type: ignore[no-any-return]


def _spread(column: Iterable[Any], values: Iterable[Any]) -> list[Any]:
    """Values of a column that has gaps, in their places."""
    following = iter(values)
    return [None if value is None else next(following) for value in column]


def _escaped(texts: list[str]) -> list[str]:
    """Parts of keys."""
    whole = "".join(texts)
    return [part(text) for text in texts] if "|" in whole or "\\" in whole else texts


def _times(column: list[datetime]) -> list[str]:
    """As text, once: the digest and the column are written from it. What orjson writes of a time holds nothing that could be taken for what separates two."""
    return orjson.dumps(column)[2:-2].decode().split('","') if column else []


def _parted(texts: Sequence[str], blind: Blind) -> tuple[list[str], list[str | None]]:
    """The two columns of parties' numbers. The same ones come again and again."""
    found = {text: party(text, blind) for text in set(texts)}
    return [found[text][0] for text in texts], [found[text][1] for text in texts]


def masked(texts: Sequence[str]) -> list[str]:
    """What may be shown of each, as :func:`hub.domain.identifiers.mask` says: most are shown by their first character, which is seen of all at once."""
    whole = "\n".join(texts)
    if not whole.isascii():
        # A text with any other character is no number.
        return [text[0] + "*" * (len(text) - 1) if len(text) > 1 and not text.isascii() else mask(text) for text in texts]
    bare = whole.encode().translate(None, b"0123456789").split(b"\n")
    if len(bare) != len(texts):
        return list(map(mask, texts))
    # More than half of it are no digits.
    return [
        text[0] + "*" * (len(text) - 1) if 2 * len(rest) > len(text) > 1 else mask(text) for text, rest in zip(texts, bare, strict=True)
    ]


def _longest(texts: Sequence[str]) -> int:
    return max(map(len, texts))


def _source(spec: FactSpec) -> Iterator[str]:
    yield "def make(blind):"
    for field in spec.fields:
        if field.kind is FieldType.PERSONAL:
            yield f"  H_{field.name} = blind.hasher({spec.name!r}, {field.name!r})"
    yield "  def encode(facts):"
    for field in spec.fields:
        yield from (f"    {line}" for line in _field(field))
    yield from (f"    {line}" for line in _key(spec))
    columns = ", ".join(name for field in spec.fields for name in _columns(field))
    digested = ", ".join(name for field in spec.fields for name in _columns(field)[: 1 if field.kind is FieldType.PARTY else None])
    # A pair that is half a surrogate is refused by orjson, a NUL by PostgreSQL.
    yield f"    texts = list(map(dumps, zip({digested})))"
    yield r"""    if b"\\" in (whole := b"".join(texts)) and b"\\u0000" in whole: raise Odd"""
    yield "    digests = []"
    yield "    for text in texts:"
    yield "      digest = sha256()"
    yield "      digest.update(text)"
    yield "      digests.append(digest.hexdigest())"
    yield f"    return list(zip(keys, digests, {_occurred(spec)}, {columns}))"
    yield "  return encode"


def _columns(field: FieldSpec) -> tuple[str, ...]:
    if field.kind is FieldType.PARTY:
        return (f"c_{field.name}", f"m_{field.name}")
    return (f"h_{field.name}", f"m_{field.name}") if field.kind is FieldType.PERSONAL else (f"c_{field.name}",)


def _field(field: FieldSpec) -> Iterator[str]:
    """Takes one field: its values ``v_``, those that are there ``o_``, its columns ``c_``, or ``h_`` and ``m_``, or ``c_`` and ``m_``."""
    name = field.name
    yield f"o_{name} = v_{name} = [fact.{name} for fact in facts]"
    yield f"t_{name} = set(map(type, v_{name}))"
    if field.nullable:
        yield f"if NoneType in t_{name}:"
        yield f"  t_{name}.discard(NoneType)"
        yield f"  o_{name} = [value for value in v_{name} if value is not None]"
    good, values = _GOOD[field.kind]
    yield f"if not t_{name} <= T_{name} or not ({good.format(o=f'o_{name}', n=name)}): raise Odd"
    for column, value in zip(_columns(field), values, strict=True):
        yield f"{column} = {value.format(o=f'o_{name}', n=name)}"
        if field.nullable:
            yield f"if o_{name} is not v_{name}: {column} = spread(v_{name}, {column})"


_TYPES: dict[FieldType, type] = {
    FieldType.TEXT: str, FieldType.PARTY: str, FieldType.INT: int, FieldType.MONEY: Decimal, FieldType.NUMBER: Decimal, FieldType.COORDINATE: float, FieldType.DATE: date,
    FieldType.INSTANT: datetime, FieldType.MONTH: str, FieldType.BOOL: bool, FieldType.PERSONAL: str, FieldType.LINES: dict,
}  # fmt: skip
_TRIMMED = '[text.rstrip("0").rstrip(".") if "." in text else text for text in s_{n}]'
_LINES = r'"\n".join(s_{n} := list(map(str, {o}))) + "\n" * bool({o})'
"""One amount per line: str(Decimal) has no line break in it."""
_GOOD: dict[FieldType, tuple[str, tuple[str, ...]]] = {
    FieldType.TEXT: ("True", ("{o}",)),
    FieldType.ENUM: ("True", ("[value._value_ for value in {o}]",)),
    FieldType.INT: ("not {o} or -10**18 < min({o}) and max({o}) < 10**18", ("{o}",)),
    FieldType.MONEY: (f"MONEY({_LINES})", (_TRIMMED,)),
    FieldType.NUMBER: (f"NUMBER({_LINES})", (_TRIMMED,)),
    FieldType.COORDINATE: ("all(-10000.0 < value < 10000.0 for value in {o})", ("{o}",)),
    FieldType.DATE: ("True", ("{o}",)),
    FieldType.INSTANT: ("(z_{n} := {{value.tzinfo for value in {o}}}) <= OFFSETS", ("times({o})",)),
    FieldType.MONTH: ('set(map(len, {o})) <= SEVEN and month("".join({o}))', ("{o}",)),
    FieldType.BOOL: ("True", ("{o}",)),
    FieldType.PERSONAL: ('"\\0" not in "".join({o})', ("H_{n}({o})", "masked({o})")),
    FieldType.PARTY: ('b"\\0" not in "".join({o}).encode()', ("(p_{n} := parted({o}, blind))[0]", "p_{n}[1]")),
    FieldType.LINES: ("False", ("None",)),
}
"""Per type: what must hold of all that are there, and the columns. A statement's lines always go the long way: there are few of them."""


def _key(spec: FactSpec) -> Iterator[str]:
    """The natural keys. Their length is that of the plain parts, and it is enough to look at the longest of each: one that may be too long goes the long way."""
    kinds = {field.name: field.kind for field in spec.fields}
    nullable = {field.name for field in spec.fields if field.nullable}
    for name in spec.key:
        yield f"k_{name} = {_plain_texts(name, kinds[name], name in nullable)}"
    yield f"if {' + '.join(f'longest(k_{name})' for name in spec.key)} + {len(spec.key) - 1} > {LONGEST_KEY}: raise Odd"
    parts = [_KEYS.get(kinds[name], "escaped(k_{n})").format(n=name) for name in spec.key]
    yield f"keys = {parts[0]}" if len(parts) == 1 else f'keys = list(map("|".join, zip({", ".join(parts)})))'


_KEYS = {FieldType.PERSONAL: '[hashed or "" for hashed in h_{n}]', FieldType.PARTY: 'escaped([number or "" for number in c_{n}])'}


_AS_THEY_ARE = (FieldType.TEXT, FieldType.PARTY, FieldType.MONTH, FieldType.PERSONAL)


def _plain_texts(name: str, kind: FieldType, nullable: bool) -> str:
    if kind in _AS_THEY_ARE and not nullable:
        return f"v_{name}"
    text = {FieldType.ENUM: "value._value_", FieldType.DATE: "value.isoformat()", FieldType.INSTANT: "value.isoformat()"}
    plain = "value" if kind in _AS_THEY_ARE else "str(value)"
    return f'["" if value is None else {text.get(kind, plain)} for value in v_{name}]'


def _occurred(spec: FactSpec) -> str:
    """The column of days on which the facts count, in China Standard Time."""
    if spec.occurred is None:
        return "[None] * len(facts)"
    kind = next(field.kind for field in spec.fields if field.name == spec.occurred)
    if kind is FieldType.INSTANT:
        china = f"[value and value.date() for value in v_{spec.occurred}]"
        other = f"[None if value is None else value.astimezone(CHINA).date() for value in v_{spec.occurred}]"
        return f"{china} if z_{spec.occurred} <= IN_CHINA else {other}"
    day = {FieldType.MONTH: "date(int(value[:4]), int(value[5:]), 1)"}.get(kind)
    return f"v_{spec.occurred}" if day is None else f"[None if value is None else {day} for value in v_{spec.occurred}]"
