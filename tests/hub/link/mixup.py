"""A play with two platforms, one of them a thief's, and two customers, one of them his accomplice (trust rules, T6).

A is honest: it knows its customers, sends a code to the hub's registered redirect URI only, and says that it was A. B does to every browser that comes what its trick says: it lets it in, sends
it to A's page with whatever it knows, or invents an answer. What the thief knows is what was seen at B, and all of his accomplice's own. Both remember every code they are shown: a code
of A at B's token endpoint is what the play is about.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.connect import Connector, OAuth
from hub.connect.code_grant import CodeGrant
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId
from hub.errors import HubError
from hub.link.service import LinkService
from hub.link.view import offer_of
from hub.store.database import Database
from hub.store.embedded import Urls
from hub.store.tables import consent
from tests.hub.link.standing import Standing, standing
from tests.hub.sync.platform import connector
from tests.hub.sync.server import Brief

A, B = "a", "b"
SOURCES = {A: SourceKind.SHOP, B: SourceKind.SETTLEMENT}
VICTIM, ACCOMPLICE = "victim", "accomplice"
Query = dict[str, str]


def query_of(url: str) -> Query:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


@dataclass
class Fake:
    """A platform. ``minted`` are its codes with what they were asked for; ``shown`` are the codes that came to its token endpoint. ``strict``: it looks at them."""

    name: str
    strict: bool
    minted: dict[str, Query] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    callbacks: frozenset[str] = frozenset()
    origin: str = ""

    def mint(self, query: Query) -> str:
        code = f"{self.name}-{secrets.token_hex(8)}"
        self.minted[code] = query
        return code

    def page(self, query: Query, who: str) -> str:
        """Where the customer who logs in here is sent back to; empty: this page lets nobody in."""
        if query.get("redirect_uri") not in self.callbacks or query.get("code_challenge_method") != "S256":
            return ""
        code = self.mint({**query, "account": who})
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query.get('state', ''), 'iss': self.origin})}"

    async def token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.shown.append(form.get("code", ""))
        asked = self.minted.get(form.get("code", ""))
        if self.strict and (asked is None or not self._proves(asked, form)):
            return JSONResponse({"error": "invalid_grant"}, 400)
        if asked is not None:
            asked["used"] = "yes"
        who = asked["account"] if asked else "nobody"
        return JSONResponse(
            {"access_token": secrets.token_hex(8), "token_type": "Bearer", "expires_in": 3600, "subject": f"{self.name}:{who}"}
        )

    def _proves(self, asked: Query, form: Query) -> bool:
        made = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        return "used" not in asked and made == asked["code_challenge"] and form.get("redirect_uri") == asked["redirect_uri"]

    def server(self) -> Brief:
        return Brief(Starlette(routes=[Route("/oauth2/token", self.token, methods=["POST"])]))


class SharedRedirect(LinkService):
    """What the hub is not: one redirect URI for all platforms, an answer belongs to whom its state was asked of."""

    def redirect_uri(self, connector: str) -> str:
        return f"{self.origin}/link/callback/any"


@dataclass(frozen=True)
class Trick:
    """What B does to a browser. Numbers choose among what the thief knows."""

    kind: str
    state: int
    challenge: int
    target: str
    issuer: str


@dataclass(frozen=True)
class Login:
    """One customer's login at one platform. ``swapped`` says for each time that its answer comes to the hub whether it does so in the other customer's browser."""

    who: str
    platform: str
    trick: Trick
    swapped: tuple[bool, ...]


@dataclass
class Play:
    """One interleaving of logins: each turn lets one of them do its next step."""

    stage: Stage
    logins: tuple[Login, ...]
    steps: dict[int, int] = field(default_factory=dict)
    urls: dict[int, str] = field(default_factory=dict)
    answers: dict[int, str] = field(default_factory=dict)
    known: list[Query] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    stolen: list[str] = field(default_factory=list)

    async def turn(self, at: int) -> None:
        """Agrees at the hub, then visits the platform, then comes back, as often as it will."""
        at %= len(self.logins)
        login, step = self.logins[at], self.steps.get(at, 0)
        self.steps[at] = step + 1
        if step == 0:
            await self._start(at, login)
        elif step == 1:
            self.answers[at] = self._visit(self.urls[at], login)
        elif self.answers[at] and step - 2 < len(login.swapped):
            who = _other(login.who) if login.swapped[step - 2] else login.who
            await self.stage.complete(who, self.answers[at], stolen=who == ACCOMPLICE != login.who)

    async def _start(self, at: int, login: Login) -> None:
        self.urls[at] = url = await self.stage.agree(login.who, login.platform)
        if login.who == ACCOMPLICE:
            self.known.append(query_of(url))

    def _visit(self, url: str, login: Login) -> str:
        """A browser arrives where the hub has sent it. The URL it is sent back to."""
        query, trick = query_of(url), login.trick
        if login.platform == A:
            back = self.stage.platforms[A].page(query, login.who)
            if login.who == ACCOMPLICE:
                self.stolen.append(query_of(back)["code"])
            return back
        self.known.append(query)
        return str(getattr(self, f"_{trick.kind}")(query, login.who, trick))

    def _lets_in(self, query: Query, who: str, trick: Trick) -> str:
        thief = self.stage.platforms[B]
        self.codes.append(code := thief.mint({**query, "account": who}))
        issuer = {"own": thief.origin, "other": self.stage.platforms[A].origin, "none": None}[trick.issuer]
        answer = {"code": code, "state": query["state"], **({"iss": issuer} if issuer is not None else {})}
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def _passes_on(self, query: Query, who: str, trick: Trick) -> str:
        """The customer thinks that B lets him log in with his account at A, and does."""
        other, asked = self._known(trick.state), self._known(trick.challenge)
        forged = {**asked, "state": other["state"], "client_id": "hub-at-a", "redirect_uri": self.stage.callback(trick.target)}
        return self.stage.platforms[A].page(forged, who)

    def _invents(self, query: Query, who: str, trick: Trick) -> str:
        """An answer that A never gave: with a code of B's, or in A's own name with the one that the accomplice was given there."""
        other = self._known(trick.state)
        issuer = {"own": self.stage.platforms[B].origin, "other": self.stage.platforms[A].origin, "none": None}[trick.issuer]
        codes = [
            *self.codes,
            *(self.stolen if self.stage.callback(trick.target) == self.stage.callback(A) != self.stage.callback(B) else ()),
        ]
        code = codes[-1 - trick.challenge % len(codes)] if codes else self.stage.platforms[B].mint({**query, "account": who})
        answer = {"code": code, "state": other["state"], **({"iss": issuer} if issuer is not None else {})}
        return f"{self.stage.callback(trick.target)}?{urlencode(answer)}"

    def _known(self, number: int) -> Query:
        """0 is what came last."""
        return self.known[-1 - number % len(self.known)]


def _other(who: str) -> str:
    return VICTIM if who == ACCOMPLICE else ACCOMPLICE


@dataclass
class Stage:
    """The hub, both platforms, and two browsers that have each opened a link of their own."""

    hub: Standing
    links: LinkService
    platforms: Mapping[str, Fake]
    customers: Mapping[str, CustomerId]
    browsers: dict[str, str] = field(default_factory=dict)
    consents: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """Ids, and the texts they are asked with."""
    states: dict[str, str] = field(default_factory=dict)
    completed: int = 0
    strays: list[str] = field(default_factory=list)

    @property
    def leaked(self) -> list[str]:
        """Codes of A that B was shown."""
        return [code for code in self.platforms[B].shown if code in self.platforms[A].minted]

    def callback(self, connector: str) -> str:
        return self.links.redirect_uri(connector)

    async def agree(self, who: str, platform: str) -> str:
        """Once more, if need be: every login is one of a connection that must be authorised."""
        again = "UPDATE connection SET status = 'REAUTHORISE' WHERE customer_id = :customer AND connector = :connector RETURNING 1"
        await self.hub.rows(again, customer=self.customers[who], connector=platform)
        shown = self.consents[who, platform]
        url = await self.links.agree(self.browsers[who], platform, offer_of([shown]), [shown[0]], {})
        self.states[query_of(url)["state"]] = platform
        return url

    async def complete(self, who: str, url: str, *, stolen: bool) -> None:
        """As the link pages do: the path says whose answer it is. Where all share one, the state does.

        ``stolen``: the accomplice has got hold of what the victim's browser carried. If his own request was slipped under it, he is let in to her account, as with any theft of a code.
        """
        query, named = query_of(url), urlsplit(url).path.rpartition("/")[2]
        connector = self.states.get(query.get("state", ""), "") if named == "any" else named
        try:
            await self.links.complete(self.browsers[who], connector, query)
        except HubError:
            return
        self.completed += 1
        let_in = self.platforms[A].minted.get(query.get("code", ""), {}).get("account", who)
        if let_in != who and not stolen:
            self.strays.append(f"{who} was let in to the account of {let_in}")

    async def enters(self, who: str) -> None:
        """Opens a link in a browser of his own."""
        await self.hub.link(self.customers[who], *SOURCES.values())
        self.browsers[who] = secrets.token_urlsafe(32)
        opened = "UPDATE link_session SET browser_hash = :hash WHERE customer_id = :customer RETURNING 1"
        hashed = hashlib.sha256(self.browsers[who].encode()).hexdigest()
        await self.hub.rows(opened, customer=self.customers[who], hash=hashed)
        async with self.hub.equipment.database.work() as tx:
            asked = (await tx.execute(select(consent).where(consent.c.customer_id == self.customers[who]))).all()
        self.consents |= {(who, row.connector): (str(row.consent_id), row.text_hash) for row in asked}


def _connector(name: str) -> Connector:
    one = connector()
    manifest = replace(one.manifest, name=name, sources=(SOURCES[name],), oauth=OAuth(names_issuer=True))
    return replace(one, manifest=manifest, authorisation=CodeGrant(lambda context: ("data",), {"data": SOURCES[name]}))


@asynccontextmanager
async def stage(urls: Urls, home: Path, *, shared: bool = False) -> AsyncIterator[Stage]:
    database, fakes = Database(urls), {A: Fake(A, strict=True), B: Fake(B, strict=False)}
    servers = {name: fake.server() for name, fake in fakes.items()}
    await asyncio.gather(*(server.start() for server in servers.values()))
    for name, fake in fakes.items():
        fake.origin = servers[name].origin
    configs = {name: {"base_url": fake.origin, "issuer": fake.origin, "client_id": f"hub-at-{name}"} for name, fake in fakes.items()}
    async with standing(database, home, [_connector(name) for name in fakes], configs) as hub:
        links = _sharing(hub.links) if shared else hub.links
        fakes[A].callbacks, fakes[B].callbacks = frozenset({links.redirect_uri(A)}), frozenset({links.redirect_uri(B)})
        customers = {VICTIM: await hub.customer(), ACCOMPLICE: await hub.customer("110101199003070003")}
        made = Stage(hub, links, fakes, customers)
        for who in customers:
            await made.enters(who)
        yield made
    await asyncio.gather(*(server.stop() for server in servers.values()))
    await database.close()


def _sharing(links: LinkService) -> SharedRedirect:
    options: dict[str, Any] = {"grantee": links.grantee, "origin": links.origin, "nudge": links.nudge, "token_of": links.token_of}
    return SharedRedirect(links.database, links.platforms, links.clock, **options)
