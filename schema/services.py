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
from hub.domain.enums import PersonalField, Purpose, SourceKind
from hub.domain.models import LoanState


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls, under which idempotency key, and the SHA-256 of mutation name and input; the operation and the SHA-256 of its document, for the access log."""

    caller: Caller
    key: str
    request_sha256: str
    operation: str = ""
    document_sha256: str = ""


@dataclass(frozen=True, slots=True)
class PersonInput:
    name: str
    resident_id: str
    residence_city: str | None


@dataclass(frozen=True, slots=True)
class PartyInput:
    role: str
    person: PersonInput
    since: date | None


@dataclass(frozen=True, slots=True)
class CreateCustomer:
    kind: str
    name: str
    uscc: str | None
    person: PersonInput | None
    category: str | None = None
    people: tuple[PartyInput, ...] = ()


@dataclass(frozen=True, slots=True)
class AddParty:
    """``since`` defaults to the business day."""

    customer_id: str
    role: str
    person: PersonInput
    since: date | None


@dataclass(frozen=True, slots=True)
class EndParty:
    customer_id: str
    party_id: str
    until: date | None
    reason: str


@dataclass(frozen=True, slots=True)
class PartyChanged:
    """``customer_id`` is the customer that answers for the one that was asked about."""

    customer_id: str
    party_id: str


@dataclass(frozen=True, slots=True)
class MergeCustomers:
    from_id: str
    into_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class SplitCustomer:
    customer_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CustomersMerged:
    """Which customer is, or was, answered for by which."""

    from_id: str
    into_id: str


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
class LoanStatus:
    """``status_on`` defaults to the business day; ``evaluation_id`` is the one on which the loan was granted."""

    customer_id: str
    number: str
    scenario: str
    state: LoanState
    status_on: date | None
    granted_on: date
    matures_on: date | None
    granted: Decimal
    balance: Decimal
    due: Decimal
    days_past_due: int
    evaluation_id: str | None = None
    reachable: bool | None = None
    marketing: bool | None = None
    contacts: int | None = None


@dataclass(frozen=True, slots=True)
class RecordLoanStatuses:
    statuses: tuple[LoanStatus, ...]


@dataclass(frozen=True, slots=True)
class LoansRecorded:
    """``customers`` in the order of asking."""

    customers: tuple[str, ...]
    changed: int
    unchanged: int


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


@dataclass(frozen=True, slots=True)
class RegisterClient:
    """``jwks`` is a JSON Web Key Set of public keys. ``documents``: None is as the audience begins."""

    client_id: str
    name: str
    audience: str
    scopes: tuple[str, ...]
    purposes: tuple[Purpose, ...]
    jwks: Mapping[str, Any]
    return_urls: tuple[str, ...]
    bearer: bool
    documents: str | None = None
    cost_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class RegisterDocument:
    client_id: str
    document: str


@dataclass(frozen=True, slots=True)
class UpdateClient:
    """None leaves a value as it is."""

    client_id: str
    name: str | None
    audience: str | None
    scopes: tuple[str, ...] | None
    purposes: tuple[Purpose, ...] | None
    return_urls: tuple[str, ...] | None
    bearer: bool | None
    documents: str | None = None
    cost_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class AddClientKey:
    """``jwk`` is one public JSON Web Key."""

    client_id: str
    jwk: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RetireClientKey:
    client_id: str
    thumbprint: str


@dataclass(frozen=True, slots=True)
class ClientStep:
    """``reason`` is for the audit; nothing personal."""

    client_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class DisableClient(ClientStep):
    pass


@dataclass(frozen=True, slots=True)
class EnableClient(ClientStep):
    pass


@dataclass(frozen=True, slots=True)
class RevokeClientTokens(ClientStep):
    pass


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


@dataclass(frozen=True, slots=True)
class EraseCustomer:
    """``reason`` is for the tombstone; nothing personal."""

    customer_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CustomerErased:
    """``keys``: how many data keys were destroyed; 0 if the subject had been erased before."""

    customer_id: str
    keys: int


@dataclass(frozen=True, slots=True)
class RevealPersonalField:
    customer_id: str
    role: str
    field: PersonalField
    party_id: str | None = None


@dataclass(frozen=True, slots=True)
class ScreenPortfolio:
    """``document`` is JSON."""

    document: str


@dataclass(frozen=True, slots=True)
class Services:
    """One async callable per mutation."""

    create_customer: Callable[[Call, CreateCustomer], Awaitable[str]]
    add_party: Callable[[Call, AddParty], Awaitable[PartyChanged]]
    end_party: Callable[[Call, EndParty], Awaitable[PartyChanged]]
    merge_customers: Callable[[Call, MergeCustomers], Awaitable[CustomersMerged]]
    split_customer: Callable[[Call, SplitCustomer], Awaitable[CustomersMerged]]
    create_link_session: Callable[[Call, CreateLinkSession], Awaitable[LinkMade]]
    create_manage_session: Callable[[Call, CreateManageSession], Awaitable[LinkMade]]
    record_behaviour_sessions: Callable[[Call, RecordBehaviourSessions], Awaitable[SessionsRecorded]]
    evaluate: Callable[[Call, Evaluate], Awaitable[Evaluated]]
    record_loan_status: Callable[[Call, LoanStatus], Awaitable[LoansRecorded]]
    record_loan_statuses: Callable[[Call, RecordLoanStatuses], Awaitable[LoansRecorded]]
    withdraw_consent: Callable[[Call, WithdrawConsent], Awaitable[ConsentChanged]]
    pause_consent: Callable[[Call, PauseConsent], Awaitable[ConsentChanged]]
    resume_consent: Callable[[Call, ResumeConsent], Awaitable[ConsentChanged]]
    narrow_consent: Callable[[Call, NarrowConsent], Awaitable[ConsentChanged]]
    register_client: Callable[[Call, RegisterClient], Awaitable[str]]
    update_client: Callable[[Call, UpdateClient], Awaitable[str]]
    add_client_key: Callable[[Call, AddClientKey], Awaitable[str]]
    """Answers with the key's thumbprint."""
    retire_client_key: Callable[[Call, RetireClientKey], Awaitable[str]]
    disable_client: Callable[[Call, DisableClient], Awaitable[str]]
    enable_client: Callable[[Call, EnableClient], Awaitable[str]]
    revoke_client_tokens: Callable[[Call, RevokeClientTokens], Awaitable[str]]
    register_document: Callable[[Call, RegisterDocument], Awaitable[str]]
    screen_portfolio: Callable[[Call, ScreenPortfolio], Awaitable[str]]
    draft_policy: Callable[[Call, DraftPolicy], Awaitable[DraftStep]]
    """Raises PolicyInvalid, whose ``facts["faults"]`` are those of :class:`hub.credit.checking.Found`."""
    try_policy_draft: Callable[[Call, TryPolicyDraft], Awaitable[DraftStep]]
    publish_policy_draft: Callable[[Call, PublishPolicyDraft], Awaitable[DraftStep]]
    discard_policy_draft: Callable[[Call, DiscardPolicyDraft], Awaitable[DraftStep]]
    end_policy_version: Callable[[Call, EndPolicyVersion], Awaitable[PolicyEnded]]
    erase_customer: Callable[[Call, EraseCustomer], Awaitable[CustomerErased]]
    reveal_personal_field: Callable[[Call, RevealPersonalField], Awaitable[str]]
