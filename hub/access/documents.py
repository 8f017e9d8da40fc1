"""Trusted documents: which documents a client may ask by their digest (ADR 41). Whether a document fits the contract is asked before (``schema.trusted``)."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from hub.access.clients import find_client
from hub.errors import NotFound
from hub.store.database import Database, Read, Write
from hub.store.tables import trusted_document

REMEMBERED = 10.0
"""Seconds a process goes on with a document that was taken away."""
_KEPT = 2000
_FIND = "select document from trusted_document where client_id = %(client)s::text and sha256 = %(sha256)s::text"


@dataclass(frozen=True, slots=True)
class Trusted:
    """A stored document."""

    client_id: str
    sha256: str
    document: str
    added_by: str
    added_at: datetime


async def add_document(tx: Write, client_id: str, document: str, actor: str) -> str:
    """Its SHA-256. The same document again changes nothing. Raises NotFound for a client that is not there."""
    if await find_client(tx, client_id) is None:
        raise NotFound("There is no such client.", remedy="`hub clients list`, or the query `clients`, shows them.")
    sha256 = hashlib.sha256(document.encode()).hexdigest()
    row = {"client_id": client_id, "sha256": sha256, "document": document, "added_by": actor, "added_at": datetime.now(UTC)}
    await tx.execute(insert(trusted_document).values(row).on_conflict_do_nothing())
    return sha256


async def remove_document(tx: Write, client_id: str, sha256: str) -> None:
    """Raises NotFound."""
    mine = (trusted_document.c.client_id == client_id, trusted_document.c.sha256 == sha256)
    if (await tx.execute(delete(trusted_document).where(*mine))).rowcount != 1:
        raise NotFound("No document of this digest is stored for the client.", remedy="`hub documents list` shows those that are.")


async def documents(tx: Read | Write, client_id: str | None = None) -> Sequence[Trusted]:
    """Those of one client, or all, in a stable order."""
    asked = select(trusted_document).order_by(trusted_document.c.client_id, trusted_document.c.added_at, trusted_document.c.sha256)
    if client_id is not None:
        asked = asked.where(trusted_document.c.client_id == client_id)
    return [Trusted(row.client_id, row.sha256, row.document, row.added_by, row.added_at) for row in await tx.execute(asked)]


class Documents:
    """What the endpoint asks; one per process. Only what is there is remembered, so that one who guesses fills nothing."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self.database, self.clock = database, clock
        self._known: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()

    def remembered(self, client_id: str, sha256: str) -> str | None:
        """The text of a stored document that was looked up a moment ago."""
        known = self._known.get((client_id, sha256))
        return known[1] if known is not None and self.clock() < known[0] else None

    async def find(self, client_id: str, sha256: str) -> str | None:
        """The text of a stored document."""
        key = (client_id, sha256)
        if (known := self.remembered(client_id, sha256)) is not None:
            return known
        row = await self.database.look(_FIND, {"client": client_id, "sha256": sha256})
        if row is None:
            self._known.pop(key, None)
            return None
        self._known[key] = (self.clock() + REMEMBERED, str(row[0]))
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return str(row[0])
