"""The figures: what was wanted, what was seen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """``met`` is None for what is only told."""

    name: str
    wanted: str
    seen: str
    met: bool | None


def table(found: list[Figure]) -> None:
    shown = Table("figure", "wanted", "seen", "", title="dispatch")
    for one in found:
        shown.add_row(one.name, one.wanted, one.seen, {True: "met", False: "[bold red]MISSED[/]", None: ""}[one.met])
    Console(width=150).print(shown)


def as_json(found: list[Figure]) -> dict[str, Any]:
    return {"figures": [asdict(one) for one in found], "met": all(one.met is not False for one in found)}
