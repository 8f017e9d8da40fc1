"""Where the key-encryption key and the blind-index key live: a port, and two simple services behind it, a file and an environment variable.

A KMS or HSM implements :class:`KeyService` without ever handing its key out; docs/operators.md says what it must promise.
"""

from __future__ import annotations

import base64
import fcntl
import hmac
import os
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.errors import SecretMissing
from hub.vault.register import Register

NONCE = 12
KEY = 32
"""Bytes of a nonce and of a key."""
BROKEN = (AttributeError, KeyError, TypeError, ValueError)
REGISTER = "destroyed.jsonl"
"""Name of the register of destroyed keys, beside the key file."""


class Wrapped(NamedTuple):
    """A data key under a key-encryption key, and which one: both are said at once, since the current one may change between two questions."""

    kek_id: str
    key: bytes


class KeyService(Protocol):
    """Wraps and unwraps data keys; derives blind-index keys."""

    @property
    def current(self) -> str:
        """Id of the key-encryption key that new data keys are wrapped under."""
        ...

    def wrap(self, data_key: bytes, binding: bytes) -> Wrapped: ...

    def unwrap(self, wrapped: bytes, kek_id: str, binding: bytes) -> bytes:
        """Raises SecretMissing when the key is unknown or is not the one that wrapped it, or when what is bound there was destroyed."""
        ...

    def destroy(self, customer_id: UUID, key_id: UUID) -> None:
        """From now on, and for good, this data key is unwrapped for nobody, wherever a copy of its row comes from. It is so when this returns."""
        ...

    @property
    def destroyed(self) -> frozenset[UUID]:
        """The customers whose data keys were destroyed."""
        ...

    @property
    def blind(self) -> bytes:
        """The master of the blind-index keys; never the key-encryption key."""
        ...

    @property
    def audit(self) -> bytes:
        """The master of the keys that link the audit chain and sign its heads; stays when the key-encryption key is rotated."""
        ...


@dataclass(frozen=True, slots=True)
class _Content:
    """A key file as it was read. ``following`` was made to become the current one."""

    keys: dict[str, bytes]
    current: str
    following: str | None
    blind: bytes
    audit: bytes

    def document(self) -> bytes:
        keys = {name: _text(key) for name, key in self.keys.items()}
        own = {"blind": _text(self.blind), "audit": _text(self.audit)}
        return orjson.dumps({"current": self.current, "following": self.following, "keys": keys, **own})


class _Held:
    """A key service whose keys are in this process's memory. ``register`` knows what was destroyed, and is asked before anything is opened."""

    register: Register

    def _fresh(self) -> _Content:
        raise NotImplementedError

    def _with(self, kek_id: str) -> _Content:
        """What is known, or known anew, where this key is not among it."""
        return self._fresh()

    _source = "the keys"

    @property
    def current(self) -> str:
        return self._fresh().current

    @property
    def known(self) -> frozenset[str]:
        """Ids of all keys there are."""
        return frozenset(self._fresh().keys)

    @property
    def blind(self) -> bytes:
        return self._fresh().blind

    @property
    def destroyed(self) -> frozenset[UUID]:
        return self.register.customers

    @property
    def audit(self) -> bytes:
        return self._fresh().audit

    def wrap(self, data_key: bytes, binding: bytes) -> Wrapped:
        content, nonce = self._fresh(), os.urandom(NONCE)
        return Wrapped(content.current, nonce + AESGCM(content.keys[content.current]).encrypt(nonce, data_key, binding))

    def unwrap(self, wrapped: bytes, kek_id: str, binding: bytes) -> bytes:
        if self.register.destroyed(binding):
            raise SecretMissing("This data key was destroyed: what it sealed is unreadable for good, whatever backup it comes from.")
        try:
            return AESGCM(self._with(kek_id).keys[kek_id]).decrypt(wrapped[:NONCE], wrapped[NONCE:], binding)
        except (KeyError, ValueError, InvalidTag):
            raise SecretMissing(
                f"{self._source} does not open this database's data keys.", remedy="Use the keys that this database was filled with."
            ) from None

    def destroy(self, customer_id: UUID, key_id: UUID) -> None:
        self.register.add(customer_id, key_id)


class EnvKeys(_Held):
    """Keys out of an environment variable, in the form of a key file. They stay as they are while the process runs: a rotation is a new value and a restart."""

    _source = "HUB_KEYS"

    def __init__(self, document: str, register: Register) -> None:
        self.register = register
        try:
            self._content = _parsed(document.encode())
        except BROKEN:
            raise SecretMissing("HUB_KEYS is not the content of a key file.", remedy="Set it to the JSON that a key file holds.") from None

    def _fresh(self) -> _Content:
        return self._content


class FileKeys(_Held):
    """Keys in one file (mode 0600) below the hub's home. Made on first use; read again when it has changed, so that a rotation reaches processes that run."""

    def __init__(self, path: Path) -> None:
        self.path, self.register = path, Register(path.with_name(REGISTER))
        if not path.exists():
            self._make()
        self._stamp, self._content = self._read()
        self._source = f"The key file {path.name}"

    @property
    def blind(self) -> bytes:
        return self._content.blind

    def _with(self, kek_id: str) -> _Content:
        return self._content if kek_id in self._content.keys else self._fresh()

    def prepare(self) -> str:
        """Makes the key that :meth:`advance` will take, unless there is one: the file can be copied to every host before anything is wrapped under it."""
        with self._alone() as content:
            following = content.following or _name()
            self._write(replace(content, keys={following: os.urandom(KEY), **content.keys}, following=following))
        return following

    def advance(self) -> str:
        """The prepared key, or a new one, is current from now on."""
        following = self.prepare()
        with self._alone() as content:
            self._write(replace(content, current=following, following=None))
        return following

    def retire(self, kept: Collection[str]) -> list[str]:
        """Takes all keys out of the file but the current one, a prepared one and those that are ``kept``. Returns which."""
        with self._alone() as content:
            going = sorted(content.keys.keys() - {content.current, content.following, *kept})
            self._write(replace(content, keys={name: key for name, key in content.keys.items() if name not in going}))
        return going

    def _fresh(self) -> _Content:
        if self._stamp != _stamp(self.path):
            self._stamp, self._content = self._read()
        return self._content

    def _read(self) -> tuple[object, _Content]:
        stamp = _stamp(self.path)
        try:
            content = _parsed(self.path.read_bytes())
        except (OSError, *BROKEN):
            raise SecretMissing(
                f"{self.path} is not a key file.", remedy="Restore it from its backup; without it the sealed data cannot be opened."
            ) from None
        return stamp, content

    def _make(self) -> None:
        """Of two processes that start together one wins for both."""
        name = _name()
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._draft(_Content({name: os.urandom(KEY)}, name, None, os.urandom(KEY), os.urandom(KEY)))
        with suppress(FileExistsError):
            os.link(draft, self.path)
        draft.unlink()

    def _write(self, content: _Content) -> None:
        """In one step: whoever reads meanwhile reads the file before or the one after."""
        os.replace(self._draft(content), self.path)
        self._stamp, self._content = self._read()

    def _draft(self, content: _Content) -> Path:
        """Written beside, and on the disk before it has the name."""
        draft = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content.document())
            file.flush()
            os.fsync(file.fileno())
        return draft

    @contextmanager
    def _alone(self) -> Iterator[_Content]:
        """The content, while no other process changes it."""
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield self._fresh()
        finally:
            os.close(folder)


def _parsed(raw: bytes) -> _Content:
    """Raises one of ``BROKEN`` for what is none."""
    document = orjson.loads(raw)
    keys = {str(name): _key(value) for name, value in document["keys"].items()}
    following = document.get("following")
    blind = _key(document["blind"])
    # A file from before the chain has no key for it. What every host can derive from the same file is the same on every host.
    audit = _key(document["audit"]) if "audit" in document else hmac.digest(blind, b"hub|audit|master", "sha256")
    content = _Content(keys, str(document["current"]), None if following is None else str(following), blind, audit)
    for name in (content.current, *([content.following] if content.following else [])):
        content.keys[name]
    return content


def _name() -> str:
    return f"kek-{secrets.token_hex(4)}"


def _stamp(path: Path) -> object:
    """Tells one state of the file from another; None where there is none, which is then said by who reads it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _key(text: str) -> bytes:
    """Raises ValueError for what is no base64 or no key of 256 bits."""
    raw = base64.b64decode(text, validate=True)
    if len(raw) != KEY:
        raise ValueError("a key has 32 bytes")
    return raw


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
