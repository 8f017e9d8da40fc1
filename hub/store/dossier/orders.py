"""Single orders, refunds and monthly summaries, summed and counted in the store: a year of a busy shop is tens of thousands of rows.

A month counts order by order where the windows of orders and refunds cover all of it, otherwise by its summary; never by both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
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
from hub.store.dossier.moment import ASKED, Moment, asking, live
from hub.store.dossier.months import MONTH, PAID, kept_months

MONTHS = 24
Served = Mapping[UUID, frozenset[Month]]
"""The months that each connection serves order by order."""
_NOTHING = SimpleNamespace(buyers=0, repeat_buyers=0, cities={}, top_address=0, off_hours=0, recent=0, last_paid_on=None)
"""Of a customer whose single orders may not be read."""

_SERVED_MONTHS = """served AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:at AS int[]), CAST(:connections AS uuid[]), CAST(:months AS date[])) AS s(place, connection_id, month)
    )"""
_SINGLE = text(
    f"""
    WITH {ASKED}, {_SERVED_MONTHS}, paid AS MATERIALIZED (
        SELECT place, connection_id, {MONTH.format("f.paid_at")} AS month, count(*) AS orders,
               sum(paid_amount) AS gmv, sum(paid_amount) FILTER (WHERE status = 'COMPLETED' AND completed_at IS NOT NULL) AS completed,
               sum(paid_amount * ((completed_at AT TIME ZONE 'Asia/Shanghai')::date - date '1970-01-01'))
                   FILTER (WHERE status = 'COMPLETED') AS weighted
        FROM {live(spec_of(Order))} WHERE {PAID} GROUP BY 1, 2, 3
    ), refunded AS MATERIALIZED (
        SELECT place, connection_id, {MONTH.format("f.succeeded_at")} AS month, sum(amount) AS ref
        FROM {live(spec_of(Refund))} WHERE f.status = 'SUCCEEDED' GROUP BY 1, 2, 3
    )
    SELECT place, month, orders, gmv, 0::numeric AS ref, coalesce(completed, 0) AS completed,
           coalesce(weighted - completed * (month - date '1970-01-01'), 0) AS weighted
    FROM paid JOIN served USING (place, connection_id, month)
    UNION ALL
    SELECT place, month, 0, 0, ref, 0, 0 FROM refunded JOIN served USING (place, connection_id, month)
    """  # noqa: S608
)
_SUMMARIES = text(
    f"""
    WITH {ASKED}, {_SERVED_MONTHS}, summed AS (
        SELECT place, connection_id, (month || '-01')::date AS month, paid_orders, gmv, refunds FROM {live(spec_of(ShopMonthlySummary))}
    )
    SELECT place, month, sum(paid_orders) AS orders, sum(gmv) AS gmv, sum(refunds) AS ref, 0 AS completed, 0 AS weighted FROM summed
    WHERE NOT EXISTS (SELECT FROM served WHERE (served.place, served.connection_id, served.month) = (summed.place, summed.connection_id, summed.month))
    GROUP BY place, month
    """  # noqa: S608
)

_MEASURES = text(
    f"""
    WITH {ASKED}, single AS MATERIALIZED (
        SELECT place, year::date[] AS year, quarter::date[] AS quarter
        FROM unnest(CAST(:at AS int[]), CAST(:years AS text[]), CAST(:quarters AS text[])) AS s(place, year, quarter)
    ), sold AS MATERIALIZED (
        SELECT place, f.paid_at AT TIME ZONE 'Asia/Shanghai' AS at, {MONTH.format("f.paid_at")} = ANY (s.year) AS of_year,
               {MONTH.format("f.paid_at")} = ANY (s.quarter) AS recent, buyer_hash, receiver_address_hash, receiver_city
        FROM {live(spec_of(Order))} JOIN single s USING (place) WHERE {PAID}
    ), paid AS (
        SELECT * FROM sold WHERE of_year
    ), recent AS MATERIALIZED (
        SELECT * FROM paid WHERE recent
    ), buyers AS (
        SELECT place, CASE WHEN bool_or(buyer_hash IS NULL) THEN NULL ELSE count(*) END AS buyers,
               CASE WHEN bool_or(buyer_hash IS NULL) THEN NULL ELSE count(*) FILTER (WHERE first < last) END AS repeat_buyers
        FROM (SELECT place, buyer_hash, min(at)::date AS first, max(at)::date AS last FROM paid GROUP BY 1, 2) b GROUP BY place
    ), cities AS (
        SELECT place, jsonb_object_agg(receiver_city, orders) AS cities FROM (
            SELECT place, receiver_city, count(*) AS orders FROM recent WHERE receiver_city IS NOT NULL GROUP BY 1, 2) c GROUP BY place
    ), addresses AS (
        SELECT place, CASE WHEN bool_or(receiver_address_hash IS NULL) THEN NULL ELSE coalesce(max(orders), 0) END AS top_address FROM (
            SELECT place, receiver_address_hash, count(*) AS orders FROM recent GROUP BY 1, 2) a GROUP BY place
    ), counts AS (
        SELECT place, count(*) FILTER (WHERE extract(hour FROM at) BETWEEN 1 AND 5) AS off_hours, count(*) AS recent FROM recent GROUP BY place
    )
    SELECT m.place, CASE WHEN b.place IS NULL THEN 0 ELSE b.buyers END AS buyers, CASE WHEN b.place IS NULL THEN 0 ELSE b.repeat_buyers END AS repeat_buyers,
           c.cities, CASE WHEN a.place IS NULL THEN 0 ELSE a.top_address END AS top_address, coalesce(n.off_hours, 0) AS off_hours, coalesce(n.recent, 0) AS recent,
           l.paid_on AS last_paid_on
    FROM (SELECT DISTINCT place FROM asked) m
    LEFT JOIN buyers b USING (place) LEFT JOIN cities c USING (place) LEFT JOIN addresses a USING (place) LEFT JOIN counts n USING (place)
    LEFT JOIN (SELECT place, max(at)::date AS paid_on FROM sold GROUP BY place) l USING (place)
    """  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class ShopFigures:
    """Monthly sums by series name, and what is read off single orders."""

    amounts: Mapping[str, Series]
    measures: OrderMeasures


async def load_orders(tx: Read | Write, moments: Sequence[Moment], served: Sequence[Served]) -> list[ShopFigures]:
    """The shop figures of W24 over all connections that serve SHOP, of moments at which it may be read; ``served`` in their order."""
    if not moments:
        return []
    _, values = asking(moments, (Order, Refund, ShopMonthlySummary))
    whole = [
        (place, connection, first_day(month))
        for place, one in enumerate(served)
        for connection, months in one.items()
        for month in sorted(months)
    ]
    rows: list[list[Any]] = [[] for _ in moments]
    for row in await _summed(tx, values, whole):
        rows[row.place].append(row)
    single = [frozenset.intersection(*one.values()) if one else frozenset[Month]() for one in served]
    measured = await _measured(tx, moments, single)
    return [ShopFigures(_amounts(mine), _measures(one, found, mine)) for mine, one, found in zip(rows, single, measured, strict=True)]


async def _summed(tx: Read | Write, values: dict[str, Any], served: Sequence[tuple[int, UUID, date]]) -> list[Any]:
    """The sums of the months that are served order by order, kept ones as they are and the others from single orders; and of all other months the summaries."""
    those = values | _columns(_SERVED, served)
    rows = list(await tx.execute(_SUMMARIES, those))
    # A kept sum is of all that is there now.
    kept = [] if those["hidden"] or those["reopened"] else await kept_months(tx, those)
    known = {(row.place, row.connection_id, row.month) for row in kept}
    left = [one for one in served if one not in known]
    if left:
        rows += await tx.execute(_SINGLE, values | _columns(_SERVED, left))
    return [*kept, *rows]


_SERVED = ("at", "connections", "months")


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [row[index] for row in rows] for index, name in enumerate(names)}


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


async def _measured(tx: Read | Write, moments: Sequence[Moment], single: Sequence[frozenset[Month]]) -> list[Any]:
    """What is read off single orders, by the place of the moment."""
    _, values = asking(moments, (Order,))
    asked = [
        (place, *(_days(month for month in window(moment.as_of, count) if month in single[place]) for count in (12, 3)))
        for place, moment in enumerate(moments)
    ]
    found = {row.place: row for row in await tx.execute(_MEASURES, values | _columns(("at", "years", "quarters"), asked))}
    return [found.get(place, _NOTHING) for place in range(len(moments))]


def _days(months: Iterable[Month]) -> str:
    """The first days of some months, as PostgreSQL writes an array of them."""
    return "{" + ",".join(first_day(month).isoformat() for month in months) + "}"


def _measures(single: frozenset[Month], found: Any, rows: Sequence[Any]) -> OrderMeasures:
    completed: dict[Month, tuple[Decimal, Decimal]] = {}
    for row in rows:
        if row.completed:
            amount, weighted = completed.get(month_of(row.month), (ZERO, ZERO))
            completed[month_of(row.month)] = amount + row.completed, weighted + row.weighted
    return OrderMeasures(
        months=single,
        buyers=found.buyers,
        repeat_buyers=found.repeat_buyers,
        city_orders=found.cities or {},
        top_address_orders=found.top_address,
        off_hours_orders=found.off_hours,
        orders_w3=found.recent,
        completed=completed,
        last_paid_on=found.last_paid_on,
    )
