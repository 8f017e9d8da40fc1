"""Where the key-encryption key and the blind-index key live: a port, and the file behind it in development.

A KMS or HSM implements :class:`KeyService` without ever handing its key out.
"""

from __future__ import annotations

import base64
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.errors import SecretMissing

NONCE = 12
KEY = 32
"""Bytes of a nonce and of a key."""


class KeyService(Protocol):
    """Wraps and unwraps data keys; derives blind-index keys."""

    @property
    def current(self) -> str:
        """Id of the key-encryption key that new data keys are wrapped under."""
        ...

    def wrap(self, data_key: bytes, binding: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes, kek_id: str, binding: bytes) -> bytes:
        """Raises SecretMissing when the key is unknown or is not the one that wrapped it."""
        ...

    @property
    def blind(self) -> bytes:
        """The master of the blind-index keys; never the key-encryption key."""
        ...


class FileKeys:
    """Keys in one file (mode 0600) below the hub's home. Made on first use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            self._make()
        try:
            document = orjson.loads(path.read_bytes())
            self._keys = {str(name): _key(value) for name, value in document["keys"].items()}
            self._current, self._blind = str(document["current"]), _key(document["blind"])
            self._keys[self._current]
        except (AttributeError, KeyError, TypeError, ValueError):
            raise SecretMissing(
                f"{path} is not a key file.", remedy="Restore it from its backup; without it the sealed data cannot be opened."
            ) from None

    def _make(self) -> None:
        """Written beside and linked into place: a crash leaves no half a file, and of two processes that start together one wins for both."""
        name = f"kek-{secrets.token_hex(4)}"
        document: dict[str, Any] = {"current": name, "keys": {name: _text(os.urandom(KEY))}, "blind": _text(os.urandom(KEY))}
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(orjson.dumps(document))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, self.path)
        draft.unlink()

    @property
    def current(self) -> str:
        return self._current

    @property
    def blind(self) -> bytes:
        return self._blind

    def wrap(self, data_key: bytes, binding: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return nonce + AESGCM(self._keys[self._current]).encrypt(nonce, data_key, binding)

    def unwrap(self, wrapped: bytes, kek_id: str, binding: bytes) -> bytes:
        try:
            return AESGCM(self._keys[kek_id]).decrypt(wrapped[:NONCE], wrapped[NONCE:], binding)
        except (KeyError, ValueError, InvalidTag):
            raise SecretMissing(
                f"The key file {self.path.name} does not open this database's data keys.",
                remedy="Use the key file that this database was filled with.",
            ) from None


def _key(text: str) -> bytes:
    """Raises ValueError for what is no base64 or no key of 256 bits."""
    raw = base64.b64decode(text, validate=True)
    if len(raw) != KEY:
        raise ValueError("a key has 32 bytes")
    return raw


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
