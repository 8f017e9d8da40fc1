"""How far an evaluation read: up to which page of each connection, and which of its runs.

Pages of a connection are committed one after the other and numbered in that order (``raw_page.serial``), and each run has a later epoch than the one before. So what was
committed after an evaluation can be told from what had been there, whatever instant it says it was known from: of a process whose clock was behind, or of a transaction
that took its instant long before it committed. What a later page brought is hidden, and what it replaced is open again; likewise of what a later run replayed, or found gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from hub.domain.identifiers import CustomerId
from hub.store.database import Read, Write

_REACHED = text("""
    SELECT c.customer_id, c.connection_id, c.epoch, coalesce(
        (SELECT max(p.serial) FROM raw_page p WHERE p.connection_id = c.connection_id AND p.customer_id = c.customer_id), 0) AS serial
    FROM connection c WHERE c.customer_id = ANY (:customers)
""")
_LATER = text("""
    WITH reached AS (
        SELECT * FROM unnest(CAST(:connections AS uuid[]), CAST(:serials AS bigint[]), CAST(:epochs AS bigint[])) AS r(connection_id, serial, epoch)
    ), marked AS (
        SELECT m.fact_id, m.mark FROM fact_mark m JOIN sync_run s ON s.customer_id = m.customer_id AND s.run_id = m.run_id
        LEFT JOIN reached r ON r.connection_id = s.connection_id WHERE m.customer_id = :customer AND s.epoch > coalesce(r.epoch, -1)
    ), later AS MATERIALIZED (
        SELECT f.fact_id, f.supersedes FROM fact f JOIN raw_page p ON p.customer_id = f.customer_id AND p.page_id = f.page_id
        LEFT JOIN reached r ON r.connection_id = f.connection_id
        WHERE f.customer_id = :customer AND f.known_from <= :known_at
            AND (p.serial > coalesce(r.serial, 0) OR f.fact_id IN (SELECT m.fact_id FROM marked m WHERE m.mark = 'REPLAYED'))
    )
    SELECT ARRAY(SELECT fact_id FROM later) AS hidden,
        ARRAY(SELECT supersedes FROM later WHERE supersedes IS NOT NULL UNION SELECT fact_id FROM marked WHERE mark <> 'REPLAYED') AS reopened
""")


class Reached(NamedTuple):
    """The last page of a connection that was there, 0: none; and the epoch of its last run."""

    serial: int
    epoch: int


Pages = Mapping[UUID, Reached]
"""By connection."""


class Later(NamedTuple):
    """Fact versions that were committed later, and those that were closed later."""

    hidden: Sequence[UUID] = ()
    reopened: Sequence[UUID] = ()


NOTHING_LATER = Later()


async def pages_reached(tx: Read | Write, customers: Sequence[CustomerId]) -> Mapping[CustomerId, Pages]:
    """How far the pages of some customers have come."""
    found = defaultdict[CustomerId, dict[UUID, Reached]](dict)
    for row in await tx.execute(_REACHED, {"customers": list(customers)}):
        found[CustomerId(row.customer_id)][row.connection_id] = Reached(row.serial, row.epoch)
    return found


async def later_than(tx: Read | Write, customer_id: CustomerId, pages: Pages, known_at: datetime) -> Later:
    """What says that it was known by an instant, and came after those pages."""
    serials, epochs = [one.serial for one in pages.values()], [one.epoch for one in pages.values()]
    values = {"customer": customer_id, "connections": list(pages), "serials": serials, "epochs": epochs, "known_at": known_at}
    return Later(*(await tx.execute(_LATER, values)).one())
