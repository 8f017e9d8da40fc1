"""The authorization code grant with PKCE S256, as a dialogue without I/O (RFC 6749, 7636, 7009).

For platforms that keep to the standards: the client authenticates with Basic, refresh tokens rotate, errors are RFC 6749 bodies. The
settings ``client_id`` and ``client_secret`` must be among the connector's.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote_plus, urlencode

from hub.connect.answers import json_object, wait_of
from hub.connect.faults import ContractBroken, Misconfigured, Reauthorise, RetryAt
from hub.connect.language import Context, Dialogue
from hub.connect.message import Grant, Request, Response
from hub.domain.enums import SourceKind

_CLIENT_ERRORS = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"})


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """An :class:`hub.connect.language.Authorisation` for a platform with textbook OAuth 2.

    ``scopes_of`` says which scopes to ask for, ``source_of`` which source a granted scope opens, ``kept`` which further members of the token
    answer every call needs. ``subject`` of the answer becomes the account.
    """

    scopes_of: Callable[[Context], tuple[str, ...]]
    source_of: Mapping[str, SourceKind]
    kept: tuple[str, ...] = ()
    authorise_path: str = "/oauth2/authorize"
    token_path: str = "/oauth2/token"  # noqa: S105 -- a path
    revoke_path: str = "/oauth2/revoke"

    def begin(self, context: Context, *, redirect_uri: str, state: str, verifier: str, text_hash: str) -> Generator[Request, Response, str]:
        yield from ()
        query = {
            "response_type": "code",
            "client_id": context.config["client_id"],
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.scopes_of(context)),
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        base = context.config.get("authorise_url") or context.config["base_url"]
        return f"{base}{self.authorise_path}?{urlencode(query)}"

    def complete(self, context: Context, *, redirect_uri: str, verifier: str, callback: Mapping[str, str]) -> Dialogue:
        if callback.get("error") == "access_denied":
            raise Reauthorise("the customer refused", code="access_denied")
        if not callback.get("code"):
            raise ContractBroken("the callback carries neither a code nor a refusal")
        form = {"grant_type": "authorization_code", "code": callback["code"], "redirect_uri": redirect_uri, "code_verifier": verifier}
        return (yield from self._token(context, form))

    def refresh(self, context: Context) -> Dialogue:
        if context.grant is None or not context.grant.refresh_token:
            raise Reauthorise("there is no refresh token")
        grant = yield from self._token(context, {"grant_type": "refresh_token", "refresh_token": context.grant.refresh_token})
        return replace(grant, extra={**context.grant.extra, **grant.extra})

    def revoke(self, context: Context) -> Generator[Request, Response, None]:
        if context.grant is not None:
            token = context.grant.refresh_token or context.grant.access_token
            response = yield Request.form(self.revoke_path, {"token": token}).with_headers(Authorization=basic(context))
            if response.status not in (200, 204):
                error = json_object(response, context.now).get("error") if response.status < 500 else ""
                raise _refusal(response, context, str(error or ""), "revocation")

    def _token(self, context: Context, form: Mapping[str, str]) -> Dialogue:
        request = Request.form(self.token_path, form, idempotent=False).with_headers(Authorization=basic(context))
        response = yield request
        answer = json_object(response, context.now)
        if response.status != 200:
            raise _refusal(response, context, str(answer.get("error", "")), "token")
        return self._grant(answer)

    def _grant(self, answer: Mapping[str, Any]) -> Grant:
        if not isinstance(answer.get("access_token"), str) or str(answer.get("token_type", "")).lower() != "bearer":
            raise ContractBroken("the token answer has no access_token of type Bearer")
        sources = {self.source_of[scope]: None for scope in str(answer.get("scope", "")).split() if scope in self.source_of}
        return Grant(
            access_token=answer["access_token"],
            refresh_token=answer.get("refresh_token"),
            expires_in=_seconds(answer, "expires_in"),
            refresh_expires_in=_seconds(answer, "refresh_expires_in"),
            account=str(answer.get("subject", "")),
            scopes=tuple(source.value for source in sources),
            extra={name: str(answer[name]) for name in self.kept if answer.get(name) is not None},
        )


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def basic(context: Context) -> str:
    """The value of the Authorization header; both parts are form-encoded first (RFC 6749, 2.3.1)."""
    pair = f"{quote_plus(context.config['client_id'])}:{quote_plus(context.config['client_secret'])}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _seconds(answer: Mapping[str, Any], name: str) -> int | None:
    return int(answer[name]) if isinstance(answer.get(name), int) else None


def _refusal(response: Response, context: Context, error: str, call: str) -> Exception:
    """A platform in trouble says nothing about the grant, whatever its body says."""
    status = response.status
    if status == 429 or status >= 500:
        return RetryAt(f"the {call} call was answered with status {status}", seconds=wait_of(response, context.now))
    if error == "invalid_grant":
        return Reauthorise("the platform no longer accepts the code or refresh token", code=error)
    if error in _CLIENT_ERRORS:
        return Misconfigured("the platform refuses the hub's client credentials or scopes", code=error)
    return ContractBroken(f"the {call} call was answered with status {status}", code=error[:40])
