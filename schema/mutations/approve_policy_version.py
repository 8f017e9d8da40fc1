"""approvePolicyVersion."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from schema import services
from schema.access import ANYONE, asked, shown
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.policy_step import APPROVE
from schema.mutations.problems import (
    ConsentMissing,
    IdempotencyKeyReused,
    InvalidInput,
    NotAllowed,
    NotFound,
    TryLater,
    outcome,
)


@strawberry.input(description="Which version is approved anew, and what was looked at.")
class ApprovePolicyVersionInput:
    scenario: str = shown("Scenario, for example `S03`.")
    version: str = shown("Its version.")
    note: str = shown("What was looked at, for the audit: 1 to 500 characters, nothing personal.")

    def value(self) -> services.ApprovePolicyVersion:
        return services.ApprovePolicyVersion(self.scenario, self.version, self.note)


@strawberry.type(description="The version, and the models it names, may go on deciding.", directives=[ANYONE])
class PolicyVersionApproved:
    scenario: str = shown("Scenario.")
    version: str = shown("The version.")
    approval_due_on: date = shown("Last day on which this approval holds.")


Asked = Annotated[ApprovePolicyVersionInput, strawberry.argument(description="Which version, and what was looked at.")]
ApprovePolicyVersionResult = Annotated[
    PolicyVersionApproved | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("ApprovePolicyVersionResult", description="Until when it holds, or why not."),
]


@asked(
    "Approves a published version anew (再审批): once a year at the latest, or the models that it names are not asked any more (NOT_APPROVED).",
    APPROVE,
)
async def approve_policy_version(info: HubInfo, idempotency_key: Key, input: Asked) -> ApprovePolicyVersionResult:
    async def run() -> PolicyVersionApproved:
        done = await call(info, idempotency_key, info.context.services.approve_policy_version, input.value())
        return PolicyVersionApproved(scenario=done.scenario, version=done.version, approval_due_on=done.due_on)

    return await outcome(run)  # type: ignore[no-any-return]
