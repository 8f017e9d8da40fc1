"""What the access log says: who was answered what about whom, for what, and under which consent (征信业管理条例 22: a record of every query)."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import msgspec


class AccessOutcome(StrEnum):
    """PARTLY_WITHHELD: some of what was asked for needs a consent that is not in force. WITHHELD: all of it that needs one. DENIED: nothing was done at all.
    REVEALED: a personal value was answered in plain text.
    """

    ANSWERED = "ANSWERED"
    PARTLY_WITHHELD = "PARTLY_WITHHELD"
    WITHHELD = "WITHHELD"
    DENIED = "DENIED"
    REVEALED = "REVEALED"


class Accessed(msgspec.Struct, frozen=True):
    """One customer of one answer. ``fields`` are coordinates of the contract, ``consents`` the ids of those it was read under, ``terms`` the versions of their texts,
    ``withheld`` the kinds of source that no consent opened.
    """

    customer_id: UUID
    client_id: str
    purpose: str
    operation: str
    document_sha256: str
    fields: tuple[str, ...]
    consents: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    outcome: AccessOutcome = AccessOutcome.ANSWERED
