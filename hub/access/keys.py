"""The hub's own signing keys: ES256, sealed under the key-encryption key, rotated with an overlap (ADR 39).

A new key is published before it signs, so that every process and whoever reads the JWKS knows it by then; a retired key signs nothing more and verifies until the last
token it signed has expired. The oldest key that is not retired signs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import orjson
from joserfc.jwk import ECKey
from sqlalchemy import insert, or_, select, update

from hub.errors import SecretMissing
from hub.store.database import Database, Read, Scope, Write
from hub.store.tables import signing_key

KEPT_AFTER = timedelta(minutes=20)
PUBLISHED_BEFORE = timedelta(minutes=5)
"""As long as the JWKS may be cached, and longer than a process keeps what it has read."""
_CACHED = 60.0
SERVER = Scope("", "")
"""The server's own transactions: they touch no customer."""


class Wrapping(Protocol):
    """Seals under the key-encryption key. Implemented by ``hub.vault.KeyService``."""

    @property
    def current(self) -> str: ...

    def wrap(self, data_key: bytes, binding: bytes) -> tuple[str, bytes]: ...

    def unwrap(self, wrapped: bytes, kek_id: str, binding: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class KeySet:
    """``signing`` signs; ``verifying`` holds the public keys that are accepted, by id."""

    signing: ECKey
    verifying: dict[str, ECKey]
    read_at: float

    def jwks(self) -> dict[str, Any]:
        return {"keys": [{**key.as_dict(private=False), "alg": "ES256", "use": "sig"} for key in self.verifying.values()]}


class SigningKeys:
    """Reads the keys at most once a minute, makes the first one."""

    def __init__(self, database: Database, wrapping: Wrapping) -> None:
        self.database, self.wrapping = database, wrapping
        self._known: KeySet | None = None

    async def current(self) -> KeySet:
        if self._known is None or time.monotonic() - self._known.read_at > _CACHED:
            async with self.database.write(SERVER) as tx:
                self._known = await self._load(tx)
        return self._known

    async def knowing(self, kid: str) -> KeySet:
        """The current keys; read again, at most once a second, when another process has made a key that is not known here."""
        found = await self.current()
        if kid not in found.verifying and time.monotonic() - found.read_at > 1.0:
            self._known = None
            found = await self.current()
        return found

    async def rotate(self) -> str:
        """Makes the next signing key; returns its id."""
        async with self.database.write(SERVER) as tx:
            made = await rotate(tx, self.wrapping)
        self._known = None
        return made.kid

    async def _load(self, tx: Write) -> KeySet:
        now = datetime.now(UTC)
        rows = [row for row in await _rows(tx) if row.retired_at is None or row.retired_at > now - KEPT_AFTER]
        verifying = {row.kid: ECKey.import_key(row.public_jwk) for row in rows}
        live = [row for row in rows if row.retired_at is None or row.retired_at > now]
        if live:
            return KeySet(self._open(live[-1]), verifying, time.monotonic())
        made = await _make(tx, self.wrapping)
        return KeySet(made, {**verifying, str(made.kid): made}, time.monotonic())

    def _open(self, row: Any) -> ECKey:
        return ECKey.import_key(orjson.loads(_opened(self.wrapping, row)))


@dataclass(frozen=True, slots=True)
class Rotation:
    """The key that was made, and the instant from which on it signs."""

    kid: str
    signs_from: datetime


async def rotate(tx: Write, wrapping: Wrapping, *, compromised: bool = False) -> Rotation:
    """Makes the next signing key. The others sign until it is known everywhere, and verify as long as there are tokens of theirs; ``compromised`` ones do neither from
    now on (a process notices within a minute): their tokens end with them.
    """
    now = datetime.now(UTC)
    ends = now - KEPT_AFTER if compromised else now + PUBLISHED_BEFORE
    counts = or_(signing_key.c.retired_at.is_(None), signing_key.c.retired_at > ends)
    await tx.execute(update(signing_key).where(counts).values(retired_at=ends))
    made = await _make(tx, wrapping)
    return Rotation(str(made.kid), now if compromised else ends)


async def _make(tx: Write, wrapping: Wrapping) -> ECKey:
    made = ECKey.generate_key("P-256", private=True, auto_kid=True)
    kid = str(made.kid)
    sealed = _sealed(wrapping, kid, orjson.dumps(made.as_dict(private=True)))
    row = {"kid": kid, "public_jwk": dict(made.as_dict(private=False)), "sealed": sealed, "created_at": datetime.now(UTC)}
    await tx.execute(insert(signing_key), row)
    return made


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A signing key as operators see it. ``state``: NEXT, SIGNING, VERIFYING or RETIRED."""

    kid: str
    state: str
    created_at: datetime
    retired_at: datetime | None


async def list_keys(tx: Read | Write) -> list[KnownKey]:
    """Newest first."""
    now, rows = datetime.now(UTC), await _rows(tx)
    live = [row.kid for row in rows if row.retired_at is None or row.retired_at > now]

    def state(row: Any) -> str:
        if row.kid in live:
            return "SIGNING" if row.kid == live[-1] else "NEXT"
        return "VERIFYING" if row.retired_at > now - KEPT_AFTER else "RETIRED"

    return [KnownKey(row.kid, state(row), row.created_at, row.retired_at) for row in rows]


async def rewrap(tx: Write, wrapping: Wrapping) -> int:
    """Seals the signing keys that are under another key-encryption key under the current one. Returns how many."""
    others = [row for row in await _rows(tx) if kek_of(row.sealed) != wrapping.current]
    for row in others:
        await tx.execute(
            update(signing_key).where(signing_key.c.kid == row.kid).values(sealed=_sealed(wrapping, row.kid, _opened(wrapping, row)))
        )
    return len(others)


def kek_of(sealed: bytes) -> str:
    """Which key-encryption key a signing key is sealed under."""
    return bytes(sealed).partition(b"\0")[0].decode("ascii", "replace")


def _sealed(wrapping: Wrapping, kid: str, plain: bytes) -> bytes:
    kek, sealed = wrapping.wrap(plain, _binding(kid))
    return kek.encode() + b"\0" + sealed


def _opened(wrapping: Wrapping, row: Any) -> bytes:
    kek, separator, sealed = bytes(row.sealed).partition(b"\0")
    if not separator:
        raise SecretMissing("A signing key is damaged.", remedy="Restore the database and the key file of the same time.")
    return wrapping.unwrap(sealed, kek.decode(), _binding(row.kid))


async def _rows(tx: Read | Write) -> list[Any]:
    return list(await tx.execute(select(signing_key).order_by(signing_key.c.created_at.desc())))


def _binding(kid: str) -> bytes:
    return f"hub|signing_key|sealed|{kid}".encode()
