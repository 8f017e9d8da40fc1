"""Closed vocabularies: those of the domain under the same names, and the few that only the contract has."""

from __future__ import annotations

from enum import StrEnum

import strawberry

from hub.domain import audit, models, ownership
from hub.domain import enums as domain


class AccessStatus(StrEnum):
    """Whether a source can be used now, and if not, why not."""

    AVAILABLE = "AVAILABLE"
    SYNCING = "SYNCING"
    NOT_CONNECTED = "NOT_CONNECTED"
    CONSENT_MISSING = "CONSENT_MISSING"
    CONSENT_EXPIRED = "CONSENT_EXPIRED"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    CONSENT_PAUSED = "CONSENT_PAUSED"
    STALE = "STALE"
    UPSTREAM_ERROR = "UPSTREAM_ERROR"


class DecisionMissing(StrEnum):
    """Why there is no decision to show. CONSENT_MISSING: no consent of this use is in force. NOT_EVALUATED: none was made that the consents of this use cover.
    UNKNOWN_SCENARIO: no policy was ever published for it; `scenarios` names those that there are."""

    CONSENT_MISSING = "CONSENT_MISSING"
    NOT_EVALUATED = "NOT_EVALUATED"
    UNKNOWN_SCENARIO = "UNKNOWN_SCENARIO"


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


class PortfolioAxis(StrEnum):
    """By what the customers of a portfolio are counted. CLUSTER: in each that they belong to, so its counts are no sum. LEFT: those without a result, by why."""

    ALL = "ALL"
    CUSTOMER_TYPE = "CUSTOMER_TYPE"
    CLUSTER = "CLUSTER"
    INDUSTRY = "INDUSTRY"
    REGION = "REGION"
    SIZE = "SIZE"
    TIER = "TIER"
    SCENARIO = "SCENARIO"
    LEFT = "LEFT"


class SizeClass(StrEnum):
    """企业规模: size of a business by the national standard of 2011, by industry, employees and revenue."""

    MICRO = "MICRO"
    SMALL = "SMALL"
    MEDIUM = "MEDIUM"
    LARGE = "LARGE"


class ProductClass(StrEnum):
    """产品匹配: HIGH_TECH holds a technology or specialisation title, LIGHT_ASSET has few fixed assets or works in such an industry, TRADITIONAL is the rest."""

    HIGH_TECH = "HIGH_TECH"
    LIGHT_ASSET = "LIGHT_ASSET"
    TRADITIONAL = "TRADITIONAL"


class Overlay(StrEnum):
    """What a customer is beside its type. NEW_CITIZEN (新市民): lives where the person has no local household registration, or one for less than three years."""

    NEW_CITIZEN = "NEW_CITIZEN"


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


class DocumentMode(StrEnum):
    """OPEN: with any document. AUDIT: likewise, and what is not stored is noted by its digest. ONLY: with stored documents alone, named by their digest."""

    OPEN = "OPEN"
    AUDIT = "AUDIT"
    ONLY = "ONLY"


class PolicyDraftState(StrEnum):
    """OPEN: written down. TRIED: on trial. PUBLISHED and DISCARDED are final."""

    OPEN = "OPEN"
    TRIED = "TRIED"
    PUBLISHED = "PUBLISHED"
    DISCARDED = "DISCARDED"


class WindowState(StrEnum):
    """OPEN: not read to its end. DONE: read. NOT_SERVED: out of the platform's reach, or no longer asked for. FAILED: asked for again by the next cycle."""

    OPEN = "OPEN"
    DONE = "DONE"
    NOT_SERVED = "NOT_SERVED"
    FAILED = "FAILED"


class RunKind(StrEnum):
    """SYNC: by the timetable. BACKFILL: windows of the past, asked for by hand. REPLAY: raw pages read again, the platform is not called."""

    SYNC = "SYNC"
    BACKFILL = "BACKFILL"
    REPLAY = "REPLAY"


class AttemptOutcome(StrEnum):
    """Whether a request brought a page."""

    ANSWERED = "ANSWERED"
    FAILED = "FAILED"


class WaitKind(StrEnum):
    """What a pause is for."""

    RETRY = "RETRY"
    WAIT = "WAIT"
    PARK = "PARK"


class Circuit(StrEnum):
    """State of a circuit breaker."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


class ProgressUnknown(StrEnum):
    """Why there is no progress to show. A share of an unknown total would be invented."""

    NOT_PLANNED = "NOT_PLANNED"
    NOTHING_FETCHED = "NOTHING_FETCHED"
    NO_TOTAL_STATED = "NO_TOTAL_STATED"


for _enum in (
    WindowState,
    RunKind,
    AttemptOutcome,
    WaitKind,
    Circuit,
    ProgressUnknown,
    LoanPurpose,
    Audience,
    DocumentMode,
    PolicyDraftState,
    AccessStatus,
    DecisionMissing,
    CustomerKind,
    CheckStatus,
    Tier,
    LimitPartKind,
    PortfolioAxis,
    SizeClass,
    ProductClass,
    Overlay,
    domain.CustomerType,
    domain.IndustryCluster,
    domain.ProductKind,
    domain.ProductHolder,
    domain.ProductFit,
    domain.MatchCriterion,
    domain.ProductElement,
    domain.SourceKind,
    domain.CustomerCategory,
    domain.PartyRole,
    domain.IdentityEventKind,
    ownership.OwnerStanding,
    domain.ConsentStatus,
    domain.ConsentMode,
    domain.ConsentStep,
    domain.FetchType,
    domain.ConnectionStatus,
    domain.Verdict,
    domain.Outcome,
    domain.Purpose,
    domain.MissingReason,
    domain.PersonalField,
    domain.RelationType,
    domain.DisputeState,
    domain.Unit,
    audit.AccessOutcome,
    models.ModelSlot,
    models.ModelKind,
    models.ModelFault,
    models.LoanState,
    models.Severity,
    models.HintKind,
):
    strawberry.enum(_enum, description=(_enum.__doc__ or "").strip())
