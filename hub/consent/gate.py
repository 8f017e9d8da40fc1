"""May this be fetched, may this be read? One pure function answers both (trust rules, section h).

A denial is a typed result, never an empty list. What is unknown is denied.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from hub.domain.enums import ConsentStatus, MissingReason, SourceKind


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """A consent as far as the gate needs it."""

    source: SourceKind
    grantee: str
    purpose: str
    scenarios: frozenset[str]
    status: ConsentStatus
    data_from: date
    data_to: date
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ask:
    """What someone wants: data of a source, for a grantee and a purpose, perhaps for a scenario and a range of days."""

    source: SourceKind
    grantee: str
    purpose: str
    scenario: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """``denial`` is None when it is allowed."""

    denial: MissingReason | None

    @property
    def allowed(self) -> bool:
        return self.denial is None


_BY_STATUS = {
    ConsentStatus.PENDING: MissingReason.CONSENT_MISSING,
    ConsentStatus.PAUSED: MissingReason.CONSENT_MISSING,
    ConsentStatus.REVOKED: MissingReason.CONSENT_REVOKED,
    ConsentStatus.EXPIRED: MissingReason.CONSENT_EXPIRED,
}


def decide(consent: GivenConsent | None, ask: Ask, now: datetime) -> Decision:
    """Allows only what an ACTIVE, unexpired consent of this source, grantee, purpose, scenario and range covers."""
    if consent is None:
        return Decision(MissingReason.NOT_CONNECTED)
    if consent.status is not ConsentStatus.ACTIVE:
        return Decision(_BY_STATUS[consent.status])
    if consent.expires_at is not None and consent.expires_at <= now:
        return Decision(MissingReason.CONSENT_EXPIRED)
    return Decision(None if _matches(consent, ask) else MissingReason.CONSENT_MISSING)


def _matches(consent: GivenConsent, ask: Ask) -> bool:
    same = (consent.source, consent.grantee, consent.purpose) == (ask.source, ask.grantee, ask.purpose)
    scenario = ask.scenario is None or ask.scenario in consent.scenarios
    # Either end must lie inside: a range that only begins (or only ends) somewhere is not consented to beyond the other end.
    within = all(consent.data_from <= day <= consent.data_to for day in (ask.first, ask.last) if day is not None)
    return same and scenario and within
