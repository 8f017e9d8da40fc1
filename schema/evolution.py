"""How the contract may change: what breaks a client is named in CHANGELOG.md, what is deprecated says until when it stays.

``python -m schema.evolution`` tells what changed since the last release (``schema/released.graphql``) and ends with 1 when a change that breaks is not named.
``--release`` writes the contract of today into that file: it is done with each release, and refused while something is unnamed.

Beside what graphql-core finds, a scope counts: a field that needs another one is gone for who holds the old one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from graphql import (
    DangerousChange,
    DirectiveNode,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
    is_introspection_type,
)

HERE = Path(__file__).parent
RELEASED, CHANGELOG = HERE / "released.graphql", HERE.parent / "CHANGELOG.md"
REMOVED = re.compile(r"\S.* Removed after (\d{4}-\d{2}-\d{2})\.")
"""How the reason of a deprecation ends: what to use instead stands before."""


@dataclass(frozen=True, slots=True)
class Change:
    """``said`` is the sentence that CHANGELOG.md has to hold, word by word, if it ``breaks``."""

    said: str
    breaks: bool


def changes(released: str, today: str) -> list[Change]:
    """Between two contracts, those that break first."""
    old, new = build_schema(released), build_schema(today)
    found = [Change(_sentence(one.description), True) for one in find_breaking_changes(old, new)]
    found += [Change(said, True) for said in _rescoped(old, new)]
    return found + [
        Change(_sentence(one.description), False) for one in find_dangerous_changes(old, new) if isinstance(one, DangerousChange)
    ]


def _sentence(said: str) -> str:
    return said.rstrip(".") + "."


def unnamed(found: list[Change], changelog: str) -> list[Change]:
    """Those that break and that the part of the changelog which is not released yet does not name."""
    newest = " ".join(re.split(r"^## ", changelog, flags=re.MULTILINE)[1].split())
    return [one for one in found if one.breaks and one.said not in newest]


def _rescoped(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[str]:
    before, after = scopes(old), scopes(new)
    for coordinate in sorted(before.keys() & after.keys()):
        if before[coordinate] != after[coordinate]:
            yield f"Field {coordinate} needs the scope {after[coordinate]} instead of {before[coordinate]}."


def scopes(schema: GraphQLSchema) -> Mapping[str, str]:
    """The scope that each field needs, its own or that of its type, by coordinate."""
    found = {}
    for name, type_ in schema.type_map.items():
        fields: Mapping[str, Any] = getattr(type_, "fields", {})
        for field_name, field in fields.items():
            own = _scope(field) or _scope(type_)
            if own is not None:
                found[f"{name}.{field_name}"] = own
    return found


def _scope(of: Any) -> str | None:
    directives: tuple[DirectiveNode, ...] = getattr(of.ast_node, "directives", None) or ()
    for one in directives:
        if one.name.value == "access":
            given = {argument.name.value: argument.value for argument in one.arguments or ()}
            return str(getattr(given["scope"], "value", ""))
    return None


def overdue(sdl: str, today: date) -> list[str]:
    """Deprecations that do not say in the agreed form until when they stay, or whose day has passed."""
    return [fault for where, reason in sorted(deprecated(build_schema(sdl))) if (fault := _fault(where, reason, today))]


def _fault(where: str, reason: str, today: date) -> str | None:
    said = REMOVED.fullmatch(reason)
    try:
        until = date.fromisoformat(said[1]) if said else None
    except ValueError:
        until = None
    if until is None:
        return f'{where}: the reason of a deprecation ends with "Removed after 2027-05-01." and says before what to use instead'
    return f"{where}: was to be removed after {until}" if today > until else None


def deprecated(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Fields, arguments, members of inputs and values of enumerations, with their reasons."""
    for name, type_ in schema.type_map.items():
        if is_introspection_type(type_):
            continue
        held: dict[str, Any] = getattr(type_, "fields", None) or getattr(type_, "values", None) or {}
        for key, one in held.items():
            inside = {f"{name}.{key}({argument})": it for argument, it in getattr(one, "args", {}).items()}
            yield from (
                (where, it.deprecation_reason)
                for where, it in {f"{name}.{key}": one, **inside}.items()
                if it.deprecation_reason is not None
            )


def main(arguments: list[str]) -> int:
    from schema.contract import build_schema as build

    today, changelog = build().sdl(), CHANGELOG.read_text("utf-8")
    found = changes(RELEASED.read_text("utf-8"), today)
    missing = unnamed(found, changelog)
    for one in found:
        sys.stdout.write(
            f"{'breaks' if one.breaks else 'dangerous'}{' and is not named in CHANGELOG.md' if one in missing else ''}: {one.said}\n"
        )
    if not missing and "--release" in arguments:
        RELEASED.write_text(today, "utf-8")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
