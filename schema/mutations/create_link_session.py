"""createLinkSession."""

from __future__ import annotations

from typing import Annotated

import strawberry

from hub.domain.enums import Purpose, SourceKind
from schema import services
from schema.access import ANYONE, DataKind, access, asked, shown
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.problems import (
    ConsentMissing,
    CustomerDeclined,
    IdempotencyKeyReused,
    InvalidInput,
    NotAllowed,
    NotFound,
    TryLater,
    outcome,
)


@strawberry.input(description="What the customer is asked for.")
class CreateLinkSessionInput:
    customer_id: strawberry.ID = shown("The customer.")
    sources: list[SourceKind] = shown("Kinds of source; each is consented by itself.")
    scenarios: list[str] = shown("Enhancement scenarios the consent shall cover, for example `S03`.")
    purpose: Purpose = shown("What the data will be used for.")
    return_url: str = shown("Where the customer's browser goes at the end: one of the client's registered addresses.")
    renew: bool = strawberry.field(
        default=False,
        description="Ask anew for what is given already: the new consent takes the old one's place when the customer gives it. What ends within 30 days is asked for anew anyway.",
    )

    def value(self) -> services.CreateLinkSession:
        asked = (tuple(self.sources), tuple(self.scenarios), self.purpose, self.return_url)
        return services.CreateLinkSession(str(self.customer_id), *asked, renew=self.renew)


@strawberry.type(description="A link for the customer: opens once, in one browser, for an hour.", directives=[ANYONE])
class LinkSessionCreated:
    link_id: strawberry.ID = shown("Id of the link; comes back with the customer.")
    url: str = shown("Send the customer's browser here.")


Asked = Annotated[CreateLinkSessionInput, strawberry.argument(description="Whom to ask, and for what.")]
CreateLinkSessionResult = Annotated[
    LinkSessionCreated | InvalidInput | NotAllowed | NotFound | ConsentMissing | CustomerDeclined | IdempotencyKeyReused | TryLater,
    strawberry.union("CreateLinkSessionResult", description="The link, or why not."),
]


@asked(
    "Asks a customer for consent and authorisation through the hosted link pages. What the customer refused or withdrew, whoever had asked, is not asked for again for a while: CustomerDeclined says until when.",
    access("links:write", DataKind.CONSENT),
)
async def create_link_session(info: HubInfo, idempotency_key: Key, input: Asked) -> CreateLinkSessionResult:
    async def run() -> LinkSessionCreated:
        made = await call(info, idempotency_key, info.context.services.create_link_session, input.value())
        return LinkSessionCreated(link_id=strawberry.ID(made.link_id), url=made.url)

    return await outcome(run)  # type: ignore[no-any-return]
