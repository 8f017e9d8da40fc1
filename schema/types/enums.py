"""Closed vocabularies: those of the domain under the same names, and the few that only the contract has."""

from __future__ import annotations

from enum import StrEnum

import strawberry

from hub.domain import enums as domain


class AccessStatus(StrEnum):
    """Whether a source can be used now, and if not, why not."""

    AVAILABLE = "AVAILABLE"
    SYNCING = "SYNCING"
    NOT_CONNECTED = "NOT_CONNECTED"
    CONSENT_MISSING = "CONSENT_MISSING"
    CONSENT_EXPIRED = "CONSENT_EXPIRED"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    STALE = "STALE"
    UPSTREAM_ERROR = "UPSTREAM_ERROR"


class CustomerKind(StrEnum):
    """A business (ORG) or a natural person (PERSON)."""

    ORG = "ORG"
    PERSON = "PERSON"


class CheckStatus(StrEnum):
    """Result of one cross-check. UNAVAILABLE: an input is missing. NOT_APPLICABLE: the check makes no sense for this customer."""

    PASS = "PASS"  # noqa: S105
    WARN = "WARN"
    FAIL = "FAIL"
    SEVERE = "SEVERE"
    UNAVAILABLE = "UNAVAILABLE"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class Tier(StrEnum):
    """How far independent sources confirm each other; decides how much of an enhancement is earned."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    UNVERIFIED = "UNVERIFIED"
    CONFLICT = "CONFLICT"


class LimitPartKind(StrEnum):
    """LEG: the base is the smallest leg. UPLIFT: a share earned on top. BASE_CAP and CAP: what bounds the base and the offered limit."""

    LEG = "LEG"
    UPLIFT = "UPLIFT"
    BASE_CAP = "BASE_CAP"
    CAP = "CAP"


class LoanPurpose(StrEnum):
    """What the money is for. CONSUMPTION is bounded by regulation."""

    OPERATING = "OPERATING"
    CONSUMPTION = "CONSUMPTION"


class Audience(StrEnum):
    """PARTNER: an app outside, gets results. INTERNAL: a risk system of the institution. ADMIN: manages the hub."""

    PARTNER = "PARTNER"
    INTERNAL = "INTERNAL"
    ADMIN = "ADMIN"


for _enum in (
    LoanPurpose,
    Audience,
    AccessStatus,
    CustomerKind,
    CheckStatus,
    Tier,
    LimitPartKind,
    domain.SourceKind,
    domain.ConsentStatus,
    domain.ConnectionStatus,
    domain.Verdict,
    domain.Outcome,
    domain.Purpose,
    domain.MissingReason,
    domain.Unit,
):
    strawberry.enum(_enum, description=(_enum.__doc__ or "").strip())
