"""The corpus of hostile tokens, proofs and assertions (trust rules, T3): none is accepted, and no check of the verifiers is there for nothing.

All meet one API: nothing here changes what another test of the module sends, and nobody sends an id twice but to see it refused.
"""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hub.access import proofs, tokens
from hub.access.keys import SigningKeys
from hub.store.database import Database
from tests.databases import Databases
from tests.hub.access.checks import BY_HAND, GROUPS, HELD_TWICE, checks
from tests.hub.access.corpus import CORPUS
from tests.hub.access.forge import QUERY, Forge, Hostile, Sent, prepare
from tests.hub.access.side import open_api

pytestmark = pytest.mark.asyncio(loop_scope="module")
CHECKS = {check.name: check for check in checks()}
REFUSED = (400, 401)


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    """What was let in while a check was away is not known any more when it is there again."""
    proofs._known.clear()
    tokens._held.clear()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def forge(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Forge]:
    """The partner's app has logged in, and so knows the nonce."""
    with databases.one() as urls:
        database = Database(urls)
        async with open_api(database, tmp_path_factory.mktemp("home")) as opened:
            await opened.sides["partner-app"].login()
            await prepare(opened)
            yield Forge(opened, (await SigningKeys(database, opened.runtime.keys).current()).signing)
        await database.close()


async def send(forge: Forge, sent: Sent) -> int:
    """The status of the answer; what an exception that nobody expected would be, where one comes."""
    http = forge.side.http
    encoded = [(name.encode(), value.encode()) for name, value in sent.headers]
    try:
        if sent.form is not None:
            return (await http.post(f"/oauth/token{sent.query}", data=sent.form, headers=encoded)).status_code
        answer = await http.post("/graphql", json=QUERY, headers=encoded)
    except Exception:  # noqa: BLE001 -- whatever it is, it is not a refusal
        return 500
    assert answer.status_code != 200 or "data" in answer.json()
    return answer.status_code


async def attempt(forge: Forge, case: Hostile) -> int:
    sent = case.make(forge)
    if sent.after is not None:
        assert await send(forge, sent.after) == 200
    return await send(forge, sent)


async def test_good_ones_pass_else_the_corpus_proves_nothing(forge: Forge) -> None:
    assert await send(forge, Sent(forge.headers(forge.token()))) == 200
    assert await send(forge, Sent([("DPoP", forge.proof(None))], forge.form(forge.assertion()))) == 200


async def test_none_of_the_corpus_is_accepted(forge: Forge) -> None:
    took: dict[str, float] = {}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    statuses = {}
    for case in CORPUS:
        sent = case.make(forge)
        if sent.after is not None:
            assert await send(forge, sent.after) == 200
        began = time.perf_counter()
        statuses[case.group, case.name] = await send(forge, sent)
        took[case.name] = 1000 * (time.perf_counter() - began)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    groups = ", ".join(f"{group} {count}" for group, count in Counter(case.group for case in CORPUS).items())
    slowest = max(took, key=lambda name: took[name])
    print(f"\n{len(CORPUS)} ({groups}): {sum(status == 200 for status in statuses.values())} accepted;")
    print(f"the slowest took {took[slowest]:.1f} ms ({slowest}); memory grew by {grown:.1f} MB")
    assert len(CORPUS) == len(statuses) >= 60
    assert {case: status for case, status in statuses.items() if status not in REFUSED} == {}


async def found(forge: Forge, first: str = "") -> tuple[str, int] | None:
    """The first of the corpus that gets through (200), or falls into what no check stands before any more (500)."""
    for case in sorted(CORPUS, key=lambda one: not one.group.startswith(first)):
        status = await attempt(forge, case)
        if status not in REFUSED:
            return f"{case.group}: {case.name}", status
    return None


@pytest.mark.parametrize("name", sorted(set(CHECKS) - set(HELD_TWICE)))
async def test_each_check_taken_away_lets_one_of_the_corpus_through(forge: Forge, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Control, for every check there is: it is read off the source, so that a new one needs a case."""
    CHECKS[name].take_away(monkeypatch)
    through = await found(forge, GROUPS.get(name.partition(".")[0], ""))
    print(f"\nwithout `{name}`: {through}")
    assert through is not None


@pytest.mark.parametrize("name", BY_HAND)
async def test_each_check_by_other_means_taken_away_lets_one_through(forge: Forge, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    BY_HAND[name](monkeypatch)
    through = await found(forge)
    print(f"\nwithout {name}: {through}")
    assert through is not None or any(name == other for other, _ in HELD_TWICE.values())


@pytest.mark.parametrize("name", HELD_TWICE)
async def test_a_check_with_another_behind_it_is_missed_where_both_are_away(
    forge: Forge, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    other, case = HELD_TWICE[name]
    (hostile,) = [one for one in CORPUS if f"{one.group}: {one.name}" == case]
    (CHECKS[other].take_away if other in CHECKS else BY_HAND[other])(monkeypatch)
    assert await attempt(forge, hostile) in REFUSED, "the one holds without the other"
    CHECKS[name].take_away(monkeypatch)
    assert await attempt(forge, hostile) not in REFUSED
