"""A partner's app sees of a customer what the customer agreed to hand to that app; the institution what was consented to it (PIPL 23)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, text

from hub.domain.caller import Caller
from hub.store import tables
from hub.store.database import Database
from tests.hub.view.test_reading import ask
from tests.hub.view.world import KNOWN, PARTNER, RISK, World, build

WHOLE = """query ($id: ID!) { customer(id: $id) {
    sources(only: [SHOP, TAX]) { source status denial dataEnd fetchedAt coverage { first } consent { id } connection { connector } }
    consents { source apps events { step changes { field was became } } } connections { connector runs { verdict } } evaluation(scenario: "S03") { outcome } } }"""
OTHER = Caller("other-app", PARTNER.audience, PARTNER.scopes, PARTNER.purpose)


async def named(database: Database, world: World, **apps: str) -> None:
    """Which apps the consents name, by source, as PostgreSQL writes an array."""
    async with database.work() as tx:
        await tx.execute(
            text("INSERT INTO customer_client (customer_id, client_id) VALUES (:it, 'other-app') ON CONFLICT DO NOTHING"),
            {"it": world.mine},
        )
        for source, names in apps.items():
            statement = text("UPDATE consent SET apps = CAST(:names AS text[]) WHERE customer_id = :it AND source = :source")
            await tx.execute(statement, {"names": names, "it": world.mine, "source": source})


async def whole(database: Database, world: World, caller: Caller) -> dict[str, Any]:
    found: dict[str, Any] = (await ask(database, WHOLE, caller, id=world.id))["customer"]
    return found


@pytest.mark.law("征信业管理条例 20: no onward supply")
async def test_each_app_sees_what_was_handed_to_it(database: Database) -> None:
    world = await build(database)
    await named(database, world, SHOP="{partner-app}", TAX="{other-app}")
    mine, theirs, ours = [await whole(database, world, caller) for caller in (PARTNER, OTHER, RISK)]
    away = ("CONSENT_MISSING", "CONSENT_APP")
    assert [(one["status"], one["denial"]) for one in mine["sources"]] == [away, ("AVAILABLE", None)], "TAX, then SHOP"
    assert [(one["status"], one["denial"]) for one in theirs["sources"]] == [("UPSTREAM_ERROR", None), away]
    assert [one["denial"] for one in ours["sources"]] == [None, None], "control: the institution has both"
    assert [one["source"] for one in mine["consents"]] == ["SHOP"] and [one["source"] for one in theirs["consents"]] == ["TAX"]
    assert sorted(one["source"] for one in ours["consents"]) == ["SHOP", "TAX"]
    assert [[one["connector"] for one in who["connections"]] for who in (mine, theirs)] == [["market"], ["bureau_of_tax"]]


async def test_what_was_not_handed_tells_nothing_of_itself(database: Database) -> None:
    world = await build(database)
    await named(database, world, SHOP="{other-app}", TAX="{other-app}")
    mine = await whole(database, world, PARTNER)
    for one in mine["sources"]:
        told = {key: value for key, value in one.items() if key not in ("source", "status", "denial")}
        assert told == {"dataEnd": None, "fetchedAt": None, "coverage": [], "consent": None, "connection": None}
    assert (mine["consents"], mine["connections"], mine["evaluation"]) == ([], [], None)
    async with database.work() as tx:
        await tx.execute(text("UPDATE consent SET status = 'REVOKED' WHERE customer_id = :it"), {"it": world.mine})
    assert await whole(database, world, PARTNER) == mine, "nor what has become of it"


async def test_a_result_shows_while_all_it_was_made_of_was_handed(database: Database) -> None:
    world = await build(database)
    assert (await whole(database, world, PARTNER))["evaluation"] == (await whole(database, world, RISK))["evaluation"] != None  # noqa: E711
    for apps in ({"SHOP": "{}"}, {"TAX": "{}"}):
        await named(database, world, SHOP="{partner-app}", TAX="{partner-app}")
        await named(database, world, **apps)
        read = {source for source, names in apps.items() if "partner-app" not in names}
        async with database.work() as tx:
            made_of = set(
                (
                    await tx.execute(text("SELECT DISTINCT source FROM feature_evidence WHERE customer_id = :it"), {"it": world.mine})
                ).scalars()
            )
        found = await whole(database, world, PARTNER)
        assert (found["evaluation"] is None) is bool(read & made_of)
    assert (await whole(database, world, RISK))["evaluation"] is not None


async def test_an_app_is_told_of_itself_alone(database: Database) -> None:
    world = await build(database)
    await named(database, world, SHOP="{other-app,partner-app}")
    events = [
        {
            "customer_id": world.mine,
            "event_id": world.shop,
            "consent_id": world.shop_consent,
            "step": "APP_ADDED",
            "changes": {"app": [None, "other-app"]},
        },
        {
            "customer_id": world.mine,
            "event_id": world.tax,
            "consent_id": world.shop_consent,
            "step": "APP_REMOVED",
            "changes": {"app": ["partner-app", None]},
        },
    ]
    async with database.work() as tx:
        await tx.execute(insert(tables.consent_event), [one | {"to_status": "ACTIVE", "actor": "customer", "at": KNOWN} for one in events])
    (mine,) = [one for one in (await whole(database, world, PARTNER))["consents"] if one["source"] == "SHOP"]
    (ours,) = [one for one in (await whole(database, world, RISK))["consents"] if one["source"] == "SHOP"]
    assert (mine["apps"], ours["apps"]) == (["partner-app"], ["other-app", "partner-app"])
    assert [one["step"] for one in mine["events"]] == ["APP_REMOVED"] and len(ours["events"]) == 2
    assert "other-app" not in str(mine)


@pytest.mark.parametrize("kind", ["Consent", "PlatformConnection", "SyncRun", "Evaluation"])
async def test_an_id_opens_nothing_that_was_not_handed(database: Database, kind: str) -> None:
    world = await build(database)
    number = {"Consent": world.shop_consent, "PlatformConnection": world.shop, "SyncRun": world.run, "Evaluation": world.evaluation}[kind]
    query = "query ($id: ID!) { node(id: $id) { __typename id } }"
    global_id = f"{kind}:{world.mine}:{number}"
    assert (await ask(database, query, PARTNER, id=global_id))["node"] is not None, "control: it was handed"
    await named(database, world, SHOP="{other-app}", TAX="{other-app}")
    assert (await ask(database, query, PARTNER, id=global_id))["node"] is None
    assert (await ask(database, query, RISK, id=global_id))["node"] is not None
