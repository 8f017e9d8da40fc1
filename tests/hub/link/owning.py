"""What a platform tells of the owner of an account, as the sync engine would have written it after a login."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from hub.domain.identifiers import new_id
from hub.store import tables
from tests.hub.link.side import Side
from tests.hub.sync.world import NOW
from tests.hub.view.test_ownership import fact

STRANGER = "a stranger"
_CLAIM = text("""
    UPDATE connection c SET epoch = epoch + CAST(:more AS int) FROM consent k WHERE c.customer_id = :customer AND c.connector = 'scripted'
        AND k.customer_id = c.customer_id AND k.source = :source AND k.status = 'ACTIVE' RETURNING c.connection_id, c.epoch, k.consent_id""")
_SUBJECT = "SELECT subject_hash FROM customer WHERE customer_id = :customer"


async def subject(side: Side) -> str:
    (row,) = await side.rows(_SUBJECT)
    return str(row["subject_hash"])


async def tells(side: Side, owner: str | None, *, before: bool = False, kind: str = "Shop", source: str = "SHOP", **own: Any) -> UUID:
    """One more account of an owner (None: the customer) comes in, by a run of its own; ``before``: by one that had begun before the login. Returns its fact's page."""
    ids, who = {"customer_id": side.world.customer_id, "page_id": new_id()}, owner or await subject(side)
    async with side.world.database.work() as tx:
        at = (await tx.execute(_CLAIM, {"customer": side.world.customer_id, "source": source, "more": 0 if before else 1})).one()
        run = {
            "customer_id": ids["customer_id"],
            "run_id": new_id(),
            "connection_id": at.connection_id,
            "epoch": at.epoch,
            "started_at": NOW,
        }
        await tx.execute(insert(tables.sync_run), run)
        ids |= {"connection_id": at.connection_id, "consent_id": at.consent_id}
        page = {"run_id": run["run_id"], "stream": "s", "first_day": NOW.date(), "request": {}, "status": 200, "fetched_at": NOW}
        await tx.execute(insert(tables.raw_page), {**ids, **page, "sha256": "", "size": 0, "body": b""})
        name = {"Shop": "owner_hash", "BusinessRegistration": "responsible_hash"}[kind]
        await fact(tx, ids, kind, **{name: who, "known_from": NOW, **own})
    return ids["page_id"]


async def in_role(side: Side, role: str, person: str, *, added_by: str | None = None) -> None:
    """Somebody has a role at the customer: from the beginning, or since a client added him."""
    named = {"customer_id": side.world.customer_id, "party_id": new_id()}
    row = {**named, "role": role, "id_hash": person, "name_masked": "*", "id_masked": "*", "identity": b""}
    async with side.world.database.work() as tx:
        await tx.execute(insert(tables.party), {**row, "added_at": added_by and NOW})
        if added_by:
            event = {**named, "event_id": new_id(), "kind": "PARTY_ADDED", "actor": added_by, "at": NOW}
            await tx.execute(insert(tables.identity_event), event)
