"""endPolicyVersion."""

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


@strawberry.input(description="Which version to take back, from which day on, and why.")
class EndPolicyVersionInput:
    scenario: str = shown("Scenario, for example `S03`.")
    version: str = shown("Its version.")
    on: date | None = strawberry.field(default=None, description="First day on which it does not apply. Default: today.")
    reason: str = shown("Why, for the audit: 1 to 500 characters, nothing personal.")

    def value(self) -> services.EndPolicyVersion:
        return services.EndPolicyVersion(self.scenario, self.version, self.on, self.reason)


@strawberry.type(description="The version does not apply from that day on. Decisions made under it stay as they are.", directives=[ANYONE])
class PolicyVersionEnded:
    scenario: str = shown("Scenario.")
    version: str = shown("The version that was taken back.")
    ends_on: date = shown("First day on which it does not apply.")
    applies: str = shown("The version that applies from that day on.")


Asked = Annotated[EndPolicyVersionInput, strawberry.argument(description="Which version, from when on, and why.")]
EndPolicyVersionResult = Annotated[
    PolicyVersionEnded | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("EndPolicyVersionResult", description="What applies then, or why not."),
]


@asked(
    "Takes a published version back (rollback): what applied before it applies again. The last that stands is not taken back, and no day that is over is changed.",
    APPROVE,
)
async def end_policy_version(info: HubInfo, idempotency_key: Key, input: Asked) -> EndPolicyVersionResult:
    async def run() -> PolicyVersionEnded:
        done = await call(info, idempotency_key, info.context.services.end_policy_version, input.value())
        return PolicyVersionEnded(scenario=done.scenario, version=done.version, ends_on=done.ends_on, applies=done.applies)

    return await outcome(run)  # type: ignore[no-any-return]
