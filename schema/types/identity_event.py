"""IdentityEvent."""

from __future__ import annotations

from datetime import datetime

import strawberry

from hub.domain.enums import IdentityEventKind
from schema.access import OPERATIONS, shown


@strawberry.type(description="A change of who a customer is: who made it, when and why. No name, no number.", directives=[OPERATIONS])
class IdentityEvent:
    id: strawberry.ID = shown("Opaque id.")
    customer_id: strawberry.ID = shown("The customer; of a merge or split the one that was merged.")
    kind: IdentityEventKind = shown("What was done.")
    other_id: strawberry.ID | None = shown("Of a merge or split: the customer that stayed.")
    party_id: strawberry.ID | None = shown("Of a party: which one.")
    actor: str = shown("Client that did it.")
    reason: str | None = shown("Why, in that client's words; null where none is asked for.")
    at: datetime = shown("When (business time).")
