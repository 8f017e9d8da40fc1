"""The register of destroyed keys: outside the database, append-only, so that no backup of the database brings a key back to life.

One line of JSON per key. It lies beside the key file and is backed up with it; a copy is never put back over a longer one, only joined (:meth:`Register.join`).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import orjson

from hub.errors import SecretMissing


def wrap_binding(customer_id: UUID, key_id: UUID) -> bytes:
    """Where a wrapped data key belongs."""
    return f"{customer_id}|data_key|wrapped|{key_id}".encode()


@dataclass
class Register:
    """Who reads sees what another process has added: the file is read on from where it ended. Its whole content is in memory, 200 bytes per destroyed key."""

    path: Path
    _read: int = 0
    _bindings: set[bytes] = field(default_factory=set)
    _customers: set[UUID] = field(default_factory=set)

    def destroyed(self, binding: bytes) -> bool:
        """Whether the data key that is bound there was destroyed. Raises SecretMissing when the register cannot be read: then nothing is opened."""
        self._catch_up()
        return binding in self._bindings

    @property
    def customers(self) -> frozenset[UUID]:
        """Whose keys were destroyed."""
        self._catch_up()
        return frozenset(self._customers)

    def add(self, customer_id: UUID, key_id: UUID) -> None:
        """For good. It is on the disk when this returns; to add it again changes nothing."""
        if not self.destroyed(wrap_binding(customer_id, key_id)):
            self._append([orjson.dumps({"customer": str(customer_id), "key": str(key_id)})])
            self._catch_up()

    def join(self, copy: Path) -> int:
        """Adds what a copy of the register knows beyond this one. Returns how many keys."""
        missing = [line for line in _lines(copy.read_bytes()) if not self.destroyed(wrap_binding(*_key(line)))] if copy.exists() else []
        self._append(missing)
        self._catch_up()
        return len(missing)

    def _append(self, lines: Iterable[bytes]) -> None:
        """Whole lines, behind whatever is there: one that was cut short by a crash is ended first."""
        content = b"".join(line + b"\n" for line in lines)
        if not content:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            size = os.fstat(handle).st_size
            cut = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            os.write(handle, (b"\n" if cut else b"") + content)
            os.fsync(handle)
            _sync_folder(self.path.parent)
        finally:
            os.close(handle)

    def _catch_up(self) -> None:
        try:
            size = self.path.stat().st_size
            if size == self._read:
                return
            if size < self._read:
                raise ValueError("it is shorter than it was")
            content = self.path.read_bytes()
            for line in _lines(content):
                customer_id, key_id = _key(line)
                self._bindings.add(wrap_binding(customer_id, key_id))
                self._customers.add(customer_id)
            self._read = len(content)
        except FileNotFoundError as error:
            if self._read:
                raise _unreadable(self.path, error) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _unreadable(self.path, error) from None


def _lines(content: bytes) -> list[bytes]:
    """Whole lines: the last one may be on its way, or was cut short."""
    whole = content[: content.rfind(b"\n") + 1]
    return [line for line in whole.split(b"\n") if line.endswith(b"}")]


def _key(line: bytes) -> tuple[UUID, UUID]:
    found = orjson.loads(line)
    return UUID(found["customer"]), UUID(found["key"])


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unreadable(path: Path, error: Exception) -> SecretMissing:
    return SecretMissing(
        f"The register of destroyed keys {path.name} cannot be read: {error}.",
        remedy="Restore it from its newest copy; while it is missing nothing is opened.",
    )
