"""By which impact assessment (个人信息保护影响评估, PIPL 55-56) each connector is enabled: what the operator states beside its addresses, recorded and audited by
each process that starts.

A connector that is new here, or has other addresses than before, is not enabled without one. What had been enabled before this was asked stays enabled, as not stated:
the first start after that version finds its mark (:data:`BEFORE`) and takes over what the list holds. Rows are never changed or deleted, so they outlive the three years
that the law asks for; an event of the audit chain tells of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, insert, text

from hub.access.audit.chain import Secrets
from hub.access.audit.events import audited, hold_events
from hub.domain.assessments import Assessment
from hub.errors import FixConfiguration
from hub.store.database import Database, Write
from hub.store.tables import connector_assessment

ACTION = "connector.assess"
BEFORE = "*"
"""Not a connector: that this database is older than the question. It is answered, once, by another row of the same name with addresses."""
_LATEST = text("SELECT DISTINCT ON (connector) * FROM connector_assessment ORDER BY connector, noted_at DESC")
Addresses = Mapping[str, Sequence[str]]


async def note_assessed(database: Database, secrets: Secrets, allowed: Addresses, stated: Mapping[str, Assessment]) -> tuple[str, ...]:
    """Records what changed. Returns the connectors that are enabled without an assessment. Raises FixConfiguration, and records nothing, for one that may not be.
    Processes that start together take turns."""
    async with database.work() as tx:
        await hold_events(tx)
        latest = await _latest(tx)
        older = BEFORE in latest and latest[BEFORE].addresses is None
        refused = [name for name in sorted(allowed) if name not in stated and not _may_go_on(latest.get(name), allowed[name], older)]
        if refused:
            raise _unassessed(refused)
        for row in _changed(latest, allowed, stated, older):
            await tx.execute(insert(connector_assessment), row)
            if row["connector"] != BEFORE:
                was, subject = latest.get(row["connector"]), f"connector:{row['connector']}"
                before = was and _told(was.assessment_id, was.assessed_on, was.addresses)
                after = _told(row["assessment_id"], row["assessed_on"], row["addresses"])
                await audited(tx, secrets, actor="operator", action=ACTION, subject=subject, before=before, after=after)
    return tuple(name for name in sorted(allowed) if name not in stated)


async def _latest(tx: Write) -> dict[str, Row[Any]]:
    return {row.connector: row for row in await tx.execute(_LATEST)}


def _may_go_on(was: Row[Any] | None, addresses: Sequence[str], older: bool) -> bool:
    """Whether a connector without an assessment was enabled so before, with these addresses."""
    return older if was is None else was.assessment_id is None and was.addresses == sorted(addresses)


def _changed(latest: Mapping[str, Row[Any]], allowed: Addresses, stated: Mapping[str, Assessment], older: bool) -> Iterator[dict[str, Any]]:
    for name in sorted(allowed):
        one, was = stated.get(name), latest.get(name)
        now = (one.id if one else None, one.on if one else None, sorted(allowed[name]))
        if was is None or (was.assessment_id, was.assessed_on, was.addresses) != now:
            yield _row(name, *now)
    if older:
        yield _row(BEFORE, None, None, [])


def _row(name: str, record: str | None, on: date | None, addresses: list[str]) -> dict[str, Any]:
    return {"connector": name, "assessment_id": record, "assessed_on": on, "addresses": addresses}


def _told(record: str | None, on: date | None, addresses: Sequence[str]) -> dict[str, Any]:
    return {"assessment": record, "assessed_on": on, "addresses": list(addresses)}


def _unassessed(names: Sequence[str]) -> FixConfiguration:
    return FixConfiguration(
        f"connectors.json enables {', '.join(names)}, or other addresses of it, without an impact assessment (PIPL 55, 56).",
        remedy='Assess what is to be fetched and why, then name the record there: "assessment": {"id": "...", "on": "2026-01-05"}.',
    )
