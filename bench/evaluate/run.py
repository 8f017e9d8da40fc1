"""One core alone, the whole portfolio on several, and the peer on as many: what each takes, and whether they say the same."""

from __future__ import annotations

import asyncio
import math
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import orjson

from bench.evaluate.cpu import Cpu
from bench.evaluate.growing import grow
from bench.evaluate.settings import EQUAL, PORTFOLIO, WITHIN, Asked, Post
from bench.kit.command import Outcome
from bench.kit.figures import Figure, exactly, none, told
from bench.kit.ground import GRANTEE, NOON, folder
from bench.kit.process import ROOT, Result, said
from bench.kit.show import Show
from hub.cli.pool import come_to_all_at_once
from hub.store.database import Database
from hub.store.embedded import Embedded, Urls
from hub.store.evaluations import portfolios, publish_policies
from hub.store.evaluations.policies import documents_of_the_package
from hub.store.migrate import migrate
from hub.worker import AT_ONCE

PEER = ROOT / ".venv-bench" / "bin" / "python"
Sample = Mapping[str, Mapping[str, float | None]]


async def run(asked: Asked, show: Show) -> Outcome:
    """The figures, and what every contestant said."""
    if asked.peers and not PEER.exists():
        raise SystemExit(f"{PEER} is missing: `make bench-evaluate` builds it; --no-peers does without.")
    busy = [os.getloadavg()[0]]
    with folder() as home:
        embedded = await asyncio.to_thread(Embedded, home / "postgres")
        try:
            urls = await embedded.prepare()
            await migrate(urls)
            database = Database(urls)
            async with database.work() as tx:
                await publish_policies(tx, documents_of_the_package(), NOON)
            await grow(embedded.dsn("hub"), asked.customers, show)
            alone = await _alone(urls, asked, show)
            whole = await _whole(database, home, asked, show)
            peer = await _peer(embedded, home, asked, alone["sample"], show) if asked.peers else None
            await database.close()
        finally:
            await asyncio.to_thread(embedded.stop)
    busy.append(os.getloadavg()[0])
    load = told("load of the machine, before and after", f"{busy[0]:.1f} and {busy[1]:.1f} on {os.cpu_count()} cores")
    more = {"runs": [{key: value for key, value in one.items() if key != "sample"} for one in (alone, whole, peer or {})]}
    return Outcome([*figures(asked, alone, whole, peer), load], more=more)


async def _alone(urls: Urls, asked: Asked, show: Show) -> Result:
    post = Post(urls.owner, urls.app, urls.worker, min(asked.alone, asked.customers), min(asked.sample, asked.customers))
    found = await said((sys.executable, "-m", "bench.evaluate.ours"), orjson.dumps(asdict(post)))
    show.say(f"alone   {found['customers']:>9,} customers {found['seconds']:8.1f} s")
    return found


async def _whole(database: Database, home: Path, asked: Asked, show: Show) -> Result:
    """The portfolio, pre-screened by a pool of processes: as ``hub portfolio screen`` does it, with results and counts written."""
    began, cpu = time.perf_counter(), Cpu(home / "postgres")
    async with database.work() as tx:
        found = await portfolios.begin(tx, PORTFOLIO, "bench", NOON, NOON.date())
    await come_to_all_at_once(
        database,
        found,
        found.screening_id,
        GRANTEE,
        processes=asked.cores,
        at_once=AT_ONCE,
        quiet=True,
        told=lambda done, total: show.at("the portfolio", done, total, "customers"),
    )
    seconds, taken = time.perf_counter() - began, cpu.taken()
    async with database.work() as tx:
        done, results = (await found.progress(tx))[0], await portfolios.results(tx, found.screening_id)
        counted = sum(row.customers for row in await portfolios.counts(tx, found.screening_id) if row.axis == "ALL")
    show.say(f"whole   {done:>9,} customers {seconds:8.1f} s on {asked.cores} cores")
    return {"customers": done, "seconds": seconds, "cpu": taken, "results": results, "counted": counted}


async def _peer(embedded: Embedded, home: Path, asked: Asked, sample: Sample, show: Show) -> Result:
    place = home / "peer"
    place.mkdir()
    script = str(Path(__file__).with_name("peer.py"))
    # -P: a module of this folder must not be taken for one of the peer's.
    cpu, dsn = Cpu(home / "postgres"), embedded.dsn("hub")
    found = {**await said((str(PEER), "-P", script, dsn, str(place), str(asked.cores), *sample), folder=home), "cpu": cpu.taken()}
    show.say(f"DuckDB  {found['customers']:>9,} customers {found['seconds']:8.1f} s, of them {found['computed']:.1f} s computing")
    return found


def figures(asked: Asked, alone: Result, whole: Result, peer: Result | None) -> list[Figure]:
    count, cpu = alone["customers"], alone["cpu"]
    each = {name: value / count * 1000 for name, value in {**cpu, "database": alone["database"]}.items()}
    found = [
        told("a customer on one core, 12 scenarios", f"{alone['seconds'] / count * 1000:.1f} ms"),
        told("of it CPU", ", ".join(f"{name} {value:.1f} ms" for name, value in each.items())),
        told("CPU of its series and 86 features alone, once", f"{alone['simple'] * 1000:.1f} ms"),
        exactly("customers of the portfolio, each counted once", asked.customers, whole["counted"]),
        none("counted and without a result", whole["counted"] - whole["results"]),
        told(
            f"the portfolio on {asked.cores} cores", f"{whole['customers'] / whole['seconds']:,.0f} customers/s ({whole['seconds']:.1f} s)"
        ),
        told("CPU of it, a customer", _cpu(whole)),
    ]
    if peer is None:
        return found
    ratio, by_cpu = whole["seconds"] / peer["seconds"], sum(whole["cpu"].values()) / sum(peer["cpu"].values())
    unequal = differences(alone["sample"], peer["sample"])
    return [
        *found,
        told("DuckDB, series and features", f"{peer['customers'] / peer['seconds']:,.0f} customers/s ({peer['seconds']:.1f} s)"),
        told("CPU of it, a customer", _cpu(peer)),
        told("features that both compute", peer["features"]),
        Figure(f"of {len(peer['sample'])} customers, features that differ", "0", "; ".join(unequal[:3]) or "0", not unequal),
        Figure("ours : DuckDB, time", f"<= {WITHIN}", f"{ratio:.1f}", ratio <= WITHIN),
        told("ours : DuckDB, CPU, with the starting of processes", f"{by_cpu:.1f}"),
    ]


def _cpu(found: Result) -> str:
    return ", ".join(f"{name} {seconds / found['customers'] * 1000:.1f} ms" for name, seconds in found["cpu"].items())


def differences(ours: Sample, theirs: Sample) -> list[str]:
    """Where the two do not say the same."""
    return [
        f"{customer[:13]} {name}: {ours[customer].get(name)} and {value}"
        for customer, features in theirs.items()
        for name, value in features.items()
        if not _equal(ours[customer].get(name), value)
    ] + [f"{customer[:13]}: the peer does not know him" for customer in set(ours) - set(theirs)]


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=EQUAL, abs_tol=EQUAL)
