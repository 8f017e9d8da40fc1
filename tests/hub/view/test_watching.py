"""How fetching goes, as operators read it: what is shown, what is never shown, and whose."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text, update

from hub.domain.caller import Caller
from hub.domain.enums import IdentityEventKind
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import NotAllowed
from hub.store import tables
from hub.store.database import Database, Scope
from hub.store.identity_events import noted
from hub.store.security import PRIVATE, WATCHED, owned_tables
from schema.access import AUDIENCES
from schema.plan.extension import require
from tests.hub.view.test_reading import SCHEMA, ask
from tests.hub.view.world import KNOWN, PARTNER, RISK, World, build
from tests.schema.lending import object_to_facts

ADMIN = Caller("admin", "ADMIN", AUDIENCES["ADMIN"], "")
SECRET = b"sealed: nobody reads this"


async def built(database: Database) -> World:
    """The small world with a run under way, and things that went wrong in it."""
    world = await build(database)
    async with database.work() as tx:
        now = (await tx.execute(text("select now()"))).scalar_one()
        await tx.execute(update(tables.connection).values(due_at=now + timedelta(hours=1), created_at=KNOWN))
        held = {"lease_until": now + timedelta(minutes=1), "grant_expires_at": KNOWN + timedelta(days=20), "epoch": 2}
        await tx.execute(update(tables.connection).where(tables.connection.c.connection_id == world.shop).values(**held))
        run = {"customer_id": world.mine, "run_id": new_id(), "connection_id": world.shop, "epoch": 2}
        counts = {"windows_planned": 4, "windows_done": 1, "requests": 3, "fetched": 30, "stored": 30}
        await tx.execute(insert(tables.sync_run), {**run, **counts, "started_at": KNOWN + timedelta(hours=1)})
        await tx.execute(insert(tables.sync_event), events(world, run["run_id"]))
        await tx.execute(insert(tables.sync_window), windows(world, run["run_id"]))
        await tx.execute(insert(tables.backfill_window), {**windows(world, world.run)[0], "first_day": date(2020, 1, 1), "state": "DONE"})
        await tx.execute(insert(tables.quarantine), refused(world))
        await tx.execute(insert(tables.connection), foreign(world))
        await noted(tx, CustomerId(world.mine), IdentityEventKind.PARTY_ENDED, "partner-app", KNOWN, party_id=new_id(), reason="moved away")
    return world


def events(world: World, run_id: Any) -> list[dict[str, Any]]:
    of = {"customer_id": world.mine, "connection_id": world.shop, "run_id": run_id, "stream": "orders", "first_day": date(2026, 1, 20)}
    failed = {
        "kind": "ATTEMPT",
        "fault": "RetryAt",
        "detail": "too fast",
        "status": 429,
        "interaction": "i-1",
        "repeated": True,
        "seconds": 2.5,
    }
    parked = {
        "kind": "PARK",
        "fault": "Park",
        "detail": "too fast",
        "status": None,
        "interaction": None,
        "repeated": False,
        "seconds": 90.0,
    }
    return [
        {
            **of,
            **one,
            "event_id": UUID(int=world.evaluation.int + n),
            "at": KNOWN,
            "until": KNOWN + timedelta(seconds=float(str(one["seconds"]))),
        }
        for n, one in enumerate((failed, parked))
    ]


def windows(world: World, run_id: Any) -> list[dict[str, Any]]:
    of = {"customer_id": world.mine, "connection_id": world.shop, "source": "SHOP", "kinds": ["Order"], "run_id": run_id}
    made = [("orders", 20, "OPEN", 3, 30, 120), ("orders", 21, "OPEN", 1, 7, None), ("orders", 22, "OPEN", 0, 0, None)]
    made += [("bills", 20, "FAILED", 2, 50, 40), ("bills", 21, "DONE", 1, 0, 0), ("refunds", 20, "OPEN", 1, 0, 0)]
    return [
        {
            **of,
            "stream": stream,
            "first_day": date(2026, 1, day),
            "last_day": date(2026, 1, day),
            "state": state,
            "pages": pages,
            "fetched": fetched,
            "declared_total": total,
            "reason": "ContractBroken: status 500" if state == "FAILED" else None,
        }
        for stream, day, state, pages, fetched, total in made
    ]


def refused(world: World) -> list[dict[str, Any]]:
    of = {"customer_id": world.mine, "page_id": world.page, "stream": "orders", "path": "amount", "reason": "is no number", "body": SECRET}
    return [{**of, "record_id": new_id(), "position": n, "at": KNOWN, "resolved_at": KNOWN if n else None} for n in range(3)]


def foreign(world: World) -> dict[str, Any]:
    return {"customer_id": world.theirs, "connection_id": new_id(), "connector": "market", "status": "REAUTHORISE", "created_at": KNOWN}


CONNECTIONS = """query ($status: [ConnectionStatus!], $before: DateTime, $customer: ID) { syncConnections(statuses: $status, endsBefore: $before, customerId: $customer) {
    totalCount nodes { id customerId connector status running leaseUntil dueAt parkedUntil lastVerdict grantEndsAt consentEndsAt openWindows failedWindows
        run { epoch verdict windowsPlanned windowsDone progress progressUnknown failedAttempts waitedSeconds parkedUntil }
        quarantine { stream path reason records unresolved } } } }"""


async def test_a_connection_says_who_holds_it_and_what_it_waits_for(database: Database) -> None:
    world = await built(database)
    found = (await ask(database, CONNECTIONS, ADMIN, status=["ACTIVE"]))["syncConnections"]
    tax, shop = found["nodes"]
    assert (found["totalCount"], tax["connector"], tax["running"], tax["run"]) == (2, "bureau_of_tax", False, None)
    assert shop["id"] == f"PlatformConnection:{world.mine}:{world.shop}" and shop["customerId"] == world.id
    assert (shop["running"], shop["openWindows"], shop["failedWindows"], shop["parkedUntil"]) == (True, 4, 1, None)
    assert datetime.fromisoformat(shop["grantEndsAt"]) == KNOWN + timedelta(days=20)
    assert datetime.fromisoformat(shop["consentEndsAt"]) == datetime(2027, 1, 31, tzinfo=UTC)
    run = {"epoch": 2, "verdict": None, "windowsPlanned": 4, "windowsDone": 1, "progress": "0.2500", "progressUnknown": None}
    parked = shop["run"].pop("parkedUntil")
    assert shop["run"] == {**run, "failedAttempts": 1, "waitedSeconds": "2.500"}
    assert datetime.fromisoformat(parked) == KNOWN + timedelta(seconds=90)
    assert shop["quarantine"] == [{"stream": "orders", "path": "amount", "reason": "is no number", "records": 3, "unresolved": 1}]


async def test_parked_is_who_was_and_is_not_yet_due(database: Database) -> None:
    world = await built(database)
    for verdict, shown in (("PARKED", True), ("COMPLETE", False)):
        async with database.work() as tx:
            await tx.execute(update(tables.connection).where(tables.connection.c.connection_id == world.tax).values(last_verdict=verdict))
        tax = (await ask(database, CONNECTIONS, ADMIN, status=["ACTIVE"]))["syncConnections"]["nodes"][0]
        assert tax["parkedUntil"] == (tax["dueAt"] if shown else None)


async def test_what_ends_soon_is_found_by_grant_and_by_consent(database: Database) -> None:
    world = await built(database)

    async def ending(before: datetime) -> set[str]:
        found = await ask(database, CONNECTIONS, ADMIN, before=before.isoformat())
        return {node["connector"] for node in found["syncConnections"]["nodes"]}

    assert await ending(KNOWN + timedelta(days=7)) == set()
    assert await ending(KNOWN + timedelta(days=30)) == {"market"}, "its grant; another customer's market is not ACTIVE"
    async with database.work() as tx:
        mine = tables.consent.c.consent_id == world.tax_consent
        await tx.execute(update(tables.consent).where(mine).values(expires_at=KNOWN + timedelta(days=3)))
    assert await ending(KNOWN + timedelta(days=7)) == {"bureau_of_tax"}


SHARED = """query ($shared: Boolean) { syncConnections(accountShared: $shared) { totalCount nodes { customerId connector accountSharedWith } } }"""


async def test_one_account_of_two_customers_is_shown_to_who_watches_both(database: Database) -> None:
    world = await built(database)
    market = tables.connection.c.connector == "market"

    async def seen(caller: Caller, shared: bool | None = None) -> list[tuple[str, int | None]]:
        found = (await ask(database, SHARED, caller, shared=shared))["syncConnections"]
        assert found["totalCount"] == len(found["nodes"])
        return sorted((node["connector"], node["accountSharedWith"]) for node in found["nodes"])

    assert await seen(ADMIN) == [("bureau_of_tax", None), ("market", None), ("market", None)]
    async with database.work() as tx:
        await tx.execute(update(tables.connection).values(holder_hash="same"))
    assert await seen(ADMIN) == [("bureau_of_tax", 0), ("market", 1), ("market", 1)], "another platform's account is another one"
    assert await seen(ADMIN, shared=True) == [("market", 1), ("market", 1)]
    assert await seen(ADMIN, shared=False) == [("bureau_of_tax", 0)]
    assert await seen(RISK) == [("bureau_of_tax", 0), ("market", 0)], "who watches one of them does not learn of the other"
    assert await seen(RISK, shared=True) == []
    async with database.work() as tx:
        await tx.execute(update(tables.connection).where(market, tables.connection.c.customer_id == world.mine).values(holder_hash="own"))
    assert await seen(ADMIN, shared=True) == []


WINDOWS = """query ($id: ID, $first: Int!, $after: String, $states: [WindowState!], $from: Date) { syncConnections(customerId: $id, statuses: [ACTIVE]) { nodes { connector
    windows(first: $first, after: $after, states: $states, from: $from) { totalCount pageInfo { hasNextPage endCursor }
        nodes { stream firstDay state reason pages fetched declaredTotal progress progressUnknown } } } } }"""


async def shown(database: Database, world: World, **given: Any) -> Mapping[str, Any]:
    found = await ask(database, WINDOWS, ADMIN, **{"id": world.id, "first": 100, **given})
    page: Mapping[str, Any] = next(one for one in found["syncConnections"]["nodes"] if one["connector"] == "market")["windows"]
    return page


async def test_progress_is_a_share_of_a_stated_total_or_not_known(database: Database) -> None:
    """Never invented: without a total there is a reason instead."""
    nodes = (await shown(database, await built(database), **{"from": "2026-01-20"}))["nodes"]
    known = {(one["stream"], one["firstDay"][-2:]): (one["progress"], one["progressUnknown"]) for one in nodes}
    assert known == {
        ("orders", "20"): ("0.2500", None),
        ("orders", "21"): (None, "NO_TOTAL_STATED"),
        ("orders", "22"): (None, "NOTHING_FETCHED"),
        ("bills", "20"): ("1.0000", None),
        ("bills", "21"): ("1.0000", None),
        ("refunds", "20"): ("1.0000", None),
    }


async def test_windows_join_page_by_page_newest_first(database: Database) -> None:
    world = await built(database)
    whole = [(one["firstDay"], one["stream"]) for one in (await shown(database, world))["nodes"]]
    assert len(whole) == 8 and [day for day, _ in whole] == sorted((day for day, _ in whole), reverse=True)
    joined, after = [], None
    while True:
        page = await shown(database, world, first=3, after=after)
        joined += [(one["firstDay"], one["stream"]) for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert joined == whole
    (failed,) = (await shown(database, world, states=["FAILED"]))["nodes"]
    assert failed["reason"] == "ContractBroken: status 500"


RUNS = """query ($connector: String, $verdicts: [Verdict!], $connection: ID, $customer: ID) { syncRuns(connector: $connector, verdicts: $verdicts, connectionId: $connection,
    customerId: $customer) { totalCount nodes { epoch kind verdict watched { connector }
        attempts { totalCount nodes { outcome stream fault detail status interaction repeated } } waits { nodes { kind seconds reason fault } } } } }"""


async def test_a_run_lists_each_attempt_and_each_wait(database: Database) -> None:
    await built(database)
    going, before = (await ask(database, RUNS, ADMIN))["syncRuns"]["nodes"]
    assert (going["epoch"], going["kind"], going["verdict"], going["watched"]) == (2, "SYNC", None, {"connector": "market"})
    failed = {
        "outcome": "FAILED",
        "stream": "orders",
        "fault": "RetryAt",
        "detail": "too fast",
        "status": 429,
        "interaction": "i-1",
        "repeated": True,
    }
    assert going["attempts"] == {"totalCount": 1, "nodes": [failed]}
    assert [(one["kind"], one["seconds"], one["reason"]) for one in going["waits"]["nodes"]] == [
        ("PARK", "90.000", "too fast"),
        ("RETRY", "2.500", "too fast"),
    ]
    (answered,) = before["attempts"]["nodes"]
    assert (answered["outcome"], answered["status"], answered["fault"], answered["repeated"]) == ("ANSWERED", 200, None, False)
    assert before["waits"]["nodes"] == []


async def test_a_run_s_windows_are_those_of_the_timetable_or_of_a_backfill(database: Database) -> None:
    """What was asked for apart from the timetable is no window of the connection."""
    world = await built(database)
    query = "{ syncRuns { nodes { epoch windows(first: 100) { nodes { stream firstDay state repeated passes } } } } }"
    going, before = (await ask(database, query, ADMIN))["syncRuns"]["nodes"]
    assert len(going["windows"]["nodes"]) == 6
    assert [(one["firstDay"], one["state"], one["repeated"], one["passes"]) for one in before["windows"]["nodes"]] == [
        ("2026-01-01", "DONE", 0, 1),
        ("2025-01-01", "DONE", 0, 1),
        ("2020-01-01", "DONE", 0, 1),
    ]
    assert "2020-01-01" not in {one["firstDay"] for one in (await shown(database, world))["nodes"]}


@pytest.mark.parametrize(
    ("given", "epochs"),
    [
        ({"connector": "market"}, [2, 1]),
        ({"connector": "bureau_of_tax"}, []),
        ({"verdicts": ["COMPLETE"]}, [1]),
        ({"verdicts": []}, []),
        ({"connection": "PlatformConnection:{mine}:{shop}"}, [2, 1]),
        ({"connection": "PlatformConnection:{mine}:{tax}"}, []),
        ({"connection": "Consent:{mine}:{shop}"}, []),
        ({"connection": "PlatformConnection:{theirs}:{shop}"}, []),
        ({"connection": "nothing"}, []),
        ({"customer": "{mine}"}, [2, 1]),
        ({"customer": "{theirs}"}, []),
        ({"customer": "' or true --"}, []),
    ],
    ids=str,
)
async def test_runs_are_chosen_by_their_arguments(database: Database, given: dict[str, Any], epochs: list[int]) -> None:
    world = await built(database)
    names = {"mine": world.mine, "theirs": world.theirs, "shop": world.shop, "tax": world.tax}
    filled = {key: value.format(**names) if isinstance(value, str) else value for key, value in given.items()}
    assert [one["epoch"] for one in (await ask(database, RUNS, ADMIN, **filled))["syncRuns"]["nodes"]] == epochs


PLATFORMS = "{ platforms { connector circuit circuitFailures parkedUntil inFlight inFlightLimit usedThisMinute leftThisMinute usedToday leftToday retriesThisMinute assessmentId assessedOn } }"


async def test_a_platform_shows_its_circuit_and_what_is_left_of_its_quota(database: Database) -> None:
    async with database.work() as tx:
        now = (await tx.execute(text("select extract(epoch from now())::float8"))).scalar_one()
        if now % 60 > 50:
            # The minute is about to end, and what was used of it would be gone: the next one is waited for.
            await asyncio.sleep(60.5 - now % 60)
            now += 60.5 - now % 60
        this = {
            "minute": int(now // 60),
            "minute_calls": 40,
            "minute_retries": 3,
            "minute_foreign": 5,
            "circuit": "OPEN",
            "circuit_failures": 10,
        }
        places = {"a": [2, now + 60], "dead": [7, now - 1]}
        day = {"day": int((now + 28800) // 86400) - 1, "day_calls": 999, "places": places}
        await tx.execute(insert(tables.quota_ledger), {"connector": "market", "credential": "c", **this, **day})
        for record, on in (("PIPIA-1", "2025-01-05"), ("PIPIA-2", "2026-01-05")):
            stated = {"connector": "market", "assessment_id": record, "assessed_on": date.fromisoformat(on), "addresses": []}
            await tx.execute(insert(tables.connector_assessment), stated)
    (row,) = (await ask(database, PLATFORMS, ADMIN))["platforms"]
    assert (row["circuit"], row["circuitFailures"], row["inFlight"], row["inFlightLimit"]) == ("OPEN", 10, 2, 8)
    assert (row["usedThisMinute"], row["leftThisMinute"], row["retriesThisMinute"]) == (45, 55, 3)
    assert (row["usedToday"], row["leftToday"]) == (0, None), "yesterday's calls do not count; no limit per day is set"
    assert (row["assessmentId"], row["assessedOn"]) == ("PIPIA-2", "2026-01-05"), "the newest holds"


async def test_drift_is_shown_by_path_and_type(database: Database) -> None:
    async with database.work() as tx:
        row = {
            "connector": "market",
            "stream": "orders",
            "path": "buyer.level",
            "type": "text",
            "sightings": 2,
            "first_seen": KNOWN,
            "last_seen": KNOWN,
        }
        await tx.execute(insert(tables.record_shape), [{**row, "drifted": True}, {**row, "path": "id", "drifted": False}])
    found = (await ask(database, "{ drift { connector stream path type sightings } }", ADMIN))["drift"]
    assert found == [{"connector": "market", "stream": "orders", "path": "buyer.level", "type": "text", "sightings": 2}]


ALL = "{ syncConnections(first: 100) { totalCount nodes { customerId connector } } syncRuns { totalCount } }"


async def test_an_operator_watches_everybody_and_a_desk_its_own(database: Database) -> None:
    world = await built(database)

    async def seen(caller: Caller) -> tuple[int, set[str]]:
        found = await ask(database, ALL, caller)
        return found["syncRuns"]["totalCount"], {node["customerId"] for node in found["syncConnections"]["nodes"]}

    assert await seen(ADMIN) == (2, {str(world.mine), str(world.theirs)})
    assert await seen(RISK) == (2, {world.id})
    assert await seen(Caller("nobody", "INTERNAL", AUDIENCES["INTERNAL"], "CREDIT_APPROVAL")) == (0, set())
    with pytest.raises(NotAllowed, match="operations:read"):
        require(SCHEMA.documents.plan(SCHEMA.documents.of(ALL, introspecting=False), None, {}), PARTNER.scopes)
    narrowed = Caller("admin", "ADMIN", AUDIENCES["ADMIN"] - {"operations:read"}, "")
    assert await seen(narrowed) == (0, set()), "control: it is the scope that opens the rows"


async def test_whoever_is_watched_can_see_that(database: Database) -> None:
    """The access log names the operator, for each customer whose rows may have been in the answer."""
    world = await built(database)
    await ask(database, "query Look { syncConnections { nodes { id } } }", ADMIN)
    async with database.work() as tx:
        rows = (
            await tx.execute(select(tables.access_log.c.customer_id, tables.access_log.c.client_id, tables.access_log.c.operation))
        ).all()
    assert {tuple(row) for row in rows} == {(one, "admin", "Look") for one in (world.mine, world.theirs)}


async def test_an_operator_s_transaction_reads_nothing_else(database: Database) -> None:
    """Names, facts and keys stay out of its sight, and it writes nothing."""
    async with database.work() as tx:
        await object_to_facts(tx, await built(database))
    watched: dict[str, int] = {}
    async with database.write(Scope("admin", "")) as tx:
        await tx.execute(text("select set_config('hub.operator', 'yes', true)"))
        for name in sorted({*owned_tables()} - PRIVATE):
            watched[name] = (await tx.execute(text(f"select count(*) from {name}"))).scalar_one()
        changed = await tx.execute(text("update connection set due_at = null"))
    assert {name for name, rows in watched.items() if rows} == WATCHED
    assert changed.rowcount == 0
    async with database.write(Scope("admin", "")) as tx:
        assert (await tx.execute(text("select count(*) from connection"))).scalar_one() == 0, "the setting ended with its transaction"


async def test_no_sealed_byte_can_be_asked_for(database: Database) -> None:
    core = SCHEMA.core
    names = (
        "WatchedConnection",
        "WatchedRun",
        "WatchedWindow",
        "SyncAttempt",
        "SyncWait",
        "QuarantineGroup",
        "RecordDrift",
        "PlatformStatus",
    )
    fields = {field for name in names for field in core.type_map[name].fields}  # type: ignore[attr-defined]
    assert not fields & {"body", "record", "value", "sealed", "cursor", "request", "subject", "nameMasked"}
    assert len(fields) > 60
