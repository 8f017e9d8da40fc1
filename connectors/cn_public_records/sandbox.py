"""The simulated gateway: the code grant and the services over the personas of the world."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.cn_public_records import sandbox_rows
from connectors.cn_public_records.requests import LONGEST
from connectors.cn_public_records.vocabulary import SOURCE_OF
from connectors.sandbox.bucket import Bucket
from connectors.sandbox.code_grant import CodeGrantServer, Consent, Consents
from connectors.sandbox.expand import Reach
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import Platform, Switches, World
from hub.connect.code_grant import challenge
from hub.domain.enums import SourceKind
from hub.domain.periods import china_day, month_of, months_between

NAME = "cn_public_records"
BASE_PATH = "/cn-records/v1"
CLIENT_ID, CLIENT_SECRET = "zengxin-hub", "cn-records-client-secret-for-sandboxes"
OUTSIDER_REDIRECT = "https://hub.example/link/callback"
OUTSIDER_VERIFIER = "outsider-verifier-outsider-verifier-outsider-verifier"


@dataclass(frozen=True)
class Offer:
    """A service: the scope it needs, its rows, and by which day a dated one is asked for."""

    scope: str
    rows: Callable[[Persona], list[sandbox_rows.Row] | None]
    day: str | None = None


OFFERS: Mapping[str, Offer] = {
    "business": Offer("registration.read", sandbox_rows.business),
    "qualifications": Offer("registration.read", sandbox_rows.qualifications),
    "cases": Offer("records.read", sandbox_rows.cases, "larq"),
    "checks": Offer("identity.read", sandbox_rows.checks, "hyrq"),
    "household": Offer("identity.read", sandbox_rows.household),
    "education": Offer("identity.read", sandbox_rows.education),
    "places": Offer("identity.read", sandbox_rows.places, "hyrq"),
}


class Refusal(Exception):
    """An error in the gateway's envelope."""

    def __init__(self, status: int, code: str, message: str, *, data: Mapping[str, Any] | None = None, wait: float = 0) -> None:
        self.status, self.code, self.message, self.data, self.wait = status, code, message, data, wait
        super().__init__(code)


class Gateway:
    """One instance serves one world. Order of checks: token, rate, service, scope, parameters."""

    def __init__(self, world: World, per_second: float, burst: int) -> None:
        self.world, self.bucket = world, Bucket(per_second, burst)
        self.consents = Consents()
        self.oauth = CodeGrantServer(
            world, self.consents, title="工商司法身份数据网关", scopes=tuple(SOURCE_OF), client_id=CLIENT_ID, client_secret=CLIENT_SECRET
        )
        self.rows: dict[tuple[str, str], list[sandbox_rows.Row] | None] = {}
        self.requests = 0
        self.moved = False

    def routes(self) -> list[Route]:
        serve = Route(f"{BASE_PATH}/services/{{service}}", self.serve, methods=["POST"])
        return [*self.oauth.routes(BASE_PATH), serve]

    async def serve(self, request: Request) -> Response:
        self.requests += 1
        consent = self.oauth.holder(request.headers.get("authorization", ""))
        if consent is None:
            heads = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return self._envelope(401, "P0401", "令牌无效", None, heads)
        try:
            data = self._answer(consent, request.path_params["service"], await request.body())
        except Refusal as refusal:
            heads = {"Retry-After": str(math.ceil(refusal.wait))} if refusal.wait else {}
            return self._envelope(refusal.status, refusal.code, refusal.message, refusal.data, heads)
        return self._envelope(200, "00000", "success", data, {})

    def _answer(self, consent: Consent, service: str, raw: bytes) -> dict[str, Any]:
        wait, offer = self.bucket.take(), OFFERS.get(service)
        if wait:
            raise Refusal(429, "P0429", "访问过于频繁", wait=wait)
        if offer is None:
            raise Refusal(404, "P0201", "没有此服务")
        if offer.scope not in consent.scopes:
            raise Refusal(403, "P0404", "未授权的服务")
        body = _body(raw)
        page, size = _whole(body, "page", 1, 10_000), _whole(body, "page_size", 50, 200)
        span = _span(body) if offer.day else None
        return self._page(consent.persona, service, offer, span, page, size)

    def _page(self, persona: Persona, service: str, offer: Offer, span: tuple[date, date] | None, page: int, size: int) -> dict[str, Any]:
        reach = Reach(persona, SOURCE_OF[offer.scope])
        covered = [{"qsrq": str(a), "zzrq": str(b)} for a, b in (reach.intervals(*span) if span else reach.intervals())]
        rows = self._rows(persona, service, offer)
        if rows is None or not covered:
            raise Refusal(404, "P0204", "无记录", data={"sjfg": covered})
        if span and offer.day:
            rows = [row for row in rows if str(span[0]) <= row[offer.day] <= str(span[1])]
        if rows and self.world.switched(NAME, "malformed") and service == ("business" if persona.business else "household"):
            rows = [{**rows[0], "zczb": "n/a", "hjqsrq": "n/a"}, *rows[1:]]
        return {
            "jedw": "1",
            "kzsj": self._snapshot(persona, page),
            "sjfg": covered,
            "page": page,
            "page_size": size,
            "pages": -(-len(rows) // size),
            "total": len(rows),
            "rows": rows[(page - 1) * size : page * size],
        }

    def _rows(self, persona: Persona, service: str, offer: Offer) -> list[sandbox_rows.Row] | None:
        if (persona.id, service) not in self.rows:
            self.rows[persona.id, service] = offer.rows(persona)
        return self.rows[persona.id, service]

    def _snapshot(self, persona: Persona, page: int) -> str:
        """The night of the data. The switch ``new_snapshot`` lets a new night fall once, between two pages."""
        if page > 1 and self.world.switched(NAME, "new_snapshot"):
            self.moved = True
        return f"{china_day(persona.known_at) + timedelta(days=self.moved)} 02:00:00"

    def _envelope(self, status: int, code: str, message: str, data: Mapping[str, Any] | None, heads: Mapping[str, str]) -> Response:
        body = {"code": code, "message": message, "request_id": f"RQ{self.requests:08d}", "data": data}
        return JSONResponse(body, status, headers=dict(heads))


def build(world: World, *, per_second: float = 500, burst: int = 1000) -> Platform:
    """The simulated gateway; its rate is generous by default (the profile's own: 5 a second, burst 10)."""
    gateway = Gateway(world, per_second, burst)
    config = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    app = Switches(Starlette(routes=gateway.routes()), world, NAME)
    return Platform(NAME, app, config, _outsider(gateway), BASE_PATH, trials={"": {"page_size": "1"}})


def _outsider(gateway: Gateway) -> dict[str, Any]:
    """What a client not written by this project needs; the code, the tokens and the period are of the first persona with a register entry, else of the first."""
    paths = {"authorize": "/oauth2/authorize", "token": "/oauth2/token", "revoke": "/oauth2/revoke", "service": "/services/{service}"}
    known = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "paths": paths, "services": list(OFFERS)}
    personas = sorted(gateway.world.personas, key=lambda one: not (one.business and Reach(one, SourceKind.REGISTRATION).source))
    if not personas:
        return known
    persona, scopes = personas[0], tuple(SOURCE_OF)
    code = gateway.oauth.issue_code(gateway.consents.add(persona, scopes), OUTSIDER_REDIRECT, challenge(OUTSIDER_VERIFIER), life=86_400)
    tokens = gateway.oauth.issue_tokens(gateway.consents.add(persona, scopes))
    end = persona.as_of - timedelta(days=1)
    return {
        **known,
        "persona": persona.id,
        "redirect_uri": OUTSIDER_REDIRECT,
        "code": code,
        "code_verifier": OUTSIDER_VERIFIER,
        "access_token": tokens["access_token"],
        "refresh_token": tokens["refresh_token"],
        "scope": tokens["scope"],
        "period": {"from": (end - timedelta(days=365)).isoformat(), "to": end.isoformat()},
    }


def _body(raw: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(raw or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refusal(400, "P0100", "参数错误", data={"field": "body"})
    return found


def _whole(body: Mapping[str, Any], name: str, default: int, most: int) -> int:
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise Refusal(400, "P0100", "参数错误", data={"field": name})
    return value


def _span(body: Mapping[str, Any]) -> tuple[date, date]:
    bounds = []
    for name in ("qsrq", "zzrq"):
        try:
            bounds.append(date.fromisoformat(body[name]))
        except (KeyError, TypeError, ValueError):
            raise Refusal(400, "P0100", "参数错误", data={"field": name}) from None
    first, last = bounds
    if first > last or months_between(month_of(first), month_of(last)) + 1 > LONGEST:
        raise Refusal(400, "P0101", "日期范围错误", data={"field": "zzrq"})
    return first, last
