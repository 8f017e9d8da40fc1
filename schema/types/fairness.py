"""FairnessCell: approval rate and mean limit of a segment in a month, for admins. And the field of Query that lists them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from schema.access import DataKind, access, asked, shown, stored
from schema.types.pages import After, Connection, First

FAIRNESS_READ = access("policies:read", DataKind.OPERATIONS)
OfMonth = Annotated[str | None, strawberry.argument(description="Only of this month, for example `2026-01`.")]
OfScenario = Annotated[str | None, strawberry.argument(description="Only of this scenario, for example `S03`.")]
OfAxis = Annotated[str | None, strawberry.argument(description="Only on this axis, for example `size_class`; `ALL`: everybody.")]


@strawberry.type(
    description="公平性报告: what was decided about a segment in a month, the last decision of each customer and scenario. Cells of few customers are not told.",
    directives=[FAIRNESS_READ],
)
class FairnessCell:
    month: str = shown("The month.")
    scenario: str | None = shown("Scenario; null: all of them together.")
    axis: str = shown("What is told apart: ALL (nothing), customer_type, size_class, product_class, industry_section or region.")
    segment: str | None = shown("Its value; null on ALL, and where nobody can tell.")
    told: bool = shown("False: too few customers, or what others could be worked out from; then the rest is null.")
    decided: int | None = shown("Customers decided about.")
    approved: int | None = shown("Of them, those to whom something is offered.")
    approval_rate: Decimal | None = shown("Approved of those decided about.")
    mean_limit: Decimal | None = shown("Mean limit of those approved, in yuan.")
    to_all: Decimal | None = shown("The rate against that of everybody.")
    made_at: datetime = shown("When the report was made.")


@strawberry.type
class Fairness:
    """See the module."""

    @asked(
        "The kept reports on fairness, of the latest month first; a worker makes those of a month when it is over.",
        FAIRNESS_READ,
        Connection[FairnessCell],
    )
    def fairness_cells(
        self, first: First = 20, after: After = None, month: OfMonth = None, scenario: OfScenario = None, axis: OfAxis = None
    ) -> Any:
        return stored()
