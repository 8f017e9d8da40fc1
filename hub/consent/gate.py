"""May this be fetched, may this be read? One pure function answers both (trust rules, section h).

A denial is a typed result, never an empty list. What is unknown is denied. The read gate says the same in SQL (:mod:`hub.store.view.gate`), and the
policies of the fact tables once more (:mod:`hub.store.security`); a test compares the three.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from hub.domain.enums import ConsentMode, ConsentStatus, FetchType, MissingReason, SourceKind


class Use(Enum):
    """What someone wants to do. What is fetched is kept."""

    READ = frozenset({ConsentMode.VIEW, ConsentMode.STORE, ConsentMode.STREAM})
    FETCH = frozenset({ConsentMode.STORE, ConsentMode.STREAM})

    @property
    def modes(self) -> frozenset[ConsentMode]:
        """The modes of a consent that allow it."""
        return self.value


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """A consent as far as the gate needs it. ``kinds`` None: every kind of its source; ``life`` None: not bounded here; ``per_day`` None: as often as needed.
    ``apps``: the clients of partner apps that the grantee may hand the data to (PIPL 23)."""

    source: SourceKind
    grantee: str
    purpose: str
    scenarios: frozenset[str]
    status: ConsentStatus
    data_from: date
    data_to: date
    expires_at: datetime | None
    kinds: frozenset[str] | None = None
    mode: ConsentMode = ConsentMode.STORE
    fetch: FetchType = FetchType.PERIODIC
    per_day: int | None = None
    life: timedelta | None = None
    apps: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fetches:
    """How often was fetched under a consent before: on this day, and ever."""

    today: int
    ever: int


@dataclass(frozen=True, slots=True)
class Ask:
    """What someone wants: data of a source, for a grantee and a purpose; perhaps of some kinds, for a scenario, of a range of days.

    ``learned`` is when the hub came to know the data (reading); ``before`` what was fetched before, where a new fetch shall begin: the pages of a fetch that
    is under way are no further fetches. ``app`` is the partner's client that asks; None: the grantee itself.
    """

    source: SourceKind
    grantee: str
    purpose: str
    scenario: str | None = None
    first: date | None = None
    last: date | None = None
    use: Use = Use.READ
    kinds: frozenset[str] = frozenset()
    learned: datetime | None = None
    before: Fetches | None = None
    app: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """``denial`` is None when it is allowed."""

    denial: MissingReason | None

    @property
    def allowed(self) -> bool:
        return self.denial is None


_BY_STATUS = {
    ConsentStatus.PENDING: MissingReason.CONSENT_MISSING,
    ConsentStatus.PAUSED: MissingReason.CONSENT_PAUSED,
    ConsentStatus.REVOKED: MissingReason.CONSENT_REVOKED,
    ConsentStatus.EXPIRED: MissingReason.CONSENT_EXPIRED,
    ConsentStatus.SUPERSEDED: MissingReason.CONSENT_MISSING,
}


def decide(consent: GivenConsent | None, ask: Ask, now: datetime) -> Decision:
    """Allows only what an ACTIVE, unexpired consent of this source, grantee, app, purpose, mode, scenario, kinds, range, life and frequency covers."""
    if consent is None:
        return Decision(MissingReason.NOT_CONNECTED)
    return Decision(next(_denials(consent, ask, now), None))


def _denials(consent: GivenConsent, ask: Ask, now: datetime) -> Iterator[MissingReason]:
    """Everything that speaks against it, the weightiest first."""
    if (consent.source, consent.grantee) != (ask.source, ask.grantee):
        yield MissingReason.CONSENT_MISSING
    if ask.app is not None and ask.app not in consent.apps and consent.status is not ConsentStatus.PENDING:
        yield MissingReason.CONSENT_APP
    if consent.status is not ConsentStatus.ACTIVE:
        yield _BY_STATUS[consent.status]
    if consent.expires_at is not None and consent.expires_at <= now:
        yield MissingReason.CONSENT_EXPIRED
    if consent.purpose != ask.purpose or consent.mode not in ask.use.modes:
        yield MissingReason.CONSENT_PURPOSE
    if ask.scenario is not None and ask.scenario not in consent.scenarios:
        yield MissingReason.CONSENT_PURPOSE
    if consent.kinds is not None and not ask.kinds <= consent.kinds:
        yield MissingReason.CONSENT_KIND
    if not _is_within(consent, ask) or not _lives(consent, ask, now):
        yield MissingReason.CONSENT_RANGE
    if _is_too_often(consent, ask.before):
        yield MissingReason.CONSENT_FREQUENCY


def _is_within(consent: GivenConsent, ask: Ask) -> bool:
    """Either end must lie inside: a range that only begins (or only ends) somewhere is not consented to beyond the other end."""
    return all(consent.data_from <= day <= consent.data_to for day in (ask.first, ask.last) if day is not None)


def _lives(consent: GivenConsent, ask: Ask, now: datetime) -> bool:
    """Data that are older than their life are not read any more; before, they may be deleted, never after."""
    return consent.life is None or ask.learned is None or ask.learned + consent.life > now


def _is_too_often(consent: GivenConsent, before: Fetches | None) -> bool:
    if before is None:
        return False
    spent = consent.fetch is FetchType.ONETIME and before.ever > 0
    return spent or (consent.per_day is not None and before.today >= consent.per_day)
