"""The authorization code grant as a dialogue without I/O (RFC 6749, 7009, 7636 with S256, 8707, 9126, 9449).

For platforms that keep to the standards. How much of them a platform offers, the manifest says (:class:`hub.connect.oauth.OAuth`, in the context); errors are RFC 6749
bodies, refresh tokens may rotate. The settings that :attr:`OAuth.needs` names must be among the connector's.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from hub.connect import dpop
from hub.connect.answers import json_object, wait_of
from hub.connect.faults import ContractBroken, Misconfigured, Reauthorise, RetryAt
from hub.connect.language import Context, Dialogue
from hub.connect.message import Grant, Request, Response, base_of
from hub.connect.oauth import authenticated
from hub.domain.enums import SourceKind

_CLIENT_ERRORS = frozenset({
    "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_target", "invalid_dpop_proof", "invalid_request_object",
})  # fmt: skip
LONGEST_REFERENCE = 2048

Exchange = Generator[Request, Response, Response]


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """An :class:`hub.connect.language.Authorisation` for a platform with OAuth 2.

    ``scopes_of`` says which scopes to ask for, ``source_of`` which source a granted scope opens, ``kept`` which further members of the token
    answer every call needs. ``subject`` of the answer becomes the account.
    """

    scopes_of: Callable[[Context], tuple[str, ...]]
    source_of: Mapping[str, SourceKind]
    kept: tuple[str, ...] = ()

    def begin(self, context: Context, *, redirect_uri: str, state: str, verifier: str, text_hash: str) -> Generator[Request, Response, str]:
        query = {
            "response_type": "code",
            "client_id": context.config["client_id"],
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.scopes_of(context)),
            "state": state,
            **({"code_challenge": challenge(verifier), "code_challenge_method": "S256"} if context.oauth.pkce else {}),
            **_resource(context),
        }
        if context.oauth.pushed_path:
            reference = yield from _pushed(context, query)
            query = {"client_id": query["client_id"], "request_uri": reference}
        return f"{context.oauth.page(context.config)}?{urlencode(query)}"

    def complete(self, context: Context, *, redirect_uri: str, verifier: str, callback: Mapping[str, str]) -> Dialogue:
        if callback.get("error") == "access_denied":
            raise Reauthorise("the customer refused", code="access_denied")
        if not callback.get("code"):
            raise ContractBroken("the callback carries neither a code nor a refusal")
        proves = {"code_verifier": verifier} if context.oauth.pkce else {}
        form = {"grant_type": "authorization_code", "code": callback["code"], "redirect_uri": redirect_uri, **proves}
        return (yield from self._token(context, form, dpop.new_key() if context.oauth.dpop else ""))

    def refresh(self, context: Context) -> Dialogue:
        if context.grant is None or not context.grant.refresh_token:
            raise Reauthorise("there is no refresh token")
        key = context.grant.extra.get(dpop.KEY, "")
        if context.oauth.dpop and not key:
            raise Reauthorise("there is no key for the token")
        form = {"grant_type": "refresh_token", "refresh_token": context.grant.refresh_token}
        grant = yield from self._token(context, form, key if context.oauth.dpop else "")
        return replace(grant, extra={**context.grant.extra, **grant.extra})

    def revoke(self, context: Context) -> Generator[Request, Response, None]:
        if context.grant is not None:
            token = context.grant.refresh_token or context.grant.access_token
            response = yield _asking(context, context.oauth.revoke_path, {"token": token})
            if response.status not in (200, 204):
                error = json_object(response, context.now).get("error") if response.status < 500 else ""
                raise _refusal(response, context, str(error or ""), "revocation")

    def _token(self, context: Context, form: Mapping[str, str], key: str) -> Dialogue:
        fields = {**form, **_resource(context)}
        response = yield from (_proving(context, fields, key) if key else _plain(context, context.oauth.token_path, fields))
        answer = json_object(response, context.now)
        if response.status != 200:
            raise _refusal(response, context, str(answer.get("error", "")), "token")
        grant = self._grant(answer, "dpop" if key else "bearer")
        return replace(grant, extra={**grant.extra, dpop.KEY: key}) if key else grant

    def _grant(self, answer: Mapping[str, Any], kind: str) -> Grant:
        """A token that is bound to nothing is not what was asked for, where it was to be bound."""
        if not isinstance(answer.get("access_token"), str) or str(answer.get("token_type", "")).lower() != kind:
            raise ContractBroken(f"the token answer has no access_token of type {kind}")
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


def bearer(context: Context, request: Request) -> Request:
    """A :class:`hub.connect.language.Signer` for platforms where nothing but the bearer token proves the caller."""
    return request.with_headers(Authorization=f"Bearer {context.grant.access_token if context.grant else ''}")


def _pushed(context: Context, query: Mapping[str, str]) -> Generator[Request, Response, str]:
    """What the browser carries instead of the request: nobody on its way can read or change what was asked."""
    response = yield from _plain(context, context.oauth.pushed_path, query)
    answer = json_object(response, context.now)
    if response.status not in (200, 201):
        raise _refusal(response, context, str(answer.get("error", "")), "request")
    reference = answer.get("request_uri")
    if not isinstance(reference, str) or not 0 < len(reference) <= LONGEST_REFERENCE:
        raise ContractBroken("the pushed request was answered without a request_uri")
    return reference


def _plain(context: Context, path: str, fields: Mapping[str, str]) -> Exchange:
    return (yield _asking(context, path, fields))


def _proving(context: Context, fields: Mapping[str, str], key: str) -> Exchange:
    """The token call with a proof. A server that only wants its nonce in it has done nothing, so that it may be asked once more."""
    oauth, config = context.oauth, context.config
    response, nonce = None, context.nonces.get(oauth.host, "")
    while True:
        request = _asking(context, oauth.token_path, fields)
        made = dpop.proof(key, request, base_of(config, oauth.host), context.now.timestamp(), nonce=nonce)
        repeated, response = response is not None, (yield request.with_headers(DPoP=made))
        nonce = dpop.nonce_wanted(response)
        if repeated or not nonce:
            return response


def _asking(context: Context, path: str, fields: Mapping[str, str]) -> Request:
    return authenticated(context.oauth, context.config, path, fields, context.now.timestamp())


def _resource(context: Context) -> dict[str, str]:
    return {"resource": context.config["resource"]} if context.oauth.names_resource else {}


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
