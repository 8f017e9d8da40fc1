"""Whether what an evaluation read may be read today: what is made once more from it is not made from what somebody may not see any more.

A dossier as known at an earlier instant is bounded by the consents as they are now, and by their end and the life of the data as they were then. Between the two, a
consent may have run out before anybody wrote it down, and facts may have outlived their life before they are erased.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from hub.consent.gate import Use
from hub.domain.enums import ConsentStatus, MissingReason, SourceKind
from hub.domain.identifiers import CustomerId
from hub.domain.periods import china_day
from hub.store.database import Read, Write

_KNOWN = "f.known_from <= v.known_at AND (f.known_to IS NULL OR f.known_to > v.known_at)"
_LIFE = "make_interval(days => c.data_life_days)"
_OUTLIVED = f"""SELECT 1 FROM fact f WHERE f.customer_id = v.customer_id AND f.kind = e.kind AND {_KNOWN}
    AND f.known_from + {_LIFE} > v.known_at AND f.known_from + {_LIFE} <= :now"""  # noqa: S608 -- our own text
_IN_FORCE = f"""SELECT 1 FROM consent c WHERE c.customer_id = v.customer_id AND c.source = e.source AND c.grantee = :grantee AND c.purpose = v.use_purpose
    AND c.status = 'ACTIVE' AND c.mode = ANY(:modes) AND v.scenario = ANY(c.scenarios) AND (c.kinds IS NULL OR e.kind = ANY(c.kinds))
    AND (c.expires_at IS NULL OR c.expires_at > :now) AND NOT EXISTS ({_OUTLIVED})"""  # noqa: S608
# A negative item that was over then was not read then.
_OVER = f"""SELECT 1 FROM item_due f WHERE f.customer_id = v.customer_id AND f.kind = e.kind AND {_KNOWN}
    AND f.erase_on <= :today AND f.erase_on > (v.known_at AT TIME ZONE 'Asia/Shanghai')::date"""  # noqa: S608
_READABLE = text(f"""
    SELECT NOT EXISTS (SELECT 1 FROM evaluation v JOIN evidence_kind e USING (customer_id, evaluation_id)
        WHERE v.customer_id = :customer AND v.evaluation_id = :evaluation AND (NOT EXISTS ({_IN_FORCE}) OR EXISTS ({_OVER})))
""")  # noqa: S608


async def readable_today(tx: Read | Write, customer_id: CustomerId, evaluation_id: UUID, grantee: str, now: datetime) -> bool:
    """Whether consents in force let everything be read once more that the evaluation read."""
    modes = sorted(mode.value for mode in Use.READ.modes)
    mine = {"customer": customer_id, "evaluation": evaluation_id, "grantee": grantee}
    return bool((await tx.execute(_READABLE, {**mine, "now": now, "today": china_day(now), "modes": modes})).scalar_one())


_ENDED = {
    ConsentStatus.REVOKED: "was withdrawn",
    ConsentStatus.EXPIRED: "ran out",
    ConsentStatus.PAUSED: "is paused",
    ConsentStatus.PENDING: "is not given",
    ConsentStatus.SUPERSEDED: "was replaced",
}


def how_it_ended(status: ConsentStatus, expires_at: datetime | None, now: datetime) -> str:
    """What became of a consent that does not allow a use, in words."""
    return _ENDED.get(status, "ran out" if expires_at and expires_at <= now else "is not for this use")


_GIVEN = text("""
    SELECT DISTINCT ON (source) source, status, changed_at, starts_at, expires_at, narrowed_at FROM consent
    WHERE customer_id = :customer AND grantee = :grantee AND purpose = :purpose
    ORDER BY source, :scenario = ANY (scenarios) DESC, status = 'PENDING', changed_at DESC
""")


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A source that consents of today let nobody read, or only some of, for this use. ``since``: it was allowed when what is asked for was known."""

    source: SourceKind
    reason: MissingReason | None
    since: bool
    sentence: str

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"source": self.source, "reason": self.reason or "NARROWER", "wasAllowed": self.since, "sentence": self.sentence}


async def forbidden_today(
    tx: Read | Write, asked: Any, reasons: Mapping[SourceKind, MissingReason | None], now: datetime
) -> list[Forbidden]:
    """What an evaluation of what was known before (:class:`hub.store.evaluations.keep.Asked`) had to leave out; ``reasons`` are those why it read no more of each source."""
    mine = {"customer": asked.customer_id, "grantee": asked.grantee, "purpose": asked.purpose, "scenario": asked.scenario}
    given = {SourceKind(row.source): row for row in await tx.execute(_GIVEN, mine)}
    found = [_forbidden(given[source], reason, asked.known_at, now) for source, reason in reasons.items() if source in given]
    return [one for one in found if one is not None]


def _forbidden(row: Row[Any], reason: MissingReason | None, then: datetime, now: datetime) -> Forbidden | None:
    source, status = SourceKind(row.source), ConsentStatus(row.status)
    begun = status is not ConsentStatus.PENDING and (row.starts_at is None or row.starts_at <= then)
    lived, narrowed = begun and (row.expires_at is None or row.expires_at > then), row.narrowed_at is not None and row.narrowed_at > then
    if reason in _OF_CONSENTS:
        ended = narrowed if reason is MissingReason.CONSENT_PURPOSE else row.changed_at > then or status is ConsentStatus.ACTIVE
        since, day = bool(lived and ended), row.expires_at if status is ConsentStatus.ACTIVE and row.expires_at else row.changed_at
        read = "It was in force then; what was read under it may not be read any more." if since else "It was not in force then, either."
        how = how_it_ended(status, row.expires_at, now)
        return Forbidden(source, reason, since, f"The consent to {source} {how} ({china_day(day)}): nothing of it was read. {read}")
    if reason is None and lived and narrowed:
        said = f"The consent to {source} became narrower ({china_day(row.narrowed_at)}): what lies outside of it was not read."
        return Forbidden(source, None, True, said)
    return None


_OF_CONSENTS: Collection[MissingReason | None] = frozenset(one for one in MissingReason if one.startswith("CONSENT_"))
