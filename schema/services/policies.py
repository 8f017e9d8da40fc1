"""What is decided by: drafts of policies and their versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class DraftPolicy:
    """``document`` is the policy as JSON text: its faults are told by its lines."""

    document: str


@dataclass(frozen=True, slots=True)
class TryPolicyDraft:
    """``since``: evaluations made from then on; None: all. ``stop`` ends the trial instead."""

    draft_id: str
    since: datetime | None
    stop: bool


@dataclass(frozen=True, slots=True)
class PublishPolicyDraft:
    draft_id: str


@dataclass(frozen=True, slots=True)
class DiscardPolicyDraft:
    draft_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class DraftStep:
    """What a draft is after a step."""

    draft_id: str
    scenario: str
    version: str
    state: str


@dataclass(frozen=True, slots=True)
class ApprovePolicyVersion:
    scenario: str
    version: str
    note: str


@dataclass(frozen=True, slots=True)
class PolicyApproved:
    """``due_on`` is the last day on which the approval holds."""

    scenario: str
    version: str
    due_on: date


@dataclass(frozen=True, slots=True)
class EndPolicyVersion:
    """``on`` is the first day on which it does not apply; None: today."""

    scenario: str
    version: str
    on: date | None
    reason: str


@dataclass(frozen=True, slots=True)
class PolicyEnded:
    """``applies`` is the version that does from that day on."""

    scenario: str
    version: str
    ends_on: date
    applies: str
