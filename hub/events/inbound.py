"""A genuine push, kept and acted on in one transaction: its row and its effect are there together, or not at all.

A repetition meets the row of the first and has no effect. Rows are kept for :data:`KEPT`, longer than any platform repeats; each new one removes a few that are
older. A reference that is pushed about often makes its connections due once in :data:`CALM` at most, and never for nothing forgotten: what comes meanwhile is due at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from hub.connect import Connector, Hint
from hub.connect.webhook import Webhook
from hub.store.database import Write
from hub.sync.context import Equipment
from hub.sync.hints import Meant, find, make_due, reference_hash, touch

KEPT = timedelta(days=8)
"""Longer than four days, within which a platform may repeat a push."""
CALM = timedelta(seconds=60)
"""Between two pushes that make the same connection due: a shop that sells every second must not be read every second."""
SWEPT = 20

_KEEP = text("""
    INSERT INTO inbound_event (connector, event_hash, reference_hash, kind, streams, first_day, last_day, body_hash)
    VALUES (:connector, :event, :reference, :kind, :streams, :first, :last, :body) ON CONFLICT DO NOTHING RETURNING received_at
""")
_LAST = text("SELECT max(due_at) FROM inbound_event WHERE connector = :connector AND reference_hash = :reference AND due_at IS NOT NULL")
_COUNT = text("UPDATE inbound_event SET connections = :connections, due_at = :due_at WHERE connector = :connector AND event_hash = :event")
_SWEEP = text("""
    DELETE FROM inbound_event WHERE (connector, event_hash) IN (
        SELECT connector, event_hash FROM inbound_event WHERE received_at < clock_timestamp() - CAST(:kept AS interval)
        ORDER BY received_at LIMIT :most FOR UPDATE SKIP LOCKED)
""")


@dataclass(frozen=True, slots=True)
class Effect:
    """What came of a push: how many connections it is about, and which of them it made due, at what database time. ``repeated``: it came before."""

    repeated: bool = False
    known: int = 0
    due: Sequence[Meant] = ()
    due_at: datetime | None = None


async def receive(equipment: Equipment, tx: Write, connector: Connector, webhook: Webhook, hint: Hint, body: bytes) -> Effect:
    """Keeps a verified push and makes due what it hints at. What it carries beyond the hint is not looked at."""
    name, blind = connector.manifest.name, equipment.blind
    reference = reference_hash(blind, name, hint.reference) if hint.reference else None
    event = {"connector": name, "event": blind.hash("webhook.event", f"{name}\n{hint.event_id}")}
    row = {
        **event,
        "reference": reference,
        "kind": hint.kind,
        "streams": list(hint.streams),
        "first": hint.days.first if hint.days else None,
        "last": hint.days.last if hint.days else None,
        "body": blind.hash("webhook.body", body.hex()),
    }
    received = (await tx.execute(_KEEP, row)).scalar()
    if received is None:
        return Effect(repeated=True)
    await tx.execute(_SWEEP, {"kept": KEPT, "most": SWEPT})
    if reference is None or _is_in_vain(equipment, webhook, hint):
        return Effect()
    effect = await _act(tx, connector, hint, reference)
    await tx.execute(_COUNT, {**event, "connections": len(effect.due), "due_at": effect.due_at})
    return effect


def _is_in_vain(equipment: Equipment, webhook: Webhook, hint: Hint) -> bool:
    """About days of which the platform serves nothing yet: the timetable comes to them in time."""
    served_to = equipment.clock.today() - timedelta(days=webhook.lag_days)
    return webhook.lag_days > 0 and hint.days is not None and hint.days.first > served_to


async def _act(tx: Write, connector: Connector, hint: Hint, reference: str) -> Effect:
    # Locked before anything is decided: whoever claims, ends or was hinted at a moment ago has committed then.
    found = await find(tx, connector.manifest.name, reference)
    last = (await tx.execute(_LAST, {"connector": connector.manifest.name, "reference": reference})).scalar()
    earliest = last + CALM if last is not None else datetime.min.replace(tzinfo=UTC)
    streams = hint.streams or tuple(stream.name for stream in connector.streams)
    due: dict[Meant, datetime] = {}
    for meant in found:
        if hint.days is not None:
            await touch(tx, meant, streams, hint.days.first, hint.days.last)
        due_at = await make_due(tx, meant, hint.kind, earliest)
        if due_at is not None:
            due[meant] = due_at
    return Effect(known=len(found), due=tuple(due), due_at=max(due.values(), default=None))
