"""Single orders, refunds and monthly summaries, summed and counted in the store: a year of a busy shop is tens of thousands of rows.

A month counts order by order where the windows of orders and refunds cover all of it, otherwise by its summary; never by both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from hub.credit.dossier import OrderMeasures, Series
from hub.credit.sources import Holdings
from hub.domain.enums import SourceKind
from hub.domain.facts import Order, Refund, ShopMonthlySummary, spec_of
from hub.domain.money import ZERO
from hub.domain.periods import Month, first_day, last_day, month_of, window
from hub.store.database import Read, Write
from hub.store.dossier.moment import Moment, live

MONTHS = 24
Served = Mapping[UUID, frozenset[Month]]
"""The months that each connection serves order by order."""

_SUMS = text(
    f"""
    WITH served AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:connections AS uuid[]), CAST(:months AS date[])) AS s(connection_id, month)
    ), paid AS MATERIALIZED (
        SELECT connection_id, date_trunc('month', paid_at AT TIME ZONE 'Asia/Shanghai')::date AS month, count(*) AS orders,
               sum(paid_amount) AS gmv, sum(paid_amount) FILTER (WHERE status = 'COMPLETED' AND completed_at IS NOT NULL) AS completed,
               sum(paid_amount * ((completed_at AT TIME ZONE 'Asia/Shanghai')::date - date '1970-01-01'))
                   FILTER (WHERE status = 'COMPLETED') AS weighted
        FROM fact_order WHERE {live(spec_of(Order))} AND status IN ('PAID', 'COMPLETED', 'PAID_THEN_REFUNDED') GROUP BY 1, 2
    ), refunded AS MATERIALIZED (
        SELECT connection_id, date_trunc('month', succeeded_at AT TIME ZONE 'Asia/Shanghai')::date AS month, sum(amount) AS ref
        FROM fact_refund WHERE {live(spec_of(Refund))} AND status = 'SUCCEEDED' GROUP BY 1, 2
    ), summed AS (
        SELECT connection_id, (month || '-01')::date AS month, paid_orders, gmv, refunds FROM fact_shop_monthly_summary WHERE {live(spec_of(ShopMonthlySummary))}
    )
    SELECT month, sum(orders) AS orders, sum(gmv) AS gmv, 0::numeric AS ref, coalesce(sum(completed), 0) AS completed,
           coalesce(sum(weighted - completed * (month - date '1970-01-01')), 0) AS weighted
    FROM paid JOIN served USING (connection_id, month) GROUP BY month
    UNION ALL
    SELECT month, 0, 0, sum(ref), 0, 0 FROM refunded JOIN served USING (connection_id, month) GROUP BY month
    UNION ALL
    SELECT month, sum(paid_orders), sum(gmv), sum(refunds), 0, 0 FROM summed
    WHERE NOT EXISTS (SELECT FROM served WHERE (served.connection_id, served.month) = (summed.connection_id, summed.month)) GROUP BY month
    """  # noqa: S608
)

_MEASURES = text(
    f"""
    WITH paid AS MATERIALIZED (
        SELECT paid_at AT TIME ZONE 'Asia/Shanghai' AS at, buyer_hash, receiver_address_hash, receiver_city
        FROM fact_order WHERE {live(spec_of(Order))} AND status IN ('PAID', 'COMPLETED', 'PAID_THEN_REFUNDED')
          AND date_trunc('month', paid_at AT TIME ZONE 'Asia/Shanghai')::date = ANY(CAST(:year AS date[]))
    ), recent AS MATERIALIZED (
        SELECT * FROM paid WHERE date_trunc('month', at)::date = ANY(CAST(:quarter AS date[]))
    ), buyers AS (
        SELECT buyer_hash, min(at)::date AS first, max(at)::date AS last FROM paid GROUP BY buyer_hash
    ), addresses AS (
        SELECT receiver_address_hash, count(*) AS orders FROM recent GROUP BY receiver_address_hash
    )
    SELECT (SELECT CASE WHEN bool_or(buyer_hash IS NULL) THEN NULL ELSE count(*) END FROM buyers) AS buyers,
           (SELECT CASE WHEN bool_or(buyer_hash IS NULL) THEN NULL ELSE count(*) FILTER (WHERE first < last) END FROM buyers) AS repeat_buyers,
           (SELECT jsonb_object_agg(receiver_city, orders)
            FROM (SELECT receiver_city, count(*) AS orders FROM recent WHERE receiver_city IS NOT NULL GROUP BY receiver_city) c) AS cities,
           (SELECT CASE WHEN bool_or(receiver_address_hash IS NULL) THEN NULL ELSE coalesce(max(orders), 0) END FROM addresses) AS top_address,
           (SELECT count(*) FROM recent WHERE extract(hour FROM at) BETWEEN 1 AND 5) AS off_hours,
           (SELECT count(*) FROM recent) AS recent
    """  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class ShopFigures:
    """Monthly sums by series name, and what is read off single orders."""

    amounts: Mapping[str, Series]
    measures: OrderMeasures


async def load_orders(tx: Read | Write, moment: Moment, served: Served) -> ShopFigures:
    """The shop figures of W24 over all connections that serve SHOP."""
    pairs = [(connection, first_day(month)) for connection, months in served.items() for month in sorted(months)]
    parameters = moment.values(connections=[connection for connection, _ in pairs], months=[month for _, month in pairs])
    rows = (await tx.execute(_SUMS, parameters)).all()
    single = frozenset.intersection(*served.values()) if served else frozenset[Month]()
    return ShopFigures(_amounts(rows), await _measures(tx, moment, single, rows))


def served_months(holdings: Holdings, as_of: date) -> dict[UUID, frozenset[Month]]:
    """The months each connection serves order by order, of the connections that cover anything."""
    found = {}
    for one in holdings.connections:
        if SourceKind.SHOP in one.sources and holdings.covered_by(one.connection_id, SourceKind.SHOP):
            days = holdings.single_orders(one.connection_id)
            whole = (m for m in window(as_of, MONTHS) if any(d.first <= first_day(m) and last_day(m) <= d.last for d in days))
            found[one.connection_id] = frozenset(whole)
    return found


def _amounts(rows: Any) -> Mapping[str, Series]:
    found: dict[str, dict[Month, Decimal]] = {"GMV": {}, "REF": {}, "ORDERS": {}}
    for row in rows:
        for name, value in (("GMV", row.gmv), ("REF", row.ref), ("ORDERS", Decimal(row.orders))):
            if value:
                month = month_of(row.month)
                found[name][month] = found[name].get(month, ZERO) + value
    return found


async def _measures(tx: Read | Write, moment: Moment, single: frozenset[Month], rows: Any) -> OrderMeasures:
    year, quarter = ([first_day(m) for m in window(moment.as_of, count) if m in single] for count in (12, 3))
    found = (await tx.execute(_MEASURES, moment.values(year=year, quarter=quarter))).one()
    completed = {month_of(row.month): (row.completed, row.weighted) for row in rows if row.completed}
    return OrderMeasures(
        months=single,
        buyers=found.buyers,
        repeat_buyers=found.repeat_buyers,
        city_orders=found.cities or {},
        top_address_orders=found.top_address,
        off_hours_orders=found.off_hours,
        orders_w3=found.recent,
        completed=completed,
    )
