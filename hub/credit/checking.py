"""A policy as text: every fault with its line, what is wrong there, and the remedy. For files in git, and for drafts that come through the API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.credit.policy import unchecked_policy
from hub.credit.shape import Path, misshapen, written
from hub.credit.validation import faults
from hub.errors import PolicyInvalid

DEEPEST, LONGEST = 20, 65_536
"""Levels that JSON may nest in, and the characters of the text."""
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_UNKEPT = re.compile(r"\\u0000|\\u[dD][89a-fA-F]|[\ud800-\udfff\x00]")
"""What PostgreSQL keeps in no JSON; whole pairs are written as themselves."""
Piece = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Found:
    """``line`` counts from 1; ``where`` as :func:`hub.credit.validation.faults` names it."""

    line: int
    where: str
    wrong: str
    remedy: str

    def sentence(self) -> str:
        return f"Line {self.line}, {self.where}: {self.wrong}. {self.remedy}"


def read_text(text: str) -> Mapping[str, Any]:
    """The document of a text that has no fault. Raises PolicyInvalid, which names them all, line by line."""
    found = check(text)
    if found:
        raise PolicyInvalid(" ".join(one.sentence() for one in found), remedy="Nothing was kept.", faults=tuple(found))
    document: Mapping[str, Any] = json.loads(text)
    return document


def read_object(text: str, longest: int, members: str) -> tuple[Mapping[str, Any], list[Found]]:
    """The JSON object of a text, and why it is none or says a thing twice. ``members`` says what it has. Where there is a fault the object is not to be used."""
    if unfit := _unfit(text, longest):
        return {}, [unfit]
    try:
        document = json.loads(text, parse_constant=_no_number)
    except ValueError as error:
        line, wrong = (error.lineno, error.msg) if isinstance(error, json.JSONDecodeError) else (1, str(error))
        return {}, [Found(line, "the text", f"it is no JSON: {wrong}", "Correct it there.")]
    if not isinstance(document, dict):
        return {}, [Found(1, "the text", "it is no JSON object", f"It has {members}.")]
    twice = list[tuple[Path, int]]()
    lines_of(text, twice)
    return document, [Found(line, written(path), "it is written twice", "Take one of them out.") for path, line in twice]


def check(text: str) -> list[Found]:
    """Every fault, in the order of the lines."""
    document, unread = read_object(text, LONGEST, "what a policy that works has")
    if unread:
        return unread
    known = lines_of(text)
    if crooked := misshapen(document):
        return sorted(
            (Found(line_near(known, path), written(path), wrong, remedy) for path, wrong, remedy in crooked), key=lambda one: one.line
        )
    try:
        policy = unchecked_policy(document)
    except PolicyInvalid as error:
        return [Found(1, "the document", error.message.rstrip("."), error.remedy)]
    told = [Found(_line(known, document, where), where, wrong, remedy) for where, wrong, remedy in faults(policy)]
    return sorted(told, key=lambda one: one.line)


def _unfit(text: str, longest: int) -> Found | None:
    """What would not come as far as being read, or not into the store."""
    if len(text) > longest:
        return Found(1, "the text", f"it has more than {longest:,} characters", "Write less, or in several.")
    depth = 0
    for piece, line in _pieces(text):
        depth += (piece in "{[") - (piece in "}]")
        if depth > DEEPEST:
            return Found(line, "the text", f"it nests more than {DEEPEST} levels deep", "Compare it with one that works.")
        if _UNKEPT.search(piece):
            return Found(line, "the text", "it holds a character that is none", "Write it without \\u0000 and without halves of a pair.")
    return None


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def lines_of(text: str, twice: list[tuple[Path, int]] | None = None) -> dict[Path, int]:
    """The line of every value by its path, and of every member by its name. ``twice`` takes the members whose object has them already."""
    found: dict[Path, int] = {}
    pieces = _pieces(text)
    _value(pieces, next(pieces), (), found, [] if twice is None else twice)
    return found


def _pieces(text: str) -> Iterator[Piece]:
    line, at = 1, 0
    for match in _PIECE.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        yield match[0], line


def _value(pieces: Iterator[Piece], first: Piece, path: Path, found: dict[Path, int], twice: list[tuple[Path, int]]) -> None:
    found.setdefault(path, first[1])
    if first[0] == "{":
        own = set[str]()
        for name, line in _until(pieces, "}"):
            member = (*path, json.loads(name))
            if member[-1] in own:
                twice.append((member, line))
            own.add(member[-1])
            found[member] = line
            next(pieces)
            _value(pieces, next(pieces), member, found, twice)
    elif first[0] == "[":
        for number, piece in enumerate(_until(pieces, "]")):
            _value(pieces, piece, (*path, number), found, twice)


def _until(pieces: Iterator[Piece], end: str) -> Iterator[Piece]:
    """The first piece of each member or element."""
    for piece in pieces:
        if piece[0] == end:
            return
        if piece[0] != ",":
            yield piece


def _line(known: Mapping[Path, int], document: Mapping[str, Any], where: str) -> int:
    return line_near(known, _path(document, where))


def line_near(known: Mapping[Path, int], path: Path) -> int:
    """The line of a place, or of what it stands in."""
    while path not in known:
        path = path[:-1]
    return known[path]


def _path(document: Mapping[str, Any], where: str) -> Path:
    word, _, rest = where.partition(" ")
    if indexed := re.fullmatch(r"(\w+)\[(\d+)\]", word):
        return indexed[1], int(indexed[2]), *rest.split()
    match word:
        case "leg":
            return "legs", next(number for number, leg in enumerate(document["legs"]) if leg["id"] == rest)
        case "uplift":
            return "uplifts", int(rest.rpartition("U")[2]) - 1
        case "cap":
            return "caps", rest
        case "guarantee_when" | "models":
            return word, rest
        case "term":
            return word, "base"
    return (word,)
