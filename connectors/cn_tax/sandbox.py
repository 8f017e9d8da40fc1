"""The simulated tax data gateway: the documented paths over a :class:`~connectors.cn_tax.sandbox_state.State`.

Checks come in the documented order: token, scope, rate, idempotency key, parameters, state of the authorisation, granted items, range, collection already
running. The failure switches are listed in the README.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import unquote_plus, urlencode

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from connectors.cn_tax.sandbox_callback import changed, finished, withdraw
from connectors.cn_tax.sandbox_page import authorise_page
from connectors.cn_tax.sandbox_rows import SOURCE_OF, taxpayer_number
from connectors.cn_tax.sandbox_state import GRANTED, NAME, REFUSED, REVOKED, Authorisation, Collection, Refused, State, describe, progress
from connectors.sandbox.platform import Platform, Switches, World
from hub.domain.enums import SourceKind
from hub.domain.periods import add_months, china_day, china_text, first_day, last_day, month_of

SCOPES = ("tax.authorize", "tax.collect")
ITEMS = tuple(SOURCE_OF)
MAX_MONTHS, MAX_MONTHS_BACK, MAX_PAGE = 36, 60, 200


def build(world: World) -> Platform:
    """The gateway. The first persona's taxpayer has granted everything already, for an outside client."""
    state = State(world)
    gateway = _Gateway(state)
    routes = [
        Route("/oauth2/token", gateway.token, methods=["POST"]),
        Route("/authorize", gateway.page, methods=["GET"]),
        Route("/authorize", gateway.decide, methods=["POST"]),
        Route("/authorizations", gateway.guarded(SCOPES[0], gateway.authorise), methods=["POST"]),
        Route("/authorizations/{number}", gateway.guarded(SCOPES[0], gateway.authorisation), methods=["GET"]),
        Route("/authorizations/{number}", gateway.guarded(SCOPES[0], gateway.revoke), methods=["DELETE"]),
        Route("/collections", gateway.guarded(SCOPES[1], gateway.order), methods=["POST"]),
        Route("/collections/{number}", gateway.guarded(SCOPES[1], gateway.collection), methods=["GET"]),
        Route("/collections/{number}/items/{item}", gateway.guarded(SCOPES[1], gateway.rows), methods=["GET"]),
    ]
    config = {
        "client_id": state.client_id,
        "client_secret": state.client_secret,
        "callback_secret": state.callback_secret,
        "poll_floor_s": "0.05",
        "reorder_wait_s": "0.1",
        "quota_per_second": "100",
    }
    app = Switches(Starlette(routes=routes), world, NAME)
    trials = {"": {"page_size": "8"}}
    return Platform(
        NAME,
        app,
        config,
        _outsider(state),
        trials=trials,
        pushed=lambda persona: changed(state, state.latest(persona)),
        events={"authorisation withdrawn": lambda persona: withdraw(state, state.latest(persona))},
    )


class _Gateway:
    def __init__(self, state: State) -> None:
        self.state = state

    def guarded(self, scope: str, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Token, scope and rate before a handler; the envelope and the rate headers around it."""

        async def call(request: Request) -> Response:
            self.state.calls += 1
            if self.state.on("flaky") and self.state.calls % 3 == 0:
                return HTMLResponse("<html><body><h1>502 Bad Gateway</h1></body></html>", 502)
            try:
                self._admit(request, scope)
                response = await handler(request)
            except Refused as refusal:
                response = _envelope(refusal.status, refusal.code, refusal.message, refusal.data, refusal.headers)
            bucket = self.state.bucket
            response.headers["X-RateLimit-Limit"] = str(bucket.burst)
            response.headers["X-RateLimit-Remaining"] = str(int(bucket.level))
            response.headers["X-RateLimit-Reset"] = "1"
            return response

        return call

    async def token(self, request: Request) -> Response:
        form = dict(await request.form())
        if not self._knows(request.headers.get("authorization", "")):
            return _json(401, {"error": "invalid_client"}, {"WWW-Authenticate": "Basic"})
        if form.get("grant_type") != "client_credentials":
            return _json(400, {"error": "unsupported_grant_type" if form.get("grant_type") else "invalid_request"})
        scopes = frozenset(str(form.get("scope") or " ".join(SCOPES)).split())
        if not scopes <= set(SCOPES):
            return _json(400, {"error": "invalid_scope"})
        body = {"access_token": self.state.issue(scopes), "token_type": "Bearer", "expires_in": 7200, "scope": " ".join(sorted(scopes))}
        return _json(200, body, {"Cache-Control": "no-store"})

    async def authorise(self, request: Request) -> Response:
        raw = await request.body()
        if repeated := self._repeated(request, raw, required=False):
            return self._waiting(request, self.state.authorisations[repeated])
        body = _body(raw)
        persona = self.state.world.of_identifier(str(body.get("NSRSBH")))
        if persona is None or taxpayer_number(persona) != body.get("NSRSBH"):
            raise Refused(400, "T0100", "parameter wrong", {"field": "NSRSBH"})
        items, (first, last), until = _items(body), _range(body), _day(body, "SQYXQZ")
        today = china_day(persona.known_at)
        checks = {
            "SQYXQZ": today <= until <= _months_on(today, 12),
            "SYMD_DM": body.get("SYMD_DM") in ("01", "02"),
            "SQWBZY": len(str(body.get("SQWBZY"))) == 64,
            "redirect_uri": self.state.world.allows_redirect(str(body.get("redirect_uri"))),
            "state": 0 < len(str(body.get("state"))) <= 128,
        }
        for name, good in checks.items():
            if not good:
                raise Refused(400, "T0100", "parameter wrong", {"field": name})
        redirect_uri, state = str(body["redirect_uri"]), str(body["state"])
        made = self.state.authorise(persona, items, (first, last, until), redirect_uri=redirect_uri, state=state)
        self._remember(request, raw, made.number)
        return self._waiting(request, made)

    async def authorisation(self, request: Request) -> Response:
        return _envelope(200, "00000", "success", describe(self._authorisation(request.path_params["number"])))

    async def revoke(self, request: Request) -> Response:
        one = self._authorisation(request.path_params["number"])
        one.decision = REVOKED
        return Response(status_code=204)

    async def page(self, request: Request) -> Response:
        one = self._by_ticket(request.query_params.get("ticket", ""))
        if one is None:
            return HTMLResponse("<html><body><p>链接已失效 This link is no longer valid.</p></body></html>", 410)
        return authorise_page(one.ticket, taxpayer_number(one.persona), one.items)

    async def decide(self, request: Request) -> Response:
        form = await request.form()
        one = self._by_ticket(str(form.get("ticket", "")))
        if one is None:
            return HTMLResponse("<html><body><p>链接已失效 This link is no longer valid.</p></body></html>", 410)
        if form.get("login") not in (None, "", one.persona.id):
            return HTMLResponse("<html><body><p>登录账号与纳税人不符 This login is not the taxpayer's.</p></body></html>", 403)
        kept = tuple(item for item in one.items if item in form.getlist("SJX")) or one.items
        one.used, agreed = True, form.get("decision") == "agree"
        one.decision, one.items = (GRANTED, kept) if agreed else (REFUSED, one.items)
        hint = urlencode({"state": one.state, "SQBH": one.number, "result": "agree" if agreed else "refuse"})
        return RedirectResponse(f"{one.redirect_uri}{'&' if '?' in one.redirect_uri else '?'}{hint}", 302)

    async def order(self, request: Request) -> Response:
        raw = await request.body()
        if repeated := self._repeated(request, raw, required=True):
            return self._accepted(request, self.state.collections[repeated])
        body = _body(raw)
        items, (first, last), authorisation = _items(body), _range(body), self._authorisation(str(body.get("SQBH")))
        authorisation.check()
        if not set(items) <= set(authorisation.items):
            raise Refused(403, "T0404", "item not granted")
        today = china_day(authorisation.persona.known_at)
        if first < authorisation.first or last > authorisation.last or last >= _months_on(first, MAX_MONTHS):
            raise Refused(400, "T0101", "window too long, or outside the authorised range")
        if first < _months_on(today, -MAX_MONTHS_BACK):
            raise Refused(400, "T0101", "window starts too early")
        if running := self.state.same_running(authorisation, items, first, last):
            raise Refused(409, "T0301", "these items are being collected already", {"CJBH": running.number})
        if authorisation.orders >= self.state.orders_a_day:
            raise Refused(429, "T0429", "too many collections today", Retry_After="3600")
        made = self.state.collect(authorisation, items, first, last)
        self._remember(request, raw, made.number)
        return self._accepted(request, made)

    async def collection(self, request: Request) -> Response:
        one = self._collection(request)
        before = one.final
        one.poll()
        if one.final and not before:
            self.state.world.push(finished(self.state, one))
        headers = {} if one.final else {"Retry-After": str(one.retry_s)}
        return _envelope(200, "00000", "success", progress(one), headers)

    async def rows(self, request: Request) -> Response:
        one, item = self._collection(request), request.path_params["item"]
        page, size = _number(request, "page", 10**6), _number(request, "page_size", MAX_PAGE)
        package = one.packages.get(item)
        if package is None:
            raise Refused(404, "T0201", "unknown item")
        if not one.final:
            raise Refused(409, "T0203", "item not final yet", Retry_After="1")
        if one.gone:
            raise Refused(410, "T0202", "package expired")
        data = {
            "CJBH": one.number,
            "SJX_DM": item,
            "KZSJ": china_text(one.authorisation.persona.known_at),
            "JEDW": "2" if self.state.on("fen") else "1",
            "page": page,
            "page_size": size,
            "pages": max(1, -(-len(package.rows) // size)),
            "total": len(package.rows),
            "rows": package.rows[(page - 1) * size : page * size],
        }
        return _envelope(200, "00000", "success", data)

    def _admit(self, request: Request, scope: str) -> None:
        value = request.headers.get("authorization", "").removeprefix("Bearer ")
        token = self.state.tokens.get(value)
        if token is None or not token.good(self.state.on("short_tokens")):
            raise Refused(401, "T0401", "token missing, unknown or expired", WWW_Authenticate='Bearer error="invalid_token"')
        if scope not in token.scopes:
            raise Refused(403, "T0405", "the token lacks the scope")
        if wait := self.state.bucket.take():
            raise Refused(429, "T0429", "too fast", Retry_After=str(max(1, round(wait))))
        if self.state.on("maintenance"):
            raise Refused(503, "T0503", "maintenance", Retry_After="2")

    def _knows(self, header: str) -> bool:
        try:
            pair = base64.b64decode(header.removeprefix("Basic "), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        name, _, secret = pair.partition(":")
        expected = f"{self.state.client_id}:{self.state.client_secret}".encode()
        return header.startswith("Basic ") and hmac.compare_digest(f"{unquote_plus(name)}:{unquote_plus(secret)}".encode(), expected)

    def _repeated(self, request: Request, raw: bytes, *, required: bool) -> str | None:
        """What the same key gave before. Raises T0302 for another body."""
        key = request.headers.get("idempotency-key", "")
        if not key and required:
            raise Refused(400, "T0100", "parameter wrong", {"field": "Idempotency-Key"})
        before = self.state.keys.get(key)
        if before and before[0] != hashlib.sha256(raw).digest():
            raise Refused(409, "T0302", "Idempotency-Key reused with another body")
        return before[1] if before else None

    def _remember(self, request: Request, raw: bytes, number: str) -> None:
        if key := request.headers.get("idempotency-key"):
            self.state.keys[key] = (hashlib.sha256(raw).digest(), number)

    def _authorisation(self, number: str) -> Authorisation:
        if number not in self.state.authorisations:
            raise Refused(404, "T0201", "unknown SQBH")
        return self.state.authorisations[number]

    def _by_ticket(self, ticket: str) -> Authorisation | None:
        one = self.state.tickets.get(ticket)
        return one if one and one.open else None

    def _collection(self, request: Request) -> Collection:
        one = self.state.collections.get(request.path_params["number"])
        if one is None:
            raise Refused(404, "T0201", "unknown CJBH")
        one.authorisation.check()
        return one

    def _waiting(self, request: Request, one: Authorisation) -> Response:
        """The page's address is below the base URL that the caller used."""
        base = str(request.url).rsplit("/authorizations", 1)[0]
        expires = china_text(one.persona.known_at + timedelta(minutes=30))
        url = f"{base}/authorize?ticket={one.ticket}"
        data = {"SQBH": one.number, "SQZT_DM": one.status, "authorize_url": url, "expires_at": expires}
        return _envelope(201, "00000", "success", data)

    def _accepted(self, request: Request, one: Collection) -> Response:
        data = {"CJBH": one.number, "CJZT_DM": progress(one)["CJZT_DM"] if one.final else "10"}
        headers = {"Location": f"{str(request.url).split('?')[0]}/{one.number}"}
        return _envelope(202, "00000", "accepted", data, headers if one.final else headers | {"Retry-After": str(one.retry_s)})


def _body(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "T0100", "parameter wrong", {"field": "body"})
    return body


def _items(body: Mapping[str, Any]) -> list[str]:
    items = body.get("SJX")
    if not isinstance(items, list) or not items or not set(map(str, items)) <= set(ITEMS):
        raise Refused(400, "T0100", "parameter wrong", {"field": "SJX"})
    return [str(item) for item in items]


def _range(body: Mapping[str, Any]) -> tuple[date, date]:
    first, last = _day(body, "SJQQ"), _day(body, "SJQZ")
    if last < first:
        raise Refused(400, "T0100", "parameter wrong", {"field": "SJQZ"})
    return first, last


def _day(body: Mapping[str, Any], name: str) -> date:
    try:
        return date.fromisoformat(str(body.get(name)))
    except ValueError:
        raise Refused(400, "T0100", "parameter wrong", {"field": name}) from None


def _number(request: Request, name: str, most: int) -> int:
    text = request.query_params.get(name, "1" if name == "page" else "100")
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise Refused(400, "T0100", "parameter wrong", {"field": name})
    return int(text)


def _months_on(day: date, months: int) -> date:
    month = add_months(month_of(day), months)
    return min(first_day(month) + timedelta(days=day.day - 1), last_day(month))


def _json(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, "application/json; charset=utf-8")


def _envelope(status: int, code: str, message: str, data: Mapping[str, Any] | None, headers: Mapping[str, str] | None = None) -> Response:
    return _json(status, {"code": code, "message": message, "request_id": secrets.token_hex(8), "data": data}, headers)


def _outsider(state: State) -> dict[str, Any]:
    """The authorisation is of the first persona whose taxes are known, else of the first."""
    paths = {"authorizations": "/authorizations", "collections": "/collections", "rows": "/collections/{CJBH}/items/{SJX_DM}"}
    known = {"client_id": state.client_id, "client_secret": state.client_secret, "token_path": "/oauth2/token", "paths": paths}
    if not state.world.personas:
        return known
    persona = max(state.world.personas, key=lambda one: one.tax is not None and SourceKind.TAX in one.sources)
    today = china_day(persona.known_at)
    first = first_day(add_months(month_of(today), 1 - MAX_MONTHS))
    granted = state.authorise(persona, ITEMS, (_months_on(today, -MAX_MONTHS_BACK), today, _months_on(today, 6)))
    granted.decision, granted.used = GRANTED, True
    allowed = state.world.redirect_uris[0] if state.world.redirect_uris else "http://127.0.0.1/callback"
    return {
        **known,
        "persona": persona.id,
        "NSRSBH": taxpayer_number(persona),
        "SQBH": granted.number,
        "SJX": list(granted.items),
        "period": {"from": first.isoformat(), "to": today.isoformat()},
        "redirect_uri": allowed,
    }
