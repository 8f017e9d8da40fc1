"""Clients: who may ask, with which keys, scopes and purposes. A change takes effect with the next request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import insert, select, update

from hub.access.jose import key_from
from hub.domain.enums import Purpose
from hub.errors import InvalidInput, NotFound, TokenInvalid
from hub.store.database import Read, Write
from hub.store.tables import client

DOCUMENT_MODES = ("OPEN", "AUDIT", "ONLY")
MOST_PER_MINUTE = 10**9
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")


@dataclass(frozen=True, slots=True)
class NewClient:
    """What an administrator registers. ``bearer``: may use unbound tokens; only INTERNAL and ADMIN clients may."""

    client_id: str
    name: str
    audience: str
    scopes: tuple[str, ...]
    purposes: tuple[str, ...]
    jwks: Mapping[str, Any]
    return_urls: tuple[str, ...] = ()
    bearer: bool = False
    documents: str = "OPEN"
    cost_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client that is not disabled."""

    client_id: str
    audience: str
    scopes: frozenset[str]
    purposes: tuple[str, ...]
    jwks: Mapping[str, Any]
    return_urls: tuple[str, ...]
    bearer: bool
    documents: str = "OPEN"
    cost_per_minute: int | None = None

    @staticmethod
    def of(row: Any) -> Client:
        lists = (frozenset(row.scopes), tuple(row.purposes), row.jwks, tuple(row.return_urls))
        return Client(row.client_id, row.audience, *lists, bool(row.bearer), row.documents, row.cost_per_minute)


def make_client_keys() -> tuple[dict[str, Any], dict[str, Any]]:
    """A new ES256 key pair: (private JWK for the client, JWKS with the public key to register)."""
    key = ECKey.generate_key("P-256", private=True, auto_kid=True)
    return dict(key.as_dict(private=True)), {"keys": [dict(key.as_dict(private=False))]}


async def register_client(tx: Write, new: NewClient, audiences: Mapping[str, frozenset[str]]) -> str:
    """Registers a client whose scopes its audience allows (``audiences``: scopes by audience, of the contract). Raises InvalidInput."""
    _check(new, audiences)
    if (await tx.execute(select(client.c.client_id).where(client.c.client_id == new.client_id))).first():
        raise InvalidInput("A client of this id is registered already.", remedy="Choose another id.")
    row = {
        "client_id": new.client_id,
        "name": new.name,
        "audience": new.audience,
        "scopes": sorted(new.scopes),
        "purposes": sorted(new.purposes),
        "jwks": dict(new.jwks),
        "bearer": new.bearer,
        "return_urls": list(new.return_urls),
        "documents": new.documents,
        "cost_per_minute": new.cost_per_minute,
        "created_at": datetime.now(UTC),
    }
    await tx.execute(insert(client), row)
    return new.client_id


def described(new: NewClient) -> dict[str, Any]:
    """A client as the audit tells it: its public keys by their ids."""
    return {
        "name": new.name,
        "audience": new.audience,
        "scopes": sorted(new.scopes),
        "purposes": sorted(new.purposes),
        "keys": [str(key.get("kid")) for key in new.jwks["keys"]],
        "return_urls": list(new.return_urls),
        "bearer": new.bearer,
        "documents": new.documents,
        "cost_per_minute": new.cost_per_minute,
    }


def _check(new: NewClient, audiences: Mapping[str, frozenset[str]]) -> None:
    if not _ID.fullmatch(new.client_id):
        raise InvalidInput("A client id has 2 to 64 lower case letters, digits, dots, dashes or underscores.")
    if new.audience not in audiences or not set(new.scopes) <= audiences[new.audience] or not new.scopes:
        raise InvalidInput("The audience is unknown, or does not allow these scopes.", remedy="Ask for fewer scopes.")
    if not set(new.purposes) <= set(Purpose):
        raise InvalidInput("A purpose is unknown.")
    if new.bearer and new.audience == "PARTNER":
        raise InvalidInput("A partner's tokens are always bound to its key.", remedy="Register it without `bearer`.")
    if new.documents not in DOCUMENT_MODES or (new.cost_per_minute is not None and not 0 < new.cost_per_minute <= MOST_PER_MINUTE):
        raise InvalidInput("A client's budget is a number from 1 to a billion, and it asks OPEN, AUDIT or ONLY.")
    for url in new.return_urls:
        _check_return_url(url)
    keys = new.jwks.get("keys") if isinstance(new.jwks, Mapping) else None
    if not isinstance(keys, Sequence) or not 1 <= len(keys) <= 2:
        raise InvalidInput("Register one public key, or two while they are exchanged.")
    for one in keys:
        _check_key(one)


def _check_return_url(url: str) -> None:
    """Where a customer's browser may be sent: https, or http on loopback while an app is being written; nothing a browser would run."""
    parts = urlsplit(url) if len(url) <= 2000 and url.isascii() and url.isprintable() else None
    host = parts.hostname or "" if parts else ""
    plain = parts is not None and bool(host) and "@" not in parts.netloc and not parts.fragment and " " not in url and "\\" not in url
    if not plain or parts is None or not (parts.scheme == "https" or (parts.scheme == "http" and host in ("127.0.0.1", "localhost"))):
        raise InvalidInput("A return URL is not one a customer may be sent to.", remedy="Use https, without user info and fragment.")


def _check_key(jwk: Any) -> None:
    try:
        key = key_from(jwk)
    except TokenInvalid as error:
        raise InvalidInput(error.message, remedy="Register public keys: EC P-256, Ed25519, or RSA of 2048 bits and more.") from None
    fits = jwk.get("crv") in ("P-256", "Ed25519") or (isinstance(key, RSAKey) and key.public_key.key_size >= 2048)
    if not fits or not isinstance(jwk.get("kid"), str):
        raise InvalidInput("A key needs a `kid` and must be EC P-256, Ed25519, or RSA of 2048 bits and more.")


async def find_client(tx: Read | Write, client_id: str) -> Client | None:
    """None when it is not registered or disabled."""
    row = (await tx.execute(select(client).where(client.c.client_id == client_id, client.c.disabled_at.is_(None)))).first()
    return Client.of(row) if row else None


async def disable_client(tx: Write, client_id: str) -> None:
    """From its next request on the client is refused, whatever tokens it holds. Raises NotFound."""
    done = await tx.execute(update(client).where(client.c.client_id == client_id).values(disabled_at=datetime.now(UTC)))
    if done.rowcount != 1:
        raise NotFound("There is no such client.")
