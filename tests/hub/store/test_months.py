"""After a page only the months that it touched are summed again, and what is kept is what all single orders sum up to."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, pool, select, text

from hub.credit.dossier import Dossier, Reference
from hub.domain.enums import SourceKind
from hub.domain.facts import Order, Refund, spec_of
from hub.domain.facts.order import OrderStatus
from hub.domain.facts.refund import RefundStatus
from hub.domain.identifiers import new_id
from hub.store.database import Database
from hub.store.dossier import load_dossier, orders
from hub.store.dossier.months import Summed, keep_months
from hub.store.embedded import Urls
from hub.store.facts import PageScope, write_facts
from hub.store.tables import shop_month
from hub.vault import Blind
from tests.hub.credit.made import AS_OF, fact
from tests.hub.store.seed import GRANTEE, PURPOSE, SCENARIO, Seed
from tests.hub.store.test_dossier_orders import TWO_YEARS, order, shopkeeper

SYNCED = datetime(2026, 1, 20, 1, tzinfo=UTC)
MONTHS = ("2024-03", "2025-01", "2025-06", "2025-12")
NUMBERS = ("1", "2", "3", "4", "5")
RECORDS = st.tuples(
    st.sampled_from(NUMBERS), st.sampled_from(MONTHS), st.integers(1, 9), st.sampled_from(["COMPLETED", "UNPAID_CLOSED"]), st.booleans()
)
PAGES = st.lists(st.lists(RECORDS, min_size=1, max_size=4), min_size=1, max_size=5)


@dataclass
class Shop:
    """A shop in the store, and what its pages have said so far. ``versions`` counts fact versions by month."""

    database: Database
    seed: Seed
    now: datetime = SYNCED
    live: dict[tuple[type, str], Any] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    async def page(self, *facts: Any) -> set[str]:
        """A page of facts. The months it touched."""
        self.now += timedelta(seconds=1)
        async with self.database.work() as tx:
            self.seed.tx = tx
            scope = PageScope(
                self.seed.customer_id,
                self.seed.connections[SourceKind.SHOP],
                new_id(),
                await self.seed._page(self.seed.connections[SourceKind.SHOP]),
                self.now,
            )
            await write_facts(tx, scope, list(enumerate(facts)), Blind(b"b" * 32))
        touched = set[str]()
        for key, one in {(type(one), spec_of(type(one)).source_key(one)): one for one in facts}.items():
            before = self.live.get(key)
            if before != one:
                touched |= {month(one)} | ({month(before)} if before is not None else set())
                self.live[key] = one
                self.versions[month(one)] += 1
        return touched

    async def kept(self) -> Summed:
        async with self.database.work() as tx:
            return await keep_months(tx, [self.seed.customer_id])

    async def dossier(self, *, known_at: datetime | None = None) -> Dossier:
        use: Any = {"scenario": SCENARIO, "grantee": GRANTEE, "purpose": PURPOSE, "reference": Reference(GRANTEE)}
        async with self.database.work() as tx:
            return await load_dossier(tx, self.seed.customer_id, as_of=AS_OF, known_at=known_at or self.now, **use)


def month(one: Any) -> str:
    at: datetime = one.paid_at if isinstance(one, Order) else one.succeeded_at
    return at.astimezone(UTC).isoformat()[:7]


def told(number: str, of: str, amount: int, status: str, refunded: bool) -> Any:
    at = f"{of}-15"
    if refunded:
        when = datetime.fromisoformat(f"{at}T12:00:00+08:00")
        return fact(
            Refund, refund_number=number, order_number=number, status=RefundStatus.SUCCEEDED, requested_at=when, succeeded_at=when, amount=Decimal(amount)
        )  # fmt: skip
    return order(number, at, amount, status=OrderStatus(status), completed_at=datetime.fromisoformat(f"{at}T20:00:00+08:00"))


async def opened(database: Database) -> Shop:
    async with database.work() as tx:
        return Shop(database, await shopkeeper(tx, covered=TWO_YEARS))


async def in_full(shop: Shop, **more: Any) -> Dossier:
    """The same dossier from single orders alone."""

    async def nothing(*_: Any) -> list[Any]:
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orders, "kept_months", nothing)
        return await shop.dossier(**more)


async def test_one_page_touches_its_months_and_no_others(database: Database) -> None:
    shop = await opened(database)
    await shop.page(*(told(f"{of}{n}", of, n, "COMPLETED", False) for of in MONTHS for n in range(1, 20)))
    first = await shop.kept()
    assert first.months > len(MONTHS) and first.versions == 19 * len(MONTHS), "control: at first everything is summed"
    assert await shop.kept() == Summed(0, 0), "then nothing is"
    await shop.page(told("new", "2025-12", 7, "COMPLETED", False))
    assert await shop.kept() == Summed(1, 20)
    await shop.page(told("2025-011", "2025-12", 1, "COMPLETED", False))
    assert await shop.kept() == Summed(2, 19 + 21), (
        "an order that moves from one month to another touches both; the version before stays in its month"
    )
    await shop.page(told("2025-011", "2025-12", 1, "COMPLETED", False))
    assert await shop.kept() == Summed(0, 0), "a page that says nothing new touches nothing"
    got, wanted = await shop.dossier(), await in_full(shop)
    assert got == wanted


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(pages=PAGES, order_=st.randoms(use_true_random=False))
def test_whatever_pages_come_in_whatever_order(databases: Any, pages: list[list[Any]], order_: Any) -> None:
    order_.shuffle(pages)
    with databases.one() as urls:
        asyncio.run(_paged(urls, pages))


async def _paged(urls: Urls, pages: list[list[Any]]) -> None:
    database = Database(urls)
    try:
        shop = await opened(database)
        await shop.kept()
        for records in pages:
            touched = await shop.page(*(told(*record) for record in records))
            done = await shop.kept()
            assert done == Summed(len(touched), sum(shop.versions[one] for one in touched))
            got, wanted = await shop.dossier(), await in_full(shop)
            assert (got.amounts, got.orders) == (wanted.amounts, wanted.orders)
    finally:
        await database.close()


async def test_without_the_mark_of_a_page_the_sums_would_be_old(database: Database, urls: Urls) -> None:
    """Control: what is compared above can differ."""
    shop = await opened(database)
    await shop.page(told("1", "2025-12", 5, "COMPLETED", False))
    await shop.kept()
    engine = create_engine(urls.owner, poolclass=pool.NullPool)
    with engine.begin() as owner:
        owner.execute(text("ALTER TABLE fact_order DISABLE TRIGGER fact_order_touches_on_insert"))
    engine.dispose()
    await shop.page(told("2", "2025-12", 5, "COMPLETED", False))
    await shop.kept()
    got, wanted = await shop.dossier(), await in_full(shop)
    assert (got.amounts["GMV"]["2025-12"], wanted.amounts["GMV"]["2025-12"]) == (5, 10)


async def test_a_question_about_before_is_answered_from_single_orders(database: Database) -> None:
    shop = await opened(database)
    await shop.page(told("1", "2025-12", 5, "COMPLETED", False))
    then = shop.now
    await shop.page(told("1", "2025-12", 8, "COMPLETED", False))
    await shop.kept()
    assert (await shop.dossier()).amounts["GMV"] == {"2025-12": 8}
    assert (await shop.dossier(known_at=then)).amounts["GMV"] == {"2025-12": 5}


async def test_what_the_consent_does_not_reach_is_not_in_a_sum(database: Database) -> None:
    shop = await opened(database)
    await shop.page(told("1", "2025-12", 5, "COMPLETED", False), told("2", "2025-06", 5, "COMPLETED", False))
    await shop.kept()
    async with database.work() as tx:
        await tx.execute(text("UPDATE consent SET data_from = '2025-12-16', narrowed_at = now()"))
    got = await shop.dossier()
    assert "2025-12" not in got.amounts["GMV"] and "2025-06" not in got.amounts["GMV"]


async def test_whoever_sums_does_not_take_what_is_being_written(database: Database) -> None:
    """A page that is not committed yet is not in the sums, and they do not hold any more once it is."""
    shop = await opened(database)
    await shop.page(told("1", "2025-12", 5, "COMPLETED", False))
    await shop.kept()
    async with database.work() as writing:
        await writing.execute(text("UPDATE fact_order SET known_to = now()"))
        assert await shop.kept() == Summed(0, 0), "as far as others see nothing has changed"
        assert (await shop.dossier()).amounts["GMV"] == {"2025-12": 5}
    assert await shop.kept() == Summed(1, 1)


async def test_what_is_erased_leaves_no_sum(database: Database) -> None:
    shop = await opened(database)
    await shop.page(told("1", "2025-12", 5, "COMPLETED", False))
    await shop.kept()
    engine = create_engine(database.urls.owner, poolclass=pool.NullPool)
    with engine.begin() as owner:
        for table in ("fact_order", "shop_month"):
            owner.execute(text(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"))
        owner.execute(text("DELETE FROM fact_order"))
    engine.dispose()
    async with database.work() as tx:
        rows = (await tx.execute(select(shop_month).where(shop_month.c.month == date(2025, 12, 1)))).all()
    assert [(row.gmv, row.orders, row.seen) for row in rows] == [(None, None, None)]
