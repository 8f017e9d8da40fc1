"""Which objections were open at an instant, and which facts of a dossier they are about.

What somebody objected to as another customer that is one with this one by a merge, he objects to as this one: it is the same person. A client's transaction does not see all of that
(ADR 32), but the lender knows, and must keep to it: so the hub looks, and tells the client's transaction which of this customer's facts and scenarios it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, text

from hub.credit.objections import Objections
from hub.domain.facts import spec_of_name
from hub.domain.identifiers import CustomerId
from hub.store.database import Read, Write
from hub.store.dossier.facts import SUMMED, Loaded
from hub.store.fact_tables import FACT_TABLES

_OPEN = text("""
    SELECT c.customer_id, d.kind, d.source_key, v.scenario
    FROM unnest(CAST(:customers AS uuid[])) AS c(customer_id)
    LEFT JOIN customer_merge o ON o.customer_id = c.customer_id AND o.merged_at <= :known_at
    CROSS JOIN LATERAL (SELECT coalesce(o.into_id, c.customer_id) AS part
        UNION SELECT m.customer_id FROM customer_merge m WHERE m.into_id = coalesce(o.into_id, c.customer_id) AND m.merged_at <= :known_at) a
    JOIN dispute d ON d.customer_id = a.part AND d.raised_at <= :known_at AND (d.resolved_at IS NULL OR d.resolved_at > :known_at)
    LEFT JOIN evaluation v ON d.kind = 'Evaluation' AND v.customer_id = d.customer_id AND v.evaluation_id = d.about
""")


@dataclass(slots=True)
class Open:
    """What a customer objects to: every version of a fact by its id, whole ``kinds``, and scenarios of which a result is objected to."""

    facts: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    decided: set[str] = field(default_factory=set)

    @staticmethod
    def kept(named: Mapping[str, Any]) -> Open:
        """As an evaluation kept it (:meth:`hub.credit.objections.Objections.named`): whatever became of the objections since, and whenever they say they were raised."""
        return Open(set(named["facts"]), set(), set(named["decided"]))

    def __bool__(self) -> bool:
        return bool(self.facts or self.kinds or self.decided)

    def __or__(self, other: Open | None) -> Open:
        return self if other is None else Open(self.facts | other.facts, self.kinds | other.kinds, self.decided | other.decided)


Opened = Mapping[CustomerId, Open]


async def open_objections(tx: Read | Write, customers: Sequence[CustomerId], known_at: datetime) -> Opened:
    """By customer what was objected to at an instant."""
    found = defaultdict[CustomerId, Open](Open)
    for row in await tx.execute(_OPEN, {"customers": list(customers), "known_at": known_at}):
        owner = CustomerId(row.customer_id)
        if row.kind not in FACT_TABLES:
            found[owner].decided |= {row.scenario} if row.scenario else set()
        elif row.source_key is None:
            found[owner].kinds.add(row.kind)
        else:
            table = FACT_TABLES[row.kind]
            versions = select(table.c.fact_id).where(table.c.customer_id == owner, table.c.source_key == row.source_key)
            found[owner].facts |= set(map(str, (await tx.execute(versions)).scalars()))
    return found


def of_loaded(opened: Open, loaded: Loaded) -> Objections:
    """Those that are about something that was read."""
    others, summed, about = {}, set(), set[str]()
    for name, versions in loaded.versions.items():
        left = [name not in opened.kinds and one.id not in opened.facts for one in versions]
        if all(left):
            continue
        cls = spec_of_name(name).cls
        about |= {one.id for one, keep in zip(versions, left, strict=True) if not keep}
        if cls in SUMMED:
            summed.add(name)
        else:
            others[cls] = tuple(fact for fact, keep in zip(loaded.facts[cls], left, strict=True) if keep)
    return Objections(others, frozenset(summed), frozenset(opened.decided), frozenset(about))
