"""Client and ClientKey: who may ask, for admins. And the field of Query that lists them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from hub.domain.enums import Purpose
from schema.access import DataKind, access, asked, shown, stored
from schema.types.enums import Audience, DocumentMode
from schema.types.pages import After, Connection, First

CLIENTS_READ = access("clients:read", DataKind.CLIENT)
OfId = Annotated[strawberry.ID | None, strawberry.argument(description="Only this client.")]
OfAudience = Annotated[Audience | None, strawberry.argument(description="Only of this class.")]
IsDisabled = Annotated[bool | None, strawberry.argument(description="Only those that are disabled; false: only the others.")]


@strawberry.type(description="A public key that proves a client.", directives=[CLIENTS_READ])
class ClientKey:
    thumbprint: str = shown("Thumbprint (RFC 7638).")
    kid: str = shown("The `kid` that the client names it by.")
    kind: str = shown("EC, OKP or RSA.")


@strawberry.type(description="A registered client: an app, a system or an admin of the institution.", directives=[CLIENTS_READ])
class Client:
    client_id: strawberry.ID = shown("Its id.")
    name: str = shown("Name for people.")
    audience: Audience = shown("Class of the client; it bounds the scopes.")
    scopes: list[str] = shown("Scopes it may ask for.")
    purposes: list[Purpose] = shown("Purposes it may name.")
    return_urls: list[str] = shown("Addresses the link pages may send a customer back to.")
    bearer: bool = shown("May use unbound tokens.")
    documents: DocumentMode = shown("With which documents it may ask.")
    cost_per_minute: int | None = shown("What its operations may cost in one minute, altogether; null: as its audience.")
    listed_from: date | None = shown(
        "Of a PARTNER: first day on the public list of platforms (白名单); null: it is not on it, and gets no offers."
    )
    listed_to: date | None = shown("Last day on it; null: until further notice.")
    listed_in: str | None = shown("Where the list is published.")
    keys: list[ClientKey] = shown("Its public keys: one, or two while they are exchanged.")
    created_at: datetime = shown("Registered (real time).")
    disabled_at: datetime | None = shown("Disabled (real time); null: it is not.")
    last_token_at: datetime | None = shown("When it last got a token, to the minute; null: never, or before the hub kept it.")
    tokens_from: datetime | None = shown("Tokens issued before this instant were ended; null: none were.")


@strawberry.type
class Registry:
    """See the module."""

    @asked("The clients of this hub, those registered last first.", CLIENTS_READ, Connection[Client])
    def clients(
        self, first: First = 20, after: After = None, client_id: OfId = None, audience: OfAudience = None, disabled: IsDisabled = None
    ) -> Any:
        return stored()
