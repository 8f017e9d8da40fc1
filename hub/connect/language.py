"""The language connectors speak.

A connector is data (:class:`Manifest`) plus pure functions: how to authorise (:class:`Authorisation`), how to sign, what to ask next, how to
read an answer, how to turn a record into facts (:class:`Stream`). It returns :class:`Request` values and is handed :class:`Response` values; the sync engine owns
all I/O, so that timeouts, quota, logs and raw capture cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Protocol

from hub.connect.message import Grant, Json, Page, Record, Request, Response, Window
from hub.connect.oauth import TEXTBOOK, OAuth
from hub.connect.webhook import Webhook
from hub.domain.enums import SourceKind

Dialogue = Generator[Request, Response, Grant]
"""A conversation without I/O: yields requests, is sent responses, returns the grant. The engine drives it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a connection is about, as far as the platform must be told. Plain identifiers: hand them to requests only."""

    uscc: str | None
    resident_id: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Context:
    """What a pure function may know: the application's configuration, the subject, the consented range and the two times.

    ``config`` holds the connector's settings and secrets by the names its manifest declares. ``now`` is real time (signatures, timestamps),
    ``today`` the hub's business day in China Standard Time (planning). ``oauth`` is what the manifest says of the platform's authorisation server,
    ``nonces`` what its servers handed out last for proofs, by the ``host`` of the request.
    """

    config: Mapping[str, str]
    subject: Subject
    sources: frozenset[SourceKind]
    data_from: date
    data_to: date
    now: datetime
    today: date
    grant: Grant | None = None
    oauth: OAuth = TEXTBOOK
    nonces: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setting:
    """One configuration key of a connector. ``shapes``: it decides what a window holds, so that under another value windows are read anew."""

    name: str
    doc: str
    secret: bool = False
    default: str | None = None
    shapes: bool = False


@dataclass(frozen=True, slots=True)
class Remaining:
    """The header in which a platform tells how many calls are left, and the limit it speaks of: the burst ("second"), the "minute" or the "day"."""

    header: str
    window: Literal["second", "minute", "day"]


@dataclass(frozen=True, slots=True)
class Quota:
    """What the platform allows, per platform credential. Days are those of China Standard Time."""

    per_second: float
    burst: int
    in_flight: int = 4
    per_minute: int | None = None
    per_day: int | None = None
    remaining: Remaining | None = None


class Authorisation(Protocol):
    """How a customer lets the hub in. Sans-I/O generators, driven by the hub."""

    def begin(self, context: Context, *, redirect_uri: str, state: str, verifier: str, text_hash: str) -> Generator[Request, Response, str]:
        """Returns the URL the customer's browser is sent to. ``verifier`` is a fresh PKCE verifier, used where the platform knows PKCE;
        ``text_hash`` the hex SHA-256 of the consent text shown. The URL must lie below one that the operator wrote among the connector's settings, or the hub
        sends nobody there."""
        ...

    def complete(self, context: Context, *, redirect_uri: str, verifier: str, callback: Mapping[str, str]) -> Dialogue:
        """Turns the callback's query into a grant. Raises Reauthorise when the customer refused, ContractBroken otherwise."""
        ...

    def refresh(self, context: Context) -> Dialogue:
        """Exchanges ``context.grant`` for a new one. Raises Reauthorise only on an explicit grant error."""
        ...

    def revoke(self, context: Context) -> Generator[Request, Response, None]:
        """Tells the platform that the connection ended. Yields nothing where the platform has no such call."""
        ...


class Stream(Protocol):
    """One series of records of a platform.

    ``window_days`` is the longest range of one request chain (None: one window over the whole range; 0: a state without range, read whole).
    ``look_back_days`` are read again on a later run. ``facts`` are the kinds it produces, all of one source.
    """

    @property
    def name(self) -> str: ...

    @property
    def source(self) -> SourceKind: ...

    @property
    def facts(self) -> tuple[type, ...]: ...

    @property
    def window_days(self) -> int | None: ...

    @property
    def look_back_days(self) -> int: ...

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        """The slices of the range, oldest first. :func:`hub.connect.windows.days` and ``months`` make the usual ones."""
        ...

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        """The next request; ``cursor`` is None at the start of the window, else what the last page gave as ``next``."""
        ...

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        """Reads one answer. Raises a :mod:`hub.connect.faults` Fault."""
        ...

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        """Turns one vendor record into facts, none if the record carries none. Raises Unreadable."""
        ...


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about a platform that is data.

    ``absence_means_gone`` names the streams of which a full pass lists everything there is, so that what it does not bring any more was deleted at the
    platform; for all others absence means nothing. ``versions`` counts up, by stream, when what is asked for changes: its windows are read anew.
    ``oauth`` is what its authorisation server offers, where it keeps to the standards. ``licensed``: a credit bureau with a licence (持牌征信机构), from which alone credit data
    of persons may come (断直连); no other connector gives facts of the source BUREAU.
    """

    name: str
    title: str
    title_zh: str
    sources: tuple[SourceKind, ...]
    doc: str
    settings: tuple[Setting, ...]
    quota: Quota
    oauth: OAuth | None = None
    absence_means_gone: frozenset[str] = frozenset()
    versions: Mapping[str, int] = field(default_factory=dict)
    licensed: bool = False

    @property
    def pkce(self) -> bool:
        return self.oauth is not None and self.oauth.pkce


@dataclass(frozen=True, slots=True)
class Connector:
    """A platform: its manifest, its authorisation, its signature, its streams, and how it pushes where it does."""

    manifest: Manifest
    authorisation: Authorisation
    streams: tuple[Stream, ...]
    sign: Signer
    webhook: Webhook | None = None


class Signer(Protocol):
    """Adds credentials and signature to a request, from ``context.config`` and ``context.grant``. Called last, right before sending."""

    def __call__(self, context: Context, request: Request) -> Request: ...
