"""Whatever is done to the log afterwards is found, and found where it was done (trust rules, T28)."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from random import Random

import pytest

from hub.access.audit.chain import EVENTS
from hub.access.audit.diagnose import Fault
from hub.store.database import Database
from hub.store.embedded import Urls
from tests.hub.access.audit.logs import KINDS, Tampering, fill, heads_now, owner_of_everything, verified

SHARDS = (3, 9, EVENTS)


@pytest.fixture
async def random() -> Random:
    return Random(20261127)


@pytest.fixture
async def tampering(urls: Urls, database: Database, random: Random) -> AsyncIterator[Tampering]:
    await fill(database, random)
    with owner_of_everything(urls) as admin:
        yield Tampering(admin, database, random)


async def find(tampering: Tampering, database: Database, mutations: int) -> Counter[str]:
    """Every mutation by itself: found, at its place, for what it was. Returns how many of each kind."""
    halfway, done = await heads_now(database), Counter[str]()
    published = await heads_now(database, halfway)
    assert (await verified(database, published)).findings == []
    for number in range(mutations):
        kind, shard = KINDS[number % len(KINDS)], tampering.random.choice(SHARDS)
        expected = await tampering.mutate(kind, shard)
        found = (await verified(database, published)).findings
        told = [(one.shard, one.fault) for one in found]
        assert len(found) == 1 and found[0].shard == shard, (kind, shard, found)
        assert found[0].sequence in expected.sequences and found[0].fault in expected.faults, (kind, expected, told, found)
        tampering.restore()
        done[kind] += 1
    assert (await verified(database, published)).findings == [], "control: as it was, all of it holds"
    return done


@pytest.mark.law("decision record: append-only")
async def test_every_mutation_is_found_where_it_was_made(tampering: Tampering, database: Database) -> None:
    done = await find(tampering, database, 108)
    assert done == dict.fromkeys(KINDS, 12)


@pytest.mark.load
async def test_a_thousand_mutations_are_found_where_they_were_made(tampering: Tampering, database: Database) -> None:
    done = await find(tampering, database, 1_000)
    print(f"\n{done.total()} mutations, {done.total()} found and located: {dict(done)}")


async def test_a_chain_without_published_heads_misses_what_only_they_know(tampering: Tampering, database: Database) -> None:
    """Control: a cut tail, and a chain that was linked anew with the key, hold by themselves."""
    published = await heads_now(database)
    for kind, fault in (("cut", Fault.CUT), ("rechain_with_the_key", Fault.RECHAINED)):
        await tampering.mutate(kind, 3)
        assert (await verified(database)).findings == []
        assert [one.fault for one in (await verified(database, published)).findings] == [fault]
        tampering.restore()
