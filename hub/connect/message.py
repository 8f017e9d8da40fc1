"""What a connector says and hears: Request, Response, Page. Values only; nothing here opens a socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal
from urllib.parse import urlencode

from hub.connect.faults import Misconfigured

Json = Any
"""A JSON value: what a cursor is made of. Must survive ``json.dumps``."""

Record = Mapping[str, Any]
"""One vendor record as read from a page. Amounts stay as sent (text, int or Decimal, never float)."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call to a platform, without credentials until it is signed.

    ``path`` is joined to the connection's base URL; a platform with several hosts names one with ``host``, the setting that says
    where it is. What is stored as evidence is the unsigned request: so no secret may be put in before ``sign``.
    """

    method: Literal["GET", "POST", "DELETE"]
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    host: str = ""
    idempotent: bool = True

    def with_query(self, **values: str) -> Request:
        return replace(self, query=(*self.query, *values.items()))

    def with_headers(self, **values: str) -> Request:
        """Adds headers; ``_`` in a name stands for ``-``."""
        return replace(self, headers=(*self.headers, *((name.replace("_", "-"), value) for name, value in values.items())))

    @staticmethod
    def form(path: str, fields: Mapping[str, str], *, host: str = "", idempotent: bool = True) -> Request:
        """A POST with a form body."""
        header = (("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),)
        return Request("POST", path, headers=header, body=urlencode(fields).encode(), host=host, idempotent=idempotent)


def base_of(config: Mapping[str, str], host: str) -> str:
    """The base URL that a request's ``host`` means: a setting that holds a URL, or says that it is the base URL. Raises Misconfigured: a signed request
    goes nowhere by guess.
    """
    named = config.get(host or "base_url", "")
    named = config["base_url"] if named == "base_url" else named
    if not named.startswith(("https://", "http://")):
        raise Misconfigured(f"no setting says where {host!r} is")
    return named


@dataclass(frozen=True, slots=True)
class Response:
    """What came back: the raw bytes, as received. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Interval:
    """Days from ``first`` to ``last``, both included (China Standard Time)."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("an interval ends on or after its first day")


@dataclass(frozen=True, slots=True)
class Page:
    """What a connector read from one response.

    ``next`` is the cursor of the next request of the same window; None is the explicit end signal, never "nothing found". ``total`` is the
    number of records of the whole window if the platform declares it. ``covered`` is which days the platform says the records
    are complete for, if it says so; None means the whole window. ``wait`` asks the engine to wait so many seconds before the next request.
    ``restart`` says that the list is read from its beginning again, from this page on: what the window gave before comes a second time.
    """

    records: tuple[Record, ...] = ()
    next: Json | None = None
    total: int | None = None
    covered: tuple[Interval, ...] | None = None
    wait: float = 0.0
    restart: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """One slice of a stream: days ``first`` to ``last``. A stream without windows has one window over the whole range."""

    stream: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Grant:
    """What a platform gave the hub for one connection; stored encrypted, handed to ``sign``.

    ``expires_in`` and ``refresh_expires_in`` are seconds of real time; None: does not expire. ``extra`` keeps what else the platform
    needs with each call (an authorisation number, a rotating secret). ``scopes`` are the source kinds the customer kept, if the platform
    lets him choose. ``account`` identifies the customer's account at the platform.
    """

    access_token: str
    refresh_token: str | None = None
    expires_in: int | None = None
    refresh_expires_in: int | None = None
    account: str = ""
    scopes: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
