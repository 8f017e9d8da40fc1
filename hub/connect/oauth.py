"""What a platform's authorisation server offers, as data (:class:`OAuth`), and how the hub proves to it who it is. No I/O.

The shape is the FAPI 2.0 Security Profile, of which a platform may offer as little as a client secret. There is no PKCE but S256, no response type but
``code``, no algorithm but ES256: what cannot be said cannot be configured.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote_plus

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from hub.connect.faults import Misconfigured
from hub.connect.message import Request, base_of

ALGORITHM = "ES256"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFE = 60
"""Seconds a client assertion is good for: it is made for one call that leaves now."""


@dataclass(frozen=True, slots=True)
class OAuth:
    """A manifest's declaration.

    ``client`` is how the hub authenticates. ``names_issuer``: answers say who gives them (RFC 9207); one that does not is refused. ``pushed_path`` is where a request is
    pushed before the browser is sent (RFC 9126); empty: nowhere. ``dpop``: tokens are bound to a key of the connection (RFC 9449). ``names_resource``: tokens
    are asked for one ``resource`` (RFC 8707). ``host`` names the setting that says where the server is; empty: at the base URL. Pages for the browser are below ``authorise_url``, if there is one.
    """

    client: Literal["client_secret_basic", "client_secret_post", "private_key_jwt"] = "client_secret_basic"
    pkce: bool = True
    names_issuer: bool = False
    dpop: bool = False
    names_resource: bool = False
    host: str = ""
    authorise_path: str = "/oauth2/authorize"
    token_path: str = "/oauth2/token"  # noqa: S105 -- a path
    revoke_path: str = "/oauth2/revoke"
    pushed_path: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        """The settings without which nobody can log in."""
        by_key = self.client == "private_key_jwt"
        return (
            "client_id",
            "client_key" if by_key else "client_secret",
            *(["issuer"] if by_key or self.names_issuer else []),
            *(["resource"] if self.names_resource else []),
        )

    def page(self, config: Mapping[str, str]) -> str:
        """The address of the page that the browser is sent to."""
        return (config.get("authorise_url") or base_of(config, self.host)) + self.authorise_path

    def endpoints(self, config: Mapping[str, str]) -> tuple[str, ...]:
        """Every address of this server: an operator must have approved them all."""
        paths = [path for path in (self.token_path, self.revoke_path, self.pushed_path) if path]
        return (self.page(config), *(base_of(config, self.host) + path for path in paths))


TEXTBOOK = OAuth()
"""What is taken for granted where a manifest says nothing."""


def authenticated(oauth: OAuth, config: Mapping[str, str], path: str, fields: Mapping[str, str], now: float) -> Request:
    """A form to the server, from this client. It may not be sent twice: an assertion is used once."""
    if oauth.client == "client_secret_basic":
        return Request.form(path, fields, host=oauth.host, idempotent=False).with_headers(Authorization=basic(config))
    proof = (
        {"client_secret": config["client_secret"]}
        if oauth.client == "client_secret_post"
        else {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion(config, now)}
    )
    return Request.form(path, {**fields, "client_id": config["client_id"], **proof}, host=oauth.host, idempotent=False)


def basic(config: Mapping[str, str]) -> str:
    """The value of the Authorization header; both parts are form-encoded first (RFC 6749, 2.3.1)."""
    pair = f"{quote_plus(config['client_id'])}:{quote_plus(config['client_secret'])}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def assertion(config: Mapping[str, str], now: float) -> str:
    """A client assertion (RFC 7523) to the issuer and to nobody else: with several audiences, one of them could use it at another (FAPI 2.0, 5.3.3.1)."""
    key, issued = client_key(config["client_key"]), int(now)
    kid = {"kid": str(key.get("kid"))} if key.get("kid") else {}
    claims = {"iss": config["client_id"], "sub": config["client_id"], "aud": config["issuer"], "iat": issued}
    lives = {"exp": issued + ASSERTION_LIFE, "jti": secrets.token_urlsafe(24)}
    return jwt.encode({"alg": ALGORITHM, "typ": "JWT", **kid}, {**claims, **lives}, key, algorithms=[ALGORITHM])


def client_key(text: str) -> ECKey:
    """The hub's key at a platform, written as a JWK or as PEM. Raises Misconfigured; what was written is not repeated."""
    try:
        found = ECKey.import_key(json.loads(text) if text.lstrip().startswith("{") else text)
    except (JoseError, ValueError, TypeError, KeyError):
        raise Misconfigured("the setting client_key holds no key") from None
    if not found.is_private or found.curve_name != "P-256":
        raise Misconfigured("the setting client_key is no private key on the curve P-256")
    return found
