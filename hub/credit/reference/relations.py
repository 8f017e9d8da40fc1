"""Edges of the relationship graph as rows: JSON lines, CSV, or a mutation's input. Every row with a fault is told; one fault, and none is loaded.

``from`` and ``to`` are businesses by their unified social credit codes, ``type`` a :class:`hub.domain.enums.RelationType`, ``weight`` the share of a SHAREHOLDING,
``since`` and ``until`` its first and last day, ``evidence`` the lender's words. A row of the type NONE, without ``to``, says that the business was looked at and nothing
was found. ``retract: true`` takes back what should never have been said.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.domain.enums import RelationType
from hub.domain.identifiers import fault_of_uscc
from hub.domain.periods import day_of

MEMBERS = ("from", "to", "type", "weight", "since", "until", "evidence", "retract")
LONGEST = 200
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Edge:
    """A sound row. ``to_uscc`` is None for NONE alone."""

    from_uscc: str
    to_uscc: str | None
    type: RelationType
    weight: Decimal | None = None
    since: date | None = None
    until: date | None = None
    evidence: str | None = None
    retract: bool = False

    @property
    def key(self) -> tuple[str, str | None, str]:
        """What makes two rows the same edge."""
        return self.from_uscc, self.to_uscc, self.type.value


@dataclass(frozen=True, slots=True)
class RowFault:
    """``row`` counts from 1: the line of a file, the place in a list."""

    row: int
    field: str
    wrong: str
    remedy: str

    def sentence(self) -> str:
        return f"Row {self.row}, {self.field}: {self.wrong}. {self.remedy}"


Checked = tuple[list[Edge], list[RowFault]]


def edges_of_lines(text: str) -> Checked:
    """JSON lines: an object per line."""
    rows, faults = list[tuple[int, Row]](), list[RowFault]()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_float=str)
        except (json.JSONDecodeError, RecursionError):
            row = None
        if isinstance(row, dict):
            rows.append((number, row))
        else:
            faults.append(RowFault(number, "the line", "it is no JSON object", "Write one object per line."))
    return _with(faults, check_edges(rows))


def edges_of_csv(text: str) -> Checked:
    """CSV in UTF-8 with a head line that names its columns. An empty cell is nothing said."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    unknown = [name for name in reader.fieldnames or () if name not in MEMBERS]
    if unknown or "from" not in (reader.fieldnames or ()):
        named = ", ".join(unknown) or "no from"
        return [], [RowFault(1, "the head line", f"it has {named}", f"Its columns are {', '.join(MEMBERS)}.")]
    rows = list[tuple[int, Row]]()
    try:
        for row in reader:
            rows.append((reader.line_num, {_column(name): cell for name, cell in row.items() if cell not in ("", None)}))
    except csv.Error as error:
        return [], [RowFault(reader.line_num, "the line", f"it is no CSV: {error}", "Write each cell in at most a few hundred characters.")]
    return check_edges(rows)


def _column(name: str | None) -> str:
    """csv puts what stands behind the last column under no name."""
    return "behind the last column" if name is None else name


def check_edges(rows: Sequence[tuple[int, Row]]) -> Checked:
    """Sound edges, and every fault of the others."""
    edges, faults, seen = list[Edge](), list[RowFault](), dict[tuple[str, str | None, str], int]()
    for number, row in rows:
        wrong = [RowFault(number, *fault) for fault in _faults(row)]
        if not wrong:
            edge = _edge(row)
            before = seen.setdefault(edge.key, number)
            if before != number:
                wrong = [RowFault(number, "from, to, type", f"the edge stands in row {before} already", "Say it once.")]
            edges.append(edge)
        faults += wrong
    return edges, faults


def _with(faults: list[RowFault], checked: Checked) -> Checked:
    return checked[0], sorted([*faults, *checked[1]], key=lambda one: one.row)


def _faults(row: Row) -> Iterator[tuple[str, str, str]]:
    for name in sorted(row.keys() - set(MEMBERS), key=str):
        yield str(name), "it is not known here", f"A row has {', '.join(MEMBERS)}."
    kind = row.get("type")
    if kind not in RelationType.__members__:
        yield "type", "it is no type of relation", f"It is one of {', '.join(RelationType)}."
    yield from _ends(row, alone=kind == RelationType.NONE)
    yield from _weight(row)
    yield from _days(row)
    evidence = row.get("evidence")
    if evidence is not None and not (isinstance(evidence, str) and 0 < len(evidence) <= LONGEST):
        yield "evidence", "it is no short text", f"Write at most {LONGEST} characters, nothing personal."
    if _truth(row.get("retract")) is None:
        yield "retract", "it is neither true nor false", "Leave it out, or write true."


def _ends(row: Row, *, alone: bool) -> Iterator[tuple[str, str, str]]:
    for name in ("from",) if alone else ("from", "to"):
        code = row.get(name)
        fault = fault_of_uscc(code) if isinstance(code, str) else None
        if not isinstance(code, str):
            yield name, "it names no business", "Write its unified social credit code."
        elif fault is not None:
            yield name, fault.message.rstrip("."), fault.remedy
    if alone and row.get("to") is not None:
        yield "to", "NONE has no other end", "Leave it out."
    if not alone and row.get("from") == row.get("to") and row.get("to") is not None:
        yield "to", "it is the same business", "Name the other one."


def _weight(row: Row) -> Iterator[tuple[str, str, str]]:
    said = row.get("weight")
    if said is None:
        return
    share = _share(said)
    if share is None or row.get("type") != RelationType.SHAREHOLDING:
        yield "weight", "it is no share of a SHAREHOLDING from 0 to 1", 'Write it like "0.30", or leave it out.'


def _days(row: Row) -> Iterator[tuple[str, str, str]]:
    days = {name: _day(row.get(name)) for name in ("since", "until")}
    for name, day in days.items():
        if row.get(name) is not None and day is None:
            yield name, "it is no day", "Write it like 2026-07-01."
    if days["since"] and days["until"] and days["until"] < days["since"]:
        yield "until", "it lies before since", "Name the last day of the relation."


def _edge(row: Row) -> Edge:
    return Edge(
        row["from"],
        row.get("to"),
        RelationType(row["type"]),
        _share(row.get("weight")),
        _day(row.get("since")),
        _day(row.get("until")),
        row.get("evidence"),
        bool(_truth(row.get("retract"))),
    )


def _share(said: Any) -> Decimal | None:
    try:
        share = Decimal(said) if isinstance(said, str | Decimal | int) and not isinstance(said, bool) else None
    except InvalidOperation:
        return None
    return share if share is not None and share.is_finite() and 0 <= share <= 1 and share == round(share, 4) else None


def _day(said: Any) -> date | None:
    return said if isinstance(said, date) else day_of(said)


def _truth(said: Any) -> bool | None:
    if said is None or isinstance(said, bool):
        return bool(said)
    if isinstance(said, str) and said.lower() in _TRUE | _FALSE:
        return said.lower() in _TRUE
    return None
