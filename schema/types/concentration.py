"""PartnerConcentration: what is lent with a partner at the end of a month, for admins. And the field of Query that lists it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from schema.access import DataKind, access, asked, shown, stored
from schema.types.pages import After, Connection, First

CONCENTRATION_READ = access("policies:read", DataKind.OPERATIONS)
OfMonth = Annotated[str | None, strawberry.argument(description="Only of this month, for example `2026-01`.")]


@strawberry.type(
    description="合作机构集中度: what is lent jointly with a partner on the last day of a month, against the limits in effect then (`joint_lending`).",
    directives=[CONCENTRATION_READ],
)
class PartnerConcentration:
    month: str = shown("The month.")
    partner: str | None = shown("The partner; null: all of them together.")
    loans: int = shown("Number of loans that are not settled.")
    balance: Decimal = shown("What is owed of them, in yuan.")
    ours: Decimal = shown("What of it the institution funds, in yuan.")
    of_capital: Decimal | None = shown(
        "The institution's part of its tier-1 net capital; null of all together, and where no limits were loaded."
    )
    of_all_loans: Decimal | None = shown("Of all together: their part of all its loans; null where no limits were loaded.")
    too_much: bool = shown("A limit is passed: the part of the capital, or of all together the part of all loans.")
    below: int = shown("Number of loans of which the partner funds less than it must.")
    made_at: datetime = shown("When the report was made.")


@strawberry.type
class Concentrations:
    """See the module."""

    @asked(
        "The kept reports on lending with partners, of the latest month first; a worker makes that of a month when it is over.",
        CONCENTRATION_READ,
        Connection[PartnerConcentration],
    )
    def partner_concentration(self, first: First = 20, after: After = None, month: OfMonth = None) -> Any:
        return stored()
