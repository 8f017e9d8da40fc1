"""Where data are processed is pinned: in the store by ``hub migrate``, audited, and every process that starts says the same or does not start (征信业管理条例 24).

A replica that is brought up elsewhere, or a host that is moved, is noticed before it reads anything.
"""

from __future__ import annotations

from sqlalchemy import text

from hub.access.audit.chain import EVENTS, LOCK, Secrets
from hub.access.audit.events import audited
from hub.errors import FixConfiguration
from hub.store.database import Database

ACTION, SUBJECT = "region.pin", "region:processing"
_LOCK = text(LOCK.replace("%(shards)s", ":shards"))
_LAST = text("SELECT after ->> 'region' FROM audit_event WHERE subject = :subject AND action = :action ORDER BY sequence DESC LIMIT 1")
_ASKED = {"subject": SUBJECT, "action": ACTION}


async def pin_region(database: Database, secrets: Secrets, region: str) -> bool:
    """Whether it was pinned anew. None is pinned where an operator names none."""
    if not region:
        return False
    async with database.work() as tx:
        await tx.execute(_LOCK, {"shards": [EVENTS]})
        before = (await tx.execute(_LAST, _ASKED)).scalar()
        if before == region:
            return False
        was = None if before is None else {"region": before}
        await audited(tx, secrets, actor="operator", action=ACTION, subject=SUBJECT, before=was, after={"region": region})
    return True


async def require_region(database: Database, region: str) -> None:
    """Raises FixConfiguration for a process of another region than the one that is pinned."""
    async with database.work() as tx:
        pinned = (await tx.execute(_LAST, _ASKED)).scalar()
    if (pinned or "") != region:
        there, here = pinned or "none", region or "none"
        raise FixConfiguration(
            f"Data of this hub are processed in the region {there}; this process says {here} (HUB_REGION).",
            remedy="Start it where the others run. To move the whole hub, set HUB_REGION and run `hub migrate`, which is audited.",
        )
