"""updateClient."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import strawberry

from hub.domain.enums import Purpose
from schema import services
from schema.access import ANYONE, asked
from schema.mutations.calling import HubInfo, Key, call
from schema.mutations.client_step import CLIENTS, Done, OfClient
from schema.mutations.problems import (
    ConsentMissing,
    IdempotencyKeyReused,
    InvalidInput,
    NotAllowed,
    NotFound,
    TryLater,
    outcome,
)
from schema.types.enums import Audience, DocumentMode


def _kept(doc: str) -> Any:
    return strawberry.field(default=None, description=f"{doc} Left out: as it is.")


@strawberry.input(description="What of a client changes. A list replaces the one before.")
class UpdateClientInput(OfClient):
    name: str | None = _kept("Name for people.")
    audience: Audience | None = _kept("Class of the client; it bounds the scopes.")
    scopes: list[str] | None = _kept("Scopes it may ask for. What a token holds beside them is worth nothing from the next request on.")
    purposes: list[Purpose] | None = _kept("Purposes it may name. A token for another one is refused from the next request on.")
    return_urls: list[str] | None = _kept("Addresses the link pages may send a customer back to.")
    bearer: bool | None = _kept("May use unbound tokens; never for partners.")
    documents: DocumentMode | None = _kept("With which documents it may ask.")
    cost_per_minute: int | None = _kept("What its operations may cost in one minute, altogether.")
    listed_from: date | None = _kept("Of a PARTNER: first day on the institution's public list of platforms (白名单).")
    listed_to: date | None = _kept("Last day on it: a day that is over takes it off the list, from its next request on.")
    listed_in: str | None = _kept("Where the list is published.")

    def value(self) -> services.UpdateClient:
        return services.UpdateClient(
            client_id=str(self.client_id),
            name=self.name,
            audience=None if self.audience is None else self.audience.value,
            scopes=None if self.scopes is None else tuple(self.scopes),
            purposes=None if self.purposes is None else tuple(self.purposes),
            return_urls=None if self.return_urls is None else tuple(self.return_urls),
            bearer=self.bearer,
            documents=None if self.documents is None else self.documents.value,
            cost_per_minute=self.cost_per_minute,
            listed_from=self.listed_from,
            listed_to=self.listed_to,
            listed_in=self.listed_in,
        )


@strawberry.type(description="The client is what was asked for, from its next request on.", directives=[ANYONE])
class ClientUpdated(Done):
    pass


Asked = Annotated[UpdateClientInput, strawberry.argument(description="Which client, and what of it changes.")]
UpdateClientResult = Annotated[
    ClientUpdated | InvalidInput | NotAllowed | NotFound | ConsentMissing | IdempotencyKeyReused | TryLater,
    strawberry.union("UpdateClientResult", description="That it is done, or why not."),
]


@asked("Changes what a client is and may do. Old and new values are audited.", CLIENTS)
async def update_client(info: HubInfo, idempotency_key: Key, input: Asked) -> UpdateClientResult:
    async def run() -> ClientUpdated:
        done = await call(info, idempotency_key, info.context.services.update_client, input.value())
        return ClientUpdated(client_id=strawberry.ID(done))

    return await outcome(run)  # type: ignore[no-any-return]
