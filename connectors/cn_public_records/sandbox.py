"""The simulated gateway: the code grant and the services over the personas of the world."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from connectors.cn_public_records import sandbox_rows
from connectors.cn_public_records.requests import LONGEST
from connectors.cn_public_records.vocabulary import SOURCE_OF
from connectors.sandbox.code_grant import Consent
from connectors.sandbox.expand import Reach
from connectors.sandbox.gateway import Face, Gateway, Refusal
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import Platform, Switches, World
from hub.domain.enums import SourceKind
from hub.domain.periods import month_of, months_between

NAME = "cn_public_records"
BASE_PATH = "/cn-records/v1"


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


def _envelope(serial: str, refusal: Refusal | None, data: Any) -> Mapping[str, Any]:
    code, message = (refusal.code, refusal.message) if refusal else ("00000", "success")
    return {"code": code, "message": message, "request_id": f"RQ{serial}", "data": data}


FACE = Face(
    NAME, "工商司法身份数据网关", BASE_PATH, SOURCE_OF, ("zengxin-hub", "cn-records-client-secret-for-sandboxes"),
    (401, "P0401", "令牌无效"), (429, "P0429", "访问过于频繁"), _envelope,
)  # fmt: skip


class Records:
    """The services over one gateway. Order of checks: token, rate, service, scope, parameters."""

    def __init__(self, world: World, per_second: float, burst: int) -> None:
        self.gateway = Gateway(world, FACE, per_second, burst)
        self.rows: dict[tuple[str, str], list[sandbox_rows.Row] | None] = {}

    def routes(self) -> list[Route]:
        serve = Route(f"{BASE_PATH}/services/{{service}}", self.gateway.guarded(self.serve), methods=["POST"])
        return [*self.gateway.oauth.routes(BASE_PATH), serve]

    async def serve(self, consent: Consent, request: Request) -> Mapping[str, Any]:
        return self._answer(consent, request.path_params["service"], await request.body())

    def _answer(self, consent: Consent, service: str, raw: bytes) -> dict[str, Any]:
        offer = OFFERS.get(service)
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
        if rows and self.gateway.world.switched(NAME, "malformed") and service == ("business" if persona.business else "household"):
            rows = [{**rows[0], "zczb": "n/a", "hjqsrq": "n/a"}, *rows[1:]]
        return {
            "jedw": "1",
            "kzsj": f"{self.gateway.night(persona, first=page == 1)} 02:00:00",
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


def build(world: World, *, per_second: float = 500, burst: int = 1000) -> Platform:
    """The simulated gateway; its rate is generous by default (the profile's own: 5 a second, burst 10)."""
    records = Records(world, per_second, burst)
    client_id, client_secret = FACE.client
    app = Switches(Starlette(routes=records.routes()), world, NAME)
    known = records.gateway.outsider(lambda one: bool(one.business and Reach(one, SourceKind.REGISTRATION).source))
    known |= {"paths": {**known["paths"], "service": "/services/{service}"}, "services": list(OFFERS)}
    return Platform(NAME, app, {"client_id": client_id, "client_secret": client_secret}, known, BASE_PATH, trials={"": {"page_size": "1"}})


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
