"""The figures: what was wanted, what was seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.chaos.auditor import AHEAD, Findings
from bench.chaos.connector import QUOTA
from bench.chaos.phases import Stage
from bench.chaos.settings import CONNECTIONS_AT_ONCE, PATIENCE, Asked, rules
from bench.kit.figures import Figure, none, told

RECOVERY = 10.0
"""Seconds until work goes on after the database is back (T32)."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What the platform counted. ``minimum`` are the calls of undisturbed cycles, ``good`` the answers it served whole, ``spoiled`` those it spoiled itself; ``budget`` is
    what the ledger's rules allow as retries, minute by minute, of the calls that the platform counted in that minute."""

    minimum: int
    proofs: int
    good: int
    spoiled: int
    refused: int
    budget: int
    overruns: Mapping[str, int]
    woken: int
    most: Mapping[str, int]

    @property
    def total(self) -> int:
        return self.good + self.spoiled + self.refused


def calls_of(asked: Asked, stage: Stage, log: Mapping[str, Any]) -> Calls:
    outcomes: Mapping[str, int] = log["outcomes"]
    good = outcomes.get("well", 0) + outcomes.get("drip", 0)
    refused = outcomes.get("429", 0) + outcomes.get("over quota", 0)
    minimum = sum(stage.truth.minimum(customer, cycles) for customer, cycles in stage.world.cycles.items())
    proofs = sum(stage.truth.proofs(customer) for customer in stage.world.cycles)
    minutes, rule = Counter(int(call["asked"] // 60) for call in log["calls"]), rules(asked.retry_share)
    budget = sum(max(rule.retry_floor, int(rule.retry_share * count)) for count in minutes.values())
    return Calls(
        minimum,
        proofs,
        good,
        sum(outcomes.values()) - good - refused,
        refused,
        budget,
        log["overruns"],
        _woken(stage, log["calls"]),
        log["most"],
    )


def _woken(stage: Stage, calls: Sequence[Mapping[str, Any]]) -> int:
    """Calls over the quota that were about to leave when their process was frozen, and left when it woke: nothing in the process can keep it from that."""
    return sum(bool(call["over"]) and 0 <= call["asked"] - stage.thawed.get(call["worker"], 0.0) < 0.5 for call in calls)


def figures(asked: Asked, stage: Stage, found: Findings, calls: Calls, events: Mapping[str, int]) -> list[Figure]:
    return [
        *_work(asked, stage, found),
        *_audit(found),
        *_stale(asked, stage, found, events),
        *_database(stage, found),
        *_calls(asked, stage, calls),
        *_quota(calls, events),
    ]


def _work(asked: Asked, stage: Stage, found: Findings) -> list[Figure]:
    return [
        Figure("records synced", f"{found.expected:,}", f"{found.stored:,}", found.stored == found.expected),
        Figure("workers ended with kill -9", str(asked.kills), str(stage.kills), stage.kills == asked.kills),
        told("  of them between two statements of a page", stage.trapped),
        Figure("workers frozen past the lease", str(asked.freezes), str(stage.freezes), stage.freezes == asked.freezes),
        Figure("immediate stops of PostgreSQL", str(asked.stops), str(stage.stops), stage.stops == asked.stops),
        none("workers that ended by themselves", stage.fleet.died),
    ]


def _audit(found: Findings) -> list[Figure]:
    return [
        none("lost", found.lost),
        none("not read yet", found.unread),
        none("duplicated", found.duplicated),
        none("invented", found.invented),
        none("of wrong content", found.wrong),
        none("unfinished windows and connections", found.unfinished),
        none("counters that disagree with the rows", found.unequal),
        none(f"raw pages (of {found.pages:,}) that were not served so", found.forged),
    ]


def _stale(asked: Asked, stage: Stage, found: Findings, events: Mapping[str, int]) -> list[Figure]:
    at = {name: events.get(f"run_overtaken:{name}", 0) for name in ("page", "cursor")}
    refused, other = sum(at.values()), events.get("run_overtaken", 0)
    return [
        none("stale writes accepted", found.stale),
        Figure(
            "stale writes refused",
            f">= {stage.held} (held an answer)",
            f"{refused} ({at['page']} fence, {at['cursor']} cursor)",
            refused >= stage.held,
        ),
        none("runs that share an epoch", found.twins),
        told("runs that noticed before a request or at their end", other),
        told("freezes after which another run had taken over", f"{stage.overtaken} of {asked.freezes}"),
    ]


def _database(stage: Stage, found: Findings) -> list[Figure]:
    slowest = max(stage.resumed, default=0.0)
    return [
        none(f"acknowledged pages (of {found.acknowledged:,}) lost", found.forgotten),
        none("pages lost although the platform was asked for later ones", found.overtaken),
        told("synchronous_commit / fsync", found.setting),
        Figure("slowest return to work after a stop", f"<= {RECOVERY:.0f} s", f"{slowest:.1f} s", slowest <= RECOVERY),
    ]


def _calls(asked: Asked, stage: Stage, calls: Calls) -> list[Figure]:
    """A disturbance may cost what its worker had in hand, asked for or not yet committed; a stop costs both workers theirs."""
    in_hand = CONNECTIONS_AT_ONCE * PATIENCE.windows_at_once * (1 + AHEAD)
    disturbances = stage.kills + stage.freezes + 2 * stage.stops
    allowed, again = int(1.1 * calls.minimum) + calls.budget, calls.good - calls.minimum
    total = f"{calls.total:,} = {calls.minimum:,} + {again:,} again + {calls.spoiled:,} spoiled + {calls.refused:,} refused"
    return [
        Figure("calls in all", f"<= {allowed:,} = 1.1 x {calls.minimum:,} + {calls.budget:,} retries", total, calls.total <= allowed),
        told("  retries allowed, of a minute's calls", f"{asked.retry_share:.0%} (production: 10 %)"),
        told("  spoiled or refused by the platform, of its calls", f"{(calls.spoiled + calls.refused) / max(1, calls.total):.0%}"),
        told(
            "  least calls of a run that nobody disturbs", f"{calls.minimum:,}, {calls.proofs:,} of them to prove that a list stood still"
        ),
        Figure(
            "pages read again, per disturbance",
            f"<= {in_hand}",
            f"{again / max(1, disturbances):.1f}",
            again <= in_hand * max(1, disturbances),
        ),
        told("connections asked again by hand", stage.world.asked_again),
    ]


def _quota(calls: Calls, events: Mapping[str, int]) -> list[Figure]:
    limits = {
        "rate": f"over {QUOTA.per_second:.0f} a second, burst {QUOTA.burst}",
        "in flight": f"over {QUOTA.in_flight} in flight (most: {calls.most.get('in flight', 0)})",
        "minute": f"over {QUOTA.per_minute:,} a minute (most: {calls.most.get('minute', 0):,})",
    }
    return [
        *(none(f"calls {text}", calls.overruns.get(limit, 0)) for limit, text in limits.items()),
        told("  of all these, by a worker in the moment it was thawed", calls.woken),
        told("429 seen, in storms that the platform made up", calls.refused - sum(calls.overruns.values())),
        told("circuit opened", events.get("circuit_opened", 0)),
        told("ledger silent", sum(count for name, count in events.items() if name.startswith("quota_ledger_silent"))),
    ]
