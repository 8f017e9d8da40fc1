"""Where a window of one item stands, as JSON between two requests.

Order -> Poll -> Check -> Emit. A package of one page is checked and emitted at once. Of a longer one the pages are read twice: first
all of them to check the digest, which is over the whole package, then again to hand out their rows, each page compared with what was checked. The package
is a frozen snapshot, so this costs requests and never truth; and no row of a page set with a wrong digest is ever used. While checking, the
cursor carries the canonical rows compressed and sealed (about 60 bytes a row); the setting ``digest_max_rows`` bounds it.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from hub.connect import Json

Days = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Order:
    """A collection is to be ordered. ``before``: records of this window already handed out from a package that is gone."""

    attempt: int = 0
    before: int = 0


@dataclass(frozen=True, slots=True)
class Poll:
    """``day`` is the business day of the order, ``waited`` seconds since. ``followed``: somebody else's order, which must be for our window."""

    collection: str
    order: Order
    day: str
    waited: float = 0.0
    followed: bool = False


@dataclass(frozen=True, slots=True)
class Package:
    """A finished item: its number of rows, its digest, the days it says it covers (None: it does not say), and how long its pages are read."""

    collection: str
    order: Order
    day: str
    rows: int
    digest: str
    covered: Days | None
    page_size: int


@dataclass(frozen=True, slots=True)
class Check:
    package: Package
    page: int = 1
    chunks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Emit:
    """``hashes`` of the pages, ``records`` in the whole package and ``done`` of them, ``aside`` what the survey found, ``left`` the sealed rows of a group that goes on."""

    package: Package
    page: int
    hashes: tuple[str, ...]
    records: int
    aside: tuple[str, ...]
    left: str = ""
    done: int = 0


Step = Order | Poll | Check | Emit
_STEPS: dict[str, Any] = {"order": Order, "poll": Poll, "check": Check, "emit": Emit}


def dump(step: Step) -> Json:
    return {"step": type(step).__name__.lower(), **asdict(step)}


def load(cursor: Json | None) -> Step:
    """The inverse of :func:`dump`; None is the start."""
    if cursor is None:
        return Order()
    values: dict[str, Any] = {name: value for name, value in cursor.items() if name != "step"}
    for name in ("chunks", "hashes", "aside"):
        if name in values:
            values[name] = tuple(values[name])
    if "package" in values:
        values["package"] = _package(values["package"])
    if "order" in values:
        values["order"] = Order(**values["order"])
    step: Step = _STEPS[cursor["step"]](**values)
    return step


def _package(values: dict[str, Any]) -> Package:
    covered = values["covered"]
    days = None if covered is None else tuple((first, last) for first, last in covered)
    return Package(**{**values, "order": Order(**values["order"]), "covered": days})


class Lost(Exception):
    """What a cursor carries cannot be opened: the client's secret has changed since."""


def seal(key: AESSIV, text: str) -> str:
    """Compressed and encrypted: rows are tax secrets, and a cursor is stored in the clear."""
    return b64encode(key.encrypt(zlib.compress(text.encode(), 6), None)).decode()


def unseal(key: AESSIV, sealed: str) -> str:
    """Raises Lost."""
    try:
        return zlib.decompress(key.decrypt(b64decode(sealed), None)).decode()
    except InvalidTag:
        raise Lost from None
