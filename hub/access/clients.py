"""Clients: who may ask, with which keys, scopes and purposes. A change takes effect with the next request (:mod:`hub.access.client_life`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import insert, select, text

from hub.access.jose import key_from
from hub.domain.caller import documents_at_first
from hub.domain.enums import Purpose
from hub.errors import InvalidInput, TokenInvalid
from hub.store.database import Read, Write
from hub.store.tables import client

DOCUMENT_MODES = ("OPEN", "AUDIT", "ONLY")
MOST_PER_MINUTE = 10**9
MOST_KEYS = 2
"""The one in use, and the one that follows it."""
RESERVED = frozenset({"anonymous", "anyone", "clock", "customer", "erasure", "everybody", "hub", "nobody", "operator", "system"})
"""Who else acts, in logs and in the history of a consent: no client may be taken for them."""
OFFERS = frozenset({"enhancement:read", "enhancement:evaluate"})
"""Scopes that an offer is asked for and read by."""
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
_LONGEST_NAME = 200
LISTING = ("listed_from", "listed_to", "listed_in")


@dataclass(frozen=True, slots=True)
class NewClient:
    """What an administrator registers. ``bearer``: may use unbound tokens; only INTERNAL and ADMIN clients may. ``documents``: None is as its audience begins.
    ``listed_*``: on which days a platform is on the lender's public list (助贷 2025-9), and where that is published."""

    client_id: str
    name: str
    audience: str
    scopes: tuple[str, ...]
    purposes: tuple[str, ...]
    jwks: Mapping[str, Any]
    return_urls: tuple[str, ...] = ()
    bearer: bool = False
    documents: str | None = None
    cost_per_minute: int | None = None
    listed_from: date | None = None
    listed_to: date | None = None
    listed_in: str | None = None

    def __post_init__(self) -> None:
        if self.documents is None:
            object.__setattr__(self, "documents", documents_at_first(self.audience))


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client that is not disabled. Tokens issued before ``tokens_from`` (seconds) are refused."""

    client_id: str
    audience: str
    scopes: frozenset[str]
    purposes: tuple[str, ...]
    jwks: Mapping[str, Any]
    return_urls: tuple[str, ...]
    bearer: bool
    documents: str = "OPEN"
    cost_per_minute: int | None = None
    tokens_from: int = 0
    listed: tuple[date, date] | None = None

    def scopes_on(self, day: date) -> frozenset[str]:
        """A platform that is not on the lender's public list on a day gets no offers, whatever it was registered for."""
        listed = self.listed is not None and self.listed[0] <= day <= self.listed[1]
        return self.scopes if listed or self.audience != "PARTNER" else self.scopes - OFFERS

    @staticmethod
    def of(row: Any) -> Client:
        # As the driver or as JSON has it.
        since = row.tokens_from and (row.tokens_from if isinstance(row.tokens_from, datetime) else datetime.fromisoformat(row.tokens_from))
        known = (row.client_id, row.audience, frozenset(row.scopes), tuple(row.purposes), row.jwks, tuple(row.return_urls))
        return Client(*known, bool(row.bearer), row.documents, row.cost_per_minute, int(since.timestamp()) if since else 0, _listed(row))


def _listed(row: Any) -> tuple[date, date] | None:
    """As the driver or as JSON has it."""
    first, last = (one if one is None or isinstance(one, date) else date.fromisoformat(one) for one in (row.listed_from, row.listed_to))
    return None if first is None else (first, last or date.max)


def make_client_keys() -> tuple[dict[str, Any], dict[str, Any]]:
    """A new ES256 key pair: (private JWK for the client, JWKS with the public key to register)."""
    key = ECKey.generate_key("P-256", private=True, auto_kid=True)
    return dict(key.as_dict(private=True)), {"keys": [dict(key.as_dict(private=False))]}


async def register_client(tx: Write, new: NewClient, audiences: Mapping[str, frozenset[str]]) -> str:
    """Registers a client whose scopes its audience allows (``audiences``: scopes by audience, of the contract). Raises InvalidInput."""
    if not _ID.fullmatch(new.client_id):
        raise InvalidInput("A client id has 2 to 64 lower case letters, digits, dots, dashes or underscores.", remedy="Choose another id.")
    if new.client_id in RESERVED:
        raise InvalidInput("This id means somebody else in the hub's records.", remedy="Choose another id.")
    check_client(new, audiences)
    if (await tx.execute(select(client.c.client_id).where(client.c.client_id == new.client_id))).first():
        raise InvalidInput("A client of this id is registered already.", remedy="Choose another id.")
    await tx.execute(insert(client), {"client_id": new.client_id, "created_at": datetime.now(UTC), **columns_of(new)})
    return new.client_id


def columns_of(new: NewClient) -> dict[str, Any]:
    """What of a client may be changed, as its row keeps it."""
    return {
        "name": new.name,
        "audience": new.audience,
        "scopes": sorted(set(new.scopes)),
        "purposes": sorted(set(new.purposes)),
        "jwks": dict(new.jwks),
        "bearer": new.bearer,
        "return_urls": list(new.return_urls),
        "documents": new.documents,
        "cost_per_minute": new.cost_per_minute,
        **{name: getattr(new, name) for name in LISTING},
    }


def described(new: NewClient) -> dict[str, Any]:
    """A client as the audit tells it: its public keys by their ids and thumbprints (RFC 7638)."""
    keys = {str(key.get("kid")): thumbprint(key) for key in new.jwks["keys"]}
    kept = columns_of(new)
    del kept["jwks"]
    days = {name: kept[name] and str(kept[name]) for name in LISTING}
    return {**kept, **days, "keys": keys}


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """RFC 7638."""
    return str(key_from(dict(jwk)).thumbprint())


def check_client(new: NewClient, audiences: Mapping[str, frozenset[str]]) -> None:
    """Raises InvalidInput for what no client may be."""
    if not 0 < len(new.name.strip()) <= _LONGEST_NAME:
        raise InvalidInput(f"A client has a name of at most {_LONGEST_NAME} characters.", remedy="Give it another name.")
    if new.audience not in audiences:
        raise InvalidInput("The audience is unknown.", remedy=f"It is one of {', '.join(audiences)}.")
    if not new.scopes or not set(new.scopes) <= audiences[new.audience]:
        allowed = " ".join(sorted(audiences[new.audience]))
        raise InvalidInput("A client has scopes that its audience allows, and at least one.", remedy=f"{new.audience} allows: {allowed}.")
    if not set(new.purposes) <= set(Purpose):
        raise InvalidInput("A purpose is unknown.", remedy=f"The purposes are {', '.join(Purpose)}.")
    if new.bearer and new.audience == "PARTNER":
        raise InvalidInput("A partner's tokens are always bound to its key.", remedy="Register it without `bearer`.")
    if new.documents not in DOCUMENT_MODES:
        raise InvalidInput("With which documents the client asks is unknown.", remedy=f"It is one of {', '.join(DOCUMENT_MODES)}.")
    if new.cost_per_minute is not None and not 0 < new.cost_per_minute <= MOST_PER_MINUTE:
        raise InvalidInput(
            "A client's budget is out of range.", remedy="It is a number from 1 to a billion; leave it out for that of its audience."
        )
    _check_listing(new)
    for url in new.return_urls:
        _check_return_url(url)
    _check_keys(new.jwks)


def _check_listing(new: NewClient) -> None:
    if new.listed_from is None and new.listed_to is None and new.listed_in is None:
        return
    if new.audience != "PARTNER":
        raise InvalidInput("The public list is of platforms.", remedy="List clients of the audience PARTNER only.")
    if new.listed_from is None or not 0 < len((new.listed_in or "").strip()) <= _LONGEST_NAME:
        raise InvalidInput("A listing has a first day, and says where the list is published.", remedy="Name both.")
    if new.listed_to is not None and new.listed_to < new.listed_from:
        raise InvalidInput("A listing ends before it begins.", remedy="Name its last day, or leave it out.")


def _check_return_url(url: str) -> None:
    """Where a customer's browser may be sent: https, or http on loopback while an app is being written; nothing a browser would run."""
    parts = urlsplit(url) if len(url) <= 2000 and url.isascii() and url.isprintable() else None
    host = parts.hostname or "" if parts else ""
    plain = parts is not None and bool(host) and "@" not in parts.netloc and not parts.fragment and " " not in url and "\\" not in url
    if not plain or parts is None or not (parts.scheme == "https" or (parts.scheme == "http" and host in ("127.0.0.1", "localhost"))):
        raise InvalidInput("A return URL is not one a customer may be sent to.", remedy="Use https, without user info and fragment.")


def _check_keys(jwks: Any) -> None:
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(keys, Sequence) or not 1 <= len(keys) <= MOST_KEYS:
        raise InvalidInput("A client has one public key, or two while they are exchanged.", remedy='Send {"keys": [...]} with one or two.')
    for one in keys:
        _check_key(one)
    if len({one["kid"] for one in keys}) < len(keys) or len({thumbprint(one) for one in keys}) < len(keys):
        raise InvalidInput("Two keys have the same `kid`, or are the same.", remedy="A new key has a `kid` of its own.")


def _check_key(jwk: Any) -> None:
    try:
        key = key_from(jwk)
    except TokenInvalid as error:
        raise InvalidInput(error.message, remedy="Register public keys: EC P-256, Ed25519, or RSA of 2048 bits and more.") from None
    fits = jwk.get("crv") in ("P-256", "Ed25519") or (isinstance(key, RSAKey) and key.public_key.key_size >= 2048)
    if not fits or not isinstance(jwk.get("kid"), str) or not 0 < len(jwk["kid"]) <= 256:
        raise InvalidInput("A key needs a `kid` and must be EC P-256, Ed25519, or RSA of 2048 bits and more.")


async def find_client(tx: Read | Write, client_id: str) -> Client | None:
    """None when it is not registered or disabled."""
    row = (await tx.execute(select(client).where(client.c.client_id == client_id, client.c.disabled_at.is_(None)))).first()
    return Client.of(row) if row else None


async def registered_partner(tx: Read | Write, client_id: str) -> bool:
    """There is a platform of this id, disabled or not."""
    mine = (client.c.client_id == client_id, client.c.audience == "PARTNER")
    return (await tx.execute(select(client.c.client_id).where(*mine))).first() is not None


_USED = text("""
    UPDATE client SET last_token_at = now() WHERE client_id = :client AND (last_token_at IS NULL OR last_token_at < now() - interval '1 minute')
""")


async def note_use(tx: Write, client_id: str) -> None:
    """That it got a token. Once a minute at most: many processes of one client do not wait for each other."""
    await tx.execute(_USED, {"client": client_id})
