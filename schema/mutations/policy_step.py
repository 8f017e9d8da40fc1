"""What the mutations of policies have in common: which draft, and what it is after a step."""

from __future__ import annotations

from typing import Any

import strawberry

from schema import services
from schema.access import DataKind, access, shown
from schema.types.enums import PolicyDraftState

WRITE = access("policies:write", DataKind.POLICY)
APPROVE = access("policies:approve", DataKind.POLICY)


@strawberry.input
class OfDraft:
    draft_id: strawberry.ID = shown("The draft.")


@strawberry.type
class DraftDone:
    draft_id: strawberry.ID = shown("The draft: `policyDrafts(draftId: ...)` shows it.")
    scenario: str = shown("Its scenario, for example `S03`.")
    version: str = shown("Its version.")
    state: PolicyDraftState = shown("What it is now.")


def told(done: services.DraftStep) -> dict[str, Any]:
    """The members of :class:`DraftDone`."""
    state = PolicyDraftState(done.state)
    return {"draft_id": strawberry.ID(done.draft_id), "scenario": done.scenario, "version": done.version, "state": state}
