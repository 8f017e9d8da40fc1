"""How PostgreSQL writes the answer: JSON as text, put together of what never changes and of values.

``json_build_object`` looks the type of every value up, in every row. ``concat`` and ``json_scalar`` know theirs from the plan, and no blanks are written between members.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_AT_ONCE = 99
"""PostgreSQL passes at most 100 arguments to a function."""
_NAME = re.compile(r"'\w+'")
SCALAR = "json_scalar"
"""What writes one value; to an older server the driver says it in another word (:mod:`hub.store.driver`)."""


class Json(str):
    """SQL whose value is JSON as text, or null."""

    __slots__ = ()


def json_object(pairs: Sequence[tuple[str, str]]) -> Json:
    """An object whose members keep their order, however many there are. A value is JSON already (:class:`Json`), a name in quotes, or any SQL."""
    parts, words = list[str](), "{"
    for place, (key, value) in enumerate(pairs):
        words += f'{"," if place else ""}"{key}":'
        if _NAME.fullmatch(value):
            words += f'"{value[1:-1]}"'
        else:
            parts += [f"'{words}'", _written(value)]
            words = ""
    parts.append(f"'{words}}}'")
    while len(parts) > _AT_ONCE:
        parts = [_concat(parts[start : start + _AT_ONCE]) for start in range(0, len(parts), _AT_ONCE)]
    return _concat(parts)


def json_list(item: Json, order: str, where: str = "") -> Json:
    """A list of all rows, or of those for which ``where`` holds."""
    chosen = f" filter (where {where})" if where else ""
    return Json(f"concat('[', string_agg({_written(item)}, ',' order by {order}){chosen}, ']')")


def _concat(parts: Sequence[str]) -> Json:
    return Json(f"concat({', '.join(parts)})")


def _written(value: str) -> str:
    if value.startswith("concat(") and isinstance(value, Json):
        return value
    return f"coalesce({value if isinstance(value, Json) else f'{SCALAR}({value})'}, 'null')"
