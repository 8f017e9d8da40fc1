"""PortfolioScreening, PortfolioCount, PortfolioResult: who could be pre-approved. And the fields of Query that tell them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from hub.domain.enums import CustomerType, Outcome, Purpose
from schema.access import DataKind, access, asked, shown, stored
from schema.types.enums import PortfolioAxis, SizeClass, Tier
from schema.types.pages import After, Connection, First

PORTFOLIOS_READ = access("portfolios:read", DataKind.OPERATIONS)
RESULTS_READ = access("enhancement:read", DataKind.RESULT)
OfScreening = Annotated[strawberry.ID | None, strawberry.argument(description="Only this screening.")]
OfCustomer = Annotated[strawberry.ID | None, strawberry.argument(description="Only this customer.")]
WithOutcomes = Annotated[list[Outcome] | None, strawberry.argument(description="Only with one of these.")]
OfAxis = Annotated[PortfolioAxis | None, strawberry.argument(description="Only on this axis.")]
AtMost = Annotated[int, strawberry.argument(description="Number of rows, 1 to 100.")]


@strawberry.type(
    description="How many customers of a value have an outcome, and what they could be offered together.", directives=[PORTFOLIOS_READ]
)
class PortfolioCount:
    axis: PortfolioAxis = shown("What is told apart; ALL: nothing.")
    value: str | None = shown("Its value; null on ALL, and where nobody can tell.")
    outcome: str | None = shown("An outcome, or BELOW_FLOOR: a limit that the branch does not offer. Null on LEFT.")
    customers: int = shown("Number of customers.")
    share: Decimal | None = shown("Their share of all that have a result; null on LEFT.")
    limits: Decimal = shown("Sum of the limits, in yuan.")


@strawberry.type(
    description="预筛: one run over a portfolio, as of a day and as known at an instant. Nothing is decided by it.",
    directives=[PORTFOLIOS_READ],
)
class PortfolioScreening:
    screening_id: strawberry.ID = shown("Its id.")
    portfolio: str = shown("The portfolio's own id.")
    version: str = shown("Version of its document.")
    sha256: str = shown("SHA-256 of its document's canonical JSON.")
    title: str = shown("Name for people.")
    purpose: Purpose = shown("Purpose of the consents it reads under.")
    as_of: date = shown("Day it speaks of.")
    known_at: datetime = shown("Instant up to which facts were known to it.")
    author: str = shown("Who asked for it: a client, or operator.")
    created_at: datetime = shown("Begun.")
    ended_at: datetime | None = shown("When it had come to every customer; null: it goes on.")
    customers: int = shown("Number of customers of the institution.")
    come_to: int = shown("How many of them it has come to.")

    @asked("What it counted so far, by axis, the largest first.")
    def counts(self, first: AtMost = 100, axis: OfAxis = None) -> list[PortfolioCount]:
        return stored()  # type: ignore[no-any-return]


@strawberry.type(
    description="预授信: what a branch could offer a customer; indicative, never a commitment. Shown while the consents cover what it was made from.",
    directives=[RESULTS_READ],
)
class PortfolioResult:
    screening_id: strawberry.ID = shown("The screening.")
    customer_id: strawberry.ID = shown("The customer.")
    scenario: str = shown("The scenario that gives most.")
    outcome: Outcome = shown("Its result.")
    tier: Tier | None = shown("How far independent sources confirm each other; null when nothing could be asserted.")
    below_floor: bool = shown("The limit is below the branch's floor: nothing is offered.")
    limit: Decimal | None = shown("Indicative limit within the branch's ceiling, in yuan. Null is not zero.")
    rate: Decimal | None = shown("Annual rate, 0.04 is 4 %.")
    all_in_cost: Decimal | None = shown("综合年化成本: rate and every fee the borrower pays, a year, by the simple method (单利).")
    term_months: int | None = shown("Term.")
    reasons: list[str] = shown("Codes of the reasons, at most four.")
    customer_type: CustomerType | None = shown("Segment; null: nobody can tell.")
    size: SizeClass | None = shown("Size of the business.")
    industry: str | None = shown("Industry code (GB/T 4754-2017).")
    region: str | None = shown("City in which the business is registered.")


@strawberry.type
class Portfolios:
    """See the module."""

    @asked("Portfolios that were or are being pre-screened, newest first.", PORTFOLIOS_READ, Connection[PortfolioScreening])
    def portfolio_screenings(self, first: First = 20, after: After = None, screening_id: OfScreening = None) -> Any:
        return stored()

    @asked(
        "What came of the customers that the asking client sees under its purpose, newest first.", RESULTS_READ, Connection[PortfolioResult]
    )
    def portfolio_results(
        self,
        first: First = 20,
        after: After = None,
        screening_id: OfScreening = None,
        customer_id: OfCustomer = None,
        outcomes: WithOutcomes = None,
    ) -> Any:
        return stored()
