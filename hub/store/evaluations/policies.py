"""Published policies: a version is written once and never changed; an evaluation names the one it followed by its digest.

A version applies from its first day until a later one does, or until it is ended. It is checked when it is published, and never again: a check that has become
stricter neither takes what is in force out of force, nor keeps an old evaluation from being made again (ADR 64).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select, text, true
from sqlalchemy.dialects.postgresql import insert

from hub.credit import policies
from hub.credit.assessed import stated
from hub.credit.policy import Policy, read_policy, unchecked_policy
from hub.domain.assessments import Assessment
from hub.errors import CallerMustFix, InvalidInput, NotFound, PolicyInvalid
from hub.store.database import Read, Write
from hub.store.tables import policy, policy_end

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('policy_end'), hashtext(:scenario))")


def documents_of_the_package() -> list[Mapping[str, Any]]:
    """The policies that come with this version of the hub."""
    return [policies.document(name) for name in policies.names()]


async def publish_policies(tx: Write, documents: Iterable[Mapping[str, Any]], now: datetime, assessment: Assessment | None = None) -> None:
    """Publishes what is new; a version that is there stays as it is. ``assessment`` is of documents that state none themselves.

    Raises PolicyInvalid for a document with a fault, and for one that was changed afterwards.
    """
    for document in documents:
        found, assessed = read_policy(document), stated(document) or assessment
        row = {
            "policy_id": found.id,
            "version": found.version,
            "sha256": found.sha256,
            "effective_from": found.effective_from,
            "document": dict(document),
            "published_at": now,
            "assessment_id": assessed and assessed.id,
            "assessed_on": assessed and assessed.on,
        }
        await tx.execute(insert(policy).values(row).on_conflict_do_nothing())
        mine = (policy.c.policy_id == found.id, policy.c.version == found.version)
        if (await tx.execute(select(policy.c.sha256).where(*mine))).scalar_one() != found.sha256:
            raise PolicyInvalid(
                f"Policy {found.id} {found.version} was published here with other content.",
                remedy="Give the changed document a new version.",
            )


async def effective_policy(tx: Read | Write, scenario: str, as_of: date) -> Policy:
    """The latest version in force on a day; days before the first version follow the first. Raises InvalidInput."""
    return (await effective_policies(tx, [scenario], as_of))[scenario]


async def effective_policies(
    tx: Read | Write, scenarios: Iterable[str], as_of: date, known_at: datetime | None = None
) -> dict[str, Policy]:
    """:func:`effective_policy` of several, in their order; of what was published and taken back by ``known_at``, as far as anything was."""
    wanted = list(dict.fromkeys(scenarios))
    rows = await _versions(tx, policy.c.policy_id.in_(wanted), known_at)
    if known_at is not None:
        published = {row.policy_id for row in rows if row.published_at <= known_at}
        rows = [row for row in rows if row.published_at <= known_at or row.policy_id not in published]
    return {one: await _in_force(tx, one, [row for row in rows if row.policy_id == one], as_of) for one in wanted}


async def _in_force(tx: Read | Write, scenario: str, found: list[Row[Any]], as_of: date) -> Policy:
    if not found:
        await require_scenario(tx, scenario, InvalidInput)
    row = in_force(found, as_of)
    if row.sha256 not in _READ:
        _READ[row.sha256] = unchecked_policy(row.document)
    return _READ[row.sha256]


async def require_scenario(tx: Read | Write, scenario: str, problem: type[CallerMustFix] = NotFound) -> None:
    """Raises the problem, which names those that there are, for a scenario that nothing was published for."""
    known = sorted((await tx.execute(select(policy.c.policy_id).distinct())).scalars())
    if scenario not in known:
        raise problem(f"There is no policy for scenario {scenario!r}.", remedy=f"Published here are: {', '.join(known) or 'none'}.")


async def policies_in_force(tx: Read | Write, day: date) -> dict[str, Policy]:
    """The version in force on a day of every scenario that has one here."""
    found = await versions(tx)
    rows = [in_force([row for row in found if row.policy_id == one], day) for one in dict.fromkeys(row.policy_id for row in found)]
    return {row.policy_id: unchecked_policy(row.document) for row in rows}


_READ: dict[str, Policy] = {}
"""Published versions by their digest: they never change."""


async def versions(tx: Read | Write, scenario: str | None = None) -> list[Row[Any]]:
    """Every published version, of one scenario or of all, with ``ends_on``; in the order in which they apply."""
    return await _versions(tx, true() if scenario is None else policy.c.policy_id == scenario)


async def _versions(tx: Read | Write, which: ColumnElement[bool], known_at: datetime | None = None) -> list[Row[Any]]:
    ended = (policy_end.c.policy_id == policy.c.policy_id) & (policy_end.c.version == policy.c.version)
    if known_at is not None:
        ended &= policy_end.c.at <= known_at
    wanted = select(policy, policy_end.c.ends_on).outerjoin(policy_end, ended).where(which)
    return list(await tx.execute(wanted.order_by(policy.c.policy_id, policy.c.effective_from, policy.c.version)))


def in_force(found: list[Row[Any]], day: date) -> Row[Any]:
    """Which of a scenario's versions applies on a day. One of them always does: the last that stands is never ended."""
    standing = [row for row in found if row.ends_on is None or row.ends_on > day]
    return ([row for row in standing if row.effective_from <= day] or standing[:1] or found[:1])[-1]


async def end_policy(tx: Write, scenario: str, version: str, days: tuple[date, date], *, actor: str, reason: str, now: datetime) -> Policy:
    """Takes a version back from a day on (``days``: that day, and today): what applied before it applies again. Returns the version that does.

    Raises NotFound, and InvalidInput where nothing else would be in force, or for a day that is over. Of two at once one waits for the other.
    """
    ends_on, today = days
    if ends_on < today:
        raise InvalidInput(
            f"{ends_on} is over: what was decided since stays as it was.", remedy="Take it back from today on, or from a later day."
        )
    await tx.execute(_ONE_AT_A_TIME, {"scenario": scenario})
    await require_scenario(tx, scenario)
    found = await versions(tx, scenario)
    mine = next((row for row in found if row.version == version), None)
    if mine is None:
        raise NotFound("There is no such version.", remedy=f"Those of {scenario} are: {', '.join(row.version for row in found)}.")
    others = [row for row in found if row is not mine and row.ends_on is None and row.effective_from <= ends_on]
    if mine.ends_on is not None or not others:
        why = "was ended before" if mine.ends_on is not None else "is the only one in force on that day"
        raise InvalidInput(f"Version {version} of {scenario} {why}.", remedy="Publish another version first.")
    row = {"policy_id": scenario, "version": version, "ends_on": ends_on, "actor": actor, "reason": reason, "at": now}
    await tx.execute(insert(policy_end), row)
    return unchecked_policy(in_force(others, ends_on).document)
