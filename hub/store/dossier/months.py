"""The monthly sums of shops, kept (table ``shop_month``): after a page only the months that it touched are summed again.

:func:`keep_months` sums what is stale, :func:`kept_months` gives what may be used: a month's sums hold for every question that all of its facts answer, none of which is
closed since, dated later, outside the consents or outlived. Whatever that leaves is summed from single orders (:mod:`hub.store.dossier.orders`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from hub.domain.identifiers import CustomerId
from hub.store.database import Read, Write
from hub.store.dossier.moment import ASKED

MONTH = "date_trunc('month', {} AT TIME ZONE 'Asia/Shanghai')::date"
PAID = "f.status IN ('PAID', 'COMPLETED', 'PAID_THEN_REFUNDED')"
FRESH = "m.seen IS NOT NULL AND pg_visible_in_snapshot(m.touched::text::xid8, m.seen::pg_snapshot)"

_BEGIN = text("""
    INSERT INTO shop_month (customer_id, connection_id, month)
    SELECT DISTINCT w.customer_id, w.connection_id, g.month::date FROM sync_window w
    CROSS JOIN generate_series(date_trunc('month', now() AT TIME ZONE 'Asia/Shanghai') - interval '36 months', now() AT TIME ZONE 'Asia/Shanghai', '1 month') AS g(month)
    WHERE w.customer_id = ANY (:customers) AND w.source = 'SHOP' AND NOT EXISTS (
        SELECT 1 FROM shop_month m WHERE (m.customer_id, m.connection_id, m.month) = (w.customer_id, w.connection_id, g.month::date))
    ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING
""")
# Who is writing a month just now will touch it: it is left alone.
_SUM = text(f"""
    WITH stale AS MATERIALIZED (
        SELECT m.* FROM shop_month m WHERE m.customer_id = ANY (:customers) AND NOT ({FRESH})
        ORDER BY m.customer_id, m.connection_id, m.month FOR UPDATE SKIP LOCKED
    ), paid AS (
        SELECT s.customer_id, s.connection_id, s.month, count(*) AS versions, min(f.occurred_on) AS first_on, max(f.occurred_on) AS last_on,
            min(f.known_from) AS oldest, max(greatest(f.known_from, f.known_to)) AS newest, count(*) FILTER (WHERE live) AS orders,
            sum(f.paid_amount) FILTER (WHERE live) AS gmv,
            sum(f.paid_amount) FILTER (WHERE live AND f.status = 'COMPLETED' AND f.completed_at IS NOT NULL) AS completed,
            sum(f.paid_amount * ((f.completed_at AT TIME ZONE 'Asia/Shanghai')::date - date '1970-01-01')) FILTER (WHERE live AND f.status = 'COMPLETED') AS weighted
        FROM stale s JOIN fact_order f ON f.customer_id = s.customer_id AND f.occurred_on BETWEEN s.first_on AND s.last_on AND f.connection_id = s.connection_id
            AND {MONTH.format("f.paid_at")} = s.month
        CROSS JOIN LATERAL (SELECT f.known_to IS NULL AND {PAID} AS live) l GROUP BY 1, 2, 3
    ), refunded AS (
        SELECT s.customer_id, s.connection_id, s.month, count(*) AS versions, min(f.occurred_on) AS first_on, max(f.occurred_on) AS last_on,
            min(f.known_from) AS oldest, max(greatest(f.known_from, f.known_to)) AS newest, sum(f.amount) FILTER (WHERE f.known_to IS NULL AND f.status = 'SUCCEEDED') AS refunds
        FROM stale s JOIN fact_refund f ON f.customer_id = s.customer_id AND f.occurred_on BETWEEN s.first_on AND s.last_on AND f.connection_id = s.connection_id
            AND {MONTH.format("f.succeeded_at")} = s.month GROUP BY 1, 2, 3
    ), summed AS (
        UPDATE shop_month m SET seen = pg_current_snapshot()::text, first_on = coalesce(least(p.first_on, r.first_on), m.month),
            last_on = coalesce(greatest(p.last_on, r.last_on), m.month), oldest = least(p.oldest, r.oldest), newest = greatest(p.newest, r.newest),
            orders = coalesce(p.orders, 0), gmv = coalesce(p.gmv, 0), refunds = coalesce(r.refunds, 0), completed = coalesce(p.completed, 0),
            weighted = coalesce(p.weighted, 0)
        FROM stale s LEFT JOIN paid p USING (customer_id, connection_id, month) LEFT JOIN refunded r USING (customer_id, connection_id, month)
        WHERE (m.customer_id, m.connection_id, m.month) = (s.customer_id, s.connection_id, s.month)
        RETURNING m.month, coalesce(p.versions, 0) + coalesce(r.versions, 0) AS versions
    )
    SELECT count(*) AS months, coalesce(sum(versions), 0)::bigint AS versions FROM summed
""")  # noqa: S608 -- our own words
_KEPT = text(f"""
    WITH {ASKED}, served AS (
        SELECT * FROM unnest(CAST(:at AS int[]), CAST(:connections AS uuid[]), CAST(:months AS date[])) AS s(place, connection_id, month)
    )
    SELECT s.place, s.connection_id, s.month, m.orders, m.gmv, m.refunds AS ref, m.completed, m.weighted - m.completed * (s.month - date '1970-01-01') AS weighted
    FROM served s JOIN asked a ON a.place = s.place AND a.kind = 'Order' JOIN asked r ON r.place = s.place AND r.kind = 'Refund'
    JOIN shop_month m ON m.customer_id = a.customer_id AND m.connection_id = s.connection_id AND m.month = s.month
    WHERE {FRESH} AND m.last_on <= :as_of AND m.first_on >= greatest(a.first, r.first) AND m.last_on <= least(a.last, r.last)
      AND (m.newest IS NULL OR m.newest <= :known_at) AND (m.oldest IS NULL OR m.oldest > greatest(a.since, r.since))
""")  # noqa: S608 -- our own words


@dataclass(frozen=True, slots=True)
class Summed:
    """How many months were summed again, and how many fact versions were read for it."""

    months: int
    versions: int


async def keep_months(tx: Write, customers: Sequence[CustomerId]) -> Summed:
    """Sums the months of some customers that are stale. As the hub's own work: a client's transaction reads them and writes none."""
    if not customers:
        return Summed(0, 0)
    mine = {"customers": list(customers)}
    await tx.execute(_BEGIN, mine)
    row = (await tx.execute(_SUM, mine)).one()
    return Summed(row.months, row.versions)


async def kept_months(tx: Read | Write, values: Mapping[str, Any]) -> list[Any]:
    """The months among those that are served (``at``, ``connections``, ``months``) whose sums may be used."""
    return list(await tx.execute(_KEPT, values))
