"""screenPortfolio."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema import services
from schema.access import ANYONE, DataKind, access, asked, shown
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.problems import ConsentMissing, IdempotencyKeyReused, InvalidInput, NotAllowed, NotFound, TryLater, outcome


@strawberry.input(description="A portfolio: whom it takes, and what the branch offers.")
class ScreenPortfolioInput:
    document: str = shown("The document, as JSON (docs/operators.md); one with a fault is refused, with every fault told.")

    def value(self) -> services.ScreenPortfolio:
        return services.ScreenPortfolio(document=self.document)


@strawberry.type(description="Workers go on with it; `portfolioScreenings` says how far it is.", directives=[ANYONE])
class PortfolioBegun:
    screening_id: strawberry.ID = shown("The screening.")


Asked = Annotated[ScreenPortfolioInput, strawberry.argument(description="The portfolio.")]
ScreenPortfolioResult = Annotated[
    PortfolioBegun | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("ScreenPortfolioResult", description="The screening, or why not."),
]


@asked(
    "Has the customers of a portfolio pre-screened as of today. Who has not consented to its purpose is counted and not looked at. Nothing is decided.",
    access("portfolios:write", DataKind.OPERATIONS),
)
async def screen_portfolio(info: HubInfo, idempotency_key: Key, input: Asked) -> ScreenPortfolioResult:
    async def run() -> PortfolioBegun:
        done = await call(info, idempotency_key, info.context.services.screen_portfolio, input.value())
        return PortfolioBegun(screening_id=strawberry.ID(done))

    return await outcome(run)  # type: ignore[no-any-return]
