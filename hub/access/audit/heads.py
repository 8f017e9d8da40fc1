"""The heads of all chains, signed: with one of them in other hands, whatever was linked before it can neither be cut off nor linked anew.

A published line is JSON: the heads, a number, the digest of the line before, and an Ed25519 signature over the canonical text of these. Who has the public key can
check it without any secret. Lines of one file form a chain, so that none can be taken out of its middle.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hub.access.audit.chain import ALL, HEADS, ChainKeys, canonical
from hub.access.audit.diagnose import Fault, Finding
from hub.access.audit.rows import fetch
from hub.store.database import Database

BEGIN = "0" * 64
"""What the first line of a file names as the line before."""


@dataclass(frozen=True, slots=True)
class Heads:
    """All chains at one moment: sequence and hash by shard. A chain without rows is not in it."""

    at: str
    of: Mapping[int, tuple[int, str]]


async def read_heads(database: Database) -> Heads:
    """As they are committed: no lock is taken."""
    rows = await fetch(database, HEADS, {"shards": list(ALL)})
    return Heads(rows[0][3], {row[0]: (row[1], bytes(row[2]).hex()) for row in rows if row[2] is not None})


def public_key(keys: ChainKeys) -> str:
    """The key that lines are checked with, as base64url: give it to whoever keeps them."""
    return _text(keys.signing.public_key().public_bytes_raw())


def signed(keys: ChainKeys, heads: Heads, number: int, previous: str) -> bytes:
    """One line, with its line feed."""
    listed = [{"shard": shard, "sequence": sequence, "hash": found} for shard, (sequence, found) in sorted(heads.of.items())]
    payload = {"number": number, "previous": previous, "at": heads.at, "heads": listed}
    text = canonical(payload)
    return orjson.dumps({**payload, "key": public_key(keys)[:8], "signature": _text(keys.signing.sign(text))}) + b"\n"


def digest(line: bytes) -> str:
    """By which the next line names this one."""
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()


def number_of(line: bytes | None) -> int:
    """0 for a file without lines, and behind a line that is none: what is wrong with it is the verification's to say."""
    try:
        return int(orjson.loads(line)["number"]) if line else 0
    except (ValueError, KeyError, TypeError):
        return 0


@dataclass(slots=True)
class Published:
    """What files of heads say: by shard and sequence the hash, and what is wrong with the files themselves."""

    of: dict[int, dict[int, str]]
    faults: list[Finding]
    lines: int = 0

    @staticmethod
    def read(keys: ChainKeys, files: Iterator[tuple[str, bytes]]) -> Published:
        """``files`` by name. A line that does not hold is told and says nothing."""
        found, public = Published({}, []), keys.signing.public_key()
        for name, content in files:
            previous = BEGIN
            for number, line in enumerate(content.splitlines(), 1):
                said, why = _line(public, line, number, previous)
                if said is None:
                    found.faults.append(Finding(None, number, None, Fault.HEAD, f"{name}, line {number}: {why}"))
                    break
                found._take(said)
                previous = digest(line)
        return found

    def _take(self, said: Mapping[str, Any]) -> None:
        self.lines += 1
        for one in said["heads"]:
            self.of.setdefault(one["shard"], {})[one["sequence"]] = one["hash"]


def _line(public: Ed25519PublicKey, line: bytes, number: int, previous: str) -> tuple[Mapping[str, Any] | None, str]:
    """What a line says, or why it cannot be believed."""
    try:
        said: dict[str, Any] = orjson.loads(line)
        payload = {name: said[name] for name in ("number", "previous", "at", "heads")}
        public.verify(base64.urlsafe_b64decode(said["signature"] + "=="), canonical(payload))
    except (ValueError, KeyError, TypeError):
        return None, "it is not a line of signed heads."
    except InvalidSignature:
        return None, "its signature does not hold."
    if (said["number"], said["previous"]) != (number, previous):
        return None, "it does not follow the line before: one was taken out, or put in."
    return payload, ""


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
