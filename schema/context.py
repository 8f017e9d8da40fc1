"""What every operation is given: who asks, the store to read from, the services that mutations call."""

from __future__ import annotations

from typing import Protocol

import msgspec

from hub.domain.caller import Caller, Pending
from hub.domain.selection import SlotValues, StoredRead
from schema.services import Services


class Reads(Protocol):
    """Answers a stored read with the JSON text of its data. Implemented by ``hub.store.view.Reader``."""

    async def read(self, caller: Caller, read: StoredRead, values: SlotValues, pending: Pending | None = None) -> bytes: ...


class Meter(Protocol):
    """Counts what a client's operations cost. Implemented by ``hub.access.meter.Meter``."""

    async def charge(self, caller: Caller, cost: int) -> None:
        """Raises BudgetSpent."""
        ...


class Trusted(Protocol):
    """The documents that are stored for a client. Implemented by ``hub.access.documents.Documents``."""

    def remembered(self, client_id: str, sha256: str) -> str | None:
        """What is known without asking the store."""
        ...

    async def find(self, client_id: str, sha256: str) -> str | None: ...


class Context(msgspec.Struct, frozen=True):
    """``document_sha256`` is the digest of the request's document: whatever is read while it is answered is logged under it. ``price`` is filled when the operation is
    known: its cost, and the rows it may read. ``pending`` is what has still to be settled of the admission before anything has an effect or is answered."""

    caller: Caller
    reads: Reads
    services: Services
    meter: Meter
    document_sha256: str
    price: dict[str, int] = msgspec.field(default_factory=dict)
    pending: Pending | None = None
