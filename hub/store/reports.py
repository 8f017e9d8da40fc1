"""What reports are made of: sums over all customers, for the institution's own people. No customer is in them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Table, insert, select, text

from hub.credit.concentration import Concentration, JointLoan, concentration
from hub.credit.fairness import Cell, Counted, axes, fairness
from hub.domain.money import ZERO
from hub.domain.periods import Month, first_day, last_day
from hub.store.database import Read, Write
from hub.store.evaluations.reference import in_effect
from hub.store.tables import concentration_row, fairness_cell

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('fairness'))")
_MOST = Decimal(99_999)
"""More of a limit is not told apart."""
_JOINT = text("""
    SELECT number, partner, balance, partner_share FROM (
        SELECT DISTINCT ON (customer_id, number) * FROM loan_status
        WHERE status_on <= :as_of AND known_from <= :known_at AND (known_to IS NULL OR known_to > :known_at)
        ORDER BY customer_id, number, status_on DESC, known_from DESC
    ) AS latest WHERE partner IS NOT NULL AND state <> 'SETTLED'
""")


async def joint_lending(tx: Read | Write, as_of: date, known_at: datetime) -> Concentration:
    """What is lent with partners on a day, against the limits in effect."""
    loans = [
        JointLoan(row.number, row.partner, row.balance, row.partner_share)
        for row in await tx.execute(_JOINT, {"as_of": as_of, "known_at": known_at})
    ]
    limits: dict[str, Any] = {one.name: one.document for one in await in_effect(tx, as_of, known_at)}
    return concentration(loans, limits.get("joint_lending"))


async def keep_concentration(tx: Write, month: Month, now: datetime) -> int:
    """Keeps what was lent with partners at the end of a month: of each, and of all together. Returns the number of rows; 0: it was kept before."""
    await tx.execute(_ONE_AT_A_TIME)
    if await _is_kept(tx, concentration_row, month):
        return 0
    found = await joint_lending(tx, last_day(month), now)
    every, partners = {"month": month, "made_at": now}, found.partners
    rows = [
        {
            **every, "partner": one.partner, "loans": one.loans, "balance": one.balance, "ours": one.ours, "of_capital": _at_most(one.of_capital),
            "of_all_loans": None, "too_much": one.too_much, "below": len(one.below),
        }
        for one in partners
    ]  # fmt: skip
    whole = {
        **every, "partner": "", "loans": sum(one.loans for one in partners), "balance": sum((one.balance for one in partners), ZERO), "ours": found.ours,
        "of_capital": None, "of_all_loans": _at_most(found.of_all_loans), "too_much": found.too_much, "below": sum(len(one.below) for one in partners),
    }  # fmt: skip
    await tx.execute(insert(concentration_row), [whole, *rows])
    return 1 + len(rows)


async def _is_kept(tx: Write, table: Table, month: Month) -> bool:
    return (await tx.execute(select(table.c.month).where(table.c.month == month).limit(1))).first() is not None


def _at_most(share: Decimal | None) -> Decimal | None:
    return None if share is None else min(share, _MOST)


def _counted() -> str:
    """By axis and segment, over the last decision of each customer and scenario in a month."""
    cells = ["SELECT 'ALL' AS axis, '' AS segment, d.* FROM decided d"]
    cells += [f"SELECT '{axis}', coalesce(d.{axis}, ''), d.* FROM decided d" for axis in axes()]  # noqa: S608 -- our own names
    columns = ", ".join(f"p.{axis}" for axis in axes())
    return f"""
    WITH decided AS (
        SELECT DISTINCT ON (v.customer_id, v.scenario) v.outcome IN ('ENHANCED', 'BASE_ONLY') AS approved, v.final_limit, {columns}
        FROM evaluation v LEFT JOIN evaluation_profile p ON p.customer_id = v.customer_id AND p.evaluation_id = v.evaluation_id
        WHERE v.as_of >= :first AND v.as_of <= :last AND NOT v.what_if AND v.outcome <> 'INSUFFICIENT_DATA' AND (CAST(:scenario AS text) IS NULL OR v.scenario = :scenario)
        ORDER BY v.customer_id, v.scenario, v.created_at DESC, v.evaluation_id DESC
    )
    SELECT axis, segment, count(*) AS decided, count(*) FILTER (WHERE approved) AS approved, coalesce(sum(final_limit) FILTER (WHERE approved), 0) AS limits
    FROM ({" UNION ALL ".join(cells)}) AS cell GROUP BY axis, segment
    """  # noqa: S608 -- our own names


async def fairness_of(tx: Read | Write, month: Month, scenario: str | None = None) -> tuple[Cell, ...]:
    """What was decided in a month, of one scenario or of all."""
    values = {"first": first_day(month), "last": last_day(month), "scenario": scenario}
    return fairness([Counted(*row) for row in await tx.execute(text(_counted()), values)])


async def keep_fairness(tx: Write, month: Month, now: datetime) -> int:
    """Keeps the report of a month: of all scenarios together, and of each. Returns the number of cells; 0: it was kept before, or nothing was decided. Of two at once one
    keeps it."""
    await tx.execute(_ONE_AT_A_TIME)
    if await _is_kept(tx, fairness_cell, month):
        return 0
    scenarios = (await tx.execute(text("SELECT DISTINCT policy_id FROM policy ORDER BY 1"))).scalars().all()
    rows = [
        {**asdict(cell), "month": month, "scenario": scenario or "", "made_at": now}
        for scenario in (None, *scenarios)
        for cell in await fairness_of(tx, month, scenario)
    ]
    if rows:
        await tx.execute(insert(fairness_cell), rows)
    return len(rows)
