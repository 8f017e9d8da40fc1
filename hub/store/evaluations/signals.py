"""Signals of monitoring: raised once, and over when what raised them is.

Level-triggered: an evaluation says what holds now, and the open rows what has been told. What holds and was told is not told again, whoever evaluates how often;
what cannot be told any more neither raises nor ends anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert

from hub.credit.expressions import Known
from hub.credit.models.declare import figures
from hub.credit.models.monitoring import severity_of
from hub.credit.models.run import Complete
from hub.credit.models.triggers import Fired
from hub.domain.enums import MissingReason
from hub.domain.identifiers import new_id
from hub.store.database import Write
from hub.store.evaluations.rows import Heading
from hub.store.tables import monitoring_signal


async def keep_signals(tx: Write, heading: Heading, found: Complete) -> int:
    """Raises what is new, and ends what is over. Returns how many were raised. Where nothing is watched any more, because the loan is repaid, all end; under another
    purpose than POST_LOAN nothing is looked at."""
    scenario, as_of = found.made.policy.id, found.made.dossier.as_of
    told = await _open(tx, heading, scenario)
    if found.fired is None:
        await _end(tx, heading, told.values(), as_of)
        return 0
    raised = [one for one in found.fired if one.step is not None and (one.key not in told or _is_replaced(one, told[one.key]))]
    over = [told[one.key] for one in found.fired if one.key in told and _is_over(one, told[one.key])]
    await _end(tx, heading, over, as_of)
    rows = [_row(heading, scenario, as_of, one) for one in raised]
    if rows:
        await tx.execute(insert(monitoring_signal), rows)
    return len(rows)


async def _open(tx: Write, heading: Heading, scenario: str) -> Mapping[str, Row[Any]]:
    """Locked: of two evaluations at once the second sees what the first has told."""
    s = monitoring_signal.c
    mine = (s.customer_id == heading.customer_id, s.scenario == scenario, s.use_purpose == heading.use_purpose, s.ended_at.is_(None))
    rows = await tx.execute(select(monitoring_signal).where(*mine).with_for_update())
    return {f"{row.trigger_id}.{row.part}": row for row in rows}


def _is_replaced(one: Fired, told: Row[Any]) -> bool:
    """Something else holds now: where what was told cannot be told any more, only what is graver takes its place."""
    return bool(told.cause != one.cause) and (not _is_unknown(one, told) or one.points > told.points)


def _is_unknown(one: Fired, told: Row[Any]) -> bool:
    found = one.outcomes.get(told.condition, False)
    return isinstance(found, MissingReason) and found is not MissingReason.NOT_APPLICABLE


def _is_over(one: Fired, told: Row[Any]) -> bool:
    """What was told does not hold any more, which is known; or something else does."""
    if one.step is None:
        return not _is_unknown(one, told)
    return _is_replaced(one, told)


async def _end(tx: Write, heading: Heading, over: Iterable[Row[Any]], as_of: date) -> None:
    ids = [row.signal_id for row in over]
    if ids:
        mine = (monitoring_signal.c.customer_id == heading.customer_id, monitoring_signal.c.signal_id.in_(ids))
        await tx.execute(update(monitoring_signal).where(*mine).values(until=as_of, ended_at=heading.known_at))


def _row(heading: Heading, scenario: str, as_of: date, one: Fired) -> dict[str, Any]:
    words = next(found for found in figures()["triggers"] if found["id"] == one.trigger)
    return {
        "customer_id": heading.customer_id,
        "signal_id": new_id(),
        "evaluation_id": heading.evaluation_id,
        "scenario": scenario,
        "use_purpose": heading.use_purpose,
        "trigger_id": one.trigger,
        "part": one.part,
        "points": one.points,
        "severity": severity_of(one.points),
        "text_en": words["en"],
        "text_zh": words["zh"],
        "condition": one.condition,
        "cause": one.cause,
        "evidence": [_evidence(name, known) for name, known in one.evidence],
        "since": as_of,
        "known_at": heading.known_at,
    }


def _evidence(name: str, known: Known) -> dict[str, Any]:
    value = str(known.value).lower() if isinstance(known.value, bool) else None if known.value is None else str(known.value)
    return {"name": name, "value": value, "missing": known.missing, "features": list(known.features)}
