"""What the customer's own page shows of what was fetched, and what he objects to of it (PIPL 46; 征信业管理条例 25).

Kinds, how many and the newest day: whoever wants the values asks the institution. An objection is about a kind of facts, in the customer's own words, and is sealed like one that
an app passes on (:mod:`hub.store.disputes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text

from hub.domain.enums import DisputeState
from hub.domain.facts import spec_of_name
from hub.domain.facts.names import list_name
from hub.domain.identifiers import CustomerId
from hub.store.database import Read, Write
from hub.store.disputes import disputes_of, statement_of
from hub.store.fact_tables import FACT_TABLES
from hub.vault import Vault

SHOWN = ("Dispute.state", "Dispute.statement")
"""Coordinates of the contract for the objections that the page shows."""
_HELD = text(
    " UNION ALL ".join(
        f"SELECT '{kind}' AS kind, count(*) AS records, max(occurred_on) AS newest FROM {table.name}"  # noqa: S608 -- our own names
        " WHERE customer_id = ANY(:parts) AND known_to IS NULL"
        for kind, table in FACT_TABLES.items()
    )
)


@dataclass(frozen=True, slots=True)
class Held:
    """A kind of fact that was fetched: how many there are, and the newest day they tell of; None: they tell of none."""

    kind: str
    records: int
    newest: date | None

    @property
    def coordinate(self) -> str:
        return f"Customer.{list_name(spec_of_name(self.kind))}"


@dataclass(frozen=True, slots=True)
class Objected:
    """An objection. ``kind`` None: it is about a result."""

    kind: str | None
    said: str
    state: DisputeState
    raised_at: datetime
    due_on: date
    answered_at: datetime | None
    answer: str | None

    def is_late(self, today: date) -> bool:
        return self.answered_at is None and today > self.due_on


async def held(tx: Read | Write, parts: Sequence[CustomerId]) -> tuple[Held, ...]:
    """Of all parts together."""
    found = await tx.execute(_HELD, {"parts": list(parts)})
    return tuple(Held(row.kind, row.records, row.newest) for row in found if row.records)


async def objected(tx: Read | Write, vault: Vault, parts: Sequence[CustomerId]) -> tuple[Objected, ...]:
    """The newest first, in plain text: for whoever writes a line on the access log before it is shown."""
    made = []
    for row in await disputes_of(tx, parts):
        said, answer = await statement_of(tx, vault, row)
        kind = row.kind if row.kind in FACT_TABLES else None
        made.append(Objected(kind, said, DisputeState(row.state), row.raised_at, row.due_on, row.resolved_at, answer))
    return tuple(made)
