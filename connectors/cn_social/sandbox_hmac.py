"""The simulated gateway in mode hmac: requesters, the rotating secret, the order of checks, the authorization services."""

from __future__ import annotations

import math
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from connectors.cn_social.sandbox_desk import Buckets, Refusal, too_fast
from connectors.cn_social.sign import verifies, wrap
from connectors.cn_social.vocabulary import SOURCE_OF
from connectors.sandbox.code_grant import Consent, Consents
from connectors.sandbox.consent_page import consent_page
from connectors.sandbox.platform import World
from hub.domain.periods import CHINA

TOLERANCE = timedelta(seconds=300)
SECRET_LIFE = 43_200
OVERLAP = 300
TICKET_LIFE = 1800


@dataclass
class Secret:
    text: str
    until: float


@dataclass
class Requester:
    """An institution that signs. ``sids`` maps a path below /sysapi/ to the service identity it was given."""

    rid: str
    appkey: str
    sids: Mapping[str, str]
    prefix: str = "gjgxjhpt_"
    how: str = "aes-ecb-sha1prng"
    secrets: list[Secret] = field(default_factory=list)
    fetched: float = float("-inf")
    seen: set[tuple[str, str]] = field(default_factory=set)

    def rotate(self, now: float) -> Secret:
        """A new secret; the one before stays good for five minutes more."""
        if self.secrets:
            self.secrets[-1].until = min(self.secrets[-1].until, now + OVERLAP)
        self.secrets.append(Secret(secrets.token_urlsafe(18), now + SECRET_LIFE))
        self.fetched = now
        return self.secrets[-1]

    def check(self, sid: str, rtime: str, sign: str, now: float) -> None:
        """Raises Refusal unless a living secret signed this."""
        matching = [secret for secret in self.secrets if verifies(secret.text, sid, self.rid, rtime, sign)]
        if not matching:
            raise Refusal("SIGN_INVALID", message="签名错误")
        if all(secret.until < now for secret in matching):
            raise Refusal("SECRET_EXPIRED", message="密钥已过期")

    def check_time(self, world: World, sid: str, rtime: str) -> None:
        """Clock, then replay. A call refused for its clock uses up its rtime as well."""
        replayed = (sid, rtime) in self.seen
        self.seen.add((sid, rtime))
        if not re.fullmatch(r"\d{13}", rtime) or not world.is_fresh(datetime.fromtimestamp(int(rtime) / 1000, UTC), TOLERANCE):
            raise Refusal("SIGN_EXPIRED", message="时间戳超出范围")
        if replayed:
            raise Refusal("SIGN_REPLAYED", message="重复请求")


@dataclass
class Ticket:
    consent: Consent
    redirect_uri: str
    state: str
    expires: float
    used: bool = False


class HmacDesk:
    """Secret, ``authorization/create | query | revoke`` and the page on which the customer decides."""

    def __init__(self, world: World, consents: Consents, requester: Requester, buckets: Buckets, base_path: str) -> None:
        self.world, self.consents, self.requester = world, consents, requester
        self.buckets, self.base_path = buckets, base_path
        self.now: Callable[[], float] = time.time
        self.tickets: dict[str, Ticket] = {}
        self.last_days: dict[str, str] = {}

    def header(self, request: Request, name: str) -> str:
        return request.headers.get(self.requester.prefix + name, "")

    def identify(self, request: Request, path: str) -> None:
        """Requester and sid, signature, clock, replay. Raises Refusal."""
        rid, sid, rtime = (self.header(request, name) for name in ("rid", "sid", "rtime"))
        if rid != self.requester.rid or sid != self.requester.sids.get(path):
            raise Refusal("SERVICE_NOT_GRANTED", message="未授权的服务")
        self.requester.check(sid, rtime, self.header(request, "sign"), self.now())
        self.requester.check_time(self.world, sid, rtime)

    def secret(self, request: Request, body: Mapping[str, Any]) -> dict[str, Any]:
        """The secret call: signed with the appkey, its code is the text "0"."""
        rid, sid, rtime, sign = (self.header(request, name) for name in ("rid", "sid", "rtime", "sign"))
        if rid != self.requester.rid:
            return {"code": "E-106", "message": "请求者不在名单", "data": None}
        repeated = all(
            str(body.get(self.requester.prefix + name, "")) == self.header(request, name) for name in ("rid", "sid", "rtime", "sign")
        )
        if sid != self.requester.sids["auth/secret"] or not repeated or not verifies(self.requester.appkey, sid, rid, rtime, sign):
            return {"code": "-1", "message": "签名错误", "data": None}
        try:
            self.requester.check_time(self.world, sid, rtime)
        except Refusal as refusal:
            return {"code": "-1", "subcode": refusal.subcode, "message": refusal.message, "data": None}
        self.buckets.take(rid)
        left = self.buckets.limits.secret_every - (self.now() - self.requester.fetched)
        if left > 0:
            raise too_fast(max(1, math.ceil(left)))
        made = self.requester.rotate(self.now())
        shown = made.text if self.requester.how == "plain" else wrap(made.text, self.requester.appkey)
        return {"code": "0", "message": "success", "data": {"secret": shown, "secretEndTime": str(int(made.until * 1000))}}

    def create(self, request: Request, body: Mapping[str, Any]) -> dict[str, Any]:
        named = [str(body[name]) for name in ("aac002", "aab998") if body.get(name)]
        personas = {found.id: found for found in map(self.world.of_identifier, named) if found}
        scopes = body.get("scopes")
        if not isinstance(scopes, list) or not scopes or not set(scopes) <= set(SOURCE_OF):
            raise Refusal("PARAM_INVALID", message="scopes")
        if not self.world.allows_redirect(str(body.get("redirect_uri", ""))):
            raise Refusal("PARAM_INVALID", message="redirect_uri")
        if not personas:
            raise Refusal("NO_RECORD", message="查无此人")
        if len(personas) > 1:
            raise Refusal("IDENTITY_MISMATCH", message="aac002")
        consent = self.consents.add(next(iter(personas.values())), tuple(scopes), status="10")
        self.last_days[consent.number] = str(body.get("sqyxqz", ""))
        ticket, expires = secrets.token_urlsafe(18), self.now() + TICKET_LIFE
        self.tickets[ticket] = Ticket(consent, str(body["redirect_uri"]), str(body.get("state", "")), expires)
        return {
            "sqbh": consent.number,
            "sqzt_dm": consent.status,
            "authorize_url": f"{str(request.base_url).rstrip('/')}{self.base_path}/authorize?ticket={ticket}",
            "expires_at": datetime.fromtimestamp(expires, CHINA).strftime("%Y-%m-%d %H:%M:%S"),
        }

    def query(self, body: Mapping[str, Any]) -> dict[str, Any]:
        consent = self._named(body)
        return {
            "sqbh": consent.number,
            "sqzt_dm": consent.status,
            "scopes": list(consent.scopes),
            "sqyxqz": self.last_days.get(consent.number),
            "cxsj": None,
        }

    def revoke(self, body: Mapping[str, Any]) -> dict[str, Any]:
        consent = self._named(body)
        consent.status = "50"
        return {"sqbh": consent.number, "sqzt_dm": consent.status}

    def _named(self, body: Mapping[str, Any]) -> Consent:
        consent = self.consents.by_number.get(str(body.get("sqbh", "")))
        if consent is None:
            raise Refusal("PARAM_INVALID", message="sqbh")
        return consent

    async def page(self, request: Request) -> Response:
        """Shows the question; the POST is the customer's decision."""
        form = await request.form() if request.method == "POST" else None
        name = str(form.get("ticket", "") if form else "") or request.query_params.get("ticket", "")
        ticket = self.tickets.get(name)
        if ticket is None or ticket.used or self.now() > ticket.expires:
            return JSONResponse({"code": 300, "subcode": "PARAM_INVALID", "message": "ticket", "data": None}, 400)
        if form is None:
            return consent_page("社保公积金数据授权", f"请求读取: {' '.join(ticket.consent.scopes)}", hidden={"ticket": name})
        ticket.used, agreed = True, form.get("decision") == "agree"
        kept = tuple(str(scope) for scope in form.getlist("scope"))
        ticket.consent.scopes = tuple(scope for scope in ticket.consent.scopes if not kept or scope in kept)
        ticket.consent.status = "20" if agreed else "30"
        answer = {"state": ticket.state, "sqbh": ticket.consent.number, "result": "agree" if agreed else "refuse"}
        joint = "&" if "?" in ticket.redirect_uri else "?"
        return RedirectResponse(f"{ticket.redirect_uri}{joint}{urlencode(answer)}", 302)
