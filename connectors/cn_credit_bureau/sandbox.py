"""The simulated bureau: code grant, orders, reports and their sections, over the personas' bureau sections.

An order is checked for token, scope, rate, parameters, consent, identity and idempotency, in this order. A report is a frozen snapshot that
lives a day. A real bureau would add the look-up itself to the inquiries; this one does not, so that a persona stays what it says.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.cn_credit_bureau.authorise import SCOPE
from connectors.cn_credit_bureau.sandbox_rows import SECTIONS, rows
from connectors.sandbox.code_grant import CodeGrantServer, Consent, Consents
from connectors.sandbox.expand_bureau import CreditFile, credit_file
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import Platform, Switches, World
from hub.connect.code_grant import challenge

NAME, BASE = "cn_credit_bureau", "/cn-bureau/v1"
CLIENT_ID, CLIENT_SECRET = "hub-credit-client", "sandbox-bureau-secret"
REPORT_LIFE = 86_400
LARGEST_PAGE = 200
VERIFIER = "outside-client-verifier-0123456789-abcdefghijk"
REDIRECT = "http://127.0.0.1/callback"

Content = dict[str, Any]


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str, retry_after: float | None = None) -> None:
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after
        super().__init__(code)


@dataclass
class Report:
    """One look-up. ``ready`` and ``ends`` are instants of the monotonic clock."""

    number: str
    consent: Consent
    order: Content
    ready: float
    ends: float


class Bureau:
    """``delay`` is how many seconds a report takes; ``per_second`` bounds the calls of a client over any one second."""

    def __init__(self, world: World, *, delay: float = 0.1, per_second: int = 1000, clock: Callable[[], float] = time.monotonic) -> None:
        self.world, self.delay, self.per_second, self.clock = world, delay, per_second, clock
        self.grants = CodeGrantServer(
            world, Consents(), title="征信报告授权", scopes=(SCOPE,), client_id=CLIENT_ID, client_secret=CLIENT_SECRET
        )
        self.reports: dict[str, Report] = {}
        self.keys: dict[str, tuple[str, Report]] = {}
        self.files: dict[str, CreditFile] = {}
        self.calls: list[float] = []

    def routes(self) -> list[Route]:
        return [
            *self.grants.routes(BASE),
            Route(f"{BASE}/reports", self._enveloped(self.order), methods=["POST"]),
            Route(f"{BASE}/reports/{{number}}", self._enveloped(self.poll), methods=["GET"]),
            Route(f"{BASE}/reports/{{number}}/sections/{{section}}", self._enveloped(self.section), methods=["GET"]),
        ]

    def file_of(self, persona: Persona) -> CreditFile:
        if persona.id not in self.files:
            self.files[persona.id] = credit_file(persona)
        return self.files[persona.id]

    def _enveloped(self, handle: Callable[[Request, Consent], Awaitable[tuple[int, Content]]]) -> Callable[[Request], Awaitable[Response]]:
        """Token, scope and rate before, the envelope around."""

        async def endpoint(request: Request) -> Response:
            consent = self.grants.holder(request.headers.get("authorization", ""))
            if consent is None:
                return _challenge(401, "invalid_token")
            if SCOPE not in consent.scopes:
                return _challenge(403, "insufficient_scope")
            try:
                self._count()
                status, data = await handle(request, consent)
            except Refused as refused:
                return _refusal(refused)
            return JSONResponse({"code": "00000", "message": "success", "request_id": secrets.token_hex(8), "data": data}, status)

        return endpoint

    def _count(self) -> None:
        now = self.clock()
        self.calls = [at for at in self.calls if at > now - 1]
        if len(self.calls) >= self.per_second:
            raise Refused(429, "B0429", "too many calls", 1)
        self.calls.append(now)

    async def order(self, request: Request, consent: Consent) -> tuple[int, Content]:
        body = await request.body()
        order = _order(body)
        if order.get("written_consent") is not True or order.get("adverse_notice") is not True or order.get("purpose") not in ("01", "02"):
            raise Refused(400, "B0412", "written consent, adverse notice and purpose are required")
        if order.get("authorization_no") != consent.number or not _same_person(order, consent.persona):
            raise Refused(400, "B0405", "consent and order name different persons")
        key = request.headers.get("idempotency-key", "")
        if not key:
            raise Refused(400, "B0400", "Idempotency-Key is required")
        return 202, self._taken(key, hashlib.sha256(body).hexdigest(), order, consent)

    def _taken(self, key: str, digest: str, order: Content, consent: Consent) -> Content:
        known = self.keys.get(f"{consent.number}|{key}")
        if known and known[0] != digest:
            raise Refused(409, "B0302", "the key was used for another order")
        report = known[1] if known else self._new(order, consent)
        self.keys[f"{consent.number}|{key}"] = (digest, report)
        return {"report_no": report.number, "status": "10", "retry_after": f"{max(0.0, report.ready - self.clock()):.3f}"}

    def _new(self, order: Content, consent: Consent) -> Report:
        now = self.clock()
        report = Report(f"R{len(self.reports) + 1:08d}", consent, order, now + self.delay, now + REPORT_LIFE)
        self.reports[report.number] = report
        return report

    async def poll(self, request: Request, consent: Consent) -> tuple[int, Content]:
        report = self._report(request, consent)
        wait = report.ready - self.clock()
        if wait > 0:
            return 200, {"report_no": report.number, "status": "20", "retry_after": f"{wait:.3f}"}
        return 200, {"report_no": report.number, "status": "30", "sections": list(SECTIONS)}

    def _report(self, request: Request, consent: Consent) -> Report:
        report = self.reports.get(request.path_params["number"])
        if report is None or report.consent is not consent:
            raise Refused(404, "B0401", "there is no such report")
        if self.clock() > report.ends:
            raise Refused(410, "B0410", "the report is gone")
        return report

    async def section(self, request: Request, consent: Consent) -> tuple[int, Content]:
        report, name = self._report(request, consent), request.path_params["section"]
        wait = report.ready - self.clock()
        if wait > 0:
            raise Refused(409, "B0409", "the report is not ready", wait)
        if name not in SECTIONS:
            raise Refused(400, "B0400", "section")
        page, size = _paging(request)
        file, in_fen = self.file_of(consent.persona), self.world.switched(NAME, "fen")
        found = rows(file, name, report.order["from"], report.order["to"], in_fen=in_fen)
        if found and name == "accounts" and self.world.switched(NAME, "malformed"):
            found[0]["balance"] = "n/a"
        shown = found[(page - 1) * size : page * size]
        paging = {"page": page, "page_size": size, "pages": -(-len(found) // size), "total": len(found)}
        covered = [{"first": first.isoformat(), "last": last.isoformat()} for first, last in file.covered]
        return 200, {"report_no": report.number, "unit": "2" if in_fen else "1", **paging, "covered": covered, "rows": shown}


def _same_person(order: Content, persona: Persona) -> bool:
    own = {person.resident_id for person in persona.people.values()} | ({persona.business.uscc} if persona.business else set())
    subject = order.get("subject")
    return isinstance(subject, dict) and bool(subject) and {str(one) for one in subject.values()} <= own


def _order(body: bytes) -> Content:
    try:
        order = json.loads(body)
        if not isinstance(order, dict) or date.fromisoformat(str(order.get("from"))) > date.fromisoformat(str(order.get("to"))):
            raise ValueError
    except ValueError:
        raise Refused(400, "B0400", "the order is not a JSON object with from and to") from None
    return order


def _paging(request: Request) -> tuple[int, int]:
    texts = request.query_params.get("page", "1"), request.query_params.get("page_size", "100")
    if not all(text.isdecimal() for text in texts) or int(texts[0]) < 1 or not 1 <= int(texts[1]) <= LARGEST_PAGE:
        raise Refused(400, "B0400", "page or page_size")
    return int(texts[0]), int(texts[1])


def _challenge(status: int, error: str) -> Response:
    return JSONResponse({"code": "B0401", "message": error}, status, headers={"WWW-Authenticate": f'Bearer error="{error}"'})


def _refusal(refused: Refused) -> Response:
    headers = {} if refused.retry_after is None else {"Retry-After": str(max(1, round(refused.retry_after)))}
    body = {"code": refused.code, "message": refused.message, "request_id": secrets.token_hex(8), "data": None}
    return JSONResponse(body, refused.status, headers=headers)


def build(world: World) -> Platform:
    return platform(Bureau(world), world)


def platform(bureau: Bureau, world: World) -> Platform:
    """The platform as the kit wants it."""
    app = Switches(Starlette(routes=bureau.routes()), world, NAME)
    config = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return Platform(NAME, app, config, _outsider(bureau, world), BASE, trials={"": {"page_size": "8"}})


def _outsider(bureau: Bureau, world: World) -> Mapping[str, Any]:
    """A code with its verifier, and an access token with an order that may be sent as it stands, for the first persona with credit accounts, else the first."""
    oauth = {"authorize": "/oauth2/authorize", "token": "/oauth2/token", "revoke": "/oauth2/revoke"}
    reports = {"order": "/reports", "report": "/reports/{report_no}", "section": "/reports/{report_no}/sections/{section}"}
    known: Content = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "scope": SCOPE,
        "paths": oauth | reports,
        "sections": list(SECTIONS),
    }
    if not world.personas:
        return known
    persona = max(world.personas, key=lambda one: bool(bureau.file_of(one).accounts))
    consent = bureau.grants.consents.add(persona, (SCOPE,))
    tokens = bureau.grants.issue_tokens(consent)
    covered = bureau.file_of(persona).covered
    order = {
        "authorization_no": consent.number,
        "purpose": "01",
        "written_consent": True,
        "adverse_notice": True,
        "subject": {"uscc": persona.business.uscc} if persona.business else {"resident_id": persona.responsible.resident_id},
    }
    period = {"from": covered[0][0].isoformat(), "to": covered[-1][1].isoformat()} if covered else {}
    return {
        **known,
        "persona": persona.id,
        "code": bureau.grants.issue_code(bureau.grants.consents.add(persona, (SCOPE,)), REDIRECT, challenge(VERIFIER), life=REPORT_LIFE),
        "code_verifier": VERIFIER,
        "redirect_uri": REDIRECT,
        "access_token": tokens["access_token"],
        "order": {**order, **period},
        "authorise_query": urlencode({"response_type": "code", "client_id": CLIENT_ID, "scope": SCOPE, "code_challenge_method": "S256"}),
        "period": period,
    }
