"""Customers that are one and the same: a merge is one row that reads follow, a split deletes it. No row of a customer moves (ADR 32).

Rows stay under the customer they were made for: ciphertexts are bound to it, consents were given by it and go on covering its data alone. Whoever sees both sees
one; whoever sees one of them sees what he saw before, and no sign of the other.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text

from hub.domain.enums import IdentityEventKind
from hub.domain.identifiers import CustomerId
from hub.errors import InvalidInput, NotFound
from hub.store.database import Read, Write
from hub.store.identity_events import noted
from hub.store.tables import customer, customer_merge

_SURVIVING = text("""
    SELECT coalesce((SELECT m.into_id FROM customer_merge m JOIN customer s ON s.customer_id = m.into_id WHERE m.customer_id = c.customer_id), c.customer_id)
    FROM customer c WHERE c.customer_id = :id""")
_PARTS = text("""
    SELECT c.customer_id FROM customer c WHERE c.customer_id = :id
    UNION ALL SELECT m.customer_id FROM customer_merge m JOIN customer c ON c.customer_id = m.customer_id
    WHERE m.into_id = :id AND EXISTS (SELECT 1 FROM customer s WHERE s.customer_id = :id)""")

_SEEN_PARTS = text("""
    SELECT CAST(:id AS uuid)
    UNION ALL SELECT m.customer_id FROM customer_merge m JOIN customer_client k ON k.customer_id = m.customer_id AND k.client_id = :client
    WHERE m.into_id = :id""")


async def surviving(tx: Read | Write, customer_id: UUID) -> CustomerId | None:
    """The customer that answers for this one, as far as the transaction sees both; None when it does not see this one."""
    found = (await tx.execute(_SURVIVING, {"id": customer_id})).scalar()
    return None if found is None else CustomerId(found)


async def parts_of(tx: Read | Write, customer_id: CustomerId) -> list[CustomerId]:
    """The customer itself and those merged into it that the transaction sees."""
    return [CustomerId(found) for found in (await tx.execute(_PARTS, {"id": customer_id})).scalars()]


async def parts_seen_by(tx: Read | Write, customer_id: CustomerId, client_id: str) -> list[CustomerId]:
    """A customer that a client sees, and those merged into it that this client sees, too: for the hub, whose own transactions see all."""
    return [CustomerId(found) for found in (await tx.execute(_SEEN_PARTS, {"id": customer_id, "client": client_id})).scalars()]


async def merge_customers(tx: Write, from_id: UUID, into_id: UUID, reason: str, now: datetime, actor: str) -> None:
    """From now on ``into_id`` answers for ``from_id``. What is so already is left so. Done as the hub. Raises InvalidInput, NotFound."""
    rows = await _both(tx, from_id, into_id)
    merged = {row.customer_id: row.into_id for row in await tx.execute(select(customer_merge).where(_about(from_id, into_id)))}
    if merged.get(from_id) == into_id:
        return
    if from_id in merged:
        raise InvalidInput("This customer is merged into another one.", remedy="Split it first.")
    if merged:
        raise InvalidInput(
            "A merge is one step: one of the two has been merged already.",
            remedy="Split it first, then merge each into the one that stays.",
        )
    if rows[from_id] != rows[into_id]:
        raise InvalidInput("A business and a person are never one customer.", remedy="Add the person to the business as a party.")
    await tx.execute(insert(customer_merge), {"customer_id": from_id, "into_id": into_id, "merged_at": now})
    await noted(tx, CustomerId(from_id), IdentityEventKind.MERGED, actor, now, other_id=into_id, reason=reason)


def _about(from_id: UUID, into_id: UUID) -> Any:
    """Merges that would make a chain, or that stand already."""
    return customer_merge.c.customer_id.in_((from_id, into_id)) | (customer_merge.c.into_id == from_id)


async def _both(tx: Write, from_id: UUID, into_id: UUID) -> dict[UUID, str]:
    """Kinds by id. Both rows are held, in one order, until the transaction ends: two merges about one customer do not pass each other."""
    if from_id == into_id:
        raise InvalidInput("A customer cannot be merged into itself.")
    both = select(customer.c.customer_id, customer.c.kind).where(customer.c.customer_id.in_((from_id, into_id)))
    rows = {row.customer_id: row.kind for row in await tx.execute(both.order_by(customer.c.customer_id).with_for_update())}
    if len(rows) < 2:
        raise NotFound("There is no such customer.")
    return rows


async def split_customer(tx: Write, customer_id: UUID, reason: str, now: datetime, actor: str) -> CustomerId:
    """Undoes the merge of this customer; returns the one that answered for it. Done as the hub. Raises InvalidInput, NotFound."""
    held = select(customer.c.customer_id).where(customer.c.customer_id == customer_id).with_for_update()
    if (await tx.execute(held)).first() is None:
        raise NotFound("There is no such customer.")
    gone = delete(customer_merge).where(customer_merge.c.customer_id == customer_id).returning(customer_merge.c.into_id)
    into_id = (await tx.execute(gone)).scalar()
    if into_id is None:
        raise InvalidInput(
            "This customer is not merged into another one.", remedy="Name the customer that was merged, not the one that stayed."
        )
    await noted(tx, CustomerId(customer_id), IdentityEventKind.SPLIT, actor, now, other_id=into_id, reason=reason)
    return CustomerId(into_id)
