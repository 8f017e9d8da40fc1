"""Codes that classify, and how registers name places: what can be one, and what cannot.

Industries: GB/T 4754-2017 has 20 sections (a letter) and 97 divisions (two digits), each in one section. Of its groups and classes (the third and fourth digit) only the
form is known here. Places: registers name a city by the names of GB/T 2260, with their kind at the end (宁波市, 阿坝藏族羌族自治州); the hub keeps that name and no code.
"""

from __future__ import annotations

import re

from hub.domain.identifiers import Unsound

_LAST_DIVISIONS = {
    "A": 5, "B": 12, "C": 43, "D": 46, "E": 50, "F": 52, "G": 60, "H": 62, "I": 65, "J": 69,
    "K": 70, "L": 72, "M": 75, "N": 79, "O": 82, "P": 83, "Q": 85, "R": 90, "S": 96, "T": 97,
}  # fmt: skip
"""Divisions are numbered through; each section ends with this one."""
_INDUSTRY = re.compile(r"[A-T][0-9]{0,4}")
_PLACE = re.compile(r"[\u4e00-\u9fff·]{1,30}")
_KINDS = ("市", "地区", "自治州", "盟", "县", "区", "旗")
_PROVINCES = re.compile(r"省|自治区")


def divisions_of(section: str) -> range:
    """The divisions of a section that exists."""
    before = max((last for letter, last in _LAST_DIVISIONS.items() if letter < section), default=0)
    return range(before + 1, _LAST_DIVISIONS[section] + 1)


def fault_of_industry(prefix: str) -> Unsound | None:
    """What is wrong with the beginning of an industry code, as ``F``, ``F52`` or ``F5292``; None: nothing."""
    if not _INDUSTRY.fullmatch(prefix):
        return Unsound("It is no prefix of an industry code (GB/T 4754).", 'Write a section letter and up to four digits, like "F52".')
    found = divisions_of(prefix[0])
    begun = tuple(f"{number:02}" for number in found)
    if not any(number.startswith(prefix[1:3]) for number in begun):
        ends = begun[0] if len(begun) == 1 else f"{begun[0]} to {begun[-1]}"
        return Unsound(f"GB/T 4754 has no division {prefix[1:3]} in section {prefix[0]}.", f"Section {prefix[0]} has {ends}.")
    return None


def fault_of_city(name: str) -> Unsound | None:
    """What is wrong with the name of a city; None: nothing. Says nothing about existence."""
    if name.isascii() and name.isdigit():
        return Unsound("It is a code, and registers name cities.", "Write the name that the code of GB/T 2260 stands for, like 宁波市.")
    if not _PLACE.fullmatch(name) or not name.endswith(_KINDS) or name in _KINDS:
        return Unsound("It is no city as registers name one.", "Write its whole name with its kind, like 宁波市.")
    if _PROVINCES.search(name):
        return Unsound("It names a province.", "Write the city alone, like 宁波市.")
    return None
