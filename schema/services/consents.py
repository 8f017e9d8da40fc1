"""How consent is asked for, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hub.domain.enums import Purpose, SourceKind


@dataclass(frozen=True, slots=True)
class CreateLinkSession:
    customer_id: str
    sources: tuple[SourceKind, ...]
    scenarios: tuple[str, ...]
    purpose: Purpose
    return_url: str
    renew: bool = False


@dataclass(frozen=True, slots=True)
class CreateManageSession:
    customer_id: str
    return_url: str


@dataclass(frozen=True, slots=True)
class LinkMade:
    link_id: str
    url: str


@dataclass(frozen=True, slots=True)
class WithdrawConsent:
    customer_id: str
    source: SourceKind


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
    customer_id: str
