"""Where data are processed is pinned: in the store by ``hub migrate``, audited, and every process that starts says the same or does not start (征信业管理条例 24).

A replica that is brought up elsewhere, or a host that is moved, is noticed before it reads anything.
"""

from __future__ import annotations

from hub.access.audit.chain import Secrets
from hub.access.audit.events import audited, hold_events, last_told
from hub.errors import FixConfiguration
from hub.store.database import Database

ACTION, SUBJECT = "region.pin", "region:processing"


async def pin_region(database: Database, secrets: Secrets, region: str) -> bool:
    """Whether it was pinned anew. None is pinned where an operator names none."""
    if not region:
        return False
    async with database.work() as tx:
        await hold_events(tx)
        before, after = await last_told(tx, SUBJECT, ACTION), {"region": region}
        if before == after:
            return False
        await audited(tx, secrets, actor="operator", action=ACTION, subject=SUBJECT, before=before, after=after)
    return True


async def require_region(database: Database, region: str) -> None:
    """Raises FixConfiguration for a process of another region than the one that is pinned."""
    async with database.work() as tx:
        pinned = (await last_told(tx, SUBJECT, ACTION) or {"region": ""})["region"]
    if pinned != region:
        there, here = pinned or "none", region or "none"
        raise FixConfiguration(
            f"Data of this hub are processed in the region {there}; this process says {here} (HUB_REGION).",
            remedy="Start it where the others run. To move the whole hub, set HUB_REGION and run `hub migrate`, which is audited.",
        )
