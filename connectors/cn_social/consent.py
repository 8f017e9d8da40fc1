"""Mode hmac: the institution signs, and the customer's consent is a number in the body (wire formats 4.4.3).

The session secret is part of the grant: fetched with the appkey when a connection is made and again by :meth:`refresh`. Every fetch makes a
new secret for the requester; the one before stays good for five minutes, so a connection whose secret was replaced by another's fetch
is told so by the gateway and fetches once.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from connectors.cn_social import reading
from connectors.cn_social.requests import post
from connectors.cn_social.sign import headers, rtime_of, signed, unwrap
from connectors.cn_social.vocabulary import SOURCE_OF, scopes_of
from hub.connect import Context, ContractBroken, Dialogue, Grant, Pending, Reauthorise, RefreshNeeded, Request, Response, RetryAt
from hub.connect.answers import json_object

_STATUS = {"30": "refused", "40": "expired", "50": "revoked"}

_Secret = Generator[Request, Response, tuple[str, str]]


class HmacConsent:
    """An :class:`hub.connect.language.Authorisation` over ``sysapi/authorization/*``."""

    def begin(self, context: Context, *, redirect_uri: str, state: str, verifier: str, text_hash: str) -> Generator[Request, Response, str]:
        secret, _ = yield from _secret(context, f"begin {verifier}")
        question = _identity(context) | {
            "scopes": list(scopes_of(context)),
            "sqyxqz": (context.today + timedelta(days=int(context.config.get("consent_days") or 180))).isoformat(),
            "sqwbzy": text_hash,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        made = yield from _call(context, "authorization/create", question, secret)
        if not made.get("authorize_url"):
            raise ContractBroken("the gateway made no authorize_url")
        return str(made["authorize_url"])

    def complete(self, context: Context, *, redirect_uri: str, verifier: str, callback: Mapping[str, str]) -> Dialogue:
        if not callback.get("sqbh"):
            raise ContractBroken("the callback carries no sqbh")
        secret, end = yield from _secret(context, f"complete {verifier}")
        found = yield from _call(context, "authorization/query", {"sqbh": callback["sqbh"]}, secret)
        status = str(found.get("sqzt_dm"))
        if status == "10":
            raise Pending("the customer has not decided yet", seconds=reading.UNDECIDED_WAIT)
        if status != "20":
            raise Reauthorise(f"the authorisation is {_STATUS.get(status, 'not granted')}", code=status[:2])
        return _grant(context, Grant(access_token=callback["sqbh"], scopes=_sources(found)), secret, end)

    def refresh(self, context: Context) -> Dialogue:
        if context.grant is None:
            raise Reauthorise("there is no authorisation")
        secret, end = yield from _secret(context, _last(context.grant))
        return _grant(context, context.grant, secret, end)

    def revoke(self, context: Context) -> Generator[Request, Response, None]:
        if context.grant is None:
            return
        body = {"sqbh": context.grant.access_token}
        try:
            yield from _call(context, "authorization/revoke", body, context.grant.extra.get("secret", ""))
        except RefreshNeeded:
            secret, _ = yield from _secret(context, _last(context.grant))
            yield from _call(context, "authorization/revoke", body, secret, "again")


def _grant(context: Context, grant: Grant, secret: str, end: str) -> Grant:
    """The authorisation's number is what stands for an access token here; the secret ends, the number does not."""
    left = int(end) // 1000 - int(context.now.timestamp())
    return replace(grant, expires_in=max(0, left), extra={"sqbh": grant.access_token, "secret": secret, "secret_end": end})


def _last(grant: Grant) -> str:
    return f"{grant.access_token} {grant.extra.get('secret_end')}"


def _secret(context: Context, salt: str) -> _Secret:
    """Fetches the session secret; a replayed rtime is repeated once with another one."""
    try:
        return (yield from _fetch(context, salt))
    except RetryAt as fault:
        if fault.code != "SIGN_REPLAYED":
            raise
        return (yield from _fetch(context, f"{salt} again"))


def _fetch(context: Context, salt: str) -> _Secret:
    """One secret call. Its failures are not the customer's: an operator must look at rid, appkey, sid or clock."""
    plain = Request("POST", "/sysapi/auth/secret", headers=(("Content-Type", "application/json; charset=utf-8"),))
    signature = headers(context, plain, context.config["appkey"], rtime_of(context.now, plain, salt))
    response = yield replace(plain, headers=(*plain.headers, *signature), body=json.dumps(dict(signature)).encode())
    envelope = json_object(response, context.now)
    data = envelope.get("data") or {}
    if str(envelope.get("code")) != "0":
        if envelope.get("subcode") in ("RATE", "BUSY", "INTERNAL", "SIGN_REPLAYED"):
            raise reading.fault(str(envelope["subcode"]), data, response)
        raise reading.misconfigured(str(envelope.get("subcode") or envelope.get("code")))
    if not data.get("secret") or not str(data.get("secretEndTime", "")).isdigit():
        raise ContractBroken("the secret call gave no secret or no end")
    how = context.config.get("secret_wrap") or "aes-ecb-sha1prng"
    return unwrap(str(data["secret"]), context.config["appkey"], how), str(data["secretEndTime"])


def _call(
    context: Context, path: str, body: Mapping[str, Any], secret: str, salt: str = ""
) -> Generator[Request, Response, Mapping[str, Any]]:
    """One signed call of the dialogue; a replayed rtime is repeated once with another one."""
    request = post(replace(context, grant=None), path, body)
    try:
        return reading.answer(context, (yield signed(context, request, secret, salt))).data
    except RetryAt as fault:
        if fault.code != "SIGN_REPLAYED":
            raise
        return reading.answer(context, (yield signed(context, request, secret, f"{salt} again"))).data


def _identity(context: Context) -> dict[str, Any]:
    subject, scopes = context.subject, scopes_of(context)
    person = {"aac002": subject.resident_id} if subject.resident_id and set(scopes) & {"si.person", "hf.person"} else {}
    return person | ({"aab998": subject.uscc} if "si.employer" in scopes else {})


def _sources(found: Mapping[str, Any]) -> tuple[str, ...]:
    granted = found.get("scopes") or ()
    return tuple({SOURCE_OF[scope].value: None for scope in granted if scope in SOURCE_OF})
