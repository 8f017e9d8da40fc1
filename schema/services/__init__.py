"""What mutations call. The composition root fills it; the contract knows only these values.

customers   who they are, with their people; erasure, one personal value
consents    links, pages to manage, and what becomes of a consent
lending     evaluations, sessions, loans
clients     who may call
policies    what is decided by
portfolios  who is pre-screened
reference   the lender's own data, evaluations that are made again, objections

Every service takes the :class:`Call` and raises a HubError for an expected problem; the resolver shows its class as a named problem. A service runs in
one transaction together with its idempotency key: the same key and input give the same answer and one effect; the same key and other
input raise KeyReused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hub.domain.caller import Caller
from schema.services.clients import (
    AddClientKey,
    ClientStep,
    DisableClient,
    EnableClient,
    RegisterClient,
    RegisterDocument,
    RetireClientKey,
    RevokeClientTokens,
    UpdateClient,
)
from schema.services.consents import (
    ConsentChanged,
    CreateLinkSession,
    CreateManageSession,
    LinkMade,
    NarrowConsent,
    PauseConsent,
    ResumeConsent,
    WithdrawConsent,
)
from schema.services.customers import (
    AddParty,
    CreateCustomer,
    CustomerErased,
    CustomersMerged,
    EndParty,
    EraseCustomer,
    MergeCustomers,
    PartyChanged,
    PartyInput,
    PersonInput,
    RevealPersonalField,
    SplitCustomer,
)
from schema.services.lending import (
    Evaluate,
    Evaluated,
    LoansRecorded,
    LoanStatus,
    RecordBehaviourSessions,
    RecordLoanStatuses,
    Session,
    SessionsRecorded,
)
from schema.services.policies import (
    ApprovePolicyVersion,
    DiscardPolicyDraft,
    DraftPolicy,
    DraftStep,
    EndPolicyVersion,
    PolicyApproved,
    PolicyEnded,
    PublishPolicyDraft,
    TryPolicyDraft,
)
from schema.services.portfolios import ScreenPortfolio
from schema.services.reference import (
    DisputeRaised,
    DisputeRevealed,
    EdgeInput,
    Fault,
    LoadedVersion,
    LoadReference,
    LoadRelations,
    Parted,
    RaiseDispute,
    ReferenceLoaded,
    RelationsLoaded,
    Reproduced,
    ReproduceEvaluation,
    RequestHumanReview,
    ResolveDispute,
    RevealDispute,
)

__all__ = [
    "AddClientKey",
    "AddParty",
    "ApprovePolicyVersion",
    "Call",
    "ClientStep",
    "ConsentChanged",
    "CreateCustomer",
    "CreateLinkSession",
    "CreateManageSession",
    "CustomerErased",
    "CustomersMerged",
    "DisableClient",
    "DiscardPolicyDraft",
    "DisputeRaised",
    "DisputeRevealed",
    "DraftPolicy",
    "DraftStep",
    "EdgeInput",
    "EnableClient",
    "EndParty",
    "EndPolicyVersion",
    "EraseCustomer",
    "Evaluate",
    "Evaluated",
    "Fault",
    "LinkMade",
    "LoadReference",
    "LoadRelations",
    "LoadedVersion",
    "LoanStatus",
    "LoansRecorded",
    "MergeCustomers",
    "NarrowConsent",
    "Parted",
    "PartyChanged",
    "PartyInput",
    "PauseConsent",
    "PersonInput",
    "PolicyApproved",
    "PolicyEnded",
    "PublishPolicyDraft",
    "RaiseDispute",
    "RecordBehaviourSessions",
    "RecordLoanStatuses",
    "ReferenceLoaded",
    "RegisterClient",
    "RegisterDocument",
    "RelationsLoaded",
    "ReproduceEvaluation",
    "Reproduced",
    "RequestHumanReview",
    "ResolveDispute",
    "ResumeConsent",
    "RetireClientKey",
    "RevealDispute",
    "RevealPersonalField",
    "RevokeClientTokens",
    "ScreenPortfolio",
    "Services",
    "Session",
    "SessionsRecorded",
    "SplitCustomer",
    "TryPolicyDraft",
    "UpdateClient",
    "WithdrawConsent",
]


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls, under which idempotency key, and the SHA-256 of mutation name and input; the operation and the SHA-256 of its document, for the access log."""

    caller: Caller
    key: str
    request_sha256: str
    operation: str = ""
    document_sha256: str = ""


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
    draft_policy: Callable[[Call, DraftPolicy], Awaitable[DraftStep]]
    """Raises PolicyInvalid, whose ``facts["faults"]`` are those of :class:`hub.credit.checking.Found`."""
    try_policy_draft: Callable[[Call, TryPolicyDraft], Awaitable[DraftStep]]
    publish_policy_draft: Callable[[Call, PublishPolicyDraft], Awaitable[DraftStep]]
    discard_policy_draft: Callable[[Call, DiscardPolicyDraft], Awaitable[DraftStep]]
    approve_policy_version: Callable[[Call, ApprovePolicyVersion], Awaitable[PolicyApproved]]
    end_policy_version: Callable[[Call, EndPolicyVersion], Awaitable[PolicyEnded]]
    screen_portfolio: Callable[[Call, ScreenPortfolio], Awaitable[str]]
    erase_customer: Callable[[Call, EraseCustomer], Awaitable[CustomerErased]]
    reveal_personal_field: Callable[[Call, RevealPersonalField], Awaitable[str]]
    load_reference: Callable[[Call, LoadReference], Awaitable[ReferenceLoaded]]
    load_relations: Callable[[Call, LoadRelations], Awaitable[RelationsLoaded]]
    reproduce_evaluation: Callable[[Call, ReproduceEvaluation], Awaitable[Reproduced]]
    raise_dispute: Callable[[Call, RaiseDispute], Awaitable[DisputeRaised]]
    request_human_review: Callable[[Call, RequestHumanReview], Awaitable[DisputeRaised]]
    reveal_dispute: Callable[[Call, RevealDispute], Awaitable[DisputeRevealed]]
    resolve_dispute: Callable[[Call, ResolveDispute], Awaitable[str]]
