"""Portfolios that are pre-screened: begun, gone on with part by part, counted.

A part is a range of customers. Whoever works holds it, takes its next customers, and writes their results, the counts and the place it has come to in one transaction:
so each customer is counted once, whoever dies. Of a customer whose consents do not cover this purpose nothing but the consents is read, and he is counted as that.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, text, update

from hub.credit.dossier import Dossier
from hub.credit.evaluate import Request
from hub.credit.models.reach import Reach, unreachable
from hub.credit.models.run import asks_for_score, score_of
from hub.credit.models.score import Scored
from hub.credit.policy import Policy
from hub.credit.portfolio import Placed, Portfolio, Screened, kept_portfolio, offer, place, read_portfolio
from hub.credit.sources import Holdings, Use
from hub.domain.enums import MissingReason
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import HubError, InvalidInput, NotFound
from hub.store.database import Database, Read, Write
from hub.store.dossier.holdings import load_consents
from hub.store.dossier.months import keep_months
from hub.store.evaluations.approvals import reaches
from hub.store.evaluations.keep import Asked, dossiers_of
from hub.store.evaluations.policies import effective_policies
from hub.store.tables import portfolio_count, portfolio_part, portfolio_result, portfolio_screening

MOST_PARTS, IN_A_PART, ASKED_AT_ONCE = 64, 50, 8
UNMADE, BELOW_FLOOR = "UNMADE", "BELOW_FLOOR"
ZERO = Decimal(0)

_OF_THE_BANK = "c.erased_on IS NULL AND NOT EXISTS (SELECT 1 FROM customer_merge m WHERE m.customer_id = c.customer_id)"
_PARTS = text(f"""
    INSERT INTO portfolio_part (screening_id, part, last, after)
    SELECT :screening, part, last, lag(last) OVER (ORDER BY part) FROM (
        SELECT part, (array_agg(customer_id ORDER BY customer_id DESC))[1] AS last FROM (
            SELECT customer_id, ntile(CAST(:parts AS int)) OVER (ORDER BY customer_id) AS part FROM customer c WHERE {_OF_THE_BANK}) o GROUP BY part) p
""")  # noqa: S608 -- our own words
_NEXT = text(f"""
    SELECT c.customer_id FROM customer c WHERE {_OF_THE_BANK} AND (CAST(:after AS uuid) IS NULL OR c.customer_id > :after) AND c.customer_id <= :last
    ORDER BY c.customer_id LIMIT :at_once
""")  # noqa: S608 -- our own words
_HELD = text("""
    SELECT part, after, last FROM portfolio_part WHERE screening_id = :screening AND NOT done ORDER BY part LIMIT 1 FOR UPDATE SKIP LOCKED
""")
_ADD = text("""
    INSERT INTO portfolio_count AS p (screening_id, axis, value, outcome, customers, limits)
    VALUES (:screening, :axis, :value, :outcome, :customers, :limits)
    ON CONFLICT (screening_id, axis, value, outcome) DO UPDATE SET customers = p.customers + EXCLUDED.customers, limits = p.limits + EXCLUDED.limits
""")
_MOVE = text("UPDATE portfolio_screening SET come_to = come_to + :count WHERE screening_id = :screening")
# A customer who was erased meanwhile is no longer of the bank.
_OVER = text("""
    UPDATE portfolio_screening s SET ended_at = clock_timestamp(), customers = come_to WHERE s.screening_id = :screening AND s.ended_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM portfolio_part p WHERE p.screening_id = s.screening_id AND NOT p.done)
""")

Cell = tuple[str, str, str]
"""Axis, value, outcome."""
Scores = Sequence[Scored | None] | None
"""What external models said of a customer's evaluations. None: it cannot be found out."""


@dataclass(frozen=True, slots=True)
class Screening:
    """One run over a portfolio, as of a day and as known at an instant. An errand (:mod:`hub.store.evaluations.errands`)."""

    screening_id: UUID
    portfolio: Portfolio
    as_of: date
    known_at: datetime
    author: str
    ended_at: datetime | None

    @staticmethod
    def of(row: Row[Any]) -> Screening:
        return Screening(row.screening_id, kept_portfolio(row.document), row.as_of, row.known_at, row.author, row.ended_at)

    @property
    def title(self) -> str:
        return self.portfolio.id

    async def progress(self, tx: Read | Write) -> tuple[int, int]:
        mine = select(portfolio_screening.c.come_to, portfolio_screening.c.customers)
        row = (await tx.execute(mine.where(portfolio_screening.c.screening_id == self.screening_id))).one()
        return row.come_to, row.customers

    async def come_to(self, database: Database, grantee: str, now: datetime, at_once: int, reach: Reach = unreachable) -> int:
        """The next customers of a part that nobody else is at. ``now`` is of no account: a screening knows what it knew when it began."""
        async with database.work() as tx:
            part = await self._held(tx, at_once)
            if part is None:
                await tx.execute(_OVER, {"screening": self.screening_id})
                return 0
            await _keep(tx, self, await screened(tx, self, part.customers, grantee, reach))
            await self._move(tx, part)
            return len(part.customers)

    async def _held(self, tx: Write, at_once: int) -> _Part | None:
        """A part with customers left. One that has none any more is done."""
        while (row := (await tx.execute(_HELD, {"screening": self.screening_id})).first()) is not None:
            asked = {"after": row.after, "last": row.last, "at_once": at_once}
            customers = [CustomerId(one) for one in (await tx.execute(_NEXT, asked)).scalars()]
            part = _Part(row.part, tuple(customers), done=len(customers) < at_once or customers[-1] == row.last)
            if customers:
                return part
            await self._move(tx, part)
        return None

    async def _move(self, tx: Write, part: _Part) -> None:
        mine = (portfolio_part.c.screening_id == self.screening_id, portfolio_part.c.part == part.number)
        after = {"after": part.customers[-1]} if part.customers else {}
        await tx.execute(update(portfolio_part).where(*mine).values(done=part.done, **after))
        await tx.execute(_MOVE, {"screening": self.screening_id, "count": len(part.customers)})


@dataclass(frozen=True, slots=True)
class _Part:
    number: int
    customers: tuple[CustomerId, ...]
    done: bool


async def begin(tx: Write, document: Mapping[str, Any], author: str, now: datetime, today: date) -> Screening:
    """Begins a screening of today. Raises PolicyInvalid, InvalidInput."""
    found = read_portfolio(document)
    if found.effective_from > today:
        raise InvalidInput(f"The portfolio applies from {found.effective_from} on.", remedy="Screen it then, or date it earlier.")
    screening_id = new_id()
    customers = (await tx.execute(text(f"SELECT count(*) FROM customer c WHERE {_OF_THE_BANK}"))).scalar_one()  # noqa: S608 -- our own words
    row = {
        "screening_id": screening_id, "portfolio_id": found.id, "version": found.version, "sha256": found.sha256, "document": dict(document),
        "purpose": found.purpose, "as_of": today, "known_at": now, "author": author, "created_at": now,
        "customers": customers,
    }  # fmt: skip
    await tx.execute(insert(portfolio_screening), row)
    await tx.execute(_PARTS, {"screening": screening_id, "parts": max(1, min(MOST_PARTS, -(-customers // IN_A_PART)))})
    await tx.execute(_OVER, {"screening": screening_id})
    return await screening(tx, screening_id)


async def screening(tx: Read | Write, screening_id: UUID) -> Screening:
    """Raises NotFound."""
    row = (await tx.execute(select(portfolio_screening).where(portfolio_screening.c.screening_id == screening_id))).first()
    if row is None:
        raise NotFound("There is no such screening.")
    return Screening.of(row)


async def screenings(tx: Read | Write) -> list[Screening]:
    """All of them, newest first."""
    return [Screening.of(row) for row in await tx.execute(select(portfolio_screening).order_by(portfolio_screening.c.screening_id.desc()))]


async def running(tx: Read | Write) -> list[Screening]:
    """Those that have customers left, oldest first."""
    mine = select(portfolio_screening).where(portfolio_screening.c.ended_at.is_(None)).order_by(portfolio_screening.c.screening_id)
    return [Screening.of(row) for row in await tx.execute(mine)]


async def screened(
    tx: Write, found: Screening, customers: Sequence[CustomerId], grantee: str, reach: Reach = unreachable
) -> dict[CustomerId, Screened]:
    """What the portfolio says of some customers. Whose consents do not cover it is not looked at; nor is an external model asked about who is none of the portfolio."""
    consents = await load_consents(tx, customers)
    asked, results = list[Asked](), dict[CustomerId, Screened]()
    for one in customers:
        mine = _asked(found, one, consents[one], grantee)
        asked += mine
        if not mine:
            results[one] = Screened(_denial(found, consents[one], grantee))
    rules = await effective_policies(tx, found.portfolio.scenarios, found.as_of, found.known_at)
    await keep_months(tx, list({one.customer_id for one in asked}))
    dossiers = defaultdict[CustomerId, dict[str, Dossier]](dict)
    for ask, dossier in zip(asked, await dossiers_of(tx, asked), strict=True):
        dossiers[ask.customer_id][ask.scenario] = dossier
    # In a thread: a worker's connections are kept alive meanwhile.
    placed = await asyncio.to_thread(lambda: {one: _placed(found.portfolio, mine, rules) for one, mine in dossiers.items()})
    of_it = {one: each for one, each in placed.items() if isinstance(each, Placed)}
    scores = await _scores(of_it, await reaches(tx, rules, found.known_at, reach)) if any(map(asks_for_score, rules.values())) else {}
    offers = await asyncio.to_thread(lambda: {one: _offer(found.portfolio, each, scores.get(one, ())) for one, each in of_it.items()})
    return results | {one: each for one, each in placed.items() if isinstance(each, Screened)} | offers


async def _scores(placed: Mapping[CustomerId, Placed], asking: Mapping[str, Reach]) -> Mapping[CustomerId, Scores]:
    """What external score models say of everybody's evaluations, some asked about at once: each has the time that its policy allows."""
    turns = asyncio.Semaphore(ASKED_AT_ONCE)

    async def asked(customer_id: CustomerId, found: Placed) -> Scores:
        async with turns:
            try:
                return [await score_of(one, asking[one.policy.id], str(customer_id)) for one in found.made]
            except HubError:
                return None

    return dict(zip(placed, await asyncio.gather(*(asked(one, found) for one, found in placed.items())), strict=True))


def _placed(portfolio: Portfolio, dossiers: Mapping[str, Dossier], rules: Mapping[str, Policy]) -> Screened | Placed:
    """One case that cannot be made keeps nobody else from a result."""
    try:
        return place(portfolio, dossiers, rules)
    except HubError:
        return Screened(UNMADE)


def _offer(portfolio: Portfolio, found: Placed, scores: Scores) -> Screened:
    """Likewise."""
    try:
        return Screened(UNMADE) if scores is None else offer(portfolio, found, scores)
    except HubError:
        return Screened(UNMADE)


def _asked(found: Screening, customer_id: CustomerId, consents: Holdings, grantee: str) -> list[Asked]:
    """One for each scenario for which a consent is in force."""
    portfolio, days = found.portfolio, (found.as_of, found.known_at)
    return [
        Asked(customer_id, name, Request(portfolio.money_for), *days, grantee, portfolio.purpose)
        for name in portfolio.scenarios
        if consents.allowing(Use(grantee, portfolio.purpose, name, *days))
    ]


def _denial(found: Screening, consents: Holdings, grantee: str) -> str:
    """Why nothing of a customer may be read: what became of the consent to this purpose that changed last."""
    mine = [one for one in consents.consents if (one.consent.grantee, one.consent.purpose) == (grantee, found.portfolio.purpose)]
    if not mine:
        return MissingReason.CONSENT_MISSING
    last = max(mine, key=lambda one: one.changed_at)
    use = Use(grantee, found.portfolio.purpose, found.portfolio.scenarios[0], found.as_of, found.known_at)
    return Holdings([last]).states(use)[last.consent.source].reason or MissingReason.CONSENT_MISSING


async def _keep(tx: Write, found: Screening, results: Mapping[CustomerId, Screened]) -> None:
    rows = [_row(found, customer_id, one) for customer_id, one in results.items() if one.left is None]
    if rows:
        await tx.execute(insert(portfolio_result), rows)
    customers, limits = Counter[Cell](), defaultdict[Cell, Decimal](lambda: ZERO)
    for one in results.values():
        for cell in _cells(one):
            customers[cell] += 1
            limits[cell] += one.limit or ZERO
    counted = [
        {"screening": found.screening_id, "axis": cell[0], "value": cell[1], "outcome": cell[2], "customers": count, "limits": limits[cell]}
        for cell, count in sorted(customers.items())
    ]
    await tx.execute(_ADD, counted)


def _row(found: Screening, customer_id: CustomerId, one: Screened) -> dict[str, Any]:
    assert one.decision is not None and one.profile is not None
    return {
        "customer_id": customer_id, "screening_id": found.screening_id, "result_id": new_id(), "purpose": found.portfolio.purpose,
        "known_at": found.known_at, "scenario": one.scenario, "outcome": one.decision.outcome, "tier": one.tier, "below_floor": one.below_floor,
        "offered_limit": one.limit, "rate": None if one.limit is None else one.decision.rate, "all_in_cost": one.all_in_cost,
        "term_months": None if one.limit is None else one.decision.term, "reasons": list(one.decision.reasons),
        "customer_type": one.profile.customer_type, "size_class": one.profile.size, "industry_code": one.profile.industry,
        "region": one.profile.region, "sources": list(one.sources),
    }  # fmt: skip


def _cells(one: Screened) -> list[Cell]:
    """Where a customer is counted: in each cluster it belongs to, and in the nameless one where of none it is known and of some nobody can tell."""
    if one.left is not None or one.profile is None or one.decision is None:
        return [("LEFT", one.left or UNMADE, "")]
    outcome, profile = BELOW_FLOOR if one.below_floor else str(one.decision.outcome), one.profile
    values = {
        "ALL": "", "CUSTOMER_TYPE": profile.customer_type, "INDUSTRY": (profile.industry or "")[:1], "REGION": profile.region,
        "SIZE": profile.size, "TIER": one.tier, "SCENARIO": one.scenario,
    }  # fmt: skip
    clusters = [str(one) for one in profile.clusters.known] or ([""] if profile.clusters.undecided else [])
    return [*((axis, value or "", outcome) for axis, value in values.items()), *(("CLUSTER", one, outcome) for one in clusters)]


async def counts(tx: Read | Write, screening_id: UUID) -> list[Row[Any]]:
    """Every count, by axis and value, the largest first."""
    mine = select(portfolio_count).where(portfolio_count.c.screening_id == screening_id)
    rows = await tx.execute(
        mine.order_by(portfolio_count.c.axis, portfolio_count.c.customers.desc(), portfolio_count.c.value, portfolio_count.c.outcome)
    )
    return list(rows)


async def results(tx: Read | Write, screening_id: UUID) -> int:
    """How many customers have a result."""
    mine = select(func.count()).select_from(portfolio_result).where(portfolio_result.c.screening_id == screening_id)
    return int((await tx.execute(mine)).scalar_one())


def told(found: Screening) -> dict[str, Any]:
    """For the audit."""
    return {
        "screening": found.screening_id, "sha256": found.portfolio.sha256, "version": found.portfolio.version, "purpose": found.portfolio.purpose,
        "as_of": found.as_of,
    }  # fmt: skip
