"""PolicyTrial: what a draft would change, case by case and in sums."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import strawberry

from hub.domain.enums import Outcome
from schema.access import DataKind, access, shown

_READ = access("policies:read", DataKind.POLICY)


@strawberry.type(description="From how many decisions of one outcome a decision of which outcome becomes.", directives=[_READ])
class OutcomeMove:
    before: Outcome = shown("As it was decided.")
    after: Outcome = shown("Under the draft.")
    count: int = shown("Evaluations.")


@strawberry.type(description="A reason that comes or goes.", directives=[_READ])
class ReasonMove:
    code: str = shown("Code of the reason catalogue, for example `C06`.")
    count: int = shown("Evaluations.")


@strawberry.type(description="Why evaluations were not compared.", directives=[_READ])
class LeftOut:
    why: str = shown("Why, in words.")
    count: int = shown("Evaluations.")


@strawberry.type(description="What is compared of a decision.", directives=[_READ])
class ComparedDecision:
    outcome: Outcome = shown("Outcome.")
    limit: Decimal | None = shown("Limit in yuan; null: none is offered, the outcome says why.")
    rate: Decimal | None = shown("Rate per year; null: none is offered, the outcome says why.")
    term_months: int | None = shown("Term in months; null: none is offered, the outcome says why.")
    reasons: list[str] = shown("Codes of its reasons.")


@strawberry.type(description="An evaluation that would come out otherwise.", directives=[_READ])
class ChangedCase:
    evaluation_id: str = shown("The evaluation, without its customer.")
    before: ComparedDecision = shown("As it was decided.")
    after: ComparedDecision = shown("Under the draft.")


@strawberry.type(description="What the draft would have changed, of the evaluations compared so far.", directives=[_READ])
class PolicyDifferences:
    compared: int = shown("Evaluations compared, at most 100000.")
    is_exact: bool = shown("False: there are more than 100000, and this speaks of some of them. `hub policies report` speaks of all.")
    changed: int = shown("Those that would come out otherwise.")
    limit_before: Decimal = shown("Sum of the limits as they were decided, in yuan.")
    limit_after: Decimal = shown("Sum of the limits under the draft, in yuan.")
    raised: int = shown("Limits that would be higher.")
    lowered: int = shown("Limits that would be lower.")
    dearer: int = shown("Rates that would be higher.")
    cheaper: int = shown("Rates that would be lower.")
    outcomes: list[OutcomeMove] = shown("What becomes of what was decided.")
    gained: list[ReasonMove] = shown("Reasons that come.")
    lost: list[ReasonMove] = shown("Reasons that go.")
    left_out: list[LeftOut] = shown(
        "Evaluations that were not compared, by why: their inputs are no longer there, or may no longer be used."
    )
    examples: list[ChangedCase] = shown(
        "Those with most to look at: another outcome first, then the larger change of the limit. At most 10."
    )


@strawberry.type(description="A trial: evaluations made once more by a draft. No decision changes.", directives=[_READ])
class PolicyTrial:
    since: datetime = shown("Evaluations made since then are tried.")
    running: bool = shown("Goes on with evaluations that come.")
    evaluations: int = shown("Evaluations to try so far, at most 100000.")
    done: int = shown("Those it has come to, at most 100000.")
    differences: PolicyDifferences = shown("What the draft would have changed.")
