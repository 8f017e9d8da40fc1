"""Where the hub may connect to stands in a file of the operator's, which no transaction changes: so each process that starts holds it against what was audited last."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from hub.access.audit.chain import Secrets, canonical
from hub.access.audit.events import audited, hold_events, last_told
from hub.store.database import Database

ACTION, SUBJECT = "allowlist.change", "allowlist:connectors"
Allowed = Mapping[str, Sequence[str]]
"""Addresses by connector, as an operator wrote them; beside them the private networks."""


async def note_allowed(database: Database, secrets: Secrets, allowed: Allowed) -> bool:
    """Whether it had changed. Processes that start together take turns at the chain: one of them notes it."""
    now = _told(allowed)
    async with database.work() as tx:
        await hold_events(tx)
        before = await last_told(tx, SUBJECT, ACTION)
        if now["sha256"] == (before or _told({}))["sha256"]:
            return False
        await audited(tx, secrets, actor="operator", action=ACTION, subject=SUBJECT, before=before, after=now)
    return True


def _told(allowed: Allowed) -> dict[str, Any]:
    listed = {name: sorted(values) for name, values in sorted(allowed.items()) if values}
    return {"sha256": hashlib.sha256(canonical(listed)).hexdigest(), "allowed": listed}
