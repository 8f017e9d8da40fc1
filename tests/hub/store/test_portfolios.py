"""Portfolios: who is looked at, what the branch's policy makes of it, what is counted; and a worker that dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import IntegrityError

from connectors.sandbox.persona import load
from hub.cli.pool import WorkerLost, come_to_all_at_once
from hub.credit.policy import load_policy
from hub.credit.portfolio import EXCLUDED, OUTSIDE, Screened, read_portfolio, screen
from hub.credit.portfolio_faults import check_portfolio, faults
from hub.domain.enums import Outcome, SourceKind
from hub.domain.facts import CreditInquiry
from hub.domain.identifiers import new_id
from hub.errors import InvalidInput, NotFound, PolicyInvalid
from hub.store.database import Database
from hub.store.embedded import Urls
from hub.store.evaluations import portfolios, publish_policies
from hub.store.evaluations.policies import documents_of_the_package
from hub.store.evaluations.portfolios import Screening
from hub.store.tables import customer, customer_merge, portfolio_part, portfolio_result
from tests.hub.credit.dossiers import dossier_of
from tests.hub.store.seed import GRANTEE, Seed

NOW = datetime(2026, 1, 20, 2, 0, tzinfo=UTC)
TODAY = date(2026, 1, 20)
BRANCH: dict[str, Any] = {"scenarios": ["S03"], "without_bureau": "0.8"}
DOCUMENT: dict[str, Any] = {
    "id": "P", "version": "1", "effective_from": "2026-01-01", "title": "Some", "purpose": "CREDIT_APPROVAL", "branch": BRANCH,
}  # fmt: skip
SELLER = Path(__file__).parents[3] / "connectors/sandbox/personas/online-tea-seller.json"


def offered(**changes: Any) -> Screened:
    """What the demo's seller, whose limit is 223,000 yuan, is offered by a branch."""
    choose = changes.pop("choose", {})
    document = {**DOCUMENT, "choose": choose, "branch": {**BRANCH, **changes}}
    return screen(read_portfolio(document), {"S03": dossier_of(load(SELLER))}, {"S03": load_policy("S03")})


def test_a_branch_narrows_what_the_scenarios_give() -> None:
    whole = offered()
    assert whole.decision is not None and whole.decision.limit is not None
    assert (whole.decision.outcome, whole.limit, whole.below_floor) == (Outcome.ENHANCED, whole.decision.limit, False)
    assert offered(ceiling="100500").limit == Decimal(100_000), "in whole steps"
    low = offered(floor="999999")
    assert (low.limit, low.below_floor) == (None, True)
    assert offered(exclude={"industries": ["F5292"]}).left == EXCLUDED
    assert offered(exclude={"industries": ["C"]}).left is None


def test_only_who_is_known_to_be_of_the_portfolio_is() -> None:
    assert offered(choose={"industries": ["F"], "customer_types": ["INDIVIDUAL_BUSINESS"]}).left is None
    for other in ({"industries": ["C"]}, {"regions": ["北京市"]}, {"sizes": ["LARGE"]}, {"customer_types": ["FARMER"]}):
        assert offered(choose=other).left == OUTSIDE


def test_where_no_bureau_was_asked_a_part_of_the_limit_is_offered() -> None:
    """No scenario of today goes without one; the rule stands beside them all the same."""
    found, rules = dossier_of(load(SELLER)), load_policy("S03")
    open_ = replace(rules, sources=tuple(one for one in rules.sources if one.kind is not SourceKind.BUREAU), eligibility=())
    sources = {kind: state for kind, state in found.sources.items() if kind is not SourceKind.BUREAU}
    bare = replace(found, sources=sources, facts={kind: rows for kind, rows in found.facts.items() if kind.__name__ not in BUREAU})
    made = screen(read_portfolio(DOCUMENT), {"S03": bare}, {"S03": open_})
    assert made.decision is not None and made.decision.limit and made.limit
    assert made.limit == made.decision.limit * Decimal("0.8") // 1000 * 1000 < made.decision.limit


BUREAU = ("CreditAccount", "RepaymentMonth", "CreditInquiry")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"purpose": "MARKETING"}, ("purpose",)),
        ({"effective_from": "soon"}, ("effective_from",)),
        ({"choose": {"colours": ["red"]}}, ("choose", "colours")),
        ({"choose": {"sizes": ["TINY"]}}, ("choose", "sizes", 0)),
        ({"branch": {**BRANCH, "scenarios": ["S99"]}}, ("branch", "scenarios", 0)),
        ({"branch": {**BRANCH, "scenarios": []}}, ("branch", "scenarios")),
        ({"branch": {**BRANCH, "floor": "5", "ceiling": "4"}}, ("branch", "floor")),
        ({"branch": {**BRANCH, "floor": 5}}, ("branch", "floor")),
        ({"branch": {"scenarios": ["S03"]}}, ("branch", "without_bureau")),
        ({"branch": None}, ("branch",)),
        ({"title": " "}, ("title",)),
        ({"title": "two\nlines"}, ("title",)),
        ({"id": None}, ("id",)),
        ({"effective_from": "20260131"}, ("effective_from",)),
        ({"choose": {"industries": ["F", "Z99"]}}, ("choose", "industries", 1)),
        ({"choose": {"industries": ["F53"]}}, ("choose", "industries", 0)),
        ({"choose": {"industries": ["F", "F"]}}, ("choose", "industries", 1)),
        ({"choose": {"regions": ["330200"]}}, ("choose", "regions", 0)),
        ({"choose": {"regions": ["宁波市", "宁波"]}}, ("choose", "regions", 1)),
        ({"choose": {"customer_types": ["INDIVIDUAL_BUSINESS", "BANK"]}}, ("choose", "customer_types", 1)),
        ({"choose": {"clusters": ["SHIPPING"]}}, ("choose", "clusters", 0)),
        ({"branch": {**BRANCH, "exclude": {"regions": ["浙江省"]}}}, ("branch", "exclude", "regions", 0)),
        ({"branch": {**BRANCH, "scenarios": ["S03", "S03"]}}, ("branch", "scenarios", 1)),
        ({"branch": {**BRANCH, "floor": "1e3"}}, ("branch", "floor")),
        ({"branch": {**BRANCH, "ceiling": "１０００"}}, ("branch", "ceiling")),
    ],
)
def test_a_fault_is_told_by_its_place(changes: dict[str, Any], where: tuple[str | int, ...]) -> None:
    assert list(faults(DOCUMENT)) == []
    assert [one[0] for one in faults({**DOCUMENT, **changes})] == [where]
    with pytest.raises(PolicyInvalid, match=[one for one in where if isinstance(one, str)][-1]):
        read_portfolio({**DOCUMENT, **changes})


def test_of_a_text_every_fault_is_told_by_its_line() -> None:
    text = json.dumps({**DOCUMENT, "choose": {"industries": ["F", "F99"], "regions": ["Hangzhou"]}}, indent=1, ensure_ascii=False)
    found = check_portfolio(text)[1]
    lines = [next(number for number, line in enumerate(text.splitlines(), 1) if word in line) for word in ('"F99"', '"Hangzhou"')]
    assert [(one.line, one.where) for one in found] == [(lines[0], "choose.industries[1]"), (lines[1], "choose.regions[0]")]
    assert found[0].wrong == "GB/T 4754 has no division 99 in section F" and found[0].remedy == "Section F has 51 to 52."
    (twice,) = check_portfolio('{"id": "P",\n"id": "Q"}')[1]
    assert (twice.line, twice.where, twice.wrong) == (2, "id", "it stands there twice")
    (none,) = check_portfolio('{"id": "\\u0000"}')[1]
    assert "character that is none" in none.wrong


@pytest.fixture
async def bank(urls: Urls) -> AsyncIterator[Database]:
    database = Database(urls)
    async with database.work() as tx:
        await publish_policies(tx, documents_of_the_package(), NOW)
    yield database
    await database.close()


async def consented(database: Database, count: int, **consent: Any) -> list[Seed]:
    """Customers of whom one thing is known and consented to: S03 cannot decide about them."""
    made = []
    async with database.work() as tx:
        for _ in range(count):
            seed = Seed(tx, NOW)
            own = {"kind": "PERSON", "name_masked": "*", "subject_hash": str(seed.customer_id), "created_at": NOW}
            await tx.execute(insert(customer), {"customer_id": seed.customer_id, **own})
            await seed.connect(SourceKind.BUREAU)
            await seed.allow(SourceKind.BUREAU, **consent)
            await seed.window(SourceKind.BUREAU, ["RepaymentMonth", "CreditInquiry"], [(date(2024, 1, 1), TODAY)])
            await seed.facts(CreditInquiry(inquired_on=date(2025, 12, 1), reason="SELF", organisation="a bank"))
            made.append(seed)
    return made


async def begun(database: Database, **changes: Any) -> Screening:
    async with database.work() as tx:
        return await portfolios.begin(tx, {**DOCUMENT, **changes}, "an author", NOW, TODAY)


async def counted(database: Database, found: Screening, axis: str) -> dict[tuple[str, str], int]:
    async with database.work() as tx:
        return {(row.value, row.outcome): row.customers for row in await portfolios.counts(tx, found.screening_id) if row.axis == axis}


async def to_the_end(database: Database, found: Screening, at_once: int = 3) -> Screening:
    while await found.come_to(database, GRANTEE, NOW, at_once):
        pass
    async with database.work() as tx:
        return await portfolios.screening(tx, found.screening_id)


async def test_who_did_not_consent_to_this_is_counted_and_never_read(bank: Database) -> None:
    mine = await consented(bank, 2)
    others = [
        *await consented(bank, 1, status="REVOKED"),
        *await consented(bank, 1, expires_at=datetime(2026, 1, 1, tzinfo=UTC)),
        *await consented(bank, 1, purpose="POST_LOAN"),
        *await consented(bank, 1, grantee="another lender"),
        *await consented(bank, 1, scenarios=["S01"]),
    ]
    merged = (await consented(bank, 1))[0]
    async with bank.work() as tx:
        row = {"customer_id": merged.customer_id, "into_id": mine[0].customer_id, "merged_at": NOW}
        await tx.execute(insert(customer_merge), row)
    read: list[Any] = []

    def noticed(_: Any, cursor: Any, statement: str, parameters: Any, *more: Any) -> None:
        if "fact_" in statement:
            read.append(str(parameters))

    event.listen(bank.worker.sync_engine, "before_cursor_execute", noticed)
    found = await to_the_end(bank, await begun(bank))
    event.remove(bank.worker.sync_engine, "before_cursor_execute", noticed)
    assert found.ended_at is not None
    assert await counted(bank, found, "ALL") == {("", "INSUFFICIENT_DATA"): 2}
    assert sum((await counted(bank, found, "LEFT")).values()) == len(others)
    assert {("CONSENT_REVOKED", ""), ("CONSENT_EXPIRED", "")} <= set(await counted(bank, found, "LEFT"))
    assert all(any(str(one.customer_id) in said for said in read) for one in mine), "control: who consented is read"
    assert not any(str(one.customer_id) in said for one in (*others, merged) for said in read)
    async with bank.work() as tx:
        assert set((await tx.execute(select(portfolio_result.c.customer_id))).scalars()) == {one.customer_id for one in mine}


async def test_several_at_once_count_each_customer_once(bank: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portfolios, "IN_A_PART", 4)
    await consented(bank, 14)
    found = await begun(bank)
    done = await asyncio.gather(*(to_the_end(bank, found) for _ in range(3)))
    assert any(one.ended_at for one in done)
    async with bank.work() as tx:
        assert await found.progress(tx) == (14, 14)
        assert await portfolios.running(tx) == []
    for axis in ("ALL", "SIZE", "TIER"):
        assert sum((await counted(bank, found, axis)).values()) == 14


async def test_a_batch_that_came_twice_would_be_noticed(bank: Database) -> None:
    """Control: were a place lost that the results are there for, the database would refuse to count anybody again."""
    await consented(bank, 3)
    found = await begun(bank)
    await found.come_to(bank, GRANTEE, NOW, 2)
    async with bank.work() as tx:
        await tx.execute(text("UPDATE portfolio_part SET after = NULL"))
    with pytest.raises(IntegrityError, match="pk_portfolio_result"):
        await found.come_to(bank, GRANTEE, NOW, 2)


KILLED = """
import asyncio, sys
from uuid import UUID
from hub.cli.pool import work
from hub.store.embedded import Urls
if __name__ == "__main__":
    urls, which, grantee, parent = sys.argv[1:]
    work(Urls(*urls.split(" ")), UUID(which), grantee, 2, int(parent))
"""


async def test_a_killed_worker_leaves_nothing_out_and_nothing_twice(bank: Database, urls: Urls) -> None:
    await consented(bank, 40)
    found = await begun(bank)
    told = (f"{urls.owner} {urls.app} {urls.worker}", str(found.screening_id), GRANTEE, str(os.getpid()))
    process = await asyncio.create_subprocess_exec(sys.executable, "-W", "ignore", "-c", KILLED, *told)
    done, until = 0, time.monotonic() + 60
    while done == 0 and time.monotonic() < until:
        await asyncio.sleep(0.02)
        async with bank.work() as tx:
            done = (await found.progress(tx))[0]
    process.send_signal(signal.SIGKILL)
    await process.wait()
    async with bank.work() as tx:
        killed_at = (await found.progress(tx))[0]
    assert 0 < killed_at < 40, "it died in the middle"
    assert (await to_the_end(bank, found, 7)).ended_at is not None
    async with bank.work() as tx:
        assert await found.progress(tx) == (40, 40)
        assert await portfolios.results(tx, found.screening_id) == 40
        assert all((await tx.execute(select(portfolio_part.c.done))).scalars())
    assert await counted(bank, found, "ALL") == {("", "INSUFFICIENT_DATA"): 40}


async def test_processes_of_a_pool_share_it_out(bank: Database) -> None:
    await consented(bank, 4)
    found = await begun(bank)
    await come_to_all_at_once(bank, found, found.screening_id, GRANTEE, processes=2, at_once=1, quiet=True)
    assert await counted(bank, found, "ALL") == {("", "INSUFFICIENT_DATA"): 4}
    assert WorkerLost().remedy


ORPHANED = """
import os, signal, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from hub.cli.pool import follow
if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=follow, initargs=(os.getpid(),))
    print(pool.submit(os.getpid).result(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_whose_starter_was_killed_ends_too(tmp_path: Path) -> None:
    """It waits for something to do that never comes."""
    script = tmp_path / "starter.py"
    script.write_text(ORPHANED)
    env = {**os.environ, "PYTHONPATH": str(SELLER.parents[3])}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=env) as process:
        assert process.stdout is not None
        child = Path(f"/proc/{int(process.stdout.readline())}")
    until = time.monotonic() + 20
    while child.exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert not child.exists()


async def test_a_screening_is_of_today_and_by_its_id(bank: Database) -> None:
    with pytest.raises(InvalidInput, match="applies from"):
        await begun(bank, effective_from="2026-02-01")
    async with bank.work() as tx:
        with pytest.raises(NotFound):
            await portfolios.screening(tx, new_id())
    found = await begun(bank)
    assert found.ended_at is not None, "nobody is there: it is over"
    async with bank.work() as tx:
        assert Counter(one.screening_id for one in await portfolios.screenings(tx)) == {found.screening_id: 1}
