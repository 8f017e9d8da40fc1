"""A policy as text: every fault with its line, what is wrong there, and the remedy. For files in git, and for drafts that come through the API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from hub.credit.own_documents import of_the_hub, own_document
from hub.credit.policy import unchecked_policy
from hub.credit.shape import Fault, Path, misshapen, only_words, written
from hub.credit.validation import faults
from hub.errors import PolicyInvalid

DEEPEST, LONGEST = 20, 65_536
"""Levels that JSON may nest in, and the characters of the text."""
_LIKE = "what a policy that works has"
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_UNKEPT = re.compile(r"\\u0000|\\u[dD][89a-fA-F]|[\ud800-\udfff\x00]")
"""What PostgreSQL keeps in no JSON; whole pairs are written as themselves."""
Piece = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Found:
    """``line`` counts from 1; ``where`` is the path, as in ``legs[2].amount``."""

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


def read_object(text: str, longest: int, members: str) -> tuple[dict[str, Any], list[Found]]:
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
    return document, list(_twice(text))


def check(text: str) -> list[Found]:
    """Every fault of a policy, in the order of the lines."""
    document, unread = read_object(text, LONGEST, _LIKE)
    return unread or _told(text, document, None)


def check_file(text: str) -> tuple[str | None, list[Found]]:
    """Likewise of a file of which nobody said what it is. With the name of the hub's own document that it is; None: a policy."""
    document, unread = read_object(text, LONGEST, _LIKE)
    if unread:
        return None, unread
    name = own_document(document)
    return name, _told(text, document, name)


def _told(text: str, document: dict[str, Any], name: str | None) -> list[Found]:
    known = lines_of(text)
    found = _faults(document) if name is None else of_the_hub(name, document)
    told = [Found(line_near(known, path), written(path), wrong, remedy) for path, wrong, remedy in found]
    return sorted(told, key=lambda one: one.line)


def _faults(document: dict[str, Any]) -> Iterator[Fault]:
    """Of its form, and as far as that is right of what it says."""
    found = misshapen(document)
    yield from found
    if not only_words(found):
        return
    try:
        policy = unchecked_policy(document)
    except PolicyInvalid as error:
        if not found:
            yield (), error.message.rstrip("."), error.remedy
        return
    told = {path for path, _, _ in found}
    yield from (one for one in faults(policy) if one[0] not in told)


def text_of(document: Mapping[str, Any]) -> str:
    """A document as ``hub policies show`` prints it: the lines of a fault of what is stored are those of this text."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


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


def lines_of(text: str) -> dict[Path, int]:
    """The line of every value by its path, and of every member by its name."""
    return dict(_places(text))


def _twice(text: str) -> Iterator[Found]:
    """Members that stand there twice: JSON's readers take the last of them, and nobody notices."""
    seen: set[Path] = set()
    for path, line in _places(text):
        if path in seen:
            yield Found(line, written(path), "it stands there twice", "Leave one of the two out.")
            return
        seen.add(path)


def _places(text: str) -> Iterator[tuple[Path, int]]:
    """Every member by its name, and every element, in the order of the text."""
    pieces = _pieces(text)
    first = next(pieces)
    yield (), first[1]
    yield from _inside(pieces, first, ())


def _pieces(text: str) -> Iterator[Piece]:
    line, at = 1, 0
    for match in _PIECE.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        yield match[0], line


def _inside(pieces: Iterator[Piece], first: Piece, path: Path) -> Iterator[tuple[Path, int]]:
    if first[0] == "{":
        for name, line in _until(pieces, "}"):
            member = (*path, json.loads(name))
            yield member, line
            next(pieces)
            yield from _inside(pieces, next(pieces), member)
    elif first[0] == "[":
        for number, piece in enumerate(_until(pieces, "]")):
            yield (*path, number), piece[1]
            yield from _inside(pieces, piece, (*path, number))


def _until(pieces: Iterator[Piece], end: str) -> Iterator[Piece]:
    """The first piece of each member or element."""
    for piece in pieces:
        if piece[0] == end:
            return
        if piece[0] != ",":
            yield piece


def line_near(known: Mapping[Path, int], path: Path) -> int:
    """The line of a place, or of what it stands in."""
    while path not in known:
        path = path[:-1]
    return known[path]
