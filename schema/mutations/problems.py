"""Problems by name: expected outcomes are data, not errors. Each class of :class:`hub.errors.HubError` that a caller can meet has a type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry

from hub import errors
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


@strawberry.type(description="A fault of a policy document.", directives=[ANYONE])
class PolicyFault:
    line: int = shown("Line of the text, from 1.")
    path: str = shown("Where in the document: the member, its place in a list, or the name of the leg or uplift.")
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
