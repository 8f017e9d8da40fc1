"""The group committer: durable before the answer, without gaps whoever writes, and one refused row costs one answer."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from random import Random

import psycopg
import pytest
from msgspec import structs
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from hub.access.audit import AccessLog, reads_of
from hub.access.audit.chain import EVENTS, SHARDS, ChainKeys, shard_of
from hub.access.audit.rows import Chain
from hub.domain.identifiers import new_id
from hub.store.database import Database
from hub.store.embedded import Urls
from tests.hub.access.audit.logs import KEYS, Secrets, accessed, customer_in, fill, heads_now, owner_of_everything, verified


async def test_many_writers_leave_chains_without_gaps(urls: Urls, database: Database) -> None:
    """Two processes' logs, eight writers each, on chains that both append to."""
    random, other = Random(1), Database(urls)
    logs = [AccessLog(one, KEYS) for one in (database, other)]

    async def writer(log: AccessLog) -> None:
        for number in range(12):
            await log.write([accessed(customer_in(random.randrange(4), random), number) for _ in range(random.randint(1, 3))])

    await asyncio.gather(*(writer(log) for log in logs for _ in range(8)))
    await other.close()
    found = await verified(database)
    assert found.findings == [] and found.rows == logs[0].added + logs[1].added > 192
    async with database.work() as tx:
        commits = (await tx.execute(text("SELECT count(DISTINCT xmin::text) FROM access_log"))).scalar_one()
    assert commits < found.rows / 3, "those who waited together were committed together"


async def test_a_row_that_is_refused_costs_its_own_answer_only(database: Database) -> None:
    log, random = AccessLog(database, KEYS), Random(2)
    rows = [accessed(customer_in(5, random), number) for number in range(6)]
    rows[2] = structs.replace(rows[2], operation="no text: \0")
    ends = await asyncio.gather(*(log.write([row]) for row in rows), return_exceptions=True)
    assert [type(end) for end in ends] == [type(None), type(None), DBAPIError, type(None), type(None), type(None)]
    found = await verified(database)
    assert (found.rows, found.findings) == (5, [])


async def test_whoever_gives_up_waiting_keeps_nobody_from_being_logged(database: Database) -> None:
    log, random = AccessLog(database, KEYS), Random(3)
    gone = asyncio.create_task(log.write([accessed(customer_in(1, random))]))
    await asyncio.sleep(0)
    gone.cancel()
    await log.write([accessed(customer_in(1, random))])
    assert (await verified(database)).rows == 2


async def test_a_store_that_is_away_is_told_to_everybody_who_waits(urls: Urls, database: Database) -> None:
    log, random = AccessLog(database, KEYS), Random(4)
    with owner_of_everything(urls) as admin:
        admin.execute("ALTER ROLE hub_worker NOLOGIN")
        try:
            ends = await asyncio.gather(*(log.write([accessed(customer_in(1, random))]) for _ in range(3)), return_exceptions=True)
        finally:
            admin.execute("ALTER ROLE hub_worker LOGIN")
    assert all(isinstance(end, DBAPIError) for end in ends), ends
    await log.write([accessed(customer_in(1, random))])
    assert (await verified(database)).rows == 1, "control: then it goes on"


async def test_another_key_verifies_nothing(database: Database) -> None:
    await fill(database, Random(5), rows=3, events=2)
    found = await verified(database, keys=ChainKeys(b"x" * 32))
    assert [(one.shard, one.sequence) for one in found.findings] == [(3, 1), (9, 1), (EVENTS, 1)]


async def test_a_row_that_stands_in_no_chain_is_found(urls: Urls, database: Database) -> None:
    """One that was written before there was a chain is counted; it proves nothing, and is no fault."""
    await fill(database, Random(6), rows=2, events=1)
    with owner_of_everything(urls) as admin:
        copied = "INSERT INTO access_log SELECT customer_id, gen_random_uuid(), client_id, purpose, operation, document_sha256, fields, outcome, at {}"
        admin.execute(copied.format("- interval '1 day' FROM access_log LIMIT 1"))
        found = await verified(database)
        assert (found.findings, found.before) == ([], 1)
        admin.execute(copied.format("+ interval '1 day' FROM access_log LIMIT 1"))
        assert [one.fault for one in (await verified(database)).findings] == ["inserted"]


async def test_what_is_linked_is_canonical(database: Database) -> None:
    """By hand, in the plainest way: HMAC-SHA256 over the hash before and JSON with sorted members and no blanks, in UTF-8."""
    await fill(database, Random(7), shards=(2,), rows=4, events=0)
    before = KEYS.begin(2)
    async with database.work() as tx:
        for row in (await tx.execute(text("SELECT * FROM access_log WHERE shard = 2 ORDER BY sequence"))).mappings():
            said = {name: value for name, value in row.items() if name != "hash"}
            said |= {name: str(said[name]) for name in ("customer_id", "log_id")} | {"consents": [str(one) for one in said["consents"]]}
            said["at"] = f"{said['at']:%Y-%m-%dT%H:%M:%S.%fZ}"
            plain = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            before = hmac.new(KEYS.linking, before + plain.encode(), hashlib.sha256).digest()
            assert before == row["hash"]
            assert row["shard"] == shard_of(row["customer_id"])
    assert len(await Chain(2, KEYS).page(database, 1)) == 4


VERBS = ("UPDATE {t} SET shard = 0", "DELETE FROM {t}", "TRUNCATE {t}")


@pytest.mark.parametrize("role", ["hub_app", "hub_worker"])
def test_no_role_of_the_hub_takes_back_what_was_written(urls: Urls, role: str) -> None:
    with owner_of_everything(urls) as admin:
        for table in ("access_log", "audit_event", "audit_anchor"):
            for statement in (verb.format(t=table) for verb in VERBS):
                with admin.transaction(force_rollback=True):
                    admin.execute(f"SET LOCAL ROLE {role}")
                    with pytest.raises(psycopg.errors.InsufficientPrivilege), admin.transaction():
                        admin.execute(statement)
                    admin.execute("RESET ROLE")
                    admin.execute(f"GRANT SELECT, UPDATE, DELETE, TRUNCATE ON {table} TO {role}")
                    admin.execute(f"SET LOCAL ROLE {role}")
                    admin.execute(statement)


async def test_a_client_s_transaction_sees_no_events(database: Database) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with database.app.begin() as connection:
            await connection.execute(text("SELECT * FROM audit_event"))


async def test_the_person_concerned_sees_who_read_and_nobody_else(database: Database) -> None:
    log, random = AccessLog(database, KEYS), Random(8)
    mine, theirs = customer_in(1, random), customer_in(1, random)
    for number in range(5):
        await log.write([accessed(mine, number), accessed(theirs, 7)])
    async with database.work() as tx:
        newest = await reads_of(tx, mine, first=3)
        older = await reads_of(tx, mine, before=newest[-1].log_id)
    shown = [*newest, *older]
    assert [one.client_id for one in shown] == ["client-1", "client-0", "client-2", "client-1", "client-0"]
    assert shown[0].outcome == "ANSWERED" and shown[0].purpose == "CREDIT_APPROVAL" and len(shown[1].consents) == 1
    assert shown == sorted(shown, key=lambda one: one.at, reverse=True)


def test_every_shard_has_customers() -> None:
    assert {shard_of(new_id()) for _ in range(2_000)} == set(range(SHARDS))


async def test_secrets_are_those_of_the_key_service(database: Database) -> None:
    """What ``audited`` links is verified with the keys of the same service."""
    await fill(database, Random(9), rows=1, events=3)
    assert ChainKeys.of(Secrets()) == KEYS
    found = await verified(database, await heads_now(database))
    assert (found.rows, found.lines, found.findings) == (5, 1, [])
