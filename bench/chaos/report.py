"""The figures: what was wanted, what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.chaos.auditor import Findings
from bench.chaos.phases import Stage
from bench.chaos.settings import CONNECTIONS_AT_ONCE, PATIENCE, Asked

RECOVERY = 10.0
"""Seconds until work goes on after the database is back (T32)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """``met`` is None for what is only told."""

    name: str
    wanted: str
    seen: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class Calls:
    """What the platform counted. ``spoiled`` are the answers it spoiled itself; ``minimum`` the pages of undisturbed cycles."""

    minimum: int
    good: int
    spoiled: int
    total: int
    overruns: int
    most_in_flight: int


def calls_of(stage: Stage, log: Mapping[str, Any]) -> Calls:
    outcomes: Mapping[str, int] = log["outcomes"]
    good = outcomes.get("well", 0) + outcomes.get("drip", 0)
    total = sum(outcomes.values())
    minimum = sum(stage.truth.minimum(customer, cycles) for customer, cycles in stage.world.cycles.items())
    return Calls(minimum, good, total - good, total, log["overruns"], log["most_in_flight"])


def figures(asked: Asked, stage: Stage, found: Findings, calls: Calls, events: Mapping[str, int]) -> list[Figure]:
    return [
        *_work(asked, stage, found),
        *_audit(found),
        *_stale(asked, stage, found, events),
        *_database(stage, found),
        *_platform(stage, calls),
    ]


def _none(name: str, seen: int) -> Figure:
    return Figure(name, "0", f"{seen:,}", seen == 0)


def _work(asked: Asked, stage: Stage, found: Findings) -> list[Figure]:
    return [
        Figure("records synced", f"{found.expected:,}", f"{found.stored:,}", found.stored == found.expected),
        Figure("workers ended with kill -9", str(asked.kills), str(stage.kills), stage.kills == asked.kills),
        Figure("workers frozen past the lease", str(asked.freezes), str(stage.freezes), stage.freezes == asked.freezes),
        Figure("immediate stops of PostgreSQL", str(asked.stops), str(stage.stops), stage.stops == asked.stops),
        _none("workers that ended by themselves", stage.fleet.died),
    ]


def _audit(found: Findings) -> list[Figure]:
    return [
        _none("lost", found.lost),
        _none("duplicated", found.duplicated),
        _none("invented", found.invented),
        _none("of wrong content", found.wrong),
        _none("unfinished windows and connections", found.unfinished),
        _none("counters that disagree with the rows", found.unequal),
        _none(f"raw pages (of {found.pages:,}) that were not served so", found.forged),
    ]


def _stale(asked: Asked, stage: Stage, found: Findings, events: Mapping[str, int]) -> list[Figure]:
    overtaken = {name: events.get(f"run_overtaken:{name}", 0) for name in ("page", "cursor")}
    other = events.get("run_overtaken", 0)
    return [
        _none("stale writes accepted", found.stale),
        Figure("pages refused at the fence / at the cursor", "told", f"{overtaken['page']} / {overtaken['cursor']}", None),
        Figure("runs that noticed before a request or at their end", "told", str(other), None),
        Figure("freezes after which another run had taken over", "told", f"{stage.overtaken} of {asked.freezes}", None),
    ]


def _database(stage: Stage, found: Findings) -> list[Figure]:
    slowest = max(stage.resumed, default=0.0)
    return [
        _none("acknowledged pages lost", found.unacknowledged),
        Figure("slowest return to work after a stop", f"<= {RECOVERY:.0f} s", f"{slowest:.1f} s", slowest <= RECOVERY),
    ]


def _platform(stage: Stage, calls: Calls) -> list[Figure]:
    """A disturbance may cost what the worker had in flight; the platform's own failures cost a call each."""
    in_flight = CONNECTIONS_AT_ONCE * PATIENCE.windows_at_once
    disturbances = stage.kills + stage.freezes + 2 * stage.stops
    allowed = int(1.1 * calls.minimum) + disturbances * in_flight
    budget = allowed + calls.spoiled
    return [
        Figure("answers served well", f"<= {allowed:,} (1.1 x {calls.minimum:,} + in flight)", f"{calls.good:,}", calls.good <= allowed),
        Figure("calls in all", f"<= {budget:,} (with {calls.spoiled:,} spoiled)", f"{calls.total:,}", calls.total <= budget),
        _none("calls over the platform's quota", calls.overruns),
        Figure("most calls in flight", "told", str(calls.most_in_flight), None),
        Figure("connections asked again by hand", "told", str(stage.world.asked_again), None),
    ]


def table(found: list[Figure], seconds: Mapping[str, float]) -> None:
    shown = Table("figure", "wanted", "seen", "", title="chaos: " + ", ".join(f"{phase} {took:.0f} s" for phase, took in seconds.items()))
    for one in found:
        shown.add_row(one.name, one.wanted, one.seen, {True: "met", False: "[bold red]MISSED[/]", None: ""}[one.met])
    Console(width=140).print(shown)


def as_json(found: list[Figure], seconds: Mapping[str, float]) -> dict[str, Any]:
    return {"figures": [asdict(one) for one in found], "seconds": dict(seconds), "met": all(one.met is not False for one in found)}
