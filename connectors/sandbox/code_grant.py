"""The OAuth 2 server that the simulated gateways share: authorization code with PKCE S256, rotating refresh tokens (RFC 6749, 7636, 7009).

:class:`Consents` keeps what customers allowed, whichever way they were asked; :class:`CodeGrantServer` is the token machinery over it. Codes
work once and for five minutes, a code or refresh token used again ends the whole family. Time is real time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from connectors.sandbox.consent_page import consent_page
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import World
from hub.errors import PersonaInvalid

CODE_LIFE = 300
ACCESS_LIFE = 7200
REFRESH_LIFE = 2_592_000


@dataclass
class Consent:
    """What one customer allowed. ``status``: 10 waiting, 20 granted, 30 refused, 40 expired, 50 revoked."""

    number: str
    persona: Persona
    scopes: tuple[str, ...]
    status: str = "20"


@dataclass
class Consents:
    """Every consent of a platform by its number."""

    by_number: dict[str, Consent] = field(default_factory=dict)

    def add(self, persona: Persona, scopes: tuple[str, ...], status: str = "20") -> Consent:
        consent = Consent(f"SQ{len(self.by_number) + 1:04d}", persona, scopes, status)
        self.by_number[consent.number] = consent
        return consent


@dataclass
class _Code:
    consent: Consent
    redirect_uri: str
    challenge: str
    expires: float
    used: bool = False


@dataclass
class _Token:
    consent: Consent
    expires: float
    used: bool = False


class CodeGrantServer:
    """``/oauth2/authorize``, ``/oauth2/token`` and ``/oauth2/revoke`` below ``base_path``."""

    def __init__(
        self,
        world: World,
        consents: Consents,
        *,
        title: str,
        scopes: tuple[str, ...],
        client_id: str,
        client_secret: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.world, self.consents, self.title, self.scopes, self.now = world, consents, title, scopes, now
        self.client_id, self.client_secret = client_id, client_secret
        self.codes: dict[str, _Code] = {}
        self.access: dict[str, _Token] = {}
        self.refreshes: dict[str, _Token] = {}

    def routes(self, base_path: str) -> list[Route]:
        return [
            Route(f"{base_path}/oauth2/authorize", self.authorise, methods=["GET", "POST"]),
            Route(f"{base_path}/oauth2/token", self.token, methods=["POST"]),
            Route(f"{base_path}/oauth2/revoke", self.revoke, methods=["POST"]),
        ]

    async def authorise(self, request: Request) -> Response:
        query = dict(request.query_params)
        form = await request.form() if request.method == "POST" else None
        if form is not None:
            query |= {name: str(value) for name, value in form.items() if name != "scope"}
        redirect = query.get("redirect_uri", "")
        if query.get("client_id") != self.client_id or not self.world.allows_redirect(redirect):
            return JSONResponse({"error": "invalid_request", "error_description": "client_id or redirect_uri is not registered"}, 400)
        fault = self._request_fault(query)
        if fault:
            return _back(redirect, {"error": fault}, query)
        if form is None:
            return consent_page(self.title, f"{self.client_id} 请求读取: {query['scope']}", hidden=query)
        if query.get("decision") != "agree":
            return _back(redirect, {"error": "access_denied"}, query)
        kept = tuple(str(scope) for scope in form.getlist("scope") for scope in str(scope).split())
        return self._agreed(query, kept)

    def _agreed(self, query: Mapping[str, str], kept: tuple[str, ...]) -> Response:
        try:
            persona = self.world.persona(query.get("login"))
        except PersonaInvalid:
            return JSONResponse({"error": "invalid_request", "error_description": "nobody of that login lives here"}, 400)
        asked = query["scope"].split()
        scopes = tuple(scope for scope in asked if not kept or scope in kept)
        code = self.issue_code(self.consents.add(persona, scopes), query["redirect_uri"], query["code_challenge"])
        return _back(query["redirect_uri"], {"code": code}, query)

    def _request_fault(self, query: Mapping[str, str]) -> str:
        if query.get("response_type") != "code":
            return "unsupported_response_type"
        if query.get("code_challenge_method") != "S256" or len(query.get("code_challenge", "")) != 43:
            return "invalid_request"
        scopes = query.get("scope", "").split()
        return "" if scopes and set(scopes) <= set(self.scopes) else "invalid_scope"

    def issue_code(self, consent: Consent, redirect_uri: str, challenge: str, life: float = CODE_LIFE) -> str:
        code = secrets.token_urlsafe(24)
        self.codes[code] = _Code(consent, redirect_uri, challenge, self.now() + life)
        return code

    async def token(self, request: Request) -> Response:
        if not self._knows_client(request):
            return JSONResponse({"error": "invalid_client"}, 401, headers={"WWW-Authenticate": "Basic"})
        form = {name: str(value) for name, value in (await request.form()).items()}
        if form.get("grant_type") == "authorization_code":
            consent = self._redeem(form)
        elif form.get("grant_type") == "refresh_token":
            consent = self._rotate(form)
        else:
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        if consent is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse(self.issue_tokens(consent), headers={"Cache-Control": "no-store"})

    def _knows_client(self, request: Request) -> bool:
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        try:
            pair = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        name, _, secret = (unquote_plus(part) for part in pair.partition(":"))
        return kind.lower() == "basic" and name == self.client_id and secrets.compare_digest(secret.encode(), self.client_secret.encode())

    def _redeem(self, form: Mapping[str, str]) -> Consent | None:
        code = self.codes.get(form.get("code", ""))
        if code is None:
            return None
        if code.used:
            self.end(code.consent)
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proves = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == code.challenge
        if not proves or form.get("redirect_uri") != code.redirect_uri or self.now() > code.expires:
            return None
        code.used = True
        return code.consent

    def _rotate(self, form: Mapping[str, str]) -> Consent | None:
        token = self.refreshes.get(form.get("refresh_token", ""))
        if token is None or token.consent.status != "20" or self.now() > token.expires:
            return None
        if token.used:
            self.end(token.consent)
            return None
        token.used = True
        return token.consent

    def subject(self, persona: Persona) -> str:
        """What this client knows the persona by."""
        return hashlib.sha256(f"{self.client_id}|{persona.id}".encode()).hexdigest()[:24]

    def issue_tokens(self, consent: Consent) -> dict[str, object]:
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self.access[access] = _Token(consent, self.now() + ACCESS_LIFE)
        self.refreshes[refresh] = _Token(consent, self.now() + REFRESH_LIFE)
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": ACCESS_LIFE,
            "refresh_token": refresh,
            "refresh_expires_in": REFRESH_LIFE,
            "scope": " ".join(consent.scopes),
            "sqbh": consent.number,
            "subject": self.subject(consent.persona),
        }

    async def revoke(self, request: Request) -> Response:
        if not self._knows_client(request):
            return JSONResponse({"error": "invalid_client"}, 401, headers={"WWW-Authenticate": "Basic"})
        text = str((await request.form()).get("token", ""))
        token = self.refreshes.get(text) or self.access.get(text)
        if token is not None:
            self.end(token.consent)
        return Response(status_code=200)

    def end(self, consent: Consent) -> None:
        """Every token of the consent is void from now on."""
        consent.status = "50"

    def holder(self, authorization: str) -> Consent | None:
        """Whose access token this header carries; None when it is missing, unknown, expired or void."""
        kind, _, text = authorization.partition(" ")
        token = self.access.get(text) if kind.lower() == "bearer" else None
        return token.consent if token and token.consent.status == "20" and self.now() <= token.expires else None


def _back(redirect_uri: str, answer: Mapping[str, str], query: Mapping[str, str]) -> Response:
    state = {"state": query["state"]} if "state" in query else {}
    joint = "&" if "?" in redirect_uri else "?"
    return RedirectResponse(f"{redirect_uri}{joint}{urlencode({**answer, **state})}", 302)
