"""Who read what, for the person concerned (PIPL 44, 45; 征信业管理条例 17). Nothing of any other customer is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from hub.store.database import Read, Write
from hub.store.tables import access_log, client


@dataclass(frozen=True, slots=True)
class ReadShown:
    """One line of a customer's access log. ``reader`` is the client's name for people."""

    log_id: UUID
    at: datetime
    client_id: str
    reader: str
    purpose: str
    fields: tuple[str, ...]
    consents: tuple[UUID, ...]
    outcome: str


async def reads_of(tx: Read | Write, customer_id: UUID, *, first: int = 50, before: UUID | None = None) -> list[ReadShown]:
    """The newest ``first`` lines of a customer, older than the line ``before`` where one is named."""
    log = access_log.c
    mine = [log.customer_id == customer_id, *([log.log_id < before] if before else [])]
    joined = access_log.outerjoin(client, client.c.client_id == log.client_id)
    query = select(access_log, client.c.name).select_from(joined).where(*mine).order_by(log.log_id.desc()).limit(first)
    return [
        ReadShown(
            row.log_id, row.at, row.client_id, row.name or row.client_id, row.purpose, tuple(row.fields), tuple(row.consents), row.outcome
        )
        for row in await tx.execute(query)
    ]
