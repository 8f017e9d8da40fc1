"""The simulated platform: the code grant, contracts by day of signing, accounts; pages with marks that live as long as the night's snapshot."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from connectors.cn_procurement import sandbox_rows
from connectors.cn_procurement.requests import LONGEST_DAYS
from connectors.cn_procurement.sandbox_rows import Item
from connectors.cn_procurement.vocabulary import SCOPE, SOURCE_OF
from connectors.sandbox import expand_orders
from connectors.sandbox.code_grant import Consent
from connectors.sandbox.gateway import Face, Gateway, Refusal, spans
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import Platform, Switches, World
from hub.domain.enums import SourceKind

NAME = "cn_procurement"
BASE_PATH = "/cn-procurement"
LARGEST_PAGE = 100


def _envelope(serial: str, refusal: Refusal | None, data: Any) -> Mapping[str, Any]:
    code, message = (refusal.code, refusal.message) if refusal else ("0", "成功")
    return {"ret": code, "msg": message, "trace": f"CG{serial}", "result": data}


FACE = Face(
    NAME, "政府采购与核心企业订单平台", BASE_PATH, SOURCE_OF, ("zengxin-hub", "cn-procurement-client-secret-for-sandboxes"),
    (401, "1001", "令牌无效"), (429, "3001", "访问过于频繁"), _envelope,
)  # fmt: skip


class Procurement:
    """The two services over one gateway."""

    def __init__(self, world: World, per_second: float, burst: int) -> None:
        self.gateway = Gateway(world, FACE, per_second, burst)

    def routes(self) -> list[Route]:
        guarded = self.gateway.guarded
        contracts = Route(f"{BASE_PATH}/v2/contracts", guarded(self.contracts), methods=["GET"])
        accounts = Route(f"{BASE_PATH}/v2/accounts", guarded(self.accounts), methods=["GET"])
        return [*self.gateway.oauth.routes(BASE_PATH), contracts, accounts]

    async def contracts(self, consent: Consent, request: Request) -> Mapping[str, Any]:
        _allowed(consent)
        first, last = (_asked_day(request, name) for name in ("signedFrom", "signedTo"))
        if first > last or (last - first).days >= LONGEST_DAYS:
            raise Refusal(400, "2001", "日期范围错误", data={"field": "signedTo"})
        items = [self._spoiled(number, one) for number, one in enumerate(sandbox_rows.contracts(consent.persona))]
        asked = [one for one in items if f"{first:%Y%m%d}" <= one["qdrq"] <= f"{last:%Y%m%d}"]
        return self._page(consent.persona, request, asked, (first, last))

    async def accounts(self, consent: Consent, request: Request) -> Mapping[str, Any]:
        _allowed(consent)
        return self._page(consent.persona, request, sandbox_rows.accounts(consent.persona), None)

    def _spoiled(self, number: int, item: Item) -> Item:
        return {**item, "htje": "n/a"} if number == 0 and self.gateway.world.switched(NAME, "malformed") else item

    def _page(self, persona: Persona, request: Request, items: list[Item], asked: tuple[date, date] | None) -> dict[str, Any]:
        covered = spans(persona, SourceKind.PROCUREMENT, *(asked or ()))
        served = [{"from": f"{first:%Y%m%d}", "to": f"{last:%Y%m%d}"} for first, last in covered]
        if persona.procurement is None or not spans(persona, SourceKind.PROCUREMENT):
            raise Refusal(404, "2004", "未找到供应商", data={"served": served})
        night, start = self._start(persona, request.query_params.get("mark", ""))
        limit = _limit(request)
        more = start + limit < len(items)
        return {
            "unit": "WY",
            "served": served,
            "count": len(items),
            "more": more,
            "mark": _mark(night, start + limit) if more else None,
            "items": items[start : start + limit],
        }

    def _start(self, persona: Persona, mark: str) -> tuple[date, int]:
        """The night and the first item of the page. A mark of another night is gone."""
        night = self.gateway.night(persona, first=not mark)
        if not mark:
            return night, 0
        try:
            day, _, start = base64.urlsafe_b64decode(mark).decode().partition("/")
            found = date.fromisoformat(day), int(start)
        except (ValueError, binascii.Error):
            raise Refusal(400, "2001", "参数错误", data={"field": "mark"}) from None
        if found[0] != night:
            raise Refusal(410, "2002", "翻页标记已失效")
        return found


def _allowed(consent: Consent) -> None:
    if SCOPE not in consent.scopes:
        raise Refusal(403, "1002", "未授权的服务")


def _mark(night: date, start: int) -> str:
    return base64.urlsafe_b64encode(f"{night}/{start}".encode()).decode()


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "50")
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE:
        raise Refusal(400, "2001", "参数错误", data={"field": "limit"})
    return int(text)


def _asked_day(request: Request, name: str) -> date:
    try:
        return datetime.strptime(request.query_params.get(name, ""), "%Y%m%d").date()
    except ValueError:
        raise Refusal(400, "2001", "参数错误", data={"field": name}) from None


def build(world: World, *, per_second: float = 500, burst: int = 1000) -> Platform:
    """The simulated platform; its rate is generous by default (the profile's own: 5 a second, burst 10)."""
    platform = Procurement(world, per_second, burst)
    client_id, client_secret = FACE.client
    app = Switches(Starlette(routes=platform.routes()), world, NAME)
    known = platform.gateway.outsider(lambda persona: bool(expand_orders.orders(persona)))
    known["paths"] |= {"contracts": "/v2/contracts", "accounts": "/v2/accounts"}
    return Platform(NAME, app, {"client_id": client_id, "client_secret": client_secret}, known, BASE_PATH, trials={"": {"page_size": "1"}})
