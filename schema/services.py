"""What mutations call. The composition root fills it; the contract knows only these values.

Every service takes the :class:`Call` and raises a HubError for an expected problem; the resolver shows its class as a named problem. A service runs in
one transaction together with its idempotency key: the same key and input give the same answer and one effect; the same key and other
input raise KeyReused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hub.domain.caller import Caller
from hub.domain.enums import Purpose, SourceKind


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls, under which idempotency key, and the SHA-256 of mutation name and input."""

    caller: Caller
    key: str
    request_sha256: str


@dataclass(frozen=True, slots=True)
class PersonInput:
    name: str
    resident_id: str
    residence_city: str | None


@dataclass(frozen=True, slots=True)
class CreateCustomer:
    kind: str
    name: str
    uscc: str | None
    person: PersonInput | None


@dataclass(frozen=True, slots=True)
class CreateLinkSession:
    customer_id: str
    sources: tuple[SourceKind, ...]
    scenarios: tuple[str, ...]
    purpose: Purpose
    return_url: str
    renew: bool = False


@dataclass(frozen=True, slots=True)
class LinkMade:
    link_id: str
    url: str


@dataclass(frozen=True, slots=True)
class Session:
    session_number: str
    at: datetime
    device: str
    city: str
    form_seconds: int | None
    paste_ratio: Decimal | None


@dataclass(frozen=True, slots=True)
class RecordBehaviourSessions:
    customer_id: str
    sessions: tuple[Session, ...]
    complete_from: date
    complete_until: date


@dataclass(frozen=True, slots=True)
class SessionsRecorded:
    stored: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Evaluate:
    """``purpose`` is what the money is for: OPERATING or CONSUMPTION. ``as_of`` and ``known_at`` default to the business clock."""

    customer_id: str
    scenario: str
    purpose: str
    requested_amount: Decimal | None
    as_of: date | None
    known_at: datetime | None


@dataclass(frozen=True, slots=True)
class Evaluated:
    customer_id: str
    evaluation_id: str


@dataclass(frozen=True, slots=True)
class WithdrawConsent:
    customer_id: str
    source: SourceKind


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn:
    consent_id: str


@dataclass(frozen=True, slots=True)
class PauseConsent:
    customer_id: str
    source: SourceKind


@dataclass(frozen=True, slots=True)
class ResumeConsent:
    customer_id: str
    source: SourceKind


@dataclass(frozen=True, slots=True)
class NarrowConsent:
    """None leaves a term as it is. ``expires_on`` is the last day, in China Standard Time."""

    customer_id: str
    source: SourceKind
    scenarios: tuple[str, ...] | None
    kinds: tuple[str, ...] | None
    data_from: date | None
    data_to: date | None
    data_life_days: int | None
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class ConsentChanged:
    consent_id: str


@dataclass(frozen=True, slots=True)
class RegisterClient:
    """``jwks`` is a JSON Web Key Set of public keys."""

    client_id: str
    name: str
    audience: str
    scopes: tuple[str, ...]
    purposes: tuple[Purpose, ...]
    jwks: Mapping[str, Any]
    return_urls: tuple[str, ...]
    bearer: bool


@dataclass(frozen=True, slots=True)
class Services:
    """One async callable per mutation."""

    create_customer: Callable[[Call, CreateCustomer], Awaitable[str]]
    create_link_session: Callable[[Call, CreateLinkSession], Awaitable[LinkMade]]
    record_behaviour_sessions: Callable[[Call, RecordBehaviourSessions], Awaitable[SessionsRecorded]]
    evaluate: Callable[[Call, Evaluate], Awaitable[Evaluated]]
    withdraw_consent: Callable[[Call, WithdrawConsent], Awaitable[ConsentWithdrawn]]
    pause_consent: Callable[[Call, PauseConsent], Awaitable[ConsentChanged]]
    resume_consent: Callable[[Call, ResumeConsent], Awaitable[ConsentChanged]]
    narrow_consent: Callable[[Call, NarrowConsent], Awaitable[ConsentChanged]]
    register_client: Callable[[Call, RegisterClient], Awaitable[str]]
