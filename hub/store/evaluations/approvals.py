"""Approved, and approved anew each year: who said of a published policy that it and the models it names may go on deciding (互联网贷款 2020-9).

A policy was approved when it was published; each later approval is a row, with who and what was looked at. A model whose policy's approval is older than the models'
document allows is not asked any more: the default formula answers, and a person decides.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import func, insert, select

from hub.credit.models.declare import figures
from hub.credit.models.reach import Reach
from hub.credit.models.slot import Answered, Asked, external_models
from hub.credit.policy import Policy
from hub.domain.models import ModelFault
from hub.domain.periods import china_day
from hub.errors import InvalidInput, NotFound
from hub.store.database import Read, Write
from hub.store.evaluations.policies import require_scenario
from hub.store.tables import policy, policy_approval


def due_on(approved: date) -> date:
    """The last day on which an approval holds."""
    years, month = divmod(approved.month - 1 + int(figures()["slot"]["reapproval_months"]), 12)
    year = approved.year + years
    return date(year, month + 1, min(approved.day, monthrange(year, month + 1)[1]))


async def approve(tx: Write, named: tuple[str, str], actor: str, note: str, now: datetime) -> date:
    """Approves a published version (scenario and version) anew; returns the last day on which that holds. Raises NotFound, InvalidInput."""
    mine = (policy.c.policy_id == named[0], policy.c.version == named[1])
    await require_scenario(tx, named[0])
    if (await tx.execute(select(policy.c.version).where(*mine))).first() is None:
        raise NotFound("There is no such version.", remedy="`hub policies list`, or the query `policies`, shows them.")
    again = (policy_approval.c.policy_id == named[0], policy_approval.c.version == named[1], policy_approval.c.approved_at == now)
    if (await tx.execute(select(policy_approval.c.actor).where(*again))).first() is not None:
        raise InvalidInput("It was approved at this very moment.", remedy="Once is enough.")
    await tx.execute(
        insert(policy_approval), {"policy_id": named[0], "version": named[1], "approved_at": now, "actor": actor, "note": note}
    )
    return due_on(china_day(now))


async def approved_on(tx: Read | Write, scenarios: Sequence[str], known_at: datetime) -> dict[tuple[str, str], date]:
    """The day of the latest approval that was known at an instant, by scenario and version; of what was published later that of its publication."""
    anew = select(func.max(policy_approval.c.approved_at)).where(
        policy_approval.c.policy_id == policy.c.policy_id,
        policy_approval.c.version == policy.c.version,
        policy_approval.c.approved_at <= known_at,
    )
    wanted = select(policy.c.policy_id, policy.c.version, func.greatest(policy.c.published_at, anew.scalar_subquery()))
    return {
        (scenario, version): china_day(at) for scenario, version, at in await tx.execute(wanted.where(policy.c.policy_id.in_(scenarios)))
    }


async def reaches(tx: Read | Write, rules: Mapping[str, Policy], known_at: datetime, reach: Reach) -> dict[str, Reach]:
    """By scenario how its models are asked: not at all where the approval has run out."""
    naming = [one for one in rules.values() if external_models(one.document)]
    days = await approved_on(tx, [one.id for one in naming], known_at) if naming else {}
    over = {one.id for one in naming if due_on(days[one.id, one.version]) < china_day(known_at)}
    return {name: not_approved if one.id in over else reach for name, one in rules.items()}


async def not_approved(asked: Asked) -> Answered:
    """Nobody is asked."""
    return Answered(asked, fault=ModelFault.NOT_APPROVED)
