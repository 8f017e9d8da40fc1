"""How a taxpayer lets the hub in: the hub creates an authorisation, the taxpayer decides on the gateway's page, a GET tells.

The redirect back is only a hint. The hub itself logs in with client credentials, so a refresh needs nothing of the taxpayer.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from connectors.cn_tax import reading, requests
from connectors.cn_tax.codes import ITEMS
from connectors.cn_tax.sign import with_token
from hub.connect import Context, ContractBroken, Dialogue, Reauthorise, Request, Response

SOURCE_OF = {item: source.value for source, items in ITEMS.items() for item in items}


class Authorise:
    """The :class:`hub.connect.Authorisation` of the gateway."""

    def begin(self, context: Context, *, redirect_uri: str, state: str, verifier: str, text_hash: str) -> Generator[Request, Response, str]:
        token = yield from _token(context)
        asked = requests.authorisation(context, redirect_uri=redirect_uri, state=state, text_hash=text_hash)
        answer = reading.envelope((yield with_token(asked, token.value)), context.now)
        url = str(answer.data.get("authorize_url") or "")
        ours = {_origin(context.config["base_url"]), _origin(context.config.get("authorise_url", ""))} - {None}
        if _origin(url) not in ours:
            raise ContractBroken("the page to authorise on is not the gateway's", code="authorize_url")
        return url

    def complete(self, context: Context, *, redirect_uri: str, verifier: str, callback: Mapping[str, str]) -> Dialogue:
        number = callback.get("SQBH", "")
        if not number:
            raise ContractBroken("the callback names no authorisation", code="SQBH")
        token = yield from _token(context)
        answer = reading.envelope((yield with_token(requests.authorisation_state(number), token.value)), context.now)
        return reading.grant(answer.data, token, number=number, taxpayer=requests.taxpayer(context), sources=SOURCE_OF)

    def refresh(self, context: Context) -> Dialogue:
        if context.grant is None:
            raise Reauthorise("there is no grant to refresh")
        token = yield from _token(context)
        return replace(context.grant, access_token=token.value, expires_in=token.expires_in)

    def revoke(self, context: Context) -> Generator[Request, Response, None]:
        """With a token of its own: the stored one may be long dead."""
        if context.grant is None:
            return
        token = yield from _token(context)
        reading.deleted((yield with_token(requests.revocation(context.grant.extra["SQBH"]), token.value)), context.now)


def _token(context: Context) -> Generator[Request, Response, reading.Token]:
    return reading.token((yield requests.token(context)), context.config["scopes"], context.now)


def _origin(url: str) -> tuple[str, str] | None:
    parts = urlsplit(url)
    return (parts.scheme, parts.netloc) if parts.scheme in ("http", "https") and parts.netloc else None
