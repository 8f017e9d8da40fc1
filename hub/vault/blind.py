"""Blind indexes: keyed hashes for equality search, never a bare hash (the ids of one region are enumerated in seconds).

One key per family. Every field that holds a USCC or resident ID uses the family ``identifier``, so that holders compare across platforms; any other personal
field has a family of its own, except account numbers, which join movements with their account.
"""

from __future__ import annotations

import hashlib
import hmac
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from functools import cache

IDENTIFIER = "identifier"
_IDENTIFIERS = ("owner", "holder", "responsible", "person", "borrower", "register_holder", "policy_holder")
FAMILIES = {**dict.fromkeys(_IDENTIFIERS, IDENTIFIER), "account_number": "account"}
"""Fields that are compared across kinds of fact: holders with subjects, movements with their accounts."""

Hasher = Callable[[Sequence[str]], list[str]]

BLOCK = 64
"""Bytes of a block of SHA-256: what a key is filled up to."""
LENGTH = 43
"""Characters of 32 bytes in base64, without the padding."""
_URLSAFE = bytes.maketrans(b"+/", b"-_")


class Blind:
    """HMAC-SHA256 under a key derived per family, as 43 characters of base64url."""

    def __init__(self, master: bytes) -> None:
        self._hasher = cache(lambda family: _hasher(hmac.digest(master, family.encode(), "sha256"), family == IDENTIFIER))

    def hash(self, family: str, text: str) -> str:
        """Identifiers are canonical before they are hashed: no blanks, capital letters."""
        return self._hasher(family)((text,))[0]

    def of_field(self, kind: str, field: str, text: str) -> str:
        """The hash of a personal field of a fact."""
        return self.hasher(kind, field)((text,))[0]

    def hasher(self, kind: str, field: str) -> Hasher:
        """The hashes of a personal field of many facts. Raises UnicodeEncodeError for half a surrogate pair."""
        return self._hasher(FAMILIES.get(field, f"{kind}.{field}"))


def _hasher(key: bytes, is_identifier: bool) -> Hasher:
    """HMAC (RFC 2104) from two half-done SHA-256: a third of the time of a whole one, which begins by hashing the key, twice."""
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in key.ljust(BLOCK, b"\0"))).copy for pad in (0x36, 0x5C))

    def of(texts: Sequence[str]) -> list[str]:
        digests = []
        for text in texts:
            within, around = inner(), outer()
            within.update(text.encode())
            around.update(within.digest())
            digests.append(around.digest())
        # A byte beside each makes it a whole number of base64's groups: all are written at once, and the last character is that byte's.
        packed = b2a_base64(b"\0".join((*digests, b"")), newline=False).translate(_URLSAFE).decode()
        return [packed[at : at + LENGTH] for at in range(0, len(packed), LENGTH + 1)]

    return (lambda texts: of([text.strip().upper() for text in texts])) if is_identifier else of
