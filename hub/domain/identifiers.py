"""Identifiers of persons and businesses, and the ids the hub makes.

USCC: GB 32100-2015. Resident ID: GB 11643 (ISO 7064 MOD 11-2). Test vectors: domain brief, section 1.2.
"""

from __future__ import annotations

import os
import re
import time
import uuid
from datetime import date
from typing import NewType

CustomerId = NewType("CustomerId", uuid.UUID)
ConnectionId = NewType("ConnectionId", uuid.UUID)
ConsentId = NewType("ConsentId", uuid.UUID)

PersonalId = NewType("PersonalId", str)
"""An identifier or name that belongs to a person.

As a connector produces it: the plain text. As it comes out of the store: its keyed hash. The store never keeps the plain text outside
the vault; it keeps ``<field>_hash`` (HMAC-SHA256, for equality) and ``<field>_masked`` (what may be shown).
"""

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_PATTERN = re.compile(r"^[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}$")
_USCC_WEIGHTS = [pow(3, i, 31) for i in range(17)]
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds, then 74 random bits. Sorts by time of making."""
    raw = (time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10)
    number = int.from_bytes(raw, "big")
    number = number & ~(0xF << 76) | (0x7 << 76)
    return uuid.UUID(int=number & ~(0x3 << 62) | (0x2 << 62))


def is_uscc(text: str) -> bool:
    """统一社会信用代码. Structure and check character; says nothing about existence."""
    if not _USCC_PATTERN.fullmatch(text):
        return False
    total = sum(_USCC_ALPHABET.index(char) * weight for char, weight in zip(text, _USCC_WEIGHTS, strict=False))
    return _USCC_ALPHABET[(31 - total % 31) % 31] == text[17]


def is_resident_id(text: str, today: date | None = None) -> bool:
    """居民身份证号. Check character and a real birth date not after ``today``; region digits are not checked (old codes stay valid)."""
    if not re.fullmatch(r"[0-9]{17}[0-9X]", text):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text, _RESIDENT_WEIGHTS, strict=False))
    if "10X98765432"[total % 11] != text[17]:
        return False
    try:
        born = birth_date(text)
    except ValueError:
        return False
    return today is None or born <= today


def birth_date(resident_id: str) -> date:
    """The date of birth in digits 7 to 14. Raises ValueError when it is no date."""
    return date(int(resident_id[6:10]), int(resident_id[10:12]), int(resident_id[12:14]))


def mask(text: str) -> str:
    """What may be shown (JR/T 0171-2020): ``330110********0012`` of numbers of 15 or more, ``138****0000`` from 11 on, else the first character.

    A number is a text of which at least half are digits.

    At least four characters stay hidden wherever more than one is shown; of a name in Chinese it is the surname.
    """
    if len(text) >= 11 and text.isascii():
        digits = len(text) - len(text.encode().translate(None, b"0123456789"))
        if digits * 2 >= len(text):
            return text[:6] + "*" * (len(text) - 10) + text[-4:] if len(text) >= 15 else text[:3] + "*" * (len(text) - 7) + text[-4:]
    return text[:1] + "*" * max(1, len(text) - 1)
