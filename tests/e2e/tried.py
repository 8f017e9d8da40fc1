"""A draft on trial over what was evaluated: the difference is the one that follows by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

from hub.cli.stage import Stage
from hub.credit import policies
from hub.credit.checking import read_text
from hub.domain.enums import Outcome
from hub.store.evaluations import drafts


async def half_a_base_is_half_a_limit(stage: Stage) -> None:
    """On a stage where the small seller was evaluated twice: 2.0 x the lowest month is 160,000, x 1.35 is 216,000; 1.0 x it is 80,000, x 1.35 is 108,000."""
    text = policies.raw("S03").decode().replace("2.0 * ss_min_month", "1.0 * ss_min_month").replace("2026-01-01", "2027-01-01")
    database, grantee, now = stage.runtime.database, stage.runtime.settings.grantee, stage.runtime.clock.now()
    async with database.work() as tx:
        draft = await drafts.draft_policy(tx, read_text(text), "an author", now)
        draft = await drafts.try_draft(tx, draft.draft_id, datetime(2000, 1, 1, tzinfo=UTC))
    while await drafts.come_to(database, draft, grantee, now, 10):
        pass
    async with database.work() as tx:
        found = await drafts.report(tx, draft.draft_id)
    assert (found.cases, found.changed, dict(found.left)) == (2, 2, {})
    assert (found.limit_before, found.limit_after, found.lowered) == (Decimal(432_000), Decimal(216_000), 2)
    assert dict(found.moves) == {(Outcome.ENHANCED, Outcome.ENHANCED): 2}
    assert json.loads(text)["version"] == draft.policy.version == "2027-01-01"
