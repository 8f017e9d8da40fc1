"""The gate is written three times: in Python, in the statement that answers, in the database's policies. On made-up consents and facts they say the same."""

from __future__ import annotations

import asyncio
import random
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, pool, text

from hub.consent import grants
from hub.consent.gate import Ask, decide
from hub.domain.caller import Caller
from hub.domain.enums import SourceKind
from hub.domain.identifiers import new_id
from hub.store.database import _READ_SCOPE, Database, Scope
from hub.store.embedded import Embedded, Urls
from hub.store.fact_tables import FACT_TABLES
from hub.store.tables import client as client_table
from hub.store.tables import consent, raw_page
from tests.hub.view.test_reading import ask
from tests.hub.view.world import GRANTEE, KNOWN, PARTNER, RISK, World, build, consent_row, order_row

DAY, DAYS = date(2026, 1, 10), timedelta(days=1)
ROUNDS, FACTS = 60, 40
QUERY = "query ($id: ID!) { customer(id: $id) { orders(first: 100) { nodes { orderNumber } } } }"
PURPOSES = ("CREDIT_APPROVAL", "POST_LOAN")


@pytest.fixture(scope="module")
def gates_urls(cluster: Embedded) -> Urls:
    return asyncio.run(cluster.prepare("test_gates", template="template"))


def some_consent(dice: random.Random, world: World, purpose: str, status: str) -> dict[str, Any]:
    """One of any shape, near the border in every respect."""
    first = DAY + dice.randint(-4, 1) * DAYS
    return {
        **consent_row(world, new_id(), dice.choices(["SHOP", "TAX"], [9, 1])[0]),
        "purpose": purpose,
        "status": status,
        "grantee": GRANTEE if dice.random() < 0.9 else "另一银行",
        "mode": dice.choices(["STORE", "VIEW", "STREAM", "QUERY"], [6, 1, 1, 1])[0],
        "kinds": dice.choice([None, None, ["Order"], ["Order", "Refund"], ["Refund"], []]),
        "data_from": first,
        "data_to": first + dice.randint(0, 6) * DAYS,
        "expires_at": dice.choice([None, KNOWN, KNOWN + timedelta(microseconds=1), KNOWN - DAYS, KNOWN + 9 * DAYS]),
        "data_life_days": dice.choice([1, 2, 400]),
        "apps": dice.choice([[], ["other-app"], [PARTNER.client_id], [PARTNER.client_id, "other-app"]]),
    }


def some_order(dice: random.Random, world: World, number: int) -> dict[str, Any]:
    known = KNOWN - dice.choice([0, 1, 2, 3]) * DAYS + dice.choice([-1, 0, 1]) * timedelta(microseconds=1)
    return order_row(world, 9000 + number, DAY + dice.randint(-6, 4) * DAYS, "9.00", known_from=known)


async def scene(database: Database, dice: random.Random, world: World) -> list[dict[str, Any]]:
    """Another set of consents and orders in the store."""
    orders = [some_order(dice, world, number) for number in range(FACTS)]
    consents = [
        some_consent(dice, world, purpose, status)
        for purpose in PURPOSES
        for status in (dice.choice(["ACTIVE", "ACTIVE", "ACTIVE", "PAUSED"]), "REVOKED", "EXPIRED", "SUPERSEDED", "PENDING")
        if dice.random() < 0.7
    ]
    engine = create_engine(database.urls.admin, poolclass=pool.NullPool)
    with engine.begin() as admin:
        admin.execute(text("DELETE FROM consent"))
        admin.execute(text("DELETE FROM fact_order"))
    engine.dispose()
    async with database.work() as tx:
        await tx.execute(insert(FACT_TABLES["Order"]), orders)
        for row in consents:
            await tx.execute(insert(consent), row)
    return orders


async def by_the_rules(
    database: Database, world: World, orders: list[dict[str, Any]], purpose: str, *, grantee: bool = True, who: Caller = RISK
) -> set[str]:
    async with database.work() as tx:
        held = [grants.as_given(row) for row in await grants.consents_of(tx, world.mine)]  # type: ignore[arg-type]
    return {
        row["order_number"]
        for row in orders
        for given in held
        if decide(given, asked(row, GRANTEE if grantee else given.grantee, purpose, who.app), KNOWN).allowed
    }


def asked(row: dict[str, Any], grantee: str, purpose: str, app: str | None) -> Ask:
    day, learned = row["occurred_on"], row["known_from"]
    return Ask(SourceKind.SHOP, grantee, purpose, None, day, day, kinds=frozenset({"Order"}), learned=learned, app=app)


async def by_the_statement(database: Database, world: World, purpose: str, who: Caller = RISK) -> set[str]:
    """A partner is let at facts here, which no scope of its own does: the gate stands behind the scopes."""
    caller = Caller(who.client_id, who.audience, RISK.scopes, purpose)
    found = await ask(database, QUERY, caller, id=world.id)
    return {node["orderNumber"] for node in found["customer"]["orders"]["nodes"]}


async def by_the_policies(
    database: Database, purpose: str, now: datetime | None = KNOWN, *, client: str = "risk-desk", inside: bool | None = True
) -> set[str]:
    async with database.read(Scope(client, purpose, now=now, inside=inside)) as tx:
        return set((await tx.execute(text("SELECT order_number FROM fact_order"))).scalars())


async def world_of(database: Database) -> World:
    engine = create_engine(database.urls.admin, poolclass=pool.NullPool)
    with engine.begin() as admin:
        known = admin.execute(text("SELECT count(*) FROM customer")).scalar()
    engine.dispose()
    return World() if known else await build(database)


async def compare(database: Database, number: int) -> tuple[int, int]:
    """One scene. How many orders may be read, and how many not."""
    dice, world = random.Random(number), await world_of(database)
    orders, shown = await scene(database, dice, world), 0
    asks = [(purpose, who) for purpose in PURPOSES for who in (RISK, PARTNER)]
    for purpose, who in asks:
        allowed = await by_the_rules(database, world, orders, purpose, who=who)
        assert await by_the_statement(database, world, purpose, who) == allowed
        # The policies do not know which grantee a deployment has (ADR 30).
        wider = await by_the_rules(database, world, orders, purpose, grantee=False, who=who)
        assert await by_the_policies(database, purpose, client=who.client_id, inside=who.app is None) == wider
        shown += len(allowed)
    return shown, len(asks) * len(orders) - shown


async def compare_all(database: Database) -> tuple[int, int]:
    found = [await compare(database, number) for number in range(ROUNDS)]
    return sum(shown for shown, _ in found), sum(hidden for _, hidden in found)


@pytest.mark.law("征信业管理条例 10: one lender")
async def test_they_say_the_same(gates_urls: Urls) -> None:
    database = Database(gates_urls)
    shown, hidden = await compare_all(database)
    await database.close()
    assert shown > 150 and hidden > 150, "both answers are frequent"


@pytest.mark.parametrize(
    ("condition", "instead"),
    [
        ("(fact_order.occurred_on >= c.data_from)", "true"),
        ("LEAST(c.expires_at, ", "LEAST(NULL::timestamptz, "),
        ("days => c.data_life_days", "days => c.data_life_days + 1"),
        (")) > COALESCE", ")) >= COALESCE"),
        ("= ANY (c.kinds)", "<> ALL ('{}'::text[])"),
        ("'VIEW'::text", "'QUERY'::text"),
        ("= ANY (c.apps)", "<> ALL (c.apps)"),
        ("client_is_inside()", "true"),
    ],
    ids=["range", "expiry", "life", "end", "kinds", "mode", "app", "inside"],
)
async def test_a_policy_that_says_something_else_is_noticed(database: Database, condition: str, instead: str) -> None:
    """Control: each condition of the policy, changed."""
    engine = create_engine(database.urls.owner, poolclass=pool.NullPool)
    with engine.begin() as owner:
        rule = owner.execute(
            text("SELECT qual FROM pg_policies WHERE tablename = 'fact_order' AND policyname = 'consent_covers'")
        ).scalar_one()
        changed = rule.replace(condition, instead)
        assert changed != rule, rule
        owner.exec_driver_sql(f"ALTER POLICY consent_covers ON fact_order USING ({changed.replace('%', '%%')})")
    engine.dispose()
    with pytest.raises(AssertionError):
        await compare_all(database)


@pytest.mark.law("征信业管理条例 13: consent")
async def test_without_client_purpose_or_consent_there_are_no_rows(database: Database) -> None:
    await build(database)
    assert await by_the_policies(database, "CREDIT_APPROVAL") == {f"N{number}" for number in range(1, 7)}
    assert await by_the_policies(database, "") == set()
    assert await by_the_policies(database, "CREDIT_APPROVAL", client="") == set()
    assert await by_the_policies(database, "CREDIT_APPROVAL", datetime(2027, 2, 1, tzinfo=KNOWN.tzinfo)) == set()
    async with database.work() as tx:
        risk = {"client_id": RISK.client_id, "name": "Risk desk", "audience": RISK.audience, "jwks": {}, "created_at": KNOWN}
        await tx.execute(insert(client_table), risk)
    async with database.app.connect() as bare:
        assert (await bare.execute(text("SELECT count(*) FROM fact_order"))).scalar() == 0, "nothing is set at all"
        await bare.execute(text("SELECT set_config('hub.client', 'risk-desk', true), set_config('hub.purpose', 'CREDIT_APPROVAL', true)"))
        assert (await bare.execute(text("SELECT count(*) FROM raw_page"))).scalar() == 1, (
            "the time of the database, where nobody says another"
        )


async def test_raw_pages_and_months_go_with_the_consent(database: Database) -> None:
    world = await build(database)
    month = {"customer": world.mine, "evaluation": world.evaluation}
    async with database.work() as tx:
        await tx.execute(
            text(
                "INSERT INTO series_month (customer_id, evaluation_id, series, month, value, source) VALUES (:customer, :evaluation, 'GMV', '2025-12', 1, 'SHOP')"
            ),
            month,
        )
    assert await seen(database) == (1, 1)
    async with database.work() as tx:
        await grants.withdraw(tx, world.mine, world.shop_consent, KNOWN)  # type: ignore[arg-type]
    assert await seen(database) == (0, 0)


async def seen(database: Database) -> tuple[int, int]:
    async with database.read(Scope("risk-desk", "CREDIT_APPROVAL", now=KNOWN, inside=True)) as tx:
        counts = [(await tx.execute(text(f"SELECT count(*) FROM {name}"))).scalar_one() for name in ("raw_page", "series_month")]
    return counts[0], counts[1]


async def test_whom_a_transaction_saw_is_forgotten_when_somebody_else_asks(database: Database) -> None:
    """``client_sees`` notes the customer it looked up. What follows in the same transaction, in another client's name, sees nothing of him."""
    world = await build(database)
    seen = text("SELECT current_setting('hub.seen', true), (SELECT count(*) FROM fact_order)")
    async with database.read(Scope("risk-desk", "CREDIT_APPROVAL", now=KNOWN, inside=True)) as tx:
        assert (await tx.execute(text("SELECT count(*) FROM fact_order"))).scalar_one() == 6
        assert (await tx.execute(seen)).one() == (str(world.mine), 6)
        await tx.execute(_READ_SCOPE, Scope("nobody", "CREDIT_APPROVAL", now=KNOWN, inside=True).values)
        assert (await tx.execute(seen)).one() == ("", 0)
        await tx.execute(
            text("SELECT set_config('hub.client', 'nobody', true), set_config('hub.seen', :mine, true)"), {"mine": str(world.mine)}
        )
        assert (await tx.execute(seen)).one() == (str(world.mine), 6), "control: the note is what lets them be seen"
    async with database.app.connect() as bare:
        assert (await bare.execute(text("SELECT coalesce(current_setting('hub.seen', true), '')"))).scalar_one() == "", (
            "it ends with its transaction"
        )


HOSTILE = ("hub.seen", "hub.inside", "hub.operator", "hub.client", "hub.covered", "hub.subject")
"""What whoever speaks as hub_app may set as he likes, beside the purpose and the time; two of them mean nothing (any more)."""


async def by_hostile_words(database: Database, values: dict[str, str], query: str = "SELECT count(*) FROM fact_order") -> int:
    """What hub_app sees who sets all that can be set, and then once more beneath each customer that he has seen."""
    async with database.read(Scope("risk-desk", "CREDIT_APPROVAL", now=KNOWN, inside=True)) as tx:
        await tx.execute(text("SELECT count(*) FROM customer"))
        for name, value in values.items():
            await tx.execute(text("SELECT set_config(:name, :value, true)"), {"name": name, "value": value})
        return int((await tx.execute(text(query))).scalar_one())


async def test_no_setting_shows_what_no_consent_covers(database: Database) -> None:
    """Statements of hub_app that know every setting: it may say who it is, never that somebody consented. What was withdrawn before the statement is gone for it."""
    world = await build(database)
    said = {**dict.fromkeys(HOSTILE, str(world.mine)), "hub.client": "risk-desk", "hub.inside": "yes", "hub.operator": "yes"}
    assert await by_hostile_words(database, said) == 6, "control: a consent is in force"
    assert await by_hostile_words(database, {**said, "hub.purpose": "POST_LOAN"}) == 0, "nobody consented to that"
    assert await by_hostile_words(database, {**said, "hub.now": "2030-01-01T00:00:00Z"}) == 0, "by then it has run out"
    for seen_before in ("", "nobody", str(world.mine).upper(), f"{world.mine},{world.theirs}"):
        assert await by_hostile_words(database, {**said, "hub.seen": seen_before}) == 6, (
            "such a note is passed over, and the client looked up"
        )
    assert await by_hostile_words(database, {"hub.seen": "nobody", "hub.client": "nobody"}) == 0
    async with database.work() as tx:
        await grants.withdraw(tx, world.mine, world.shop_consent, KNOWN)  # type: ignore[arg-type]
    for instant in ("", KNOWN.isoformat(), "2026-01-01T00:00:00Z"):
        assert await by_hostile_words(database, {**said, "hub.now": instant}) == 0
    assert (
        await by_hostile_words(
            database, said, "SELECT count(*) FROM (SELECT client_sees(customer_id), client_is_inside() FROM fact_order) f"
        )
        == 0
    )


async def test_a_withdrawal_shows_in_the_next_statement_of_a_transaction_that_saw(database: Database) -> None:
    """What a transaction has seen, it does not go on seeing: each statement asks the consents as they are when it begins."""
    world = await build(database)
    async with database.read(Scope("risk-desk", "CREDIT_APPROVAL", now=KNOWN, inside=True)) as tx:
        orders = text("SELECT count(*) FROM fact_order")
        assert (await tx.execute(orders)).scalar_one() == 6
        async with database.work() as other:
            await grants.withdraw(other, world.mine, world.shop_consent, KNOWN)  # type: ignore[arg-type]
        assert (await tx.execute(orders)).scalar_one() == 0


async def test_each_customer_of_one_statement_has_his_own_consents(database: Database) -> None:
    """Two customers of one client, rows of both in one statement, in either order."""
    world = await build(database)
    async with database.work() as tx:
        await tx.execute(
            text("INSERT INTO customer_client (customer_id, client_id) VALUES (:it, 'risk-desk') ON CONFLICT DO NOTHING"),
            {"it": world.theirs},
        )
        columns = ", ".join(column.name for column in raw_page.c if column.name != "customer_id")
        copied = f"INSERT INTO raw_page (customer_id, {columns}) SELECT :it, {columns} FROM raw_page WHERE customer_id = :mine"
        await tx.execute(text(copied), {"it": world.theirs, "mine": world.mine})
        theirs = {"customer_id": world.theirs, "fact_id": new_id(), "source_key": "theirs"}
        await tx.execute(insert(FACT_TABLES["Order"]), {**order_row(world, 9100, DAY, "9.00", known_from=KNOWN), **theirs})
    each = "SELECT array_agg(DISTINCT customer_id::text) FROM (SELECT customer_id FROM fact_order ORDER BY customer_id {} LIMIT 100) f"
    scope = Scope("risk-desk", "CREDIT_APPROVAL", now=KNOWN, inside=True)
    for consented in (False, True):
        if consented:
            async with database.work() as tx:
                await tx.execute(insert(consent), {**consent_row(world, new_id(), "SHOP"), "customer_id": world.theirs, "data_from": DAY})
        for order in ("ASC", "DESC"):
            async with database.read(scope) as tx:
                seen_of = set((await tx.execute(text(each.format(order)))).scalar_one())
            assert seen_of == {str(world.mine), *([str(world.theirs)] if consented else [])}


async def test_who_does_not_say_what_it_is_is_looked_up_and_an_unknown_client_is_an_app(database: Database) -> None:
    """The version before does not know ``hub.inside``; and a transaction that forgets it is no wider for that."""
    world = await build(database)
    rows = [{"client_id": one.client_id, "name": "N", "audience": one.audience, "jwks": {}, "created_at": KNOWN} for one in (RISK, PARTNER)]
    async with database.work() as tx:
        await tx.execute(insert(client_table), rows)
        await tx.execute(text("UPDATE consent SET apps = '{}' WHERE customer_id = :mine"), {"mine": world.mine})
        await tx.execute(text("INSERT INTO customer_client (customer_id, client_id) VALUES (:mine, 'unknown')"), {"mine": world.mine})
    all_six = {f"N{number}" for number in range(1, 7)}
    for name, expected in (("risk-desk", all_six), ("partner-app", set()), ("unknown", set())):
        assert await by_the_policies(database, "CREDIT_APPROVAL", client=name, inside=None) == expected, name
    assert await by_the_policies(database, "CREDIT_APPROVAL", client="risk-desk", inside=False) == set(), (
        "who says that it is an app is one"
    )
    async with database.work() as tx:
        await tx.execute(text("UPDATE consent SET apps = '{partner-app}' WHERE customer_id = :mine"), {"mine": world.mine})
    assert await by_the_policies(database, "CREDIT_APPROVAL", client="partner-app", inside=None) == all_six, "control: the app is named"
