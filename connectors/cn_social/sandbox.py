"""The simulated gateway: OAuth 2, the signed calls, and the data services over the personas of the world.

``sandbox_rows`` says what it knows, ``sandbox_desk`` how much it takes, ``sandbox_hmac`` is the mode with the rotating secret. Both modes are
served at once; a call's headers say which one it uses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.cn_social import sandbox_rows
from connectors.cn_social.sandbox_desk import Buckets, Limits, Refusal, Tasks, whole
from connectors.cn_social.sandbox_hmac import HmacDesk, Requester
from connectors.cn_social.vocabulary import SOURCE_OF
from connectors.sandbox.code_grant import CodeGrantServer, Consent, Consents
from connectors.sandbox.expand import Reach
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import Platform, Switches, World
from hub.connect.code_grant import challenge
from hub.domain.enums import SourceKind
from hub.domain.periods import Month, china_day, first_day, last_day, months_between

NAME = "cn_social"
BASE_PATH = "/cn-social/v1"
CLIENT_ID, CLIENT_SECRET = "zengxin-hub", "cn-social-client-secret-for-sandboxes"
RID, APPKEY = "rid-zengxin-hub", "cn-social-appkey-for-sandboxes"
OUTSIDER_REDIRECT = "https://hub.example/link/callback"
OUTSIDER_VERIFIER = "outsider-verifier-outsider-verifier-outsider-verifier"

SCOPE = {
    "si/enrolment/query": "si.person",
    "si/contribution/query": "si.person",
    "si/employer/query": "si.employer",
    "hf/account/query": "hf.person",
    "hf/entry/query": "hf.person",
    "hf/loan/query": "hf.person",
}
LONGEST = {"si/contribution/query": 120, "si/employer/query": 36, "hf/entry/query": 36}
PATHS = ("auth/secret", "authorization/create", "authorization/query", "authorization/revoke", *SCOPE, "task/result")
SIDS = {path: "s_330100_" + path.removesuffix("/query").replace("/", "_") for path in PATHS}


class Gateway:
    """The data services. One instance serves one world."""

    def __init__(self, world: World, limits: Limits, requester: Requester) -> None:
        self.world, self.limits = world, limits
        self.consents = Consents()
        self.oauth = CodeGrantServer(
            world, self.consents, title="社保公积金数据网关", scopes=tuple(SOURCE_OF), client_id=CLIENT_ID, client_secret=CLIENT_SECRET
        )
        self.buckets, self.tasks = Buckets(limits), Tasks(limits)
        self.desk = HmacDesk(world, self.consents, requester, self.buckets, BASE_PATH)
        self.rows: dict[tuple[str, str], list[sandbox_rows.Row]] = {}
        self.traces = 0
        self.moved = False

    def routes(self) -> list[Route]:
        return [
            *self.oauth.routes(BASE_PATH),
            Route(f"{BASE_PATH}/authorize", self.desk.page, methods=["GET", "POST"]),
            Route(f"{BASE_PATH}/sysapi/{{path:path}}", self.serve, methods=["POST"]),
        ]

    async def serve(self, request: Request) -> Response:
        path, self.traces = request.path_params["path"], self.traces + 1
        body = _body(await request.body())
        bearer = request.headers.get("authorization", "")
        try:
            if not bearer and request.headers.get(self.desk.requester.prefix + "rid"):
                return self._signed(request, path, body)
            consent = self.oauth.holder(bearer)
            if consent is None:
                return _bearer_fault(401, "invalid_token")
            self.buckets.take(CLIENT_ID)
            return self._of_consent(consent, path, body, oauth=True)
        except Refusal as refusal:
            return self._envelope(refusal.code, refusal.subcode, refusal.message, refusal.data)

    def _signed(self, request: Request, path: str, body: Mapping[str, Any] | None) -> Response:
        if path == "auth/secret":
            return JSONResponse(self.desk.secret(request, body or {}))
        self.desk.identify(request, path)
        self.buckets.take(RID)
        if body is None:
            raise Refusal("PARAM_INVALID", message="body")
        if path == "authorization/create":
            return self._ok(self.desk.create(request, body))
        if path == "authorization/query":
            return self._ok(self.desk.query(body))
        if path == "authorization/revoke":
            return self._ok(self.desk.revoke(body))
        consent = self.consents.by_number.get(str(body.get("sqbh", "")))
        if consent is None:
            raise Refusal("PARAM_INVALID", message="sqbh")
        return self._of_consent(consent, path, body, oauth=False)

    def _of_consent(self, consent: Consent, path: str, body: Mapping[str, Any] | None, *, oauth: bool) -> Response:
        """State of the consent, its daily count, scope, parameters: in this order."""
        states = {"10": "AUTH_PENDING", "30": "AUTH_REFUSED", "40": "AUTH_EXPIRED", "50": "AUTH_REVOKED"}
        if consent.status in states:
            raise Refusal(states[consent.status], message="授权状态")
        self.buckets.count(consent.number)
        if body is None:
            raise Refusal("PARAM_INVALID", message="body")
        if body.get("sqbh", consent.number) != consent.number:
            raise Refusal("IDENTITY_MISMATCH", message="sqbh")
        if path == "task/result":
            return self._task(consent, body)
        if path not in SCOPE:
            raise Refusal("PARAM_INVALID", message="path")
        if SCOPE[path] not in consent.scopes:
            if oauth:
                return _bearer_fault(403, "insufficient_scope")
            raise Refusal("SCOPE_MISSING", data={"scopes": list(consent.scopes)})
        return self._question(consent, path, body)

    def _question(self, consent: Consent, path: str, body: Mapping[str, Any]) -> Response:
        page, size = _paging(body)
        question = {name: body.get(name) for name in ("qsny", "zzny", "qsrq", "zzrq", "grzh", "aae140") if body.get(name) is not None}
        span = _span(path, question)
        if span and months_between(Month(span[0].isoformat()[:7]), Month(span[1].isoformat()[:7])) + 1 > self.limits.batch_months:
            taskid = self.tasks.open((consent.number, path, json.dumps(question, sort_keys=True)), path, question)
            return self._accepted(taskid)
        return self._page(consent, path, question, page, size)

    def _task(self, consent: Consent, body: Mapping[str, Any]) -> Response:
        page, size = _paging(body)
        taskid = str(body.get("taskid", ""))
        task = self.tasks.poll(taskid, consent.number)
        return self._page(consent, task.path, task.question, page, size) if task else self._accepted(taskid)

    def _accepted(self, taskid: str) -> Response:
        return self._envelope(202, "ACCEPTED", "已受理", {"taskid": taskid, "retryafter": whole(self.limits.retry_after)})

    def _page(self, consent: Consent, path: str, question: Mapping[str, Any], page: int, size: int) -> Response:
        persona, span = consent.persona, _span(path, question)
        covered = self._covered(persona, path, span)
        if not sandbox_rows.knows(persona, path):
            raise Refusal("NO_RECORD", message="查无此人", data={"sjfg": covered})
        rows = self._select(persona, path, question, span)
        if path == "si/contribution/query" and rows and self.world.switched(NAME, "malformed"):
            rows = [{**rows[0], "aae180": "n/a"}, *rows[1:]]
        data = {
            "jedw": "2" if path == "hf/entry/query" else "1",
            "kzsj": self._snapshot(persona, page),
            "csmc": sandbox_rows.city(persona, path),
            "sjfg": covered,
            "page": page,
            "pagesize": size,
            "pages": -(-len(rows) // size),
            "total": len(rows),
            "rows": rows[(page - 1) * size : page * size],
        }
        return self._ok(data)

    def _select(self, persona: Persona, path: str, question: Mapping[str, Any], span: tuple[date, date] | None) -> list[sandbox_rows.Row]:
        rows = self._rows(persona, path)
        if path == "hf/entry/query":
            if question.get("grzh") not in {row["grzh"] for row in self._rows(persona, "hf/account/query")}:
                raise Refusal("IDENTITY_MISMATCH", message="grzh")
            rows = [row for row in rows if row["grzh"] == question["grzh"] and question["qsrq"] <= row["jzrq"] <= question["zzrq"]]
        elif span:
            rows = [row for row in rows if question["qsny"] <= row["aae003"] <= question["zzny"]]
        kinds = question.get("aae140")
        return [row for row in rows if row["aae140"] in kinds] if kinds and path.startswith("si/") else rows

    def _rows(self, persona: Persona, path: str) -> list[sandbox_rows.Row]:
        if (persona.id, path) not in self.rows:
            self.rows[persona.id, path] = sandbox_rows.ROWS[path](persona)
        return self.rows[persona.id, path]

    def _covered(self, persona: Persona, path: str, span: tuple[date, date] | None) -> list[dict[str, str]]:
        reach = Reach(persona, SourceKind.HOUSING_FUND if path.startswith("hf/") else SourceKind.SOCIAL_INSURANCE)
        found = reach.intervals(*span) if span else reach.intervals()
        return [{"qsrq": first.isoformat(), "zzrq": last.isoformat()} for first, last in found]

    def _snapshot(self, persona: Persona, page: int) -> str:
        """The night of the data. The switch ``new_snapshot`` lets a new night fall once, between two pages."""
        if page > 1 and self.world.switched(NAME, "new_snapshot"):
            self.moved = True
        return f"{china_day(persona.known_at) + timedelta(days=self.moved)} 03:00:00"

    def _ok(self, data: Mapping[str, Any]) -> Response:
        return self._envelope(200, "OK", "成功", data)

    def _envelope(self, code: int, subcode: str, message: str, data: Mapping[str, Any] | None) -> Response:
        return JSONResponse({"code": code, "subcode": subcode, "message": message, "traceid": f"TR{self.traces:08d}", "data": data})


def build(world: World, limits: Limits | None = None, *, plain_secret: bool = False) -> Platform:
    """The simulated gateway. ``limits``: how strict and how slow it is; generous by default. ``plain_secret``: it sends the secret bare."""
    wrapping = "plain" if plain_secret else "aes-ecb-sha1prng"
    gateway = Gateway(world, limits or Limits(), Requester(RID, APPKEY, SIDS, how=wrapping))
    config = {
        "auth_mode": "oauth2",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "rid": RID,
        "appkey": APPKEY,
        "sids": json.dumps(SIDS),
        "secret_wrap": wrapping,
        "pagesize": "100",
        # Below what this gateway allows by default; the profile's two calls a second would make a demo wait.
        "quota_per_second": "100",
    }
    app = Switches(Starlette(routes=gateway.routes()), world, NAME)
    trials = {"oauth2": {"pagesize": "20"}, "hmac": {"auth_mode": "hmac", "pagesize": "20"}}
    return Platform(NAME, app, config, _outsider(gateway), BASE_PATH, trials)


def _outsider(gateway: Gateway) -> dict[str, Any]:
    """What a client not written by this project needs, for both modes; of the first persona that is insured, else of the first."""
    oauth2 = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "authorize_path": "/oauth2/authorize", "token_path": "/oauth2/token"}
    requester = gateway.desk.requester
    hmac = {"rid": RID, "appkey": APPKEY, "header_prefix": requester.prefix, "sids": SIDS, "secret_wrap": requester.how}
    personas = sorted(gateway.world.personas, key=lambda one: not sandbox_rows.ROWS["si/contribution/query"](one))
    if not personas:
        return {"service_path": "/sysapi/{service}", "oauth2": oauth2, "hmac": hmac}
    persona, scopes = personas[0], tuple(SOURCE_OF)
    code = gateway.oauth.issue_code(gateway.consents.add(persona, scopes), OUTSIDER_REDIRECT, challenge(OUTSIDER_VERIFIER), life=86_400)
    issued = gateway.consents.add(persona, scopes)
    tokens = gateway.oauth.issue_tokens(issued)
    last = first_day(Month(persona.as_of.isoformat()[:7])) - timedelta(days=1)
    first = date(last.year, last.month, 1) - timedelta(days=150)
    return {
        "persona": persona.id,
        "service_path": "/sysapi/{service}",
        "oauth2": {
            **oauth2,
            "redirect_uri": OUTSIDER_REDIRECT,
            "code": code,
            "code_verifier": OUTSIDER_VERIFIER,
            "access_token": tokens["access_token"],
            "refresh_token": tokens["refresh_token"],
            "scope": tokens["scope"],
        },
        "hmac": {**hmac, "sqbh": gateway.consents.add(persona, scopes).number},
        "sqbh": issued.number,
        "identifiers": {"aac002": persona.responsible.resident_id, "aab998": persona.business.uscc if persona.business else None},
        "period": {
            "from": first.isoformat(),
            "to": last.isoformat(),
            "qsny": first.strftime("%Y%m"),
            "zzny": last.strftime("%Y%m"),
        },
    }


def _span(path: str, question: Mapping[str, Any]) -> tuple[date, date] | None:
    """The days of a question; None for a service without a range. Raises Refusal with the name of the field."""
    if path not in LONGEST:
        return None
    by_day = path == "hf/entry/query"
    first, last = (_bound(question, name, by_day) for name in (("qsrq", "zzrq") if by_day else ("qsny", "zzny")))
    if first > last:
        raise Refusal("PARAM_INVALID", message="zzrq" if by_day else "zzny")
    if months_between(Month(first.isoformat()[:7]), Month(last.isoformat()[:7])) + 1 > LONGEST[path]:
        raise Refusal("WINDOW_TOO_LONG", message=f"最长{LONGEST[path]}个月")
    return first, last if by_day else last_day(Month(last.isoformat()[:7]))


def _bound(question: Mapping[str, Any], name: str, by_day: bool) -> date:
    text = str(question.get(name, ""))
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}" if by_day else r"\d{6}", text):
        raise Refusal("PARAM_INVALID", message=name)
    try:
        return date.fromisoformat(text) if by_day else date(int(text[:4]), int(text[4:]), 1)
    except ValueError:
        raise Refusal("PARAM_INVALID", message=name) from None


def _paging(body: Mapping[str, Any]) -> tuple[int, int]:
    page, size = body.get("page", 1), body.get("pagesize", 50)
    if not isinstance(page, int) or page < 1:
        raise Refusal("PARAM_INVALID", message="page")
    if not isinstance(size, int) or not 1 <= size <= 100:
        raise Refusal("PARAM_INVALID", message="pagesize")
    return page, size


def _body(raw: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(raw or b"{}")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _bearer_fault(status: int, error: str) -> Response:
    return JSONResponse({"error": error}, status, headers={"WWW-Authenticate": f'Bearer error="{error}"'})
