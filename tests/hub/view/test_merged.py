"""Two customers that are one: who sees what of them, what a consent covers, and that a split leaves no trace in what anybody reads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from msgspec import structs
from sqlalchemy import create_engine, insert, pool, select, text, update

from hub.domain.caller import Caller
from hub.errors import InvalidInput, NotFound
from hub.store import tables
from hub.store.database import Database, Scope
from hub.store.embedded import Urls
from hub.store.merging import merge_customers, parts_of, split_customer, surviving
from hub.store.metadata import metadata
from schema.access import AUDIENCES
from schema.examples import example
from tests.hub.view.test_reading import ask
from tests.hub.view.world import KNOWN, PARTNER, RISK, World, build, consent_row

ANOTHER = Caller("another", "PARTNER", AUDIENCES["PARTNER"], "CREDIT_APPROVAL")
"""Sees ``theirs`` alone, as PARTNER sees ``mine`` alone; RISK sees both."""
WHOLE = ("CustomerEnhancement", "LimitEvidence", "SourceStatus", "AccountOwners")
"""Examples of the contract that between them ask for all there is of a customer of the small world."""
LISTED = "{ customers { totalCount nodes { id } } }"
SHORT = (
    "query ($id: ID!) { customer(id: $id) { id orders(first: 9) { totalCount } connections { id } consents { id } evaluations { nodes { id } }"
    ' evaluation(scenario: "S03") { id } } node(id: $id) { ... on Customer { id } } }'
)


@dataclass
class Both:
    """``mine`` goes into ``theirs``."""

    database: Database
    world: World

    @property
    def mine(self) -> UUID:
        return self.world.mine

    @property
    def theirs(self) -> UUID:
        return self.world.theirs

    async def merge(self, from_id: UUID | None = None, into_id: UUID | None = None, reason: str = "one code, two spellings") -> None:
        async with self.database.work() as tx:
            await merge_customers(tx, from_id or self.mine, into_id or self.theirs, reason, KNOWN, "admin")

    async def split(self, customer_id: UUID | None = None) -> UUID:
        async with self.database.work() as tx:
            return await split_customer(tx, customer_id or self.mine, "two shops after all", KNOWN, "admin")

    async def seen(self, caller: Caller, customer_id: UUID, query: str = SHORT) -> dict[str, Any]:
        return await ask(self.database, query, caller, id=str(customer_id))

    async def whole(self, caller: Caller, customer_id: UUID) -> list[Any]:
        """All that a client is answered about a customer, and its list of customers."""
        given = {"id": str(customer_id), "scenario": "S03"}
        asked = [(example(name), {key: one for key, one in given.items() if f"${key}:" in example(name)}) for name in WHOLE]
        return [await ask(self.database, query, caller, **variables) for query, variables in (*asked, (LISTED, {}))]

    async def everything_seen(self) -> list[Any]:
        """By each client about either customer."""
        return [await self.whole(caller, one) for caller in (RISK, PARTNER, ANOTHER) for one in (self.mine, self.theirs)]

    async def digest(self) -> str:
        """Of every row of every table, but of the history and of what is written about reading."""
        left_out, total = {"identity_event", "profile_change", "access_log"}, hashlib.sha256()
        async with self.database.work() as tx:
            for name in sorted(set(metadata.tables) - left_out):
                rows = [str(row) for row in (await tx.execute(text(f"SELECT t::text FROM {name} t ORDER BY 1"))).scalars()]
                total.update(orjson.dumps([name, rows]))
        return total.hexdigest()


@pytest.fixture
async def both(database: Database) -> Both:
    world = await build(database)
    async with database.work() as tx:
        await tx.execute(insert(tables.customer_client), {"customer_id": world.theirs, "client_id": "risk-desk"})
        row = {"customer_id": world.theirs, "connection_id": uuid4(), "connector": "market", "status": "ACTIVE", "created_at": KNOWN}
        await tx.execute(insert(tables.connection), row)
        ended = consent_row(world, uuid4(), "SHOP", customer_id=world.theirs, status="REVOKED")
        await tx.execute(insert(tables.consent), ended)
    return Both(database, world)


async def test_whoever_sees_both_sees_one(both: Both) -> None:
    alone = (await both.seen(RISK, both.mine))["customer"]
    assert (alone["orders"]["totalCount"], len(alone["connections"]), len(alone["consents"])) == (5, 2, 2), "control: there is something"
    await both.merge()
    found = [await both.seen(RISK, one) for one in (both.mine, both.theirs)]
    assert found[0] == found[1], "the old id answers as the one that stays"
    whole = found[0]["customer"]
    assert (whole["id"], found[0]["node"]["id"]) == (str(both.theirs), str(both.theirs))
    assert (whole["orders"]["totalCount"], len(whole["connections"])) == (5, 3)
    assert (
        len(whole["consents"]) == 3
        and all(one in whole["consents"] for one in alone["consents"])
        and whole["evaluations"] == alone["evaluations"]
        and whole["evaluation"] == alone["evaluation"]
    )
    assert (await ask(both.database, LISTED, RISK))["customers"] == {"totalCount": 1, "nodes": [{"id": str(both.theirs)}]}
    node = "query ($id: ID!) { node(id: $id) { ... on Evaluation { id outcome } ... on PlatformConnection { id connector } } }"
    for kept in (alone["evaluation"], *alone["connections"]):
        assert (await ask(both.database, node, RISK, id=kept["id"]))["node"]["id"] == kept["id"], "what has an id keeps it"


async def test_whoever_sees_one_sees_what_he_saw(both: Both) -> None:
    """Byte for byte, in everything the contract tells of a customer; the other one is not there."""
    before = [await both.whole(caller, one) for caller, one in both_sides(both)]
    await both.merge()
    after = [await both.whole(caller, one) for caller, one in both_sides(both)]
    assert orjson.dumps(before) == orjson.dumps(after)
    assert [found[0]["customer"] is None for found in after] == [False, True, False, True]


def both_sides(both: Both) -> list[tuple[Caller, UUID]]:
    return [(PARTNER, both.mine), (PARTNER, both.theirs), (ANOTHER, both.theirs), (ANOTHER, both.mine)]


@pytest.mark.parametrize("guard", ["customer_merge", "customer"])
async def test_without_row_security_a_merge_would_tell(both: Both, urls: Urls, guard: str) -> None:
    """Control: the comparison above notices when a client sees the merge row, or the customer that stays, of others."""
    table, caller, asked = (guard, ANOTHER, both.theirs) if guard == "customer_merge" else (guard, PARTNER, both.mine)
    before = await both.seen(caller, asked)
    await both.merge()
    assert await both.seen(caller, asked) == before
    engine = create_engine(urls.owner, poolclass=pool.NullPool)
    with engine.begin() as owner:
        for name in {table, "fact_order", "connection", "consent", "access_log"}:
            owner.execute(text(f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY"))
    engine.dispose()
    assert await both.seen(caller, asked) != before


async def test_a_grant_shows_the_rest(both: Both) -> None:
    await both.merge()
    async with both.database.work() as tx:
        await tx.execute(insert(tables.customer_client), {"customer_id": both.theirs, "client_id": "partner-app"})
    reading = structs.replace(RISK, client_id="partner-app")
    assert await both.seen(reading, both.mine) == await both.seen(RISK, both.mine)


async def test_a_consent_covers_its_own_customer_s_data_alone(both: Both) -> None:
    """The one that stays has a consent for the shop; the one that was merged withdrew his: his orders do not come back."""
    async with both.database.work() as tx:
        await tx.execute(insert(tables.consent), {**consent_row(both.world, uuid4(), "SHOP"), "customer_id": both.theirs})
    await both.merge()
    assert (await both.seen(RISK, both.theirs))["customer"]["orders"]["totalCount"] == 5, "control: each by his own"
    async with both.database.work() as tx:
        mine = (tables.consent.c.customer_id == both.mine, tables.consent.c.source == "SHOP")
        await tx.execute(update(tables.consent).where(*mine).values(status="REVOKED"))
    found = (await both.seen(RISK, both.theirs))["customer"]
    assert found["orders"]["totalCount"] == 0 and found["evaluations"]["nodes"] == [] and len(found["consents"]) == 4


async def test_reading_one_is_logged_for_both(both: Both) -> None:
    await both.merge()
    for query in (SHORT, LISTED):
        await both.seen(RISK, both.mine, query)
    async with both.database.work() as tx:
        logged = list((await tx.execute(select(tables.access_log.c.customer_id))).scalars())
    assert sorted(logged) == sorted([both.mine, both.theirs] * 2)


async def test_a_split_leaves_everything_as_it_was(both: Both) -> None:
    """Every row of every table, by a digest, and every answer to everybody; only the history has grown."""
    rows, answers = await both.digest(), await both.everything_seen()
    await both.merge()
    assert await both.digest() != rows and await both.everything_seen() != answers, "control: a merge is noticed by both comparisons"
    assert await both.split() == both.theirs
    assert await both.digest() == rows
    assert orjson.dumps(await both.everything_seen()) == orjson.dumps(answers)
    told = "{ identityEvents { nodes { kind customerId otherId actor reason at } } }"
    events = (await ask(both.database, told, Caller("admin", "ADMIN", AUDIENCES["ADMIN"], "")))["identityEvents"]["nodes"]
    who = {"customerId": str(both.mine), "otherId": str(both.theirs), "actor": "admin", "at": KNOWN.isoformat()}
    assert events == [
        {"kind": "SPLIT", **who, "reason": "two shops after all"},
        {"kind": "MERGED", **who, "reason": "one code, two spellings"},
    ]
    assert (await ask(both.database, told, RISK))["identityEvents"]["nodes"] == events, "an institution's client sees them of its customers"


async def test_what_is_merged_already_stays_so(both: Both) -> None:
    await both.merge()
    await both.merge(reason="said again")
    async with both.database.work() as tx:
        assert len((await tx.execute(select(tables.identity_event))).all()) == 1
        third = {"customer_id": uuid4(), "kind": "ORG", "name_masked": "*", "subject_hash": "x", "created_at": KNOWN}
        person = {**third, "customer_id": uuid4(), "kind": "PERSON"}
        await tx.execute(insert(tables.customer), [third, person])
    refused = {
        "one step": (third["customer_id"], both.mine),
        "one step again": (both.theirs, third["customer_id"]),
        "the other way": (both.theirs, both.mine),
        "into another": (both.mine, third["customer_id"]),
        "itself": (both.theirs, both.theirs),
        "a person": (person["customer_id"], both.theirs),
    }
    for what, pair in refused.items():
        with pytest.raises(InvalidInput):
            await both.merge(*pair)  # type: ignore[arg-type]
        assert await parts(both) == {both.mine, both.theirs}, what
    for absent in ((uuid4(), both.theirs), (both.theirs, uuid4())):
        with pytest.raises(NotFound):
            await both.merge(*absent)
    with pytest.raises(InvalidInput, match="not merged"):
        await both.split(both.theirs)
    with pytest.raises(NotFound):
        await both.split(uuid4())
    await both.merge(third["customer_id"], both.theirs)  # type: ignore[arg-type]
    assert await parts(both) == {both.mine, both.theirs, third["customer_id"]}, "several may go into one"


async def parts(both: Both) -> set[Any]:
    async with both.database.work() as tx:
        return set(await parts_of(tx, both.theirs))  # type: ignore[arg-type]


async def test_who_answers_for_whom_depends_on_who_asks(both: Both) -> None:
    await both.merge()
    found = {}
    for caller in (RISK, PARTNER, ANOTHER):
        async with both.database.read(Scope(caller.client_id, caller.purpose)) as tx:
            found[caller.client_id] = (await surviving(tx, both.mine), await surviving(tx, both.theirs), await parts_of(tx, both.theirs))  # type: ignore[arg-type]
    assert found == {
        "risk-desk": (both.theirs, both.theirs, [both.theirs, both.mine]),
        "partner-app": (both.mine, None, []),
        "another": (None, both.theirs, [both.theirs]),
    }
