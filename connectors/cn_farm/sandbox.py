"""The simulated feed: the code grant, plots and the holding; rows from a start on, as long as the satellite's period is the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from connectors.cn_farm import sandbox_rows
from connectors.cn_farm.sandbox_rows import AREA_UNIT, YIELD_UNIT, Row
from connectors.cn_farm.vocabulary import SCOPE, SOURCE_OF
from connectors.sandbox import expand_farm
from connectors.sandbox.code_grant import Consent
from connectors.sandbox.gateway import Face, Gateway, Refusal, spans
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import Platform, Switches, World
from hub.domain.enums import SourceKind

NAME = "cn_farm"
BASE_PATH = "/cn-farm"
LARGEST_PAGE = 200
SERVICES = {"parcel": sandbox_rows.parcels, "holding": sandbox_rows.holdings}


def _envelope(serial: str, refusal: Refusal | None, data: Any) -> Mapping[str, Any]:
    status, message = (int(refusal.code), refusal.message) if refusal else (200, "OK")
    return {"status": status, "message": message, "serial": f"DK{serial}", "body": data}


FACE = Face(
    NAME, "农业地块核验平台", BASE_PATH, SOURCE_OF, ("zengxin-hub", "cn-farm-client-secret-for-sandboxes"),
    (401, "4011", "令牌无效"), (429, "4291", "访问过于频繁"), _envelope,
)  # fmt: skip


class Feed:
    """The two services over one gateway."""

    def __init__(self, world: World, per_second: float, burst: int) -> None:
        self.gateway = Gateway(world, FACE, per_second, burst)

    def routes(self) -> list[Route]:
        serve = Route(f"{BASE_PATH}/api/{{service}}/query", self.gateway.guarded(self.serve), methods=["POST"])
        return [*self.gateway.oauth.routes(BASE_PATH), serve]

    async def serve(self, consent: Consent, request: Request) -> Mapping[str, Any]:
        service = request.path_params["service"]
        if service not in SERVICES:
            raise Refusal(404, "4042", "没有此服务")
        if SCOPE not in consent.scopes:
            raise Refusal(403, "4031", "未授权的服务")
        start, rows = _asked(await request.body())
        return self._page(consent.persona, service, start, rows)

    def _page(self, persona: Persona, service: str, start: int, rows: int) -> Mapping[str, Any]:
        observed = [{"first": first.isoformat(), "last": last.isoformat()} for first, last in spans(persona, SourceKind.FARM)]
        if expand_farm.holding(persona) is None:
            raise Refusal(404, "4041", "未找到承包方", data={"observed": observed})
        docs = self._docs(persona, service)
        return {
            "period": f"{self.gateway.night(persona, first=not start) - timedelta(days=1):%Y%m%d}",
            "areaUnit": AREA_UNIT,
            "yieldUnit": YIELD_UNIT,
            "observed": observed,
            "numFound": len(docs),
            "start": start,
            "docs": docs[start : start + rows],
        }

    def _docs(self, persona: Persona, service: str) -> list[Row]:
        docs = SERVICES[service](persona)
        if service == "parcel" and docs and self.gateway.world.switched(NAME, "malformed"):
            return [{**docs[0], "ygmj": "n/a"}, *docs[1:]]
        return docs


def _asked(raw: bytes) -> tuple[int, int]:
    try:
        body = json.loads(raw or b"{}")
        start, rows = body.get("start", 0), body.get("rows", 100)
    except (ValueError, AttributeError):
        raise Refusal(400, "4001", "参数错误", data={"field": "body"}) from None
    if type(start) is not int or start < 0:
        raise Refusal(400, "4001", "参数错误", data={"field": "start"})
    if type(rows) is not int or not 1 <= rows <= LARGEST_PAGE:
        raise Refusal(400, "4001", "参数错误", data={"field": "rows"})
    return start, rows


def build(world: World, *, per_second: float = 500, burst: int = 1000) -> Platform:
    """The simulated feed; its rate is generous by default (the profile's own: 5 a second, burst 10)."""
    feed = Feed(world, per_second, burst)
    client_id, client_secret = FACE.client
    app = Switches(Starlette(routes=feed.routes()), world, NAME)
    known = feed.gateway.outsider(lambda persona: bool(expand_farm.plots(persona)))
    known |= {"paths": {**known["paths"], "service": "/api/{service}/query"}, "services": list(SERVICES)}
    return Platform(NAME, app, {"client_id": client_id, "client_secret": client_secret}, known, BASE_PATH, trials={"": {"page_size": "1"}})
