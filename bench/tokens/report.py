"""The figures: what was wanted, what was seen."""

from __future__ import annotations

from collections.abc import Mapping
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


def exactly(name: str, wanted: int, seen: int) -> Figure:
    return Figure(name, f"{wanted:,}", f"{seen:,}", seen == wanted)


def told(name: str, seen: object) -> Figure:
    return Figure(name, "told", str(seen), None)


def table(found: list[Figure], seconds: Mapping[str, float]) -> None:
    shown = Table("figure", "wanted", "seen", "", title="tokens: " + ", ".join(f"{part} {took:.0f} s" for part, took in seconds.items()))
    for one in found:
        shown.add_row(one.name, one.wanted, one.seen, {True: "met", False: "[bold red]MISSED[/]", None: ""}[one.met])
    Console(width=120).print(shown)


def as_json(found: list[Figure], seconds: Mapping[str, float]) -> dict[str, Any]:
    return {"figures": [asdict(one) for one in found], "seconds": dict(seconds), "met": all(one.met is not False for one in found)}
