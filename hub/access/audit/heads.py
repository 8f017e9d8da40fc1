"""The heads of all chains, signed: with one of them in other hands, whatever was linked before it can neither be cut off nor linked anew.

A published line is JSON: the heads, a number, the digest of the line before, and an Ed25519 signature over the canonical text of these. Who has the public key can
check it without any secret. Lines of one file form a chain, so that none can be taken out of its middle.

A restored backup ends earlier than what was published since. ``hub restore`` says so with a line that has one member more, ``restored``: the heads that the backup had.
From then on what was published beyond them counts no more; that there was a restore, and what went with it, is told by every verification.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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


def signed(keys: ChainKeys, heads: Heads, number: int, previous: str, restored: Heads | None = None) -> bytes:
    """One line, with its line feed. ``restored`` are the heads that a backup brought."""
    payload = {"number": number, "previous": previous, "at": heads.at, "heads": listed(heads)}
    if restored is not None:
        payload["restored"] = listed(restored)
    text = canonical(payload)
    return orjson.dumps({**payload, "key": public_key(keys)[:8], "signature": _text(keys.signing.sign(text))}) + b"\n"


def listed(heads: Heads) -> list[dict[str, Any]]:
    return [{"shard": shard, "sequence": sequence, "hash": found} for shard, (sequence, found) in sorted(heads.of.items())]


def digest(line: bytes) -> str:
    """By which the next line names this one."""
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()


def number_of(line: bytes | None) -> int:
    """0 for a file without lines, and behind a line that is none: what is wrong with it is the verification's to say."""
    try:
        return int(orjson.loads(line)["number"]) if line else 0
    except (ValueError, KeyError, TypeError):
        return 0


@dataclass(frozen=True, slots=True)
class Lost:
    """A restore, as its line tells it: by shard the first and the last row that were published before it and went with it."""

    line: int
    at: str
    rows: Mapping[int, tuple[int, int]]


@dataclass(slots=True)
class Published:
    """What files of heads say: by shard and sequence the hash, and what is wrong with the files themselves. ``lost`` is what restores took, for each."""

    of: dict[int, dict[int, str]]
    faults: list[Finding]
    lines: int = 0
    lost: list[Lost] = field(default_factory=list)

    @staticmethod
    def read(keys: ChainKeys, files: Iterator[tuple[str, bytes]]) -> Published:
        """``files`` by name. A line that does not hold is told and says nothing."""
        found, public = Published({}, []), keys.signing.public_key()
        for name, content in files:
            previous, of = BEGIN, dict[int, dict[int, str]]()
            for number, line in enumerate(content.splitlines(), 1):
                said, why = _line(public, line, number, previous)
                if said is None:
                    found.faults.append(Finding(None, number, None, Fault.HEAD, f"{name}, line {number}: {why}"))
                    break
                found._take(said, of)
                previous = digest(line)
            for shard, places in of.items():
                found.of.setdefault(shard, {}).update(places)
        return found

    def _take(self, said: Mapping[str, Any], of: dict[int, dict[int, str]]) -> None:
        self.lines += 1
        if "restored" in said:
            kept = {one["shard"]: one["sequence"] for one in said["restored"]}
            self.lost.append(Lost(said["number"], said["at"], dict(_forget(of, kept))))
        for one in (*said.get("restored", ()), *said["heads"]):
            of.setdefault(one["shard"], {})[one["sequence"]] = one["hash"]


def _forget(of: dict[int, dict[int, str]], kept: Mapping[int, int]) -> Iterator[tuple[int, tuple[int, int]]]:
    """What was published beyond the rows that a backup had."""
    for shard, places in sorted(of.items()):
        upto, last = kept.get(shard, 0), max(places)
        if last > upto:
            of[shard] = {place: found for place, found in places.items() if place <= upto}
            yield shard, (upto + 1, last)


def _line(public: Ed25519PublicKey, line: bytes, number: int, previous: str) -> tuple[Mapping[str, Any] | None, str]:
    """What a line says, or why it cannot be believed."""
    try:
        said: dict[str, Any] = orjson.loads(line)
        payload = {name: said[name] for name in ("number", "previous", "at", "heads", *({"restored"} & said.keys()))}
        public.verify(base64.urlsafe_b64decode(said["signature"] + "=="), canonical(payload))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, "it is not a line of signed heads."
    except InvalidSignature:
        return None, "its signature does not hold."
    if (said["number"], said["previous"]) != (number, previous):
        return None, "it does not follow the line before: one was taken out, or put in."
    return payload, ""


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
