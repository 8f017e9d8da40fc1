"""The platform: rotates refresh tokens, revokes the family on reuse, counts every call.

``GET /data`` is answered once every worker has come with the current token; with that the token expires, for all of them at the same moment, and after ``expiries`` of
them the family is finished. A lenient family lets the refresh token before be used until the new pair was: then a killed exchange loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

LATENCY = 0.03
"""Seconds between a rotation and its answer: in them a second refresh would do its harm."""
WORKER = "x-worker"


@dataclass(eq=False)
class Family:
    """All tokens of one grant. ``calls`` are the refreshes asked for, ``reused`` those with a token that had been replaced."""

    number: int
    lenient: bool = False
    generation: int = 0
    live: bool = True
    used: bool = False
    revoked: bool = False
    calls: int = 0
    reused: int = 0
    expiries: int = 0
    finished: bool = False
    seen: set[str] = field(default_factory=set)
    turned: asyncio.Event = field(default_factory=asyncio.Event)

    def pair(self) -> tuple[str, str]:
        return f"a-{self.number}-{self.generation}", f"r-{self.number}-{self.generation}"

    def accepts(self, generation: int) -> bool:
        """Whether this refresh token may be exchanged. One that was replaced ends them all."""
        before = self.lenient and not self.used and generation == self.generation - 1
        if self.revoked or not (generation == self.generation or before):
            self.reused += not self.revoked
            self.revoked = True
            self.turned.set()
            return False
        return True

    def rotate(self) -> None:
        self.generation, self.live, self.used = self.generation + 1, True, False
        self.seen, self.turned = set(), asyncio.Event()

    def works(self, access_token: str) -> bool:
        return self.live and not self.revoked and access_token == self.pair()[0]


class Platform:
    """See the module. ``rotated`` is told of each rotation before it is answered."""

    def __init__(self, workers: int, expiries: int) -> None:
        self.workers, self.expiries = workers, expiries
        self.families: dict[int, Family] = {}
        self.rotated: Callable[[Family], Awaitable[None]] | None = None

    def add(self, number: int, *, lenient: bool = False) -> Family:
        self.families[number] = Family(number, lenient)
        return self.families[number]

    def release(self) -> None:
        """Whoever still waits is answered: the run is over."""
        for family in self.families.values():
            family.turned.set()

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/data", self._data), Route("/oauth2/token", self._token, methods=["POST"])])

    async def _token(self, request: Request) -> Response:
        _, number, generation = str((await request.form())["refresh_token"]).split("-")
        family = self.families[int(number)]
        family.calls += 1
        if not family.accepts(int(generation)):
            return JSONResponse({"error": "invalid_grant"}, 400)
        family.rotate()
        access, refresh = family.pair()
        await asyncio.sleep(LATENCY)
        if self.rotated is not None:
            await self.rotated(family)
        pair = {"access_token": access, "refresh_token": refresh, "refresh_expires_in": 2_592_000}
        return JSONResponse({**pair, "token_type": "Bearer", "expires_in": 7200})

    async def _data(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        family = self.families[int(token.split("-")[1])]
        if not family.works(token):
            return JSONResponse({"error": "invalid_token"}, 401)
        family.used = True
        family.seen.add(request.headers[WORKER])
        turned = family.turned
        if len(family.seen) == self.workers:
            self._turn(family)
        await turned.wait()
        return JSONResponse({"done": family.finished})

    def _turn(self, family: Family) -> None:
        """Everybody has used this token: it expires, unless it was the last."""
        if family.expiries < self.expiries:
            family.expiries, family.live = family.expiries + 1, False
        else:
            family.finished = True
        family.turned.set()
