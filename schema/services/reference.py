"""What mutations call about the lender's own data, about evaluations that are made again, and about objections: the values of their services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class LoadReference:
    """``text`` is a reference file."""

    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Of a text: its ``line`` and where in it; of a row: its number and the field."""

    line: int
    where: str
    wrong: str
    remedy: str


@dataclass(frozen=True, slots=True)
class LoadedVersion:
    name: str
    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ReferenceLoaded:
    """With ``faults`` nothing was loaded."""

    versions: tuple[LoadedVersion, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class EdgeInput:
    from_uscc: str
    to_uscc: str | None
    type: str
    weight: Decimal | None = None
    since: date | None = None
    until: date | None = None
    evidence: str | None = None
    retract: bool = False


@dataclass(frozen=True, slots=True)
class LoadRelations:
    source: str
    edges: tuple[EdgeInput, ...]


@dataclass(frozen=True, slots=True)
class RelationsLoaded:
    """With ``faults`` nothing was loaded."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    retracted: int = 0
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class ReproduceEvaluation:
    evaluation_id: str


@dataclass(frozen=True, slots=True)
class Parted:
    where: str
    kept: str | None
    made: str | None
    cause: str


@dataclass(frozen=True, slots=True)
class Reproduced:
    """``verdict`` is EQUAL, DIFFERENT or NOT_REPRODUCIBLE."""

    verdict: str
    sentence: str
    kept_sha256: str | None
    made_sha256: str | None
    difference: Parted | None


@dataclass(frozen=True, slots=True)
class RaiseDispute:
    """``about`` is the id of a fact or of an evaluation."""

    customer_id: str
    about: str
    feature_id: str | None
    statement: str


@dataclass(frozen=True, slots=True)
class DisputeRaised:
    dispute_id: str
    due_on: date


@dataclass(frozen=True, slots=True)
class RequestHumanReview:
    """``statement`` None: the customer gives no reason."""

    customer_id: str
    evaluation_id: str
    statement: str | None = None


@dataclass(frozen=True, slots=True)
class RevealDispute:
    dispute_id: str


@dataclass(frozen=True, slots=True)
class DisputeRevealed:
    statement: str
    note: str | None


@dataclass(frozen=True, slots=True)
class ResolveDispute:
    """``state`` is CORRECTED or KEPT."""

    dispute_id: str
    state: str
    note: str
