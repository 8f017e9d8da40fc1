"""TOP's OAuth 2: an authorisation code, a token answer of its own shape, no PKCE."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from hub.connect import Context, ContractBroken, Dialogue, Grant, Misconfigured, Reauthorise, Request, Response, RetryAt
from hub.connect.answers import json_object
from hub.domain.enums import SourceKind

LIFETIMES = ("expires_in", "r1_expires_in", "r2_expires_in")
"""The hub only reads: the lifetimes of the writing levels (w1, w2) are not its own. A level that was not granted has a lifetime of 0."""


@dataclass(frozen=True, slots=True)
class TopAuthorisation:
    """See the module. The token answer is flat, with a lifetime per API level; the shortest of those the hub uses counts."""

    def begin(self, context: Context, *, redirect_uri: str, state: str, verifier: str, text_hash: str) -> Generator[Request, Response, str]:
        yield from ()
        named = context.config["oauth_url"]
        base = named if named.startswith("http") else context.config["base_url"]
        query = {
            "response_type": "code",
            "client_id": context.config["app_key"],
            "redirect_uri": redirect_uri,
            "state": state,
            "view": "web",
        }
        return f"{base}/authorize?{urlencode(query)}"

    def complete(self, context: Context, *, redirect_uri: str, verifier: str, callback: Mapping[str, str]) -> Dialogue:
        if callback.get("error") == "access_denied":
            raise Reauthorise("the customer refused", code="access_denied")
        if not callback.get("code"):
            raise ContractBroken("the callback carries neither a code nor a refusal")
        return (
            yield from _token(
                context, {"grant_type": "authorization_code", "code": callback["code"], "redirect_uri": redirect_uri, "view": "web"}
            )
        )

    def refresh(self, context: Context) -> Dialogue:
        if context.grant is None or not context.grant.refresh_token:
            raise Reauthorise("there is no refresh token")
        return (yield from _token(context, {"grant_type": "refresh_token", "refresh_token": context.grant.refresh_token}))

    def revoke(self, context: Context) -> Generator[Request, Response, None]:
        """The platform has no such call: a seller ends a subscription on the platform's own pages."""
        yield from ()


def _token(context: Context, form: Mapping[str, str]) -> Dialogue:
    secrets = {"client_id": context.config["app_key"], "client_secret": context.config["app_secret"]}
    response = yield Request.form("/token", {**form, **secrets}, host="oauth_url", idempotent=False)
    answer = json_object(response, context.now)
    if response.status != 200 or "error" in answer:
        raise _refusal(response.status, str(answer.get("error", "")))
    return _grant(answer)


def _refusal(status: int, error: str) -> Exception:
    if error in ("invalid_grant", "invalid_code"):
        return Reauthorise("the platform no longer accepts the code or refresh token", code=error)
    if error in ("invalid_client", "unauthorized_client"):
        return Misconfigured("the platform refuses the application key or secret", code=error)
    if status >= 500 or status == 429:
        return RetryAt(f"the token call was answered with status {status}")
    return ContractBroken(f"the token call was answered with status {status}", code=error[:40])


def _grant(answer: Mapping[str, Any]) -> Grant:
    if not isinstance(answer.get("access_token"), str) or not answer.get("taobao_user_id"):
        raise ContractBroken("the token answer lacks the token or the user")
    kept = {
        name: str(answer[name])
        for name in ("taobao_user_nick", "r1_expires_in", "r2_expires_in", "w1_expires_in", "w2_expires_in")
        if name in answer
    }
    return Grant(
        access_token=answer["access_token"],
        refresh_token=answer.get("refresh_token") or None,
        expires_in=min((life for life in (_seconds(answer, name) for name in LIFETIMES) if life), default=None),
        refresh_expires_in=_seconds(answer, "re_expires_in"),
        account=str(answer["taobao_user_id"]),
        scopes=(SourceKind.SHOP, SourceKind.SETTLEMENT),
        extra=kept,
    )


def _seconds(answer: Mapping[str, Any], name: str) -> int | None:
    """A lifetime, sent as a number or as text; None when there is none."""
    found = str(answer.get(name) or 0)
    if not found.isdecimal():
        raise ContractBroken(f"{name} is not a number of seconds")
    return int(found) or None
