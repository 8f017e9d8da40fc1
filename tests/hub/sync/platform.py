"""A platform that misbehaves exactly as a test says, as a real HTTP server, and the tiny connector that speaks to it.

``GET /refunds?day=&page=`` answers ``{"rows": [...], "next": page or null, "total": n}`` from :attr:`Scripted.rows`; an answer put on
:attr:`Scripted.script` comes first. ``/oauth2/*`` is the code grant with PKCE, its refresh tokens rotate.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, RedirectResponse
from starlette.responses import Response as Answer
from starlette.routing import Route

from bench.kit import speaking
from hub.connect import (
    Connector,
    Context,
    ContractBroken,
    Json,
    Manifest,
    NoData,
    NotPermitted,
    OAuth,
    Page,
    Pending,
    Quota,
    Reauthorise,
    Record,
    RefreshNeeded,
    Request,
    Response,
    RetryAt,
    Setting,
    Unreadable,
    Window,
)
from hub.connect.answers import json_object, wait_of
from hub.connect.code_grant import CodeGrant
from hub.connect.windows import days
from hub.domain.enums import SourceKind
from hub.domain.facts.refund import Refund
from tests.hub.sync.server import Brief

NAME = "scripted"


@dataclass
class Scripted:
    """The platform's side. Every request it hears is in ``heard``; ``before`` runs while one is on its way."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    declared: dict[str, int] = field(default_factory=dict)
    page_size: int = 2
    script: dict[str, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))
    heard: list[dict[str, str]] = field(default_factory=list)
    before: Callable[[Mapping[str, str]], Awaitable[None]] | None = None
    access: set[str] = field(default_factory=lambda: {"access-0"})
    refresh_token: str = "refresh-0"
    exchanges: int = 0
    decision: str = "agree"
    codes: dict[str, str] = field(default_factory=dict)

    def says(self, path: str, *answers: Answer) -> None:
        self.script[path].extend(answers)

    def asked(self, path: str = "/refunds") -> list[dict[str, str]]:
        return [one for one in self.heard if one["path"] == path]

    def server(self) -> Brief:
        routes = [
            Route("/refunds", self._refunds),
            Route("/oauth2/authorize", self._authorise),
            Route("/oauth2/token", self._token, methods=["POST"]),
            Route("/oauth2/revoke", self._revoke, methods=["POST"]),
        ]
        return Brief(Starlette(routes=routes))

    async def _hears(self, request: Asked) -> Answer | None:
        form = {name: str(value) for name, value in (await request.form()).items()} if request.method == "POST" else {}
        headers = {f"header:{name}": value for name, value in request.headers.items()}
        self.heard.append({"path": request.url.path, **dict(request.query_params), **form, **headers})
        if self.before is not None:
            await self.before(self.heard[-1])
        queue = self.script[request.url.path]
        return queue.popleft() if queue else None

    async def _refunds(self, request: Asked) -> Answer:
        scripted = await self._hears(request)
        if scripted is not None:
            return scripted
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.access:
            return JSONResponse({"error": "token_expired"}, 401)
        day, page = request.query_params["day"], int(request.query_params["page"])
        rows, first = self.rows[day], (page - 1) * self.page_size
        more = first + self.page_size < len(rows)
        shown = rows[first : first + self.page_size]
        return JSONResponse({"rows": shown, "next": page + 1 if more else None, "total": self.declared.get(day, len(rows))})

    async def _authorise(self, request: Asked) -> Answer:
        await self._hears(request)
        query, code = request.query_params, f"code-{len(self.codes)}"
        self.codes[code] = query["code_challenge"]
        answer = {"code": code} if self.decision == "agree" else {"error": "access_denied"}
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode({**answer, 'state': query['state']})}", 302)

    async def _token(self, request: Asked) -> Answer:
        scripted = await self._hears(request)
        if scripted is not None:
            return scripted
        form = self.heard[-1]
        if form["grant_type"] == "authorization_code":
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            if self.codes.pop(form["code"], "") != base64.urlsafe_b64encode(digest).rstrip(b"=").decode():
                return JSONResponse({"error": "invalid_grant"}, 400)
        elif form["refresh_token"] != self.refresh_token:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return self.issue()

    async def _revoke(self, request: Asked) -> Answer:
        scripted = await self._hears(request)
        if scripted is not None:
            return scripted
        self.access, self.refresh_token = set(), ""
        return Answer(status_code=200)

    def issue(self) -> Answer:
        """The next pair; the one before is void."""
        self.exchanges += 1
        self.access, self.refresh_token = {f"access-{self.exchanges}"}, f"refresh-{self.exchanges}"
        pair = {"access_token": f"access-{self.exchanges}", "refresh_token": self.refresh_token}
        return JSONResponse({**pair, "token_type": "Bearer", "expires_in": 7200, "scope": "refunds"})


def refund(number: str, amount: str = "10.00", **more: Any) -> dict[str, Any]:
    """A row of the scripted platform."""
    return {"no": number, "order": f"o-{number}", "at": "2026-01-10T10:00:00+08:00", "amount": amount, **more}


def raw(body: bytes | str, status: int = 200, **headers: str) -> Answer:
    return Answer(body, status, {name.replace("_", "-"): value for name, value in headers.items()}, "application/json")


def page_of(rows: Sequence[dict[str, Any]], next: Any = None, **more: Any) -> Answer:
    return raw(json.dumps({"rows": list(rows), "next": next, **more}))


@dataclass(frozen=True)
class Refunds:
    """One stream: the last ``window_count`` days, a window each. ``look_back_days`` as the manifest of a real one would say."""

    window_count: int = 1
    look_back_days: int = 400
    name: str = "refunds"
    source: SourceKind = SourceKind.SHOP
    facts: tuple[type, ...] = (Refund,)
    window_days: int | None = 1
    idempotent: bool = True

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return days(self.name, max(first, last - timedelta(days=self.window_count - 1)), last)

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        query = (("day", str(window.first)), ("page", str(cursor["page"] if cursor else 1)))
        return Request("GET", "/refunds", query=query, idempotent=self.idempotent)

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        answer = json_object(response, context.now)
        _refuse(response, answer, context)
        following = answer["next"]
        turned = None if following is None else {"page": following}
        return Page(tuple(answer["rows"]), next=turned, total=answer.get("total"), wait=float(answer.get("wait", 0)))

    def normalise(self, context: Context, record: Record) -> Iterator[Refund]:
        if record.get("kind") == "note":
            return
        if "no" not in record:
            raise Unreadable("no", "is missing")
        yield speaking.refund(NAME, record)


def _refuse(response: Response, answer: Mapping[str, Any], context: Context) -> None:
    code = str(answer.get("error", ""))
    faults: dict[int, Exception] = {
        202: Pending("not ready", seconds=float(answer.get("seconds", 0))),
        204: NoData("nothing", covered=True),
        401: RefreshNeeded("the token is no longer good", code=code),
        403: Reauthorise("the customer has ended it", code=code),
        404: NoData("out of reach", covered=False),
        405: NotPermitted("not for this hub", code=code),
        429: RetryAt("too fast", seconds=wait_of(response, context.now)),
    }
    if response.status != 200:
        raise faults.get(response.status) or ContractBroken(f"status {response.status}", code=code)


def bearer(context: Context, request: Request) -> Request:
    assert context.grant is not None
    return request.with_headers(Authorization=f"Bearer {context.grant.access_token}")


def connector(*streams: Refunds, quota: Quota | None = None) -> Connector:
    manifest = Manifest(
        name=NAME,
        title="Scripted platform",
        title_zh="剧本平台",
        sources=(SourceKind.SHOP, SourceKind.SETTLEMENT),
        doc="A platform of the tests.",
        settings=(Setting("client_id", "", default="hub"), Setting("client_secret", "", secret=True, default="secret")),
        quota=quota or Quota(10_000, 10_000, 16),
        oauth=OAuth(),
    )
    grant = CodeGrant(lambda context: ("refunds",), {"refunds": SourceKind.SHOP})
    return Connector(manifest, grant, streams or (Refunds(),), bearer)
