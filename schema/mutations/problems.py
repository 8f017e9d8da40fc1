"""Problems by name: expected outcomes are data, not errors. Each class of :class:`hub.errors.HubError` that a caller can meet has a type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import strawberry

from hub import errors
from hub.domain.enums import SourceKind
from schema.access import ANYONE, shown


@strawberry.interface(description="Why it was not done, and what to do.", directives=[ANYONE])
class Problem:
    message: str = shown("What is the matter, in one sentence.")
    remedy: str = shown("What to do about it.")

    @classmethod
    def of(cls, error: errors.HubError) -> Problem:
        return cls(message=error.message, remedy=error.remedy)


@strawberry.type(description="The input does not fit. Sending it again as it is cannot work.", directives=[ANYONE])
class InvalidInput(Problem):
    pass


@strawberry.type(description="The client may not do this.", directives=[ANYONE])
class NotAllowed(Problem):
    pass


@strawberry.type(description="There is nothing under this identifier, or the client may not know of it.", directives=[ANYONE])
class NotFound(Problem):
    pass


@strawberry.type(description="There is no valid consent for this.", directives=[ANYONE])
class ConsentMissing(Problem):
    pass


@strawberry.type(description="The idempotency key was used before for another input.", directives=[ANYONE])
class IdempotencyKeyReused(Problem):
    pass


@strawberry.type(description="Nothing is wrong that time does not heal. Try again later with the same key.", directives=[ANYONE])
class TryLater(Problem):
    pass


@strawberry.type(
    description="The customer said no to this a short while ago, on a page of the hub or by withdrawing, and is not asked for it again yet. He may still agree on a link that is open.",
    directives=[ANYONE],
)
class CustomerDeclined(Problem):
    sources: list[SourceKind] = shown("What he said no to, of what was asked for. The others may be asked for without these.")
    again_at: datetime = shown("From this instant on he may be asked for all of it.")

    @classmethod
    def of(cls, error: errors.HubError) -> Problem:
        return cls(message=error.message, remedy=error.remedy, sources=list(error.facts["sources"]), again_at=error.facts["again_at"])


@strawberry.type(description="A fault of a policy document.", directives=[ANYONE])
class PolicyFault:
    line: int = shown("Line of the text, from 1.")
    path: str = shown("Where in the document, for example `legs[2].amount`.")
    wrong: str = shown("What is wrong there.")
    remedy: str = shown("What to do about it.")


@strawberry.type(description="The policy document has faults, and nothing was kept of it.", directives=[ANYONE])
class PolicyInvalid(Problem):
    faults: list[PolicyFault] = shown("Every fault, in the order of the lines.")

    @classmethod
    def of(cls, error: errors.HubError) -> Problem:
        told = [PolicyFault(line=one.line, path=one.where, wrong=one.wrong, remedy=one.remedy) for one in error.facts.get("faults", ())]
        return cls(message=error.message, remedy=error.remedy, faults=told)


BY_CLASS: dict[type[errors.HubError], type[Problem]] = {
    errors.PolicyInvalid: PolicyInvalid,
    errors.CustomerDeclined: CustomerDeclined,
    errors.KeyReused: IdempotencyKeyReused,
    errors.InvalidInput: InvalidInput,
    errors.NotAllowed: NotAllowed,
    errors.NotFound: NotFound,
    errors.CustomerMustAct: ConsentMissing,
    errors.WaitAndRetry: TryLater,
    errors.PlatformFault: TryLater,
}

Problems = InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater


async def outcome(service: Callable[[], Awaitable[Any]]) -> Any:
    """What the service answers, or the problem it met. What is not expected stays an error, which is masked."""
    try:
        return await service()
    except errors.HubError as error:
        for known, problem in BY_CLASS.items():
            if isinstance(error, known):
                return problem.of(error)
        raise
