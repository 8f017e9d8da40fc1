"""What simulated gateways with a code grant share: who asks, how fast, and an answer in the gateway's own envelope.

A gateway is a :class:`Face` (its name, its words for what is wrong) and handlers that take a consent and give data, or raise :class:`Refusal`. Order of checks:
token, rate, what the handler checks.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.sandbox.bucket import Bucket
from connectors.sandbox.code_grant import CodeGrantServer, Consent, Consents
from connectors.sandbox.expand import Reach
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import World
from hub.connect.code_grant import challenge
from hub.domain.enums import SourceKind
from hub.domain.periods import china_day

REDIRECT = "https://hub.example/link/callback"
VERIFIER = "outsider-verifier-outsider-verifier-outsider-verifier"


class Refusal(Exception):
    """An error in the gateway's envelope; ``wait`` is told as Retry-After."""

    def __init__(self, status: int, code: str, message: str, *, data: Mapping[str, Any] | None = None, wait: float = 0) -> None:
        self.status, self.code, self.message, self.data, self.wait = status, code, message, data, wait
        super().__init__(code)


@dataclass(frozen=True)
class Face:
    """How a gateway shows itself. ``void`` and ``fast`` are status, code and message of a bad token and of too many calls; ``envelope`` makes a body of a serial
    number, a refusal (None: it went well) and data."""

    name: str
    title: str
    base_path: str
    scopes: Mapping[str, SourceKind]
    client: tuple[str, str]
    void: tuple[int, str, str]
    fast: tuple[int, str, str]
    envelope: Callable[[str, Refusal | None, Any], Mapping[str, Any]]


Handler = Callable[[Consent, Request], Awaitable[Mapping[str, Any]]]


class Gateway:
    """One gateway over one world."""

    def __init__(self, world: World, face: Face, per_second: float, burst: int) -> None:
        self.world, self.face, self.bucket = world, face, Bucket(per_second, burst)
        self.consents = Consents()
        client_id, client_secret = face.client
        self.oauth = CodeGrantServer(
            world, self.consents, title=face.title, scopes=tuple(face.scopes), client_id=client_id, client_secret=client_secret
        )
        self.requests = 0
        self.moved = False

    def guarded(self, handle: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Token and rate before, the envelope around."""

        async def endpoint(request: Request) -> Response:
            self.requests += 1
            try:
                return self._said(200, None, await handle(self._caller(request), request))
            except Refusal as refusal:
                return self._said(refusal.status, refusal, refusal.data)

        return endpoint

    def _caller(self, request: Request) -> Consent:
        consent = self.oauth.holder(request.headers.get("authorization", ""))
        if consent is None:
            raise Refusal(*self.face.void)
        wait = self.bucket.take()
        if wait:
            raise Refusal(*self.face.fast, wait=wait)
        return consent

    def _said(self, status: int, refusal: Refusal | None, data: Any) -> Response:
        heads = {"WWW-Authenticate": 'Bearer error="invalid_token"'} if status == 401 else {}
        if refusal is not None and refusal.wait:
            heads["Retry-After"] = str(math.ceil(refusal.wait))
        return JSONResponse(self.face.envelope(f"{self.requests:010d}", refusal, data), status, headers=heads)

    def night(self, persona: Persona, *, first: bool) -> date:
        """The night whose snapshot is served. The switch ``new_snapshot`` lets a new one fall once, between two pages."""
        if not first and self.world.switched(self.face.name, "new_snapshot"):
            self.moved = True
        return china_day(persona.known_at) + timedelta(days=self.moved)

    def outsider(self, has_data: Callable[[Persona], bool]) -> dict[str, Any]:
        """What a client not written by this project needs: a code that works once, tokens already issued, and a period, of the first persona with data, else the first."""
        client_id, client_secret = self.face.client
        oauth = {"authorize": "/oauth2/authorize", "token": "/oauth2/token", "revoke": "/oauth2/revoke"}
        known: dict[str, Any] = {"client_id": client_id, "client_secret": client_secret, "paths": oauth}
        if not self.world.personas:
            return known
        persona, scopes = max(self.world.personas, key=has_data), tuple(self.face.scopes)
        code = self.oauth.issue_code(self.consents.add(persona, scopes), REDIRECT, challenge(VERIFIER), life=86_400)
        end = persona.as_of - timedelta(days=1)
        return {
            **known,
            **self.oauth.issue_tokens(self.consents.add(persona, scopes)),
            "persona": persona.id,
            "redirect_uri": REDIRECT,
            "code": code,
            "code_verifier": VERIFIER,
            "period": {"from": (end - timedelta(days=365)).isoformat(), "to": end.isoformat()},
        }


def spans(persona: Persona, source: SourceKind, first: date | None = None, last: date | None = None) -> list[tuple[date, date]]:
    """The days a source of a persona covers, within a range."""
    return Reach(persona, source).intervals(first, last)
