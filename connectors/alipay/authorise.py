"""How a merchant lets the hub in: app authorisation (应用授权).

The consent page gives an ``app_auth_code``, used once and within a day; the token call is itself a signed gateway call. The accounts that
were authorised are asked for at once and kept in the grant, which is stored encrypted: so no account number stands in a cursor.
The platform has no call that ends an authorisation.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

from connectors.alipay import reading, requests
from connectors.alipay.sign import sign
from hub.connect import Context, ContractBroken, Dialogue, Fault, Grant, NoData, NotPermitted, Reauthorise, Request, Response


@dataclass(frozen=True, slots=True)
class Held:
    """An authorised account: its number and its holder's name, empty where the platform does not tell."""

    number: str
    holder: str = ""


class AppAuthorisation:
    """See the module."""

    def begin(self, context: Context, *, redirect_uri: str, state: str, verifier: str, text_hash: str) -> Generator[Request, Response, str]:
        yield from ()
        base = context.config.get("authorise_url") or context.config["base_url"]
        query = {"app_id": context.config["app_id"], "redirect_uri": redirect_uri, "state": state}
        return f"{base}{requests.AUTHORISE}?{urlencode(query)}"

    def complete(self, context: Context, *, redirect_uri: str, verifier: str, callback: Mapping[str, str]) -> Dialogue:
        if callback.get("error") == "access_denied":
            raise Reauthorise("the customer refused", code="access_denied")
        if callback.get("app_id", context.config["app_id"]) != context.config["app_id"]:
            raise ContractBroken("the callback is for another application")
        if not callback.get("app_auth_code"):
            raise ContractBroken("the callback carries neither a code nor a refusal")
        return (yield from _granted(context, {"grant_type": "authorization_code", "code": callback["app_auth_code"]}))

    def refresh(self, context: Context) -> Dialogue:
        if context.grant is None or not context.grant.refresh_token:
            raise Reauthorise("there is no refresh token")
        return (yield from _granted(context, {"grant_type": "refresh_token", "refresh_token": context.grant.refresh_token}))

    def revoke(self, context: Context) -> Generator[Request, Response, None]:
        yield from ()


def _granted(context: Context, content: Mapping[str, str]) -> Dialogue:
    bare = replace(context, grant=None)
    response = yield sign(bare, requests.call(requests.TOKEN, content, idempotent=False))
    grant = _grant(reading.answer(bare, requests.TOKEN, response))
    known = held(context.grant) if context.grant else ()
    try:
        listed = yield from _listed(replace(context, grant=grant))
    except Fault:
        # The tokens are exchanged: a refresh must not lose them over a list that the grant already has.
        if not known:
            raise
        listed = known
    accounts = _in_known_order(known, listed or (Held(grant.account),))
    return replace(grant, extra={"accounts": json.dumps([asdict(one) for one in accounts], ensure_ascii=False)})


def _grant(token: Mapping[str, Any]) -> Grant:
    """The token answer says everything twice: at the top and in ``tokens``. All its values are text."""
    nested = reading.rows(token, "tokens")
    token = token if token.get("app_auth_token") or not nested else nested[0]
    if not all(isinstance(token.get(name), str) for name in ("app_auth_token", "app_refresh_token", "user_id")):
        raise ContractBroken("the token answer lacks a token or the user")
    return Grant(
        access_token=token["app_auth_token"],
        refresh_token=token["app_refresh_token"],
        expires_in=reading.number(token, "expires_in"),
        refresh_expires_in=reading.number(token, "re_expires_in"),
        account=token["user_id"],
    )


def _listed(context: Context) -> Generator[Request, Response, tuple[Held, ...]]:
    """The accounts the platform lists; none where it has no such method."""
    if not requests.accounts_method(context):
        return ()
    response = yield sign(context, requests.accounts(context))
    try:
        content = reading.answer(context, requests.accounts_method(context), response)
    except (NotPermitted, NoData):
        return ()
    found = reading.rows(content, "account_list")
    return tuple(Held(str(row["bill_user_id"]), str(row.get("holder_name") or "")) for row in found if row.get("bill_user_id"))


def _in_known_order(known: Sequence[Held], listed: Sequence[Held]) -> list[Held]:
    """Accounts known before keep their places, so that a cursor that counts accounts stays true after a refresh."""
    places = {one.number: index for index, one in enumerate(known)}
    return sorted(listed, key=lambda one: places.get(one.number, len(places)))


def held(grant: Grant | None) -> tuple[Held, ...]:
    """The accounts of a grant. Raises Reauthorise when there is none."""
    if grant is None:
        raise Reauthorise("there is no authorisation")
    return tuple(Held(**one) for one in json.loads(grant.extra.get("accounts", "[]"))) or (Held(grant.account),)
