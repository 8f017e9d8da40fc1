"""Who read what of a customer, from the access log, in the words of the data dictionary.

The log holds coordinates of the contract (``TaxReturn.filedOn``, ``Customer.nameMasked``). Those of a kind of fact are told by that kind; the others by the
group they belong to; what fits nowhere is told as it stands, so that nothing that was read is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from hub.domain.facts import all_specs
from hub.domain.facts.names import field_name, list_name
from hub.domain.identifiers import CustomerId
from hub.store.database import Read, Write
from hub.store.tables import access_log, client

PAGE = 10
_WRAPPING = ("Connection", "Edge")
_PLUMBING = frozenset({
    "Query", "Subscription", "Mutation", "Node", "PageInfo", "PageRequest", "Interval", "Fact", "Client", "ClientKey", "Feature", "Scenario", "ScenarioSource",
    "PublishedPolicy", "PolicyDraft", "PolicyTrial", "PolicyDifferences", "OutcomeMove", "ReasonMove", "LeftOut", "ChangedCase", "ComparedDecision",
    "ReferenceVersion", "LoadedVersion", "LoadFault", "PortfolioScreening", "PortfolioCount", "ReproductionDifference",
    "Product", "ProductGroup", "FairnessCell", "PartnerConcentration",
})  # fmt: skip
"""What leads to data and is none, or is nobody's."""
_SUMS = "Totals"
GROUPS = {
    "identity": ("Customer", "Party", "IdentityEvent"),
    "consents": ("Consent", "ConsentEvent", "ConsentChange", "SourceAccess"),
    "connections": (
        "PlatformConnection", "PlatformStatus", "SyncRun", "SyncAttempt", "SyncWait", "WatchedConnection", "WatchedRun", "WatchedWindow", "QuarantineGroup", "RecordDrift",
    ),
    "evaluation": (
        "Evaluation", "CheckResult", "LimitPart", "PolicyVersion", "Reason", "ScorePoint", "SeriesMonth", "GroupLimit", "Hint", "ModelResult", "ModelValue",
        "PortfolioResult", "ProductMatch", "ElementDifference",
    ),
    "monitoring": ("MonitoringSignal", "SignalEvidence"),
    "loans": ("Loan",),
    "disputes": ("Dispute",),
    "relations": ("Relation", "KnownRelation"),
    "profile": ("Profile", "MissingAttribute"),
    "features": ("FeatureValue", "FeatureEvidence"),
    "evidence": ("Provenance", "RawPage"),
    "access": ("AccessRecord",),
    "changes": ("ProfileNews", "ProfileChange"),
}  # fmt: skip
"""Types of the contract that are no kind of fact, by what a customer is told they are. A test compares them with the contract."""
_GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}


@dataclass(frozen=True, slots=True)
class Seen:
    """A kind of fact that was read, with its fields (names of the data dictionary); none: only how many there are, or that there are some."""

    kind: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One look-up. ``client`` is a name; ``groups`` are keys of :data:`GROUPS`; ``other`` are coordinates that fit nowhere."""

    client: str
    audience: str
    purpose: str
    operation: str
    outcome: str
    at: datetime
    seen: tuple[Seen, ...]
    groups: tuple[str, ...]
    other: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Eyes:
    """Whose eyes a page is for: a client's; of the institution's own systems those for one ``purpose``, too."""

    client_id: str
    purpose: str | None


async def readings(
    tx: Read | Write, parts: Sequence[CustomerId], before: UUID | None, eyes: Eyes | None = None
) -> tuple[tuple[Reading, ...], UUID | None]:
    """The newest look-ups before one, and where the older ones go on (null: there are none). For a client's ``eyes``: its own, and those for their purpose."""
    log = access_log.c
    columns = (log.log_id, log.client_id, log.purpose, log.operation, log.fields, log.outcome, log.at, client.c.name, client.c.audience)
    joined = access_log.outerjoin(client, client.c.client_id == log.client_id)
    wanted = [log.customer_id.in_(parts), *([log.log_id < before] if before is not None else [])]
    if eyes is not None:
        wanted.append(or_(log.client_id == eyes.client_id, *([log.purpose == eyes.purpose] if eyes.purpose is not None else [])))
    query = select(*columns).select_from(joined).where(*wanted).order_by(log.log_id.desc()).limit(PAGE + 1)
    rows = (await tx.execute(query)).all()
    older = rows[PAGE - 1].log_id if len(rows) > PAGE else None
    return tuple(_reading(row) for row in rows[:PAGE]), older


def _reading(row: Any) -> Reading:
    seen, groups, other = told(row.fields)
    who = (row.name or row.client_id, row.audience or "")
    return Reading(*who, row.purpose, row.operation, row.outcome, row.at, seen, groups, other)


def told(coordinates: list[str]) -> tuple[tuple[Seen, ...], tuple[str, ...], tuple[str, ...]]:
    """Coordinates as kinds of facts, groups and the rest."""
    specs = {spec.name: spec for spec in all_specs()}
    lists = {f"{owner}.{list_name(spec)}": spec.name for spec in specs.values() for owner in ("Customer", "Query")}
    seen: dict[str, list[str]] = {}
    groups: dict[str, None] = {}
    other: list[str] = []
    for coordinate in coordinates:
        owner, _, field = coordinate.partition(".")
        if coordinate in lists:
            seen.setdefault(lists[coordinate], [])
        elif (kind := owner.removesuffix(_SUMS)) in specs:
            seen.setdefault(kind, []).extend(one.name for one in specs[kind].fields if field_name(one) == field)
        elif owner == "StatementLine":
            seen.setdefault("FinancialStatement", []).append("lines")
        elif owner in _GROUP_OF:
            if field != "id":
                groups[_GROUP_OF[owner]] = None
        elif owner not in _PLUMBING and not owner.endswith(_WRAPPING):
            other.append(coordinate)
    return tuple(Seen(kind, tuple(dict.fromkeys(fields))) for kind, fields in seen.items()), tuple(groups), tuple(other)
