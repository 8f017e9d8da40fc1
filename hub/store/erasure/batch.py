"""One transaction of an erasure: what is due is counted, a tombstone names it, it is deleted, and the counts are compared.

Whoever dies in the middle has erased nothing and left no tombstone; the next look finds the same rows. Two that look at the same customer take turns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from hub.consent.retention import retention
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import WaitAndRetry
from hub.store.database import Write
from hub.store.fact_tables import FACT_TABLES
from hub.store.tables import tombstone

PAGES, ITEMS, EVALUATIONS = 50, 500, 50
"""How much one transaction erases at most."""
MINE = "customer_id = :customer AND "
_KIND_OF = {table.name: kind for kind, table in FACT_TABLES.items()}

_BEGIN = text("SELECT set_config('hub.today', :today, true), pg_advisory_xact_lock(hashtextextended('erasure:' || :customer, 0))")
_INPUTS = text(
    "SELECT evaluation_id, erase_on FROM evaluation_due WHERE customer_id = :customer AND erase_on <= :today ORDER BY 2, 1 LIMIT :most"
)
_ITEMS = text("""
    SELECT i.kind, i.fact_id, i.page_id, i.erase_on, p.sha256, p.body <> '' AS has_text FROM item_due i
    JOIN raw_page p ON p.customer_id = i.customer_id AND p.page_id = i.page_id
    WHERE i.customer_id = :customer AND i.erase_on <= :today ORDER BY i.erase_on, i.fact_id LIMIT :most
""")
# In no order: to find the first of a hundred thousand pages would take longer, each time, than to erase some of them.
_PAGES = text("""
    SELECT page_id, sha256, consent_id, reason, erase_on FROM page_due WHERE customer_id = :customer AND erase_on <= :today LIMIT :most
""")
_MARKED = text("""
    SELECT m.fact_id FROM fact_mark m JOIN fact f ON f.customer_id = m.customer_id AND f.fact_id = m.fact_id
    WHERE m.customer_id = :customer AND (f.page_id = ANY(:pages) OR f.fact_id = ANY(:facts))
""")
_WINDOWS = "(connection_id, stream, first_day) IN (SELECT connection_id, stream, first_day FROM raw_page WHERE customer_id = :customer AND page_id = ANY(:pages))"
# Nothing is left of an account whose pages are gone and whose connection has ended.
_ACCOUNT = text("""
    UPDATE connection c SET account_hash = NULL, holder_hash = NULL
    WHERE c.customer_id = :customer AND c.status = 'DISCONNECTED' AND (c.account_hash IS NOT NULL OR c.holder_hash IS NOT NULL) AND NOT EXISTS (
        SELECT 1 FROM raw_page p WHERE p.customer_id = c.customer_id AND p.connection_id = c.connection_id)
""")


# What was forgotten and may still be fetched, under another consent, is fetched with the next run; that is now.
_FETCHED_AGAIN = text("""
    UPDATE connection SET due_at = clock_timestamp() WHERE customer_id = :customer AND status = 'ACTIVE' AND due_at > clock_timestamp()
        AND connection_id IN (SELECT connection_id FROM raw_page WHERE customer_id = :customer AND page_id = ANY(:pages))
""")


@dataclass(frozen=True, slots=True)
class Group:
    """Whose, and on which business day."""

    customer_id: CustomerId
    today: date


@dataclass(frozen=True, slots=True)
class Stone:
    """What a tombstone says. ``hashes`` are the SHA-256 of pages whose text goes."""

    reason: str
    due_on: date
    consent_id: UUID | None = None
    pages: Sequence[UUID] = ()
    facts: Sequence[UUID] | None = None
    bodies: Sequence[UUID] = ()
    evaluations: Sequence[UUID] = ()
    hashes: Sequence[str] = ()

    def values(self) -> dict[str, Any]:
        """Its lists, as parameters of what it lets go."""
        return {name: list(getattr(self, name) or ()) for name in ("pages", "facts", "bodies", "evaluations")}


@dataclass(frozen=True, slots=True)
class Cut:
    """Rows of a table that go, or, with ``to``, columns of them that are emptied."""

    table: str
    where: str
    to: str | None = None

    @property
    def name(self) -> str:
        return str(self.table) if self.to is None else f"{self.table}.{self.to.partition(' ')[0]}"

    @property
    def statement(self) -> str:
        verb = f"DELETE FROM {self.table}" if self.to is None else f"UPDATE {self.table} SET {self.to}"
        return f"{verb} WHERE {MINE}{self.where}"


async def erase_group(tx: Write, group: Group) -> dict[str, int]:
    """Erases what comes next of a customer, as much as one transaction should. Returns how many rows of which tables; nothing: nothing is due."""
    await tx.execute(_BEGIN, {"today": group.today.isoformat(), "customer": str(group.customer_id)})
    # In this order: what was derived goes before what it was derived from, else nobody could tell any more that it was.
    for next_of in (_inputs, _items, _pages):
        found = await next_of(tx, group)
        if found is not None:
            return await _erase(tx, group, *found)
    return {}


Due = tuple[Stone, list[Cut]] | None


async def _inputs(tx: Write, group: Group) -> Due:
    rows = (await tx.execute(_INPUTS, _asked(group, EVALUATIONS))).all()
    if not rows:
        return None
    of_them = "evaluation_id = ANY(:evaluations)"
    cuts = [Cut(table, of_them) for table in retention().of_class("INPUT")]
    cuts.append(Cut("evaluation", of_them, "document = '{}', verified_revenue = NULL, inputs_erased_on = hub_today()"))
    return Stone("INPUTS_ENDED", rows[0].erase_on, evaluations=[row.evaluation_id for row in rows]), cuts


async def _items(tx: Write, group: Group) -> Due:
    """Items whose own life is over, and the text of the pages that they came on: the rest of such a page stays, as facts."""
    rows = (await tx.execute(_ITEMS, _asked(group, ITEMS))).all()
    if not rows:
        return None
    texts = {row.page_id: row.sha256 for row in rows if row.has_text}
    stone = Stone("ITEM_ENDED", rows[0].erase_on, facts=[row.fact_id for row in rows], bodies=list(texts), hashes=list(texts.values()))
    cuts = [Cut(FACT_TABLES[kind].name, "fact_id = ANY(:facts)") for kind in sorted({row.kind for row in rows})]
    return stone, [*cuts, Cut("fact_mark", "fact_id = ANY(:marked)"), Cut("raw_page", "page_id = ANY(:bodies)", "body = ''")]


async def _pages(tx: Write, group: Group) -> Due:
    """Pages with everything that hangs on them. Their windows are forgotten, too: what is fetched again under another consent is fetched whole."""
    rows = (await tx.execute(_PAGES, _asked(group, PAGES))).all()
    if not rows:
        return None
    first = rows[0]
    alike = [row for row in rows if (row.consent_id, row.reason, row.erase_on) == (first.consent_id, first.reason, first.erase_on)]
    pages, hashes = [row.page_id for row in alike], [row.sha256 for row in alike]
    of_them = "page_id = ANY(:pages)"
    cuts = [Cut(table, of_them) for table in (*sorted(_KIND_OF), "quarantine")]
    cuts += [
        Cut("fact_mark", "fact_id = ANY(:marked)"),
        *(Cut(table, _WINDOWS) for table in ("sync_window", "window_before", "backfill_window", "window_keys")),
    ]
    return Stone(first.reason, first.erase_on, first.consent_id, pages, hashes=hashes), [*cuts, Cut("raw_page", of_them)]


def _asked(group: Group, most: int) -> dict[str, Any]:
    return {"customer": group.customer_id, "today": group.today, "most": most}


async def _erase(tx: Write, group: Group, stone: Stone, cuts: list[Cut]) -> dict[str, int]:
    """Raises WaitAndRetry where rows came meanwhile: then nothing was erased."""
    values = {"customer": group.customer_id, **stone.values()}
    values["marked"] = list((await tx.execute(_MARKED, values)).scalars())
    counted = " UNION ALL ".join(
        f"SELECT {at} AS at, count(*) AS rows FROM {cut.table} WHERE {MINE}{cut.where}" for at, cut in enumerate(cuts)
    )
    going = {cuts[row.at]: row.rows for row in await tx.execute(text(counted), values) if row.rows}
    rows = {cut.name: count for cut, count in sorted(going.items(), key=lambda item: item[0].name)}
    await tx.execute(insert(tombstone), _row(group, stone, rows))
    if stone.pages:
        await tx.execute(_FETCHED_AGAIN, values)
    for cut in cuts:
        if cut in going and (await tx.execute(text(cut.statement), values)).rowcount != going[cut]:
            raise WaitAndRetry(f"Rows of {cut.table} came or went while they were being erased.")
    if stone.pages:
        await tx.execute(_ACCOUNT, values)
    return rows


def _row(group: Group, stone: Stone, rows: dict[str, int]) -> dict[str, Any]:
    return {
        "customer_id": group.customer_id,
        "tombstone_id": new_id(),
        "reason": stone.reason,
        "consent_id": stone.consent_id,
        "due_on": stone.due_on,
        "done_on": group.today,
        "kinds": sorted(_KIND_OF[table] for table in rows if table in _KIND_OF),
        "rows": rows,
        "pages": list(stone.pages),
        "facts": None if stone.facts is None else list(stone.facts),
        "bodies": list(stone.bodies),
        "evaluations": list(stone.evaluations),
        "pages_sha256": digest(stone.hashes),
    }


def digest(hashes: Sequence[str]) -> str:
    """Over the hashes of the pages that went: whoever has a copy of one can show that it was among them."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()
