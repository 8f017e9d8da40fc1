"""The history of who a customer is: every change of parties, every merge and split passes through here, and through nothing else."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert

from hub.domain.enums import IdentityEventKind
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import InvalidInput
from hub.store.database import Write
from hub.store.tables import identity_event

LONGEST_REASON = 500


async def noted(
    tx: Write,
    customer_id: CustomerId,
    kind: IdentityEventKind,
    actor: str,
    at: datetime,
    *,
    other_id: UUID | None = None,
    party_id: UUID | None = None,
    reason: str | None = None,
) -> None:
    """Who did what to whom, when and why, in the transaction that does it."""
    row = {"customer_id": customer_id, "event_id": new_id(), "kind": str(kind), "actor": actor, "at": at}
    await tx.execute(insert(identity_event), {**row, "other_id": other_id, "party_id": party_id, "reason": reason})


def checked_reason(reason: str) -> str:
    """Raises InvalidInput for one that says nothing, or too much."""
    said = reason.strip()
    if not 0 < len(said) <= LONGEST_REASON:
        raise InvalidInput(f"A reason has 1 to {LONGEST_REASON} characters.", remedy="Say why, without anybody's name or number.")
    return said
