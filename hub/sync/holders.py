"""Whose account at a platform a connection is, so that one account which is linked twice is noticed (ADR 23).

The platform's own name for the account (:attr:`hub.connect.Grant.account`) is kept as a keyed hash, the same for every customer: equal hashes of one connector are one
account. It is another hash than the one that pushes are found by, which may change with each authorisation.
"""

from __future__ import annotations

import structlog
from sqlalchemy import text

from hub.connect import Connector, Grant
from hub.store.database import Write
from hub.sync.hints import Meant
from hub.vault import Blind

log = structlog.get_logger("hub.holders")

FAMILY = "connection.holder"

_NOTE = text("""
    WITH mine AS (
        UPDATE connection SET holder_hash = :holder, holder_link = NULL, holder_epoch = CASE WHEN holder_hash = :holder THEN coalesce(holder_epoch, epoch) ELSE epoch END
        WHERE customer_id = :customer AND connection_id = :connection RETURNING connector, holder_hash)
    SELECT count(*) FROM connection o JOIN mine ON o.connector = mine.connector AND o.holder_hash = mine.holder_hash
    WHERE o.connection_id <> :connection AND o.status <> 'DISCONNECTED'
""")


async def note_holder(tx: Write, blind: Blind, mine: Meant, connector: Connector, grant: Grant) -> int:
    """Keeps whose account it is; none where the platform does not tell. Returns how many other connections are of the same account.

    What was fetched before tells of whoever logs in now only where the platform says that it is the same account: ``holder_epoch`` parts the two. The row is locked by this:
    a run that begins after it has a later epoch and the new grant, every other one has neither (ADR 27)."""
    holder = blind.hash(FAMILY, f"{connector.manifest.name}\n{grant.account}") if grant.account else None
    values = {"customer": mine.customer_id, "connection": mine.connection_id, "holder": holder}
    others = int((await tx.execute(_NOTE, values)).scalar_one())
    if others:
        log.warning("account_linked_twice", connector=connector.manifest.name, connection=str(mine.connection_id), count=others)
    return others
