"""The simulated Alipay open platform: the gateway and the consent page of app authorisation, over the personas' ledgers.

Every answer of the gateway is HTTP 200 and signed over exactly the bytes of its response object. Both key pairs are made when the platform
is built. ``sandbox_desk`` keeps the authorisations, ``sandbox_books`` the accounts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from connectors.alipay.requests import ACCOUNT_LOG, AUTHORISE, GATEWAY, LARGEST_PAGE, SMALLEST_PAGE, TOKEN
from connectors.alipay.sandbox_books import Books, log_row
from connectors.alipay.sandbox_desk import REFRESH_LIFE, TOKEN_LIFE, Authorised, Desk
from connectors.alipay.sandbox_notify import booked, notification
from connectors.alipay.sign import is_signed, signature_of, signed_text
from connectors.sandbox.consent_page import consent_page
from connectors.sandbox.expand_ledger import Movement
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import Platform, Switches, World
from connectors.sandbox.push import Push
from hub.domain.periods import china_text, china_time
from hub.errors import PersonaInvalid

NAME = "alipay"
APP_ID = "2021009900000001"
ACCOUNTS = "zx.accounts.query"
CLOCK_TOLERANCE = timedelta(minutes=15)
LONGEST = timedelta(days=31)
LATE_AMOUNT = Decimal("888.00")

Params = Mapping[str, str]
Content = dict[str, Any]


class Refused(Exception):
    """An error answer."""

    def __init__(self, code: str, sub_code: str, sub_msg: str = "") -> None:
        self.content = {"code": code, "msg": _MESSAGES.get(code, "Error"), "sub_code": sub_code, "sub_msg": sub_msg or sub_code}
        super().__init__(sub_code)


_MESSAGES = {
    "20000": "Service Currently Unavailable",
    "20001": "Insufficient Token Permissions",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40004": "Business Failed",
    "40005": "Call Limited",
    "40006": "Insufficient Permissions",
}


@dataclass
class Bucket:
    """Calls a second; ``burst`` of them at once."""

    per_second: float
    burst: float
    level: float = 0.0
    at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.level = self.burst

    def take(self) -> bool:
        now = time.monotonic()
        self.level, self.at = min(self.burst, self.level + (now - self.at) * self.per_second), now
        if self.level < 1:
            return False
        self.level -= 1
        return True


class Alipay:
    """The platform. ``per_second`` and ``burst`` bound the calls of the application."""

    def __init__(self, world: World, *, per_second: float = 1000, burst: float = 2000) -> None:
        self.world, self.desk, self.bucket = world, Desk(), Bucket(per_second, burst)
        self.app_key, self.platform_key = Key(), Key()
        self.books: dict[str, Books] = {}
        self.methods: dict[str, Callable[[Params, Content], Content]] = {
            TOKEN: self.token,
            ACCOUNTS: self.accounts,
            ACCOUNT_LOG: self.account_log,
        }

    def routes(self) -> list[Route]:
        return [Route(GATEWAY, self.gateway, methods=["POST"]), Route(AUTHORISE, self.authorise, methods=["GET", "POST"])]

    def books_of(self, persona: Persona) -> Books:
        if persona.id not in self.books:
            self.books[persona.id] = Books.of(persona)
        return self.books[persona.id]

    def settle_late(self, persona: Persona) -> None:
        """A payment is booked where it belongs, in the middle of what was served before; the merchant's application is told."""
        books = self.books_of(persona)
        movements = books.accounts[books.user_id].movements
        at = movements[len(movements) // 2].at + timedelta(minutes=1)
        self.world.push(self.notification(persona, booked(books, at, LATE_AMOUNT, "补记货款")))

    def notification(self, persona: Persona, made: Movement | None = None) -> Push:
        """Of the payment, or of the last one there is."""
        books = self.books_of(persona)
        made = made or books.accounts[books.user_id].movements[-1]
        return notification(NAME, APP_ID, self.platform_key.pkcs8, books.user_id, made)

    async def authorise(self, request: Request) -> Response:
        form = await request.form() if request.method == "POST" else None
        asked = {**request.query_params, **{name: str(value) for name, value in (form or {}).items()}}
        redirect, state = asked.get("redirect_uri", ""), {"state": asked["state"]} if "state" in asked else {}
        if asked.get("app_id") != APP_ID or not self.world.allows_redirect(redirect):
            return PlainTextResponse("app_id or redirect_uri is not registered", 400)
        if form is None:
            return consent_page("支付宝应用授权", f"应用 {APP_ID} 请求读取您的账务明细", hidden=asked)
        if asked.get("decision") != "agree":
            return _back(redirect, {"error": "access_denied", **state})
        try:
            persona = self.world.persona(asked.get("login"))
        except PersonaInvalid:
            return PlainTextResponse("nobody of that login lives here", 400)
        code = self.desk.agree(persona)
        return _back(redirect, {"app_id": APP_ID, "source": "alipay_app_auth", "app_auth_code": code, **state})

    async def gateway(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        query = dict(request.query_params)
        method = query.get("method") or form.get("method", "")
        name = method.replace(".", "_") + "_response" if method in self.methods else "error_response"
        try:
            if set(query) & set(form):
                raise Refused("40002", "isv.invalid-parameter", "a parameter is given twice")
            content = {"code": "10000", "msg": "Success", **self.answer(method, {**query, **form})}
        except Refused as refused:
            content = refused.content
        return self.signed(name, content)

    def signed(self, name: str, content: Content) -> Response:
        """The envelope: what is signed are exactly the bytes that are sent."""
        raw = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        signature = signature_of(raw, self.platform_key.pkcs8)
        body = b'{"%s":%s,"sign":"%s"}' % (name.encode(), raw, signature.encode())
        return Response(body, media_type="text/html;charset=utf-8")

    def answer(self, method: str, params: Params) -> Content:
        self.check(method, params)
        try:
            content = json.loads(params.get("biz_content") or "{}")
        except ValueError:
            raise Refused("40002", "isv.invalid-parameter", "biz_content") from None
        if not isinstance(content, dict):
            raise Refused("40002", "isv.invalid-parameter", "biz_content")
        return self.methods[method](params, content)

    def check(self, method: str, params: Params) -> None:
        """Method, application, signature, clock, rate: in this order."""
        for name in ("method", "app_id", "sign_type", "sign", "timestamp", "version"):
            if not params.get(name):
                raise Refused("40001", f"isv.missing-{name.replace('_', '-').replace('sign', 'signature')}")
        if method not in self.methods:
            raise Refused("40002", "isv.invalid-method")
        if params["app_id"] != APP_ID:
            raise Refused("40002", "isv.invalid-app-id")
        if params["sign_type"] != "RSA2":
            raise Refused("40002", "isv.invalid-signature-type")
        if params.get("charset", "").lower() != "utf-8":
            raise Refused("40002", "isv.invalid-charset")
        if not is_signed(signed_text(params), params["sign"], self.app_key.public):
            raise Refused("40002", "isv.invalid-signature", "check the key and the signed text")
        if not self._is_fresh(params["timestamp"]):
            raise Refused("40002", "isv.invalid-timestamp")
        if not self.bucket.take():
            raise Refused("40005", "isv.app-call-limited")

    def _is_fresh(self, timestamp: str) -> bool:
        try:
            return self.world.is_fresh(china_time(timestamp), CLOCK_TOLERANCE)
        except ValueError:
            return False

    def token(self, params: Params, content: Content) -> Content:
        """alipay.open.auth.token.app: every value is text, and everything stands there twice."""
        if content.get("grant_type") == "authorization_code":
            authorised = self.desk.redeem(str(content.get("code", "")))
            if authorised is None:
                raise Refused("40002", "isv.code-invalid")
        elif content.get("grant_type") == "refresh_token":
            authorised = self.desk.renew(str(content.get("refresh_token", "")))
            if authorised is None:
                raise Refused("40002", "isv.refresh-token-invalid")
        else:
            raise Refused("40002", "isv.grant-type-invalid")
        token, refresh = self.desk.issue(authorised)
        issued = {
            "app_auth_token": token,
            "app_refresh_token": refresh,
            "auth_app_id": "2021" + self.books_of(authorised.persona).user_id[4:],
            "user_id": self.books_of(authorised.persona).user_id,
            "expires_in": str(TOKEN_LIFE),
            "re_expires_in": str(REFRESH_LIFE),
        }
        return {**issued, "tokens": [issued]}

    def _holder(self, params: Params) -> Books:
        persona = self.desk.holder(params.get("app_auth_token", ""))
        if persona is None:
            raise Refused("20001", "aop.invalid-app-auth-token")
        return self.books_of(persona)

    def accounts(self, params: Params, content: Content) -> Content:
        """Our extension: the authorised accounts and the days for which there are bills."""
        books = self._holder(params)
        found = books.listed()
        return {"account_list": found, "total_size": str(len(found)), "bill_ranges": _ranges(books.reach.intervals())}

    def account_log(self, params: Params, content: Content) -> Content:
        books = self._holder(params)
        number = str(content.get("bill_user_id") or books.user_id)
        start, end, page, size = _asked(content)
        if not books.knows(number):
            raise Refused("40006", "isv.insufficient-user-permissions", "bill_user_id is not authorised")
        if not books.ranges(start, end):
            raise Refused("40004", "BILL_DATE_NOT_AVAILABLE", "there is no bill for these days")
        found = books.log(number, start, end)
        shown = found[(page - 1) * size : page * size]
        rows = [log_row(books.accounts[number], movement) for movement in shown]
        if shown and self.world.switched(NAME, "malformed") and books.is_first(number, shown[0]):
            rows[0]["trans_amount"] = "n/a"
        paging = {"page_no": str(page), "page_size": str(size), "total_size": str(len(found))}
        return {"detail_list": rows, **paging, "bill_ranges": _ranges(books.ranges(start, end))}


@dataclass(frozen=True)
class Key:
    """An RSA key pair in the spellings that clients want."""

    pair: RSAPrivateKey = field(default_factory=lambda: generate_private_key(65537, 2048))
    pkcs8: str = ""
    pkcs1: str = ""
    public: str = ""

    def __post_init__(self) -> None:
        private = [self.pair.private_bytes(Encoding.PEM, form, NoEncryption()).decode() for form in _PRIVATE]
        object.__setattr__(self, "pkcs8", private[0])
        object.__setattr__(self, "pkcs1", private[1])
        public = self.pair.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        object.__setattr__(self, "public", public.decode())


_PRIVATE = (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL)
_KNOWN = {"start_time", "end_time", "page_no", "page_size", "bill_user_id"}


def _asked(content: Content) -> tuple[datetime, datetime, int, int]:
    """The question of an account log query. A filter that is not simulated is refused rather than ignored."""
    if set(content) - _KNOWN:
        raise Refused("40002", "isv.invalid-parameter", f"not simulated: {', '.join(sorted(set(content) - _KNOWN))}")
    try:
        start, end = china_time(str(content.get("start_time"))), china_time(str(content.get("end_time")))
        page, size = int(content.get("page_no", 1)), int(content.get("page_size", LARGEST_PAGE))
    except ValueError:
        raise Refused("40002", "isv.invalid-parameter", "start_time, end_time, page_no or page_size") from None
    if not start < end <= start + LONGEST:
        raise Refused("40002", "isv.invalid-parameter", "the window is empty or longer than 31 days")
    if page < 1 or not SMALLEST_PAGE <= size <= LARGEST_PAGE:
        raise Refused("40002", "isv.invalid-parameter", "page_no or page_size")
    return start, end, page, size


def _ranges(days: list[Any]) -> list[dict[str, str]]:
    return [{"start_date": first.isoformat(), "end_date": last.isoformat()} for first, last in days]


def _back(redirect: str, answer: Params) -> Response:
    return RedirectResponse(redirect + ("&" if "?" in redirect else "?") + urlencode(answer), 302)


def build(world: World) -> Platform:
    return platform(Alipay(world), world)


def platform(alipay: Alipay, world: World) -> Platform:
    """The platform as the kit wants it."""
    app = Switches(Starlette(routes=alipay.routes()), world, NAME)
    config = {
        "app_id": APP_ID,
        "app_private_key": alipay.app_key.pkcs8,
        "alipay_public_key": alipay.platform_key.public,
        "accounts_method": ACCOUNTS,
    }
    trials = {"": {"page_size": str(SMALLEST_PAGE)}}
    events = {"late payment": alipay.settle_late}
    return Platform(NAME, app, config, _outsider(alipay, world), trials=trials, pushed=alipay.notification, events=events)


def _outsider(alipay: Alipay, world: World) -> dict[str, Any]:
    """Keys and identifiers; codes and a period with data for the first persona that has movements."""
    known = {
        "app_id": APP_ID,
        "gateway_path": GATEWAY,
        "authorise_path": AUTHORISE,
        "app_private_key_pkcs8": alipay.app_key.pkcs8,
        "app_private_key_pkcs1": alipay.app_key.pkcs1,
        "app_public_key": alipay.app_key.public,
        "alipay_public_key": alipay.platform_key.public,
        "accounts_method": ACCOUNTS,
    }
    for books in map(alipay.books_of, world.personas):
        period = books.busy_month()
        if period is not None:
            return {**known, **_way_in(alipay, books), "period": {"from": china_text(period[0]), "to": china_text(period[1])}}
    return known


def _way_in(alipay: Alipay, books: Books) -> dict[str, Any]:
    token, refresh = alipay.desk.issue(Authorised(books.persona))
    return {
        "persona": books.persona.id,
        "app_auth_code": alipay.desk.agree(books.persona),
        "app_auth_token": token,
        "app_refresh_token": refresh,
        "bill_user_ids": list(books.accounts),
    }
