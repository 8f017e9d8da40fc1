"""Policies for the small world: versions, drafts, and what their trials found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from hub.store import tables
from hub.store.database import Write
from tests.hub.view.world import KNOWN, World


async def policies(tx: Write, world: World, uid: Callable[[int], Any]) -> None:
    """Two versions more, one of which was ended, and four drafts: one trial compares two evaluations, one leaves out what it came to."""
    document = {"title": "T x", "sources": [], "assessment": {"id": "PIPIA-1", "on": "2026-01-05"}}
    plain = {"policy_id": "S03", "sha256": "ab" * 32, "document": document}
    versions = [{**plain, "version": f"v{n}", "effective_from": date(2026, n, 1), "published_at": KNOWN} for n in (2, 3)]
    sources = [{"kind": "SHOP", "months": 12}, {"any": ["TAX", "INVOICE"]}]
    other = {
        **versions[0],
        "policy_id": "S09",
        "version": "v1",
        "effective_from": date(2026, 1, 1),
        "document": {**document, "sources": sources},
    }
    assessed = {"assessment_id": "PIPIA-1", "assessed_on": date(2026, 1, 5)}
    await tx.execute(insert(tables.policy), [{**one, **assessed} for one in (*versions, other)])
    ended = {"policy_id": "S03", "version": "v3", "ends_on": date(2026, 4, 1), "actor": "admin", "reason": "r", "at": KNOWN}
    await tx.execute(insert(tables.policy_end), ended)
    drafted = {**plain, "effective_from": date(2026, 5, 1), "author": "a", "created_at": KNOWN, "tried_since": None}
    states = ("OPEN", "DISCARDED", "PUBLISHED", "TRIED")
    tried = {"tried_since": KNOWN - timedelta(days=9)}
    rows = [
        {**drafted, **(tried if n > 1 else {}), "draft_id": uid(900 + n), "version": f"d{n}", "state": one} for n, one in enumerate(states)
    ]
    await tx.execute(insert(tables.policy_draft), rows)
    case = {"customer_id": world.mine, "evaluation_id": world.evaluation, "outcome": "REFER_MANUAL", "reasons": ["X"], "at": KNOWN}
    cases = [
        {**case, "draft_id": uid(903), "final_limit": Decimal("9.00")},
        {**case, "draft_id": uid(903), "final_limit": None, "evaluation_id": uid(55)},
        {**case, "draft_id": uid(902), "final_limit": None, "left_out": "its inputs are erased"},
    ]
    await tx.execute(insert(tables.policy_trial), [{"left_out": None, **one} for one in cases])
