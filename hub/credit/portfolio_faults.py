"""What a portfolio document may say: every fault with its place, what is wrong there, and the remedy; of a text with its line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from hub.credit import policies
from hub.credit.checking import Found, line_near, lines_of, read_object
from hub.credit.products.checking import told
from hub.credit.shape import Fault, Path, written
from hub.domain.classifications import fault_of_city, fault_of_industry
from hub.domain.enums import CustomerType, IndustryCluster, Purpose
from hub.domain.periods import day_of

SIZES = ("MICRO", "SMALL", "MEDIUM", "LARGE")
AXES = ("customer_types", "sizes", "industries", "regions", "clusters")
NAMES = frozenset({"id", "version", "effective_from", "title", "purpose", "money_for", "choose", "branch"})
OF_BRANCH = frozenset({"scenarios", "floor", "ceiling", "without_bureau", "exclude"})
LARGEST, LONGEST = 100_000, 200
"""Characters of a document, and of what people call it."""
_WORDS: Mapping[str, tuple[str, ...]] = {"customer_types": tuple(CustomerType), "sizes": SIZES, "clusters": tuple(IndustryCluster)}
_CODES = {"industries": fault_of_industry, "regions": fault_of_city}
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")


def check_portfolio(text: str) -> tuple[Mapping[str, Any], list[Found]]:
    """The document of a text, and every fault in the order of the lines. Where there is one the document is not to be used."""
    document, found = read_object(text, LARGEST, ", ".join(sorted(NAMES)))
    if found:
        return document, found
    known = lines_of(text)
    told = (Found(line_near(known, where), written(where), wrong, remedy) for where, wrong, remedy in faults(document))
    return document, sorted(told, key=lambda one: one.line)


def faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Every fault of a document, with where it is and the remedy."""
    yield from _unknown((), document, NAMES)
    for name in ("id", "version", "effective_from", "title", "purpose"):
        said = document.get(name)
        if not isinstance(said, str) or not 0 < len(said.strip()) <= LONGEST or not said.isprintable():
            yield (name,), "it is missing, or no text", f"Write 1 to {LONGEST} characters in quotes."
    yield from _word(document, "purpose", [one.value for one in Purpose])
    yield from _word(document, "money_for", ["OPERATING", "CONSUMPTION"])
    if isinstance(document.get("effective_from"), str) and day_of(document["effective_from"]) is None:
        yield ("effective_from",), "it is no day", "Write it like 2026-01-31."
    yield from _of_group(("choose",), document.get("choose", {}))
    branch = document.get("branch")
    if not isinstance(branch, dict):
        yield ("branch",), "it is missing", "Say which scenarios the branch offers."
        return
    yield from _of_branch(branch)


def _of_branch(branch: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _unknown(("branch",), branch, OF_BRANCH)
    scenarios = branch.get("scenarios")
    if scenarios:
        yield from _words(("branch", "scenarios"), scenarios, policies.names())
    else:
        yield ("branch", "scenarios"), "there is none", "Name one at least, as in S03."
    amounts = {name: _amount(branch[name]) for name in ("floor", "ceiling") if name in branch}
    for name, amount in amounts.items():
        if amount is None:
            yield ("branch", name), "it is no amount", 'Write yuan as text, as in "10000.00".'
    share = _amount(branch.get("without_bureau"))
    if share is None or share > 1:
        yield ("branch", "without_bureau"), "it is missing, or no share", 'Write the share of a limit without a bureau, as in "0.8".'
    low, high = amounts.get("floor"), amounts.get("ceiling")
    if low is not None and high is not None and low > high:
        yield ("branch", "floor"), "it is above the ceiling", "Exchange them."
    yield from _of_group(("branch", "exclude"), branch.get("exclude", {}))


def _of_group(where: Path, group: Any) -> Iterator[Fault]:
    if not isinstance(group, dict):
        yield where, "it is no object", "Name axes with lists of values."
        return
    yield from _unknown(where, group, frozenset(AXES))
    for name, known in _WORDS.items():
        if name in group:
            yield from _words((*where, name), group[name], known)
    for name in _CODES.keys() & group.keys():
        values, here = group[name], (*where, name)
        if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
            yield here, "it is no list of texts", 'Write it like ["F52"].'
            continue
        for place, one in enumerate(values):
            yield from told((*here, place), _CODES[name](one))
            yield from _again((*here, place), one, values[:place])


def _unknown(where: Path, found: Mapping[str, Any], known: frozenset[str]) -> Iterator[Fault]:
    for name in sorted(set(found) - known):
        yield (*where, name), "nobody knows it", f"Known here: {', '.join(sorted(known))}."


def _word(found: Mapping[str, Any], name: str, known: Sequence[str]) -> Iterator[Fault]:
    if name in found and found[name] not in known:
        yield (name,), f"{found[name]!r} is none of the words", f"Known: {', '.join(known)}."


def _words(where: Path, values: Any, known: Sequence[str]) -> Iterator[Fault]:
    if not isinstance(values, list):
        yield where, "it is no list", "Write a list."
        return
    for place, one in enumerate(values):
        if one not in known:
            yield (*where, place), f"{one!r} is none of the words", f"Known: {', '.join(known)}."
        else:
            yield from _again((*where, place), one, values[:place])


def _again(where: Path, one: Any, before: Sequence[Any]) -> Iterator[Fault]:
    if one in before:
        yield where, "it is listed before", "Take it out."


def _amount(text: Any) -> Decimal | None:
    return Decimal(text) if isinstance(text, str) and _AMOUNT.fullmatch(text) else None
