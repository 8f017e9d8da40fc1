"""How a customer lets the hub in: by the mode the gateway is run in (setting ``auth_mode``).

``oauth2``: the customer agrees on the gateway's page and the hub gets tokens. ``hmac``: the hub signs with its own secret and the customer's
consent is a number (:mod:`connectors.cn_social.consent`).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping

from connectors.cn_social.consent import HmacConsent
from connectors.cn_social.vocabulary import SOURCE_OF, scopes_of
from hub.connect import Authorisation, Context, Dialogue, Request, Response
from hub.connect.code_grant import CodeGrant

MODES: Mapping[str, Authorisation] = {
    "oauth2": CodeGrant(scopes_of, SOURCE_OF, kept=("sqbh",)),
    "hmac": HmacConsent(),
}


class ByMode:
    """Hands every dialogue to the authorisation of the configured mode."""

    def begin(self, context: Context, *, redirect_uri: str, state: str, verifier: str, text_hash: str) -> Generator[Request, Response, str]:
        return _mode(context).begin(context, redirect_uri=redirect_uri, state=state, verifier=verifier, text_hash=text_hash)

    def complete(self, context: Context, *, redirect_uri: str, verifier: str, callback: Mapping[str, str]) -> Dialogue:
        return _mode(context).complete(context, redirect_uri=redirect_uri, verifier=verifier, callback=callback)

    def refresh(self, context: Context) -> Dialogue:
        return _mode(context).refresh(context)

    def revoke(self, context: Context) -> Generator[Request, Response, None]:
        return _mode(context).revoke(context)


def _mode(context: Context) -> Authorisation:
    return MODES[context.config.get("auth_mode") or "oauth2"]
