"""Envelope encryption: a data key per customer, wrapped by the key service; every ciphertext is bound to its place.

Ciphertext = version (1) | algorithm id (1) | key id (16) | nonce (12) | data | tag. The associated data names customer, table, column, row and key: a ciphertext
that is moved to another place does not open (trust rules, section e).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import insert, select

from hub.domain.identifiers import CustomerId, new_id
from hub.errors import SecretMissing
from hub.store.database import Read, Write
from hub.store.tables import data_key
from hub.vault.keys import NONCE, KeyService
from hub.vault.register import wrap_binding

VERSION, AES_256_GCM = 1, 1
HEADER = 2 + 16 + NONCE


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ciphertext belongs."""

    table: str
    column: str
    row: str


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and opens with one data key. Made by :meth:`Vault.sealer`."""

    customer_id: UUID
    key_id: UUID
    cipher: AESGCM

    def _binding(self, place: Place) -> bytes:
        return f"{self.customer_id}|{place.table}|{place.column}|{place.row}|{self.key_id}".encode()

    def seal(self, place: Place, plain: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return bytes((VERSION, AES_256_GCM)) + self.key_id.bytes + nonce + self.cipher.encrypt(nonce, plain, self._binding(place))

    def open(self, place: Place, sealed: bytes) -> bytes:
        """Raises SecretMissing when the ciphertext is not this key's, not this place's, or damaged."""
        try:
            if sealed[:2] != bytes((VERSION, AES_256_GCM)) or sealed[2:18] != self.key_id.bytes:
                raise InvalidTag
            return self.cipher.decrypt(sealed[18:HEADER], sealed[HEADER:], self._binding(place))
        except (InvalidTag, ValueError):
            raise SecretMissing(
                "A sealed value does not open: it was moved, damaged, or sealed under another key.", remedy="Restore it from a backup."
            ) from None


class Vault:
    """See the module. Unwrapped data keys are cached for the life of the process, but never believed without their row."""

    def __init__(self, keys: KeyService) -> None:
        self.keys = keys
        self._sealers: dict[UUID, Sealer] = {}

    async def sealer(self, tx: Read | Write, customer_id: CustomerId | UUID) -> Sealer:
        """The customer's data key. Raises SecretMissing when it was destroyed, or the key service cannot unwrap it.

        The row is read each time: a key that another process has destroyed must open nothing here either.
        """
        mine = (data_key.c.customer_id == customer_id, data_key.c.wrapped.is_not(None))
        row = (await tx.execute(select(data_key).where(*mine).order_by(data_key.c.key_id.desc()))).first()
        if row is None:
            self.forget(customer_id)
            raise SecretMissing("This customer's data key is gone: what it sealed is unreadable for good.")
        known = self._sealers.get(customer_id)
        if known is None or known.key_id != row.key_id:
            known = self._sealers[customer_id] = self._unwrapped(customer_id, row.key_id, row.wrapped, row.kek_id)
        return known

    async def make_key(self, tx: Write, customer_id: CustomerId) -> Sealer:
        """A new customer's data key. It is cached only once read back, so a rolled-back transaction leaves nothing behind."""
        key_id, plain = new_id(), os.urandom(32)
        wrapped = self.keys.wrap(plain, wrap_binding(customer_id, key_id))
        row = {
            "customer_id": customer_id,
            "key_id": key_id,
            "wrapped": wrapped.key,
            "kek_id": wrapped.kek_id,
            "created_at": datetime.now(UTC),
        }
        await tx.execute(insert(data_key), row)
        return Sealer(customer_id, key_id, AESGCM(plain))

    def forget(self, customer_id: UUID) -> None:
        """Drops a cached key, when it was destroyed."""
        self._sealers.pop(customer_id, None)

    def _unwrapped(self, customer_id: UUID, key_id: UUID, wrapped: bytes, kek_id: str) -> Sealer:
        return Sealer(customer_id, key_id, AESGCM(self.keys.unwrap(wrapped, kek_id, wrap_binding(customer_id, key_id))))
