"""The figures: what was wanted, what was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

WIDTH = 160


@dataclass(frozen=True, slots=True)
class Figure:
    """``met`` is None for what is only told."""

    name: str
    wanted: str
    seen: str
    met: bool | None


def exactly(name: str, wanted: int, seen: int) -> Figure:
    return Figure(name, f"{wanted:,}", f"{seen:,}", seen == wanted)


def none(name: str, seen: int) -> Figure:
    return exactly(name, 0, seen)


def told(name: str, seen: object) -> Figure:
    return Figure(name, "told", str(seen), None)


def missed(found: Sequence[Figure]) -> bool:
    return any(one.met is False for one in found)


def table(title: str, found: Sequence[Figure]) -> None:
    shown = Table("figure", "wanted", "seen", "", title=title)
    for one in found:
        shown.add_row(one.name, one.wanted, one.seen, {True: "met", False: "[bold red]MISSED[/]", None: ""}[one.met])
    Console(width=WIDTH).print(shown)


def as_json(found: Sequence[Figure], more: Mapping[str, Any]) -> dict[str, Any]:
    return {"figures": [asdict(one) for one in found], **more, "met": not missed(found)}
