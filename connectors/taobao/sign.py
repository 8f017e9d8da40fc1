"""TOP's signature: parameters sorted by name, name and value joined with nothing between (vendor documentation, article 105423).

``md5`` wraps the text in the secret; ``hmac`` and ``hmac-sha256`` use it as key. Hex, upper case. Empty names and values are skipped. Signed set = sent set minus ``sign``.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from hub.connect import Context, Misconfigured, Request
from hub.domain.periods import china_text

GATEWAY = "/router/rest"
METHODS = ("md5", "hmac", "hmac-sha256")


def signature(parameters: Mapping[str, str], secret: str, method: str) -> str:
    """Raises ValueError for an unknown method."""
    text = "".join(f"{name}{value}" for name, value in sorted(parameters.items()) if name and value and name != "sign").encode()
    key = secret.encode()
    if method == "md5":
        return hashlib.md5(key + text + key).hexdigest().upper()  # noqa: S324 -- the vendor's own scheme
    if method in ("hmac", "hmac-sha256"):
        return hmac.digest(key, text, "md5" if method == "hmac" else "sha256").hex().upper()
    raise ValueError(f"no such sign_method: {method[:20]}")


def verify(parameters: Mapping[str, str], secret: str) -> bool:
    """Whether ``sign`` fits the other parameters; constant time."""
    method = parameters.get("sign_method", "")
    return method in METHODS and hmac.compare_digest(signature(parameters, secret, method).encode(), parameters.get("sign", "").encode())


def common(config: Mapping[str, str], method: str, session: str, now: datetime) -> dict[str, str]:
    """The parameters every call carries. Without ``format=json`` the gateway answers in XML."""
    return {
        "method": method,
        "app_key": config["app_key"],
        "session": session,
        "timestamp": china_text(now),
        "v": "2.0",
        "sign_method": config["sign_method"],
        "format": "json",
    }


def sign(context: Context, request: Request) -> Request:
    """Moves the business parameters of an unsigned call into the signed form that is sent."""
    if context.grant is None:
        raise Misconfigured("a call to the gateway needs a session")
    if context.config["sign_method"] not in METHODS:
        raise Misconfigured("the setting sign_method is none of md5, hmac and hmac-sha256")
    business = dict(request.query)
    parameters = {**business, **common(context.config, business["method"], context.grant.access_token, context.now)}
    return Request.form(GATEWAY, {**parameters, "sign": signature(parameters, context.config["app_secret"], context.config["sign_method"])})
