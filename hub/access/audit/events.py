"""What operators changed: one row per effect, in the transaction of the effect, linked like the access log.

Old and new values are told, secrets never: name what may be named (ids, scopes, counts, digests), and leave keys and tokens out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from hub.access.audit.chain import EVENTS, HEADS, LOCK, ChainKeys, Head, Secrets, array
from hub.domain.identifiers import new_id
from hub.store.database import Write

_LOCK = text(LOCK.replace("%(shards)s", ":shards"))
_HEADS = text(HEADS.replace("%(shards)s", ":shards").replace("HH24:MI:SS", r"HH24\:MI\:SS"))
_INSERT = text("""
    INSERT INTO audit_event (event_id, actor, action, subject, before, after, at, shard, sequence, hash)
    SELECT r.event_id, r.actor, r.action, r.subject, r.before, r.after, r.at, r.shard, r.sequence, decode(r.hash, 'hex')
    FROM json_to_recordset(CAST(:rows AS json)) AS r(event_id uuid, actor text, action text, subject text, before jsonb, after jsonb, at timestamptz,
        shard smallint, sequence bigint, hash text)
""")
_LAST = text("SELECT after FROM audit_event WHERE subject = :subject AND action = :action ORDER BY sequence DESC LIMIT 1")
Values = Mapping[str, Any]


async def hold_events(tx: Write) -> None:
    """Nobody else adds an event until the commit: whoever looks at the last one and adds the next takes turns with all others."""
    await tx.execute(_LOCK, {"shards": [EVENTS]})


async def last_told(tx: Write, subject: str, action: str) -> Values | None:
    """The new values of the last event of an action upon a subject."""
    found: Values | None = (await tx.execute(_LAST, {"subject": subject, "action": action})).scalar()
    return found


async def audited(
    tx: Write, secrets: Secrets, *, actor: str, action: str, subject: str, before: Values | None = None, after: Values | None = None
) -> None:
    """Adds one event to the chain, in a transaction of the hub's own (role hub_worker). Call it last: the chain is locked until the commit.

    ``actor`` is a client's id, ``operator`` for a command, ``clock`` for what time does; ``action`` is ``<noun>.<verb>``; ``subject`` is ``<kind>:<id>``.
    """
    keys = ChainKeys.of(secrets)
    await hold_events(tx)
    head = Head.of(keys, (await tx.execute(_HEADS, {"shards": [EVENTS]})).one())
    row = {
        "event_id": new_id(),
        "actor": actor,
        "action": action,
        "subject": subject,
        "before": None if before is None else _plain(before),
        "after": None if after is None else _plain(after),
    }
    await tx.execute(_INSERT, {"rows": array([head.add(keys, row)])})


def _plain(value: Any) -> Any:
    """Values that are the same JSON when they come back from the database: numbers with a point are text."""
    match value:
        case Mapping():
            return {str(name): _plain(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            inner = [_plain(one) for one in value]
            return sorted(inner, key=str) if isinstance(value, set | frozenset) else inner
        case datetime() | date():
            return value.isoformat()
        case float() | Decimal() | UUID():
            return str(value)
        case str():
            return str(value)
    return value
