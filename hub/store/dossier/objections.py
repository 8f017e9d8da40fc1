"""Which objections were open at an instant, and which facts of a dossier they are about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, text

from hub.credit.objections import NONE, Objections
from hub.domain.facts import spec_of_name
from hub.domain.identifiers import CustomerId
from hub.store.database import Read, Write
from hub.store.dossier.facts import SUMMED, Loaded
from hub.store.fact_tables import FACT_TABLES

_OPEN = text("""
    SELECT d.customer_id, d.kind, d.source_key, v.scenario FROM dispute d
    LEFT JOIN evaluation v ON d.kind = 'Evaluation' AND v.customer_id = d.customer_id AND v.evaluation_id = d.about
    WHERE d.customer_id = ANY (:customers) AND d.raised_at <= :known_at AND (d.resolved_at IS NULL OR d.resolved_at > :known_at)
""")
Open = Mapping[CustomerId, Sequence[Any]]


async def open_objections(tx: Read | Write, customers: Sequence[CustomerId], known_at: datetime) -> Open:
    """By customer: ``(kind, id of a fact)`` of every version of what is objected to, ``(kind, None)`` of a whole kind, and ``(None, scenario)`` of a result."""
    found = defaultdict[CustomerId, list[Any]](list)
    for row in await tx.execute(_OPEN, {"customers": list(customers), "known_at": known_at}):
        owner = CustomerId(row.customer_id)
        if row.kind not in FACT_TABLES:
            found[owner].append((None, row.scenario))
            continue
        if row.source_key is None:
            found[owner].append((row.kind, None))
            continue
        table = FACT_TABLES[row.kind]
        versions = select(table.c.fact_id).where(table.c.customer_id == owner, table.c.source_key == row.source_key)
        found[owner] += [(row.kind, str(one)) for one in (await tx.execute(versions)).scalars()]
    return found


def of_loaded(opened: Sequence[Any], loaded: Loaded) -> Objections:
    """Those that are about something that was read."""
    if not opened:
        return NONE
    disputed = {(kind, name) for kind, name in opened if kind}
    others, summed, about = {}, set(), set()
    for name in {kind for kind, _ in disputed}:
        cls, versions = spec_of_name(name).cls, loaded.versions.get(name, [])
        left = [not {(name, one.id), (name, None)} & disputed for one in versions]
        if all(left):
            continue
        about |= {one.id for one, keep in zip(versions, left, strict=True) if not keep}
        if cls in SUMMED:
            summed.add(name)
        else:
            others[cls] = tuple(fact for fact, keep in zip(loaded.facts[cls], left, strict=True) if keep)
    decided = frozenset(scenario for kind, scenario in opened if not kind and scenario)
    return Objections(others, frozenset(summed), decided, frozenset(about))
