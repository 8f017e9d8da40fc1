"""Arguments become bound values: cursors and ids are opaque text outside and typed values inside.

A malformed cursor is the caller's mistake (:class:`InvalidInput`); a malformed id is a plain "not found", so that ids cannot be probed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Container
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from hub.domain.selection import SlotValues
from hub.errors import InvalidInput
from hub.store.view.catalogue import Convert

MAX_PAGE = 100
_CHECK = 8


@dataclass(frozen=True, slots=True)
class Binding:
    """The parameter ``name`` (or its parts, ``name_...``) takes the value of ``slot``; ``default`` when it is not given."""

    name: str
    slot: str
    convert: Convert
    default: Any = None
    of: str = ""
    """What the rows of a cursor's list are."""


def bind(bindings: tuple[Binding, ...], values: SlotValues) -> dict[str, Any]:
    bound: dict[str, Any] = {}
    for binding in bindings:
        value, convert = values.get(binding.slot, binding.default), binding.convert
        if convert is Convert.PLAIN:
            bound[binding.name] = value
        elif convert is Convert.CURSOR:
            bound |= _cursor(binding.name, value, binding.of)
        else:
            bound |= _PARTS[convert](binding.name, value)
    return bound


def kinds_named(values: SlotValues, known: Container[str]) -> frozenset[str]:
    """``<slot>:<Type>`` for each known type that a node id among the values names: a statement looks only where its ids point."""
    given = [(slot, one) for slot, value in values.items() for one in (value if isinstance(value, list) else [value])]
    named = {(slot, bound_node(one)[0]) for slot, one in given if isinstance(one, str)}
    return frozenset(f"{slot}:{kind}" for slot, kind in named if kind in known)


def cursor_sql(of: str, day: str | None, row_id: str) -> str:
    """SQL for the cursor of a row: base64 of ``what|day|id|check``, so that one of another list, or a changed one, is told from ours."""
    text = f"'{of}|' || " + (f"coalesce({day}::text, '') || '|' || " if day else "'|' || ") + f"{row_id}::text"
    return f"translate(encode(convert_to({text} || '|' || left(md5({text}), {_CHECK}), 'UTF8'), 'base64'), E'\\n', '')"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def bound_customer(value: str) -> UUID | None:
    """The customer behind an id; None for what is none."""
    return _uuid(value)


def bound_node(value: str) -> tuple[str, UUID | None, UUID | None]:
    """Type, customer and key behind ``<customer>`` or ``<Type>:<customer>:<id>``; None for what is none."""
    parts = value.split(":")
    if len(parts) == 1:
        parts = ["Customer", parts[0], parts[0]]
    kind, customer, key = parts if len(parts) == 3 else ("", "", "")
    return kind, _uuid(customer), _uuid(key)


def _customer(name: str, value: Any) -> dict[str, Any]:
    return {name: bound_customer(str(value))}


def _node(name: str, value: Any) -> dict[str, Any]:
    kind, customer, key = bound_node(str(value))
    return {f"{name}_type": kind, f"{name}_customer": customer, f"{name}_key": key}


def _customers(name: str, value: Any) -> dict[str, Any]:
    return {name: [bound_customer(str(one)) for one in value]}


def _nodes(name: str, value: Any) -> dict[str, Any]:
    if len(value) > MAX_PAGE:
        raise InvalidInput(f"At most {MAX_PAGE} ids at once, {len(value)} were sent.", remedy="Send them in parts.")
    found = [bound_node(str(one)) for one in value]
    return {f"{name}_{part}": [one[place] for one in found] for place, part in enumerate(("type", "customer", "key"))}


def _cursor(name: str, value: Any, of: str) -> dict[str, Any]:
    """Raises InvalidInput: not one of ours, changed, or one of a list of other rows."""
    try:
        text, _, check = base64.b64decode(str(value), validate=True).decode("ascii").rpartition("|")
        what, day, key = text.split("|")
        bound = {f"{name}_day": date.fromisoformat(day) if day else None, f"{name}_id": UUID(key)}
    except (ValueError, binascii.Error):
        raise InvalidInput("The cursor is not one of ours.", remedy="Send back a cursor exactly as it was received.") from None
    if check != hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:_CHECK]:
        raise InvalidInput("The cursor was changed on its way.", remedy="Send back a cursor exactly as it was received.")
    if what != of:
        raise InvalidInput("The cursor belongs to another list.", remedy="Send a cursor back to the field that answered it.")
    return bound


def _page(name: str, value: Any) -> dict[str, Any]:
    if not 1 <= value <= MAX_PAGE:
        raise InvalidInput(f"A page holds 1 to {MAX_PAGE} items, {value} were asked for.", remedy="Choose another `first`.")
    return {name: value}


_PARTS = {
    Convert.CUSTOMER_ID: _customer,
    Convert.NODE_ID: _node,
    Convert.NODE_IDS: _nodes,
    Convert.CUSTOMER_IDS: _customers,
    Convert.PAGE: _page,
}
