"""Arguments become bound values: cursors and ids are opaque text outside and typed values inside.

A malformed cursor is the caller's mistake (:class:`InvalidInput`); a malformed id is a plain "not found", so that ids cannot be probed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from hub.domain.selection import SlotValues
from hub.errors import InvalidInput
from hub.store.view.catalogue import Convert

MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class Binding:
    """The parameter ``name`` (or its parts, ``name_...``) takes the value of ``slot``; ``default`` when it is not given."""

    name: str
    slot: str
    convert: Convert
    default: Any = None


def bind(bindings: tuple[Binding, ...], values: SlotValues) -> dict[str, Any]:
    bound: dict[str, Any] = {}
    for binding in bindings:
        value = values.get(binding.slot, binding.default)
        bound |= _PARTS[binding.convert](binding.name, value)
    return bound


def subject_of(bindings: tuple[Binding, ...], bound: Mapping[str, Any]) -> UUID | None:
    """The one customer that an operation names, if it names exactly one."""
    names = {binding.name: binding.convert for binding in bindings}
    found = {bound[name] for name, convert in names.items() if convert is Convert.CUSTOMER_ID}
    found |= {bound[f"{name}_customer"] for name, convert in names.items() if convert is Convert.NODE_ID}
    found.discard(None)
    return found.pop() if len(found) == 1 else None


def cursor_sql(day: str | None, row_id: str) -> str:
    """SQL for the cursor of a row: base64 of ``day|id``."""
    text = f"coalesce({day}::text, '') || '|' || {row_id}::text" if day else f"'|' || {row_id}::text"
    return f"translate(encode(convert_to({text}, 'UTF8'), 'base64'), E'\\n', '')"


def _plain(name: str, value: Any) -> dict[str, Any]:
    return {name: value}


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


def _cursor(name: str, value: Any) -> dict[str, Any]:
    try:
        day, _, key = base64.b64decode(str(value), validate=True).decode("ascii").partition("|")
        return {f"{name}_day": date.fromisoformat(day) if day else None, f"{name}_id": UUID(key)}
    except (ValueError, binascii.Error):
        raise InvalidInput("The cursor is not one of ours.", remedy="Send back a cursor exactly as it was received.") from None


def _page(name: str, value: Any) -> dict[str, Any]:
    if not 1 <= value <= MAX_PAGE:
        raise InvalidInput(f"A page holds 1 to {MAX_PAGE} items, {value} were asked for.", remedy="Choose another `first`.")
    return {name: value}


_PARTS = {
    Convert.PLAIN: _plain,
    Convert.CUSTOMER_ID: _customer,
    Convert.NODE_ID: _node,
    Convert.CUSTOMER_IDS: _customers,
    Convert.CURSOR: _cursor,
    Convert.PAGE: _page,
}
