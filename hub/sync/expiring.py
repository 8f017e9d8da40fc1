"""What runs out soon, said in advance: grants that only the customer can renew, and consents. For partners, admins and whoever reminds a customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import text

from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId
from hub.store.database import Read, Write

# A grant ends in real time, a consent in business time.
_SOON = text("""
    SELECT customer_id, connection_id, connector, 'GRANT' AS what, NULL AS source, grant_expires_at AS ends_at, grant_expires_at - now() AS remaining
    FROM connection WHERE status = 'ACTIVE' AND grant_expires_at <= now() + CAST(:within AS interval)
    UNION ALL
    SELECT s.customer_id, c.connection_id, s.connector, 'CONSENT', s.source, s.expires_at, s.expires_at - CAST(:business AS timestamptz)
    FROM consent s JOIN connection c ON c.customer_id = s.customer_id AND c.connector = s.connector
    WHERE c.status IN ('ACTIVE', 'REAUTHORISE') AND s.status IN ('ACTIVE', 'PAUSED') AND s.expires_at > :business
        AND s.expires_at <= CAST(:business AS timestamptz) + CAST(:within AS interval)
    ORDER BY remaining, connection_id, source
""")


@dataclass(frozen=True, slots=True)
class Expiring:
    """``source`` is the consent's; a grant has none. ``remaining`` may be negative for a grant that the platform has ended and nobody has used since."""

    customer_id: CustomerId
    connection_id: UUID
    connector: str
    what: Literal["GRANT", "CONSENT"]
    source: SourceKind | None
    ends_at: datetime
    remaining: timedelta


async def expiring(tx: Read | Write, within: timedelta, business: datetime) -> Sequence[Expiring]:
    """Everything that ends within that time, what ends first first. Under row-level security these are the asking client's customers."""
    rows = (await tx.execute(_SOON, {"within": within, "business": business})).all()
    return [
        Expiring(
            CustomerId(row.customer_id),
            row.connection_id,
            row.connector,
            row.what,
            None if row.source is None else SourceKind(row.source),
            row.ends_at,
            row.remaining,
        )
        for row in rows
    ]
