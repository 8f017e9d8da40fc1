"""Dispute: what a customer objects to. And the field of Query that lists them for whoever answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from hub.domain.enums import DisputeState
from schema.access import DataKind, access, asked, shown, stored
from schema.types.pages import After, Connection, First

DISPUTES_READ = access("disputes:read", DataKind.OPERATIONS)
IsOpen = Annotated[bool | None, strawberry.argument(description="Only those that are not answered yet; false: only the others.")]
OfCustomer = Annotated[strawberry.ID | None, strawberry.argument(description="Only of this customer: an opaque id.")]


@strawberry.type(
    description="异议: what a customer objects to in a fact or in a value of an evaluation. What the customer says is shown by `revealDispute`.",
    directives=[DISPUTES_READ],
)
class Dispute:
    id: strawberry.ID = shown("Opaque id.")
    customer_id: strawberry.ID = shown("The customer.")
    about: strawberry.ID = shown(
        "The fact or the evaluation; `node(id)` finds it. Of an objection to a whole kind of fact: the kind, with the customer's id twice; every fact of the kind shows it."
    )
    feature_id: str | None = shown("Of an evaluation: the value that is meant; null: its result.")
    state: DisputeState = shown("What became of it.")
    raised_at: datetime = shown("When it was raised (business time).")
    raised_by: str = shown("Client that passed it on.")
    due_on: date = shown("Day by which it must be answered: 20 days after it was raised (征信业管理条例 25).")
    resolved_at: datetime | None = shown("When it was answered; null: not yet.")
    resolved_by: str | None = shown("Client that answered.")


@strawberry.type
class Disputes:
    """See the module."""

    @asked(
        "What customers object to, the newest first: of all customers for an admin, else of those the client sees.",
        DISPUTES_READ,
        Connection[Dispute],
    )
    def disputes(self, first: First = 20, after: After = None, open: IsOpen = None, customer_id: OfCustomer = None) -> Any:
        return stored()
