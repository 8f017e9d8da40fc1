"""A reference file: where the lender has it from, the days it is for, and the documents themselves.

    {"source": "city notice 2026-7", "effective_from": "2026-07-01", "documents": {"social_insurance_base": {"floor": "4812", "ceiling": "24930"}}}

``effective_to`` is the last day, if it ends by itself. Every fault is told with its line, its path, what is wrong and the remedy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from hub.credit.checking import Found, lines_of, read_object
from hub.credit.products.checking import Rules, of_the_package
from hub.credit.reference.documents import LONGEST, Fault, Faults, Path, faults_of
from hub.domain.periods import day_of
from hub.errors import InvalidInput

MEMBERS = ("source", "effective_from", "effective_to", "documents")
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)
LARGEST = 4_000_000
"""Characters of a file."""


@dataclass(frozen=True, slots=True)
class ReferenceFile:
    """``effective_to`` is the last day; None: until another version is in effect."""

    source: str
    effective_from: date
    effective_to: date | None
    documents: Mapping[str, Any]


def read_reference(text: str, rules: Rules = of_the_package) -> ReferenceFile:
    """A text without a fault. Raises InvalidInput, which names them all."""
    found = check_reference(text, rules)
    if found:
        raise InvalidInput(" ".join(one.sentence() for one in found), remedy="Nothing was loaded.")
    document = json.loads(text)
    until = document.get("effective_to")
    return ReferenceFile(
        document["source"].strip(),
        date.fromisoformat(document["effective_from"]),
        None if until is None else date.fromisoformat(until),
        document["documents"],
    )


def check_reference(text: str, rules: Rules = of_the_package) -> list[Found]:
    """Every fault, in the order of the lines. ``rules``: the policies that products are held against; where there is no database, those of this version."""
    document, unread = read_object(text, LARGEST, ", ".join(MEMBERS))
    if unread:
        return unread
    lines = lines_of(text)
    told = [_found(lines, fault) for fault in _faults(document, rules)]
    return sorted(told, key=lambda one: one.line)


def _faults(document: Mapping[str, Any], rules: Rules) -> Faults:
    for name in document.keys() - set(MEMBERS):
        yield (name,), "it is not known here", f"A reference file has {', '.join(MEMBERS)}."
    source = document.get("source")
    if not isinstance(source, str) or not 0 < len(source.strip()) <= LONGEST:
        yield ("source",), "it says not where this is from", f"Name the notice, the table or the decision in 1 to {LONGEST} characters."
    yield from _days(document)
    documents = document.get("documents")
    if not isinstance(documents, dict) or not documents:
        yield ("documents",), "there are none", 'Write them by name, like {"lender": "..."}.'
    else:
        yield from faults_of(documents, ("documents",), rules)


def _days(document: Mapping[str, Any]) -> Faults:
    said = {name: _day(document.get(name)) for name in ("effective_from", "effective_to")}
    for name, day in said.items():
        if day is None and (name == "effective_from" or document.get(name) is not None):
            yield (name,), "it is no day from 2000 to 2099", "Write it like 2026-07-01."
    first, last = said["effective_from"], said["effective_to"]
    if first and last and last < first:
        yield ("effective_to",), "it lies before effective_from", "Name the last day on which it is in effect, or leave it out."


def _day(text: Any) -> date | None:
    day = day_of(text)
    return day if day is not None and EARLIEST <= day < LATEST else None


def _found(lines: Mapping[Path, int], fault: Fault) -> Found:
    path, wrong, remedy = fault
    here = path
    while here and here not in lines:
        here = here[:-1]
    return Found(lines.get(here, 1), written(path), wrong, remedy)


def first_day_of(text: str) -> date | None:
    """The first day that a file is for, whatever else it says; None where it says none."""
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return None
    return _day(document.get("effective_from")) if isinstance(document, dict) else None


def written(path: Path) -> str:
    """As people write a place in a document: ``documents.margin_bands.F52[1]``."""
    found = ""
    for part in path:
        found += f"[{part}]" if isinstance(part, int) else f".{part}" if found else part
    return found


def digest(document: Any) -> str:
    """Hex SHA-256 over the canonical JSON of a document."""
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
