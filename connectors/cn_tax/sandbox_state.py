"""What the simulated gateway remembers: tokens, authorisations, collections with their frozen packages; and what it refuses.

``Refused`` is an envelope with a code; the checks are in the documented order. Times on the wire are the persona's clock, lifetimes of tickets and tokens
real time.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from connectors.cn_tax.sandbox_rows import SOURCE_OF, Dated, rows_of, taxpayer_number
from connectors.cn_tax.sign import digest
from connectors.sandbox.bucket import Bucket
from connectors.sandbox.expand import Reach
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import World
from hub.domain.periods import china_day, china_text

NAME = "cn_tax"
TOKEN_LIFE_S, TICKET_LIFE_S, PACKAGE_DAYS = 7200, 1800, 7
SLOW_S = 1.5
WAITING, GRANTED, REFUSED, EXPIRED, REVOKED = "10", "20", "30", "40", "50"


class Refused(Exception):
    """An answer other than success: HTTP status, code, data and headers."""

    def __init__(self, status: int, code: str, message: str, data: Mapping[str, Any] | None = None, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.data = status, code, message, data
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass
class Token:
    ends: float
    scopes: frozenset[str]
    calls: int = 0

    def good(self, short: bool) -> bool:
        """One more call with it; with the switch ``short_tokens`` a token lasts for four."""
        self.calls += 1
        return time.monotonic() < self.ends and not (short and self.calls > 4)


@dataclass
class Authorisation:
    number: str
    persona: Persona
    items: tuple[str, ...]
    first: date
    last: date
    valid_until: date
    redirect_uri: str
    state: str
    ticket: str
    ticket_ends: float
    decision: str = WAITING
    used: bool = False
    orders: int = 0
    running: list[Collection] = field(default_factory=list)

    @property
    def status(self) -> str:
        over = self.decision == GRANTED and china_day(self.persona.known_at) > self.valid_until
        return EXPIRED if over else self.decision

    @property
    def open(self) -> bool:
        """The ticket works once, for half an hour."""
        return not self.used and time.monotonic() < self.ticket_ends

    def check(self) -> None:
        """Raises T0402 or T0403 unless the authorisation is granted."""
        if self.status == WAITING:
            raise Refused(403, "T0402", "not authorised yet")
        if self.status != GRANTED:
            raise Refused(403, "T0403", "refused, expired or revoked", {"SQZT_DM": self.status})


@dataclass(frozen=True)
class Package:
    """One item of a collection, frozen: result (JGDM), rows, digest and covered days."""

    item: str
    result: str
    rows: list[dict[str, Any]]
    digest: str
    covered: list[dict[str, str]]


@dataclass
class Collection:
    number: str
    authorisation: Authorisation
    items: tuple[str, ...]
    first: date
    last: date
    packages: dict[str, Package]
    retry_s: int
    ordered: float = field(default_factory=time.monotonic)
    answered: float = field(default_factory=time.monotonic)
    polls: int = 0
    gone: bool = False

    @property
    def final(self) -> bool:
        return self.polls >= 2 and time.monotonic() - self.ordered >= (SLOW_S if self.retry_s else 0)

    def poll(self) -> None:
        """Raises T0429 when the caller came before Retry-After was over."""
        early = self.retry_s - (time.monotonic() - self.answered)
        if not self.final and early > 0.02:
            raise Refused(429, "T0429", "too fast", Retry_After=str(max(1, round(early))))
        self.polls, self.answered = self.polls + 1, time.monotonic()


class State:
    """The gateway's memory. The limits are generous unless the switch ``rate_limit`` makes them the documented ones."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client_id, self.client_secret = "zengxin-hub", secrets.token_urlsafe(24)
        self.callback_secret, self.events = secrets.token_urlsafe(24), itertools.count(1)
        self.tokens: dict[str, Token] = {}
        self.authorisations: dict[str, Authorisation] = {}
        self.tickets: dict[str, Authorisation] = {}
        self.collections: dict[str, Collection] = {}
        self.keys: dict[str, tuple[bytes, str]] = {}
        self.calls, self._numbers = 0, itertools.count(1)
        self._rows: dict[tuple[str, str], list[Dated]] = {}

    @cached_property
    def bucket(self) -> Bucket:
        return Bucket(5, 10) if self.on("rate_limit") else Bucket(5000, 5000)

    @property
    def orders_a_day(self) -> int:
        return 3 if self.on("rate_limit") else 1000

    def on(self, switch: str) -> bool:
        return self.world.switched(NAME, switch)

    def issue(self, scopes: frozenset[str]) -> str:
        value = secrets.token_urlsafe(24)
        self.tokens[value] = Token(time.monotonic() + TOKEN_LIFE_S, scopes)
        return value

    def authorise(
        self, persona: Persona, items: Sequence[str], days: tuple[date, date, date], *, redirect_uri: str = "", state: str = ""
    ) -> Authorisation:
        """A new authorisation that waits for its taxpayer. ``days``: first, last, valid until."""
        number = f"SQ{next(self._numbers):04d}"
        ends = time.monotonic() + TICKET_LIFE_S
        made = Authorisation(number, persona, tuple(items), *days, redirect_uri, state, secrets.token_urlsafe(18), ends)
        self.authorisations[number] = self.tickets[made.ticket] = made
        return made

    def latest(self, persona: Persona) -> Authorisation:
        """The authorisation that this taxpayer was asked for last."""
        return [one for one in self.authorisations.values() if one.persona is persona][-1]

    def collect(self, authorisation: Authorisation, items: Sequence[str], first: date, last: date) -> Collection:
        authorisation.orders += 1
        number = f"CJ{next(self._numbers):04d}"
        packages = {item: self._package(authorisation.persona, item, first, last) for item in items}
        made = Collection(number, authorisation, tuple(items), first, last, packages, 1 if self.on("slow_collection") else 0)
        made.gone = self.on("package_gone") and authorisation.orders == 1
        self.collections[number] = made
        authorisation.running.append(made)
        return made

    def same_running(self, authorisation: Authorisation, items: Sequence[str], first: date, last: date) -> Collection | None:
        """A collection of the same items and range that is not final."""
        authorisation.running = [one for one in authorisation.running if not one.final]
        asked = (tuple(items), first, last)
        return next((one for one in authorisation.running if (one.items, one.first, one.last) == asked), None)

    def _package(self, persona: Persona, item: str, first: date, last: date) -> Package:
        if (persona.id, item) not in self._rows:
            self._rows[persona.id, item] = rows_of(persona, item)
        spans = Reach(persona, SOURCE_OF[item]).intervals(first, last)
        covered = [{"QQ": start.isoformat(), "QZ": end.isoformat()} for start, end in spans]
        if item == "SBXX" and self.on("source_unavailable"):
            return Package(item, "3", [], "", covered)
        rows = [self._encoded(one.row) for one in self._rows[persona.id, item] if one.within(first, last)]
        if self.on("malformed") and rows and item == self._malformed_item(persona):
            rows[0] = self._malformed(rows[0])
        check = digest([*rows, {}]) if self.on("digest_mismatch") else digest(rows)
        return Package(item, "0" if rows else "1", rows, check, covered)

    def _encoded(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Amounts as text in the unit of the page; keys in the case of the gateway."""
        fen, lower = self.on("fen"), self.on("lower_case")
        return {
            name.lower() if lower else name: (str(int(value * 100)) if fen else f"{value:.2f}") if isinstance(value, Decimal) else value
            for name, value in row.items()
        }

    def _malformed_item(self, persona: Persona) -> str:
        return next((item for item in ("SBXX", "GRSDMX", "FPXX", "CWBB") if rows_of(persona, item)), "NSRJBXX")

    def _malformed(self, row: dict[str, Any]) -> dict[str, Any]:
        """The first amount of the row is no amount."""
        spoiled = {"MSXSE", "SRE", "HJJE", "QMYE", "BQJE", "NSRZT_DM"}
        return {name: "n/a" if name.upper() in spoiled else value for name, value in row.items()}


def describe(one: Authorisation) -> dict[str, Any]:
    """The ``data`` of GET /authorizations/{SQBH}."""
    at = china_text(one.persona.known_at)
    return {
        "SQBH": one.number,
        "NSRSBH": taxpayer_number(one.persona),
        "SQZT_DM": one.status,
        "SJX": list(one.items),
        "SJQQ": one.first.isoformat(),
        "SJQZ": one.last.isoformat(),
        "SQSJ": at if one.decision in (GRANTED, REVOKED) else None,
        "SQYXQZ": one.valid_until.isoformat(),
        "CXSJ": at if one.decision == REVOKED else None,
    }


def progress(one: Collection) -> dict[str, Any]:
    """The ``data`` of GET /collections/{CJBH}."""
    taken = one.authorisation.persona.known_at
    failed = any(package.result == "3" for package in one.packages.values())
    data = {
        "CJBH": one.number,
        "SQBH": one.authorisation.number,
        "CJZT_DM": ("35" if failed else "30") if one.final else "20",
        "JD": 100 if one.final else 40,
        "KZSJ": china_text(taken) if one.final else None,
        "YXQZ": china_text(taken + timedelta(days=PACKAGE_DAYS)) if one.final else None,
        "SJQQ": one.first.isoformat(),
        "SJQZ": one.last.isoformat(),
    }
    return {**data, "XM": [_item(one, package) for package in one.packages.values()]}


def _item(one: Collection, package: Package) -> dict[str, Any]:
    if not one.final:
        return {"SJX_DM": package.item, "CJZT_DM": "20", "JGDM": None, "ZJLS": None, "ZY": None}
    present = package.result == "0"
    return {
        "SJX_DM": package.item,
        "CJZT_DM": "40" if package.result == "3" else "30",
        "JGDM": package.result,
        "ZJLS": len(package.rows) if present else 0,
        "ZY": package.digest if present else None,
        "FGQJ": package.covered,
    }
