"""createManageSession."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema import services
from schema.access import ANYONE, DataKind, access, asked, shown
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    NotAllowed,
    NotFound,
    TryLater,
    outcome,
)


@strawberry.input(description="Which customer wants to see and withdraw consents.")
class CreateManageSessionInput:
    customer_id: strawberry.ID = shown("The customer.")
    return_url: str = shown("Where the customer's browser goes at the end: one of the client's registered addresses.")

    def value(self) -> services.CreateManageSession:
        return services.CreateManageSession(str(self.customer_id), self.return_url)


@strawberry.type(
    description="An address for the customer: opens once, in one browser, for twenty minutes. The same key gives the same address again.",
    directives=[ANYONE],
)
class ManageSessionCreated:
    link_id: strawberry.ID = shown("Id of the session; comes back with the customer.")
    url: str = shown("Send the customer's browser here. Whoever opens it acts for the customer: open it nowhere else, and keep it nowhere.")


Asked = Annotated[CreateManageSessionInput, strawberry.argument(description="Whom the page is for.")]
CreateManageSessionResult = Annotated[
    ManageSessionCreated | InvalidInput | NotAllowed | NotFound | IdempotencyKeyReused | TryLater,
    strawberry.union("CreateManageSessionResult", description="The address, or why not."),
]


@asked(
    "Opens the hosted page where a customer sees the consents that were given for the purpose of the asking token, who read what for it, and withdraws (PIPL 15, 45).",
    access("links:write", DataKind.CONSENT),
)
async def create_manage_session(info: HubInfo, idempotency_key: Key, input: Asked) -> CreateManageSessionResult:
    async def run() -> ManageSessionCreated:
        made = await call(info, idempotency_key, info.context.services.create_manage_session, input.value())
        return ManageSessionCreated(link_id=strawberry.ID(made.link_id), url=made.url)

    return await outcome(run)  # type: ignore[no-any-return]
