"""PublishedPolicy and PolicyDraft: what the institution decides by, and is going to, for admins. And the fields of Query that list them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from schema.access import DataKind, access, asked, shown, stored
from schema.types.enums import PolicyDraftState
from schema.types.pages import After, Connection, First
from schema.types.policy_trial import PolicyTrial

POLICIES_READ = access("policies:read", DataKind.POLICY)
OfScenario = Annotated[str | None, strawberry.argument(description="Only of this scenario, for example `S03`.")]
OfDraftId = Annotated[strawberry.ID | None, strawberry.argument(description="Only this draft.")]
InStates = Annotated[list[PolicyDraftState] | None, strawberry.argument(description="Only in these states.")]
OnDay = Annotated[date | None, strawberry.argument(description="The day that `applies` speaks of. Default: today.")]


@strawberry.type(
    description="A published version of a policy. It is never changed; it applies from its first day until a later one does.",
    directives=[POLICIES_READ],
)
class PublishedPolicy:
    scenario: str = shown("Scenario, for example `S03`.")
    version: str = shown("Version.")
    sha256: str = shown("SHA-256 (hex) of the document.")
    effective_from: date = shown("First day it applies to.")
    applies: bool = shown("Whether it is the one that applies on the day asked for.")
    published_at: datetime = shown("When it was published in this hub.")
    approved_at: datetime = shown("When it was approved last: when it was published, or anew (`approvePolicyVersion`).")
    approved_by: str | None = shown("Who approved it anew: a client, or an operator; null: nobody yet.")
    approval_due_on: date = shown(
        "Last day on which the approval holds; after it, models that it names are not asked, and a person decides."
    )
    ends_on: date | None = shown("First day from which it was taken back; null: it was not.")
    ended_by: str | None = shown("Who took it back: a client, or an operator; null: nobody.")
    ended_at: datetime | None = shown("When it was taken back; null: it was not.")
    end_reason: str | None = shown("Why it was taken back; null: it was not.")
    assessment_id: str | None = shown(
        "The institution's record of the impact assessment (PIPL 55-56) by which it is published. Null: not stated; it was published before that was asked, and goes on."
    )
    assessed_on: date | None = shown("The day of that assessment.")
    document: str = shown("The document, as JSON text.")


@strawberry.type(
    description="A draft of a policy. Nobody is evaluated by it before somebody else than its author publishes it.",
    directives=[POLICIES_READ],
)
class PolicyDraft:
    draft_id: strawberry.ID = shown("Its id.")
    scenario: str = shown("Scenario, for example `S03`.")
    version: str = shown("The version it would be.")
    sha256: str = shown("SHA-256 (hex) of the document.")
    effective_from: date = shown("First day it would apply to.")
    state: PolicyDraftState = shown("How far it is.")
    author: str = shown("Who wrote it down: a client, or an operator. Somebody else publishes it.")
    created_at: datetime = shown("When it was written down.")
    decided_by: str | None = shown("Who published or discarded it; null: it is OPEN or TRIED.")
    decided_at: datetime | None = shown("When it was published or discarded; null: it is OPEN or TRIED.")
    discard_reason: str | None = shown("Why it was discarded; null: it is not DISCARDED.")
    trial: PolicyTrial | None = shown("Its trial; null: it was never tried.")
    assessment_id: str | None = shown("The impact assessment (PIPL 55-56) that the document states; null: none, so it is not published.")
    assessed_on: date | None = shown("The day of that assessment.")
    document: str = shown("The document, as JSON text.")


@strawberry.type
class Policies:
    """See the module."""

    @asked("The published policies, those that apply from the latest day first.", POLICIES_READ, Connection[PublishedPolicy])
    def policies(self, first: First = 20, after: After = None, scenario: OfScenario = None, as_of: OnDay = None) -> Any:
        return stored()

    @asked("The drafts of policies, the newest first.", POLICIES_READ, Connection[PolicyDraft])
    def policy_drafts(
        self, first: First = 20, after: After = None, draft_id: OfDraftId = None, scenario: OfScenario = None, states: InStates = None
    ) -> Any:
        return stored()
