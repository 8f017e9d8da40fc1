"""The simulated TOP: OAuth, the signed gateway with its checks in their order, and the answers of one seller's shop.

Errors come inside HTTP 200; without ``format=json`` the answer is XML; a window that the platform does not serve is refused by its start.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any, TypeVar
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from connectors.sandbox.bucket import Bucket
from connectors.sandbox.consent_page import consent_page
from connectors.sandbox.expand import Reach
from connectors.sandbox.expand_shop import ShopOrder
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import Platform, Switches, World
from connectors.taobao.bills import METHOD as BILLS
from connectors.taobao.orders import METHOD as SOLD
from connectors.taobao.refunds import METHOD as REFUNDS
from connectors.taobao.sandbox_books import SellerBooks, Shelf, shop_number
from connectors.taobao.shop import EXTENSION, METHOD
from connectors.taobao.sign import GATEWAY, verify
from connectors.taobao.summaries import METHOD as MONTHS
from hub.domain.periods import CHINA, china_time
from hub.errors import PersonaInvalid

APP_KEY = "23000001"
CODE_LIFE, SESSION_LIFE = 600, 86_400
INCREMENT = "taobao.trades.sold.increment.get"
Span = tuple[datetime, datetime]
T = TypeVar("T")


class TopError(Exception):
    """An ``error_response``."""

    def __init__(self, code: int, msg: str, sub_code: str = "", sub_msg: str = "") -> None:
        self.body = {"code": code, "msg": msg, "sub_code": sub_code, "sub_msg": sub_msg, "request_id": secrets.token_hex(6)}
        super().__init__(msg)


@dataclass
class _Code:
    persona: Persona
    redirect_uri: str
    expires: float


@dataclass
class _Session:
    persona: Persona
    expires: float


class Top:
    """The platform's state and its endpoints. ``bucket`` limits calls; it is generous unless a test says otherwise."""

    def __init__(self, world: World, *, per_second: float = 2000, burst: int = 4000) -> None:
        self.world, self.secret = world, secrets.token_hex(16)
        self.codes: dict[str, _Code] = {}
        self.sessions: dict[str, _Session] = {}
        self.refreshes: dict[str, _Session] = {}
        self._books: dict[str, SellerBooks] = {}
        self.bucket = Bucket(per_second, burst)
        self.methods: Mapping[str, Callable[[SellerBooks, Mapping[str, str]], dict[str, Any]]] = {
            SOLD: self._sold,
            INCREMENT: self._increment,
            REFUNDS: self._refunds,
            BILLS: self._bills,
            METHOD: self._shop,
            EXTENSION: self._profile,
            MONTHS: self._months,
        }

    def books(self, persona: Persona) -> SellerBooks:
        if persona.id not in self._books:
            self._books[persona.id] = SellerBooks(persona)
        return self._books[persona.id]

    # --- OAuth ---------------------------------------------------------------------------------------------------------------

    async def authorise(self, request: Request) -> Response:
        query = dict(request.query_params)
        form = {name: str(value) for name, value in (await request.form()).items()} if request.method == "POST" else {}
        query |= form
        redirect = query.get("redirect_uri", "")
        if query.get("client_id") != APP_KEY or query.get("response_type") != "code" or not self.world.allows_redirect(redirect):
            return JSONResponse({"error": "invalid_request", "error_description": "client_id, response_type or redirect_uri"}, 400)
        if not form:
            return consent_page("淘宝开放平台授权", f"应用 {APP_KEY} 请求读取您的店铺、订单、退款和账单", hidden=query)
        state = {"state": query["state"]} if "state" in query else {}
        if query.get("decision") != "agree":
            return RedirectResponse(_join(redirect, {"error": "access_denied", **state}), 302)
        try:
            persona = self.world.persona(query.get("login"))
        except PersonaInvalid:
            return JSONResponse({"error": "invalid_request", "error_description": "no such seller"}, 400)
        return RedirectResponse(_join(redirect, {"code": self.issue_code(persona, redirect), **state}), 302)

    def issue_code(self, persona: Persona, redirect_uri: str, life: float = CODE_LIFE) -> str:
        code = secrets.token_urlsafe(18)
        self.codes[code] = _Code(persona, redirect_uri, time.time() + life)
        return code

    async def token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        given = form.get("client_secret", "").encode()
        if form.get("client_id") != APP_KEY or not secrets.compare_digest(given, self.secret.encode()):
            return JSONResponse({"error": "invalid_client", "error_description": "client_id or client_secret"}, 400)
        if form.get("grant_type") == "authorization_code":
            code = self.codes.pop(form.get("code", ""), None)
            if code is not None and code.expires >= time.time() and code.redirect_uri == form.get("redirect_uri"):
                return JSONResponse(self.issue_session(code.persona))
        elif form.get("grant_type") == "refresh_token":
            token = form.get("refresh_token", "")
            held = self.refreshes.get(token)
            if held is not None and held.expires >= time.time():
                return JSONResponse(self._session(held.persona, token))
        return JSONResponse({"error": "invalid_grant", "error_description": "code or refresh_token"}, 400)

    def issue_session(self, persona: Persona) -> dict[str, Any]:
        """A new authorisation: a session and its refresh token."""
        refresh = secrets.token_hex(20)
        self.refreshes[refresh] = _Session(persona, time.time() + 30 * SESSION_LIFE)
        return self._session(persona, refresh)

    def _session(self, persona: Persona, refresh: str) -> dict[str, Any]:
        """The flat, non-standard token answer. A refresh gives a new session and leaves the refresh token and its end as they were."""
        session = secrets.token_hex(20)
        self.sessions[session] = _Session(persona, time.time() + SESSION_LIFE)
        lifetimes = dict.fromkeys(("expires_in", "r1_expires_in", "r2_expires_in"), SESSION_LIFE)
        return {
            "access_token": session,
            "token_type": "Bearer",
            "refresh_token": refresh,
            "re_expires_in": int(self.refreshes[refresh].expires - time.time()),
            **lifetimes,
            "w1_expires_in": 0,
            "w2_expires_in": 0,
            "taobao_user_id": shop_number(persona),
            "taobao_user_nick": persona.shop.name if persona.shop else persona.id,
        }

    def end(self, persona: Persona) -> None:
        """The seller ends his subscription on the platform's own pages: nothing issued for him is good any more."""
        for held in (*self.sessions.values(), *self.refreshes.values()):
            held.expires = 0 if held.persona is persona else held.expires

    # --- gateway -------------------------------------------------------------------------------------------------------------

    async def gateway(self, request: Request) -> Response:
        query, form = dict(request.query_params), {name: str(value) for name, value in (await request.form()).items()}
        parameters = query | form
        try:
            if query.keys() & form.keys():
                raise TopError(41, "Invalid Arguments", "isv.invalid-parameter", "a parameter is sent twice")
            seller = self._checked(parameters)
            answer = self.methods[parameters["method"]](self.books(seller), parameters)
        except TopError as error:
            answer = {"error_response": error.body}
        if parameters.get("format", "xml") != "json":
            return Response(_xml(orjson.loads(orjson.dumps(answer))), media_type="text/xml; charset=utf-8")
        return Response(orjson.dumps(answer), media_type="application/json; charset=utf-8")

    def _checked(self, parameters: Mapping[str, str]) -> Persona:
        """The vendor's checks: key, signature, timestamp, rate, method, session."""
        for name, code in (("method", 21), ("app_key", 28), ("sign", 24), ("timestamp", 30), ("v", 32)):
            if not parameters.get(name):
                raise TopError(code, f"Missing {name}")
        if parameters["app_key"] != APP_KEY:
            raise TopError(29, "Invalid app Key")
        if not verify(parameters, self.secret):
            raise TopError(25, "Invalid signature")
        try:
            fresh = self.world.is_fresh(china_time(parameters.get("timestamp", "")), timedelta(minutes=10))
        except ValueError:
            fresh = False
        if not fresh:
            raise TopError(31, "Invalid timestamp")
        wait = 1.0 if self.world.switched("taobao", "banned") else self.bucket.take()
        if wait:
            raise TopError(
                7, "App Call Limited", "accesscontrol.limited-by-api-access-count", f"This ban will last for {ceil(wait)} more seconds"
            )
        if parameters.get("method") not in self.methods:
            raise TopError(22, "Invalid method")
        if not parameters.get("session"):
            raise TopError(26, "Missing session")
        session = self.sessions.get(parameters["session"])
        if session is None or session.expires < time.time():
            raise TopError(27, "Invalid session", "invalid-sessionkey", "session expired")
        return session.persona

    def _sold(self, books: SellerBooks, given: Mapping[str, str]) -> dict[str, Any]:
        span = _span(given, "start_created", "end_created")
        days = _served(books.orders_reach, span, "start_created")
        return {"trades_sold_get_response": _listed(books.orders, self._order_row(books), span, given, "trades", "trade") | days}

    def _increment(self, books: SellerBooks, given: Mapping[str, str]) -> dict[str, Any]:
        span = _span(given, "start_modified", "end_modified", timedelta(days=1))
        days = _served(books.orders_reach, span, "start_modified")
        return {"trades_sold_increment_get_response": _listed(books.changed, self._order_row(books), span, given, "trades", "trade") | days}

    def _order_row(self, books: SellerBooks) -> Callable[[ShopOrder], dict[str, Any]]:
        """With the switch ``malformed`` the oldest order has an unreadable payment."""
        if not self.world.switched("taobao", "malformed"):
            return books.order_row
        spoilt = books.orders.records[:1]
        return lambda order: books.order_row(order) | ({"payment": "n/a"} if order in spoilt else {})

    def _refunds(self, books: SellerBooks, given: Mapping[str, str]) -> dict[str, Any]:
        span = _span(given, "start_modified", "end_modified", timedelta(days=31))
        days = _served(books.orders_reach, span, "start_modified")
        return {"refunds_receive_get_response": _listed(books.refunds, books.refund_row, span, given, "refunds", "refund") | days}

    def _bills(self, books: SellerBooks, given: Mapping[str, str]) -> dict[str, Any]:
        """A statement belongs to the month before its day: so a day is answered even where the day itself is not covered."""
        first, last = span = _span(given, "start_time", "end_time", timedelta(days=1))
        if last.date() < books.bills_reach.first or first > books.persona.known_at:
            raise TopError(41, "Invalid Arguments", "isv.invalid-parameter:start_time", "out of the days served")
        covered = books.bills_reach.intervals(first.date(), last.date())
        answer = _listed(books.bills, dict, span, given, "bills", "bill")
        return {"bill_bills_get_response": answer | {"zx_days": _days(covered)}}

    def _shop(self, books: SellerBooks, given: Mapping[str, str]) -> dict[str, Any]:
        shop = books.persona.shop
        if shop is None:
            raise TopError(15, "Remote service error", "isv.shop-not-exist", "this account has no shop")
        scores = {
            "item_score": str(shop.score.description),
            "service_score": str(shop.score.service),
            "delivery_score": str(shop.score.logistics),
        }
        row = {"sid": shop_number(books.persona), "title": shop.name, "created": f"{shop.opened_on} 00:00:00", "shop_score": scores}
        return {"shop_seller_get_response": {"shop": row}}

    def _profile(self, books: SellerBooks, given: Mapping[str, str]) -> dict[str, Any]:
        persona, shop, reach = books.persona, books.persona.shop, books.shop_reach
        if shop is None:
            raise TopError(15, "Remote service error", "isv.shop-not-exist", "this account has no shop")
        place = {"city": shop.ship_from.city, "lat": str(shop.ship_from.lat), "lon": str(shop.ship_from.lon)}
        known = [row for row in shop.penalties if reach.exists(row.decided_on)]
        penalties = [
            {
                "penalty_id": f"P{number:04d}",
                "type": row.kind,
                "severity": row.severity,
                "decided": str(row.decided_on),
                "points": row.points,
            }
            for number, row in enumerate(known, 1)
        ]
        answer: dict[str, Any] = {
            "owner_cert_no": persona.holder(shop.owner)[0],
            "scope": shop.scope,
            "category": shop.category,
            "ship_from": place,
        }
        answer |= {"skus_listed": shop.skus.listed, "skus_sold": shop.skus.sold} if shop.skus else {}
        answer |= {
            "penalties": {"penalty": penalties} if penalties else {},
            "total_results": len(penalties),
            "zx_days": _days(reach.intervals()),
        }
        return {"zx_shop_profile_get_response": answer}

    def _months(self, books: SellerBooks, given: Mapping[str, str]) -> dict[str, Any]:
        rows = [row for row in books.month_sums if given.get("start_month", "") <= row["month"] <= given.get("end_month", "9999")]
        answer = {"months": {"month": rows} if rows else {}, "total_results": len(rows), "zx_days": _days(books.summary_days())}
        return {"zx_shop_months_get_response": answer}


def _span(given: Mapping[str, str], start: str, end: str, longest: timedelta | None = None) -> Span:
    if not given.get("fields"):
        raise TopError(40, "Missing required arguments: fields")
    try:
        first, last = (china_time(given[name]).astimezone(CHINA) for name in (start, end))
    except KeyError as missing:
        raise TopError(40, f"Missing required arguments: {missing.args[0]}") from None
    except ValueError:
        raise TopError(41, "Invalid Arguments", "isv.invalid-parameter", "not a time") from None
    if last < first or (longest is not None and last - first > longest):
        raise TopError(41, "Invalid Arguments", f"isv.invalid-parameter:{end}", "the window is too long or ends before it starts")
    return first, last


def _served(reach: Reach, span: Span, name: str) -> dict[str, Any]:
    """Which days of a window are served; refused when none is."""
    first, last = (moment.date() for moment in span)
    covered = reach.intervals(first, last)
    if not covered:
        raise TopError(41, "Invalid Arguments", f"isv.invalid-parameter:{name}", "out of the days served")
    return {} if covered == [(first, last)] else {"zx_days": _days(covered)}


def _days(spans: list[tuple[date, date]]) -> list[list[str]]:
    return [[str(first), str(last)] for first, last in spans]


def _listed(
    shelf: Shelf[T], row: Callable[[T], dict[str, Any]], span: Span, given: Mapping[str, str], outer: str, inner: str
) -> dict[str, Any]:
    """One page of a wrapped list with the fields asked for: total_results, or has_next when ``use_has_next`` asks for it."""
    try:
        page, size = int(given.get("page_no", "1")), int(given.get("page_size", "40"))
    except ValueError:
        raise TopError(41, "Invalid Arguments", "isv.invalid-parameter:page_no", "not a number") from None
    if page < 1 or not 1 <= size <= 100:
        raise TopError(41, "Invalid Arguments", "isv.invalid-parameter:page_size", "page_size is at most 100")
    records, total = shelf.page(*span, page, size)
    # ``orders.refund_status`` asks for a member of ``orders``.
    names = {name.strip().split(".")[0] for name in given["fields"].split(",")}
    shown = [{name: value for name, value in row(record).items() if name in names} for record in records]
    counted = {"has_next": page * size < total} if given.get("use_has_next") == "true" else {"total_results": total}
    return {outer: {inner: shown} if shown else {}, **counted, "request_id": secrets.token_hex(6)}


def _xml(value: Any) -> str:
    return '<?xml version="1.0" encoding="utf-8" ?>' + _element(value)


def _element(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(
            "".join(f"<{name}>{_element(item)}</{name}>" for item in part)
            if isinstance(part, list)
            else f"<{name}>{_element(part)}</{name}>"
            for name, part in value.items()
        )
    return escape("" if value is None else str(value))


def _join(url: str, query: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def platform(top: Top, world: World) -> Platform:
    """The platform around a given state."""
    routes = [
        Route("/authorize", top.authorise, methods=["GET", "POST"]),
        Route("/token", top.token, methods=["POST"]),
        Route(GATEWAY, top.gateway, methods=["GET", "POST"]),
    ]
    config = {"app_key": APP_KEY, "app_secret": top.secret, "oauth_url": "base_url", "quota_per_second": "2000", "quota_in_flight": "16"}
    return Platform("taobao", Switches(Starlette(routes=routes), world, "taobao"), config=config, outsider=_outsider(top, world))


def _outsider(top: Top, world: World) -> dict[str, Any]:
    """Identifiers and secret; a code, a session and a period with data for the first persona whose shop has a whole month."""
    redirect = world.redirect_uris[0] if world.redirect_uris else "http://127.0.0.1/callback"
    known = {
        "app_key": APP_KEY,
        "app_secret": top.secret,
        "paths": {"authorize": "/authorize", "token": "/token", "gateway": GATEWAY},
        "redirect_uri": redirect,
    }
    for persona in world.personas:
        month = top.books(persona).data_month()
        if month is not None:
            code = top.issue_code(persona, redirect, life=SESSION_LIFE)
            session = top.issue_session(persona)["access_token"]
            period = {"from": str(month[0]), "to": str(month[1])}
            return {**known, "persona": persona.id, "code": code, "session": session, "day": str(month[1]), "period": period}
    return known


def build(world: World) -> Platform:
    return platform(Top(world), world)
