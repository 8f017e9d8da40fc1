"""Tokens that are bound to a key (RFC 9449): with each request the hub proves that it holds it. No I/O.

The key is made with the first token and kept in the grant (:data:`KEY` of its ``extra``), so that it is sealed with the token and goes with it. A server may
insist on a nonce of its own; :func:`nonce_wanted` tells when that is all that was missing, and the request may be made once more.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from hub.connect.faults import Reauthorise
from hub.connect.language import Context
from hub.connect.message import Request, Response, base_of
from hub.connect.oauth import ALGORITHM

KEY = "dpop_key"
LONGEST_NONCE = 512
_WANTED = re.compile(r'error\s*=\s*"?use_dpop_nonce\b', re.IGNORECASE)
_PLAIN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""The characters of a nonce (RFC 9449, 8.1)."""


def new_key() -> str:
    """A private key, as the text that a grant keeps."""
    return json.dumps(ECKey.generate_key("P-256").as_dict(private=True))


def proof(key: str, request: Request, base_url: str, now: float, *, nonce: str = "", token: str = "") -> str:
    """For one request, to its address without the query; with a token, also for that token."""
    signer = ECKey.import_key(json.loads(key))
    public = signer.as_dict(private=False)
    claims: dict[str, Any] = {"htm": request.method, "htu": (base_url.rstrip("/") + request.path).partition("?")[0], "iat": int(now)}
    claims |= {"jti": secrets.token_urlsafe(24), **({"nonce": nonce} if nonce else {}), **({"ath": _hash(token)} if token else {})}
    header = {"alg": ALGORITHM, "typ": "dpop+jwt", "jwk": {name: public[name] for name in ("kty", "crv", "x", "y")}}
    return jwt.encode(header, claims, signer, algorithms=[ALGORITHM])


def sign(context: Context, request: Request) -> Request:
    """The :class:`hub.connect.language.Signer` of a platform with bound tokens."""
    grant = context.grant
    if grant is None or KEY not in grant.extra:
        raise Reauthorise("there is no key for the token")
    base, nonce = base_of(context.config, request.host), context.nonces.get(request.host, "")
    made = proof(grant.extra[KEY], request, base, context.now.timestamp(), nonce=nonce, token=grant.access_token)
    return request.with_headers(Authorization=f"DPoP {grant.access_token}", DPoP=made)


def nonce_of(response: Response) -> str:
    """The nonce that an answer hands out for the next request; empty: none that could be used."""
    said = response.headers.get("dpop-nonce", "")
    return said if len(said) <= LONGEST_NONCE and _PLAIN.fullmatch(said) else ""


def nonce_wanted(response: Response) -> str:
    """The nonce of an answer that did nothing, because the proof lacked it; empty: it says something else."""
    at_resource = response.status == 401 and bool(_WANTED.search(response.headers.get("www-authenticate", "")))
    at_server = response.status == 400 and _is_wanted(response.body)
    return nonce_of(response) if at_resource or at_server else ""


def _is_wanted(body: bytes) -> bool:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("error") == "use_dpop_nonce"


def _hash(token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode("ascii")).digest()).rstrip(b"=").decode()
