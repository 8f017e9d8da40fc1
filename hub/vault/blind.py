"""Blind indexes: keyed hashes for equality search, never a bare hash (the ids of one region are enumerated in seconds).

One key per family. Every field that holds a USCC or resident ID uses the family ``identifier``, so that holders compare across platforms; any other personal
field has a family of its own, except account numbers, which join movements with their account.
"""

from __future__ import annotations

import base64
import hmac
from functools import cache

IDENTIFIER = "identifier"
FAMILIES = {**dict.fromkeys(("owner", "holder", "responsible", "person", "borrower"), IDENTIFIER), "account_number": "account"}
"""Fields that are compared across kinds of fact: holders with subjects, movements with their accounts."""


class Blind:
    """HMAC-SHA256 under a key derived per family, as 43 characters of base64url."""

    def __init__(self, master: bytes) -> None:
        self._key = cache(lambda family: hmac.digest(master, family.encode(), "sha256"))

    def hash(self, family: str, text: str) -> str:
        """Identifiers are canonical before they are hashed: no blanks, capital letters."""
        plain = text.strip().upper() if family == IDENTIFIER else text
        return base64.urlsafe_b64encode(hmac.digest(self._key(family), plain.encode(), "sha256"))[:43].decode()

    def of_field(self, kind: str, field: str, text: str) -> str:
        """The hash of a personal field of a fact."""
        return self.hash(FAMILIES.get(field, f"{kind}.{field}"), text)
