"""What is known of the contract's lists and counts before anything is read: how many rows they usually have, and how many at most.

The usual number makes the cost: what a client pays for. The most makes the bound of rows: what the store reads in the worst case, which a test holds against
what was read. Lists that nature keeps short are held to their most by the statement, too (``hub.store.view``); a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hub.domain.facts import all_specs
from schema.types.choosing import READS


class Rows(NamedTuple):
    """Rows of a list that has no ``first``, all arguments left out."""

    usual: int
    most: int


LISTS: Mapping[str, Rows] = {
    "Query.platforms": Rows(10, 100),
    "Query.features": Rows(90, 100),
    "Query.scenarios": Rows(12, 100),
    "Scenario.sources": Rows(5, 20),
    "Query.products": Rows(30, 200),
    "Product.eligible": Rows(2, 20),
    "Evaluation.products": Rows(30, 200),
    "ProductMatch.differences": Rows(5, 5),
    "Subscription.syncProgress": Rows(10, 100),
    "ProfileNews.changes": Rows(20, 100),
    "Client.keys": Rows(2, 2),
    "PolicyInvalid.faults": Rows(5, 500),
    "PolicyDifferences.outcomes": Rows(5, 25),
    "PolicyDifferences.gained": Rows(5, 100),
    "PolicyDifferences.lost": Rows(5, 100),
    "PolicyDifferences.leftOut": Rows(2, 10),
    "PolicyDifferences.examples": Rows(10, 10),
    "WatchedConnection.quarantine": Rows(10, 100),
    "Customer.parties": Rows(3, 100),
    "Customer.formerParties": Rows(2, 100),
    "Customer.consents": Rows(15, 100),
    "Customer.connections": Rows(10, 100),
    "Customer.sources": Rows(15, 15),
    "SourceAccess.coverage": Rows(3, 100),
    "Consent.events": Rows(4, 100),
    "ConsentEvent.changes": Rows(4, 20),
    "Customer.loans": Rows(2, 100),
    "Customer.hints": Rows(6, 100),
    "MonitoringSignal.evidence": Rows(2, 20),
    "Evaluation.models": Rows(6, 50),
    "ModelResult.values": Rows(4, 30),
    "Evaluation.reasons": Rows(4, 50),
    "Evaluation.lacking": Rows(2, 100),
    "Evaluation.checks": Rows(13, 50),
    "Evaluation.scorePoints": Rows(16, 50),
    "Evaluation.features": Rows(90, 300),
    "Evaluation.limitParts": Rows(16, 100),
    "Evaluation.series": Rows(240, 2000),
    "Customer.series": Rows(240, 2000),
    "Profile.missing": Rows(3, 20),
    "LimitPart.features": Rows(3, 50),
    "FeatureValue.evidence": Rows(3, 50),
    "ReferenceLoaded.versions": Rows(7, 20),
    "ReferenceLoaded.faults": Rows(1, 1000),
    "RelationsLoaded.faults": Rows(1, 1000),
    "Evaluation.references": Rows(7, 20),
    "Evaluation.relations": Rows(5, 200),
    "Evaluation.disputes": Rows(1, 20),
    "FeatureValue.disputes": Rows(1, 20),
    **{f"{spec.name}.disputes": Rows(1, 20) for spec in all_specs()},
    "FinancialStatement.lines": Rows(40, 100),
}

PER_ITEM: Mapping[str, Rows] = {
    "Evaluation.series": Rows(24, 200),
    "Customer.series": Rows(24, 200),
    "Query.features": Rows(20, 60),
    "Evaluation.limitParts": Rows(5, 50),
}
"""Rows that one item of the list argument may select, where it is not one."""

COUNTED = 100_001
"""Where a count or a sum stops: ``totalCount`` and ``totals`` read no more rows, the last one to see that there are more."""
COUNT_COST = 100
"""A row that is counted is not shown: a thousand cost as much as one value."""

CHOOSING: Mapping[str, frozenset[str]] = {f"{owner}.{name}": frozenset(arguments) for (owner, name), arguments in READS.items()}
"""Arguments that choose among rows which are looked through, and not shown: each time as dear as a count."""

TALLIES: Mapping[str, Rows] = {
    "WatchedConnection.openWindows": Rows(10, 10_000),
    "WatchedConnection.failedWindows": Rows(10, 10_000),
    "WatchedConnection.consentEndsAt": Rows(10, 10_000),
    "WatchedConnection.accountSharedWith": Rows(10, 10_000),
    "WatchedRun.failedAttempts": Rows(10, 10_000),
    "WatchedRun.waitedSeconds": Rows(10, 10_000),
    "WatchedRun.parkedUntil": Rows(10, 10_000),
    "Customer.sameSubject": Rows(2, 100),
    **{f"Customer.{name}": Rows(10, 10_000) for name in ("evaluationMissing", "profileMissing")},
    **{f"PolicyTrial.{name}": Rows(10, COUNTED) for name in ("evaluations", "done")},
    **{
        f"PolicyDifferences.{name}": Rows(10, COUNTED)
        for name in ("compared", "isExact", "changed", "limitBefore", "limitAfter", "raised", "lowered", "dearer", "cheaper")
    },
    "PortfolioCount.share": Rows(6, 10),
    **{f"Evaluation.{name}": Rows(1, 1) for name in ("codeVersion", "engineSha256", "resultSha256")},
    **{
        f"PlatformStatus.{name}": Rows(10, 10_000)
        for name in ("usedThisMinute", "leftThisMinute", "retriesThisMinute", "usedToday", "leftToday", "inFlight")
    },
    **{f"PlatformStatus.{name}": Rows(1, 10) for name in ("assessmentId", "assessedOn")},
}
"""Values that are worked out of other rows than their own."""

LOOK_UP_COST = 500
"""What it costs to look a stored document up by a digest that the process does not remember: nothing is parsed, and the store is asked."""
INTROSPECTION_COST = 1000
"""What a question about the contract itself costs: it reads no row, and makes a long answer."""
