"""DPoP proofs (RFC 9449): with each request a client proves that it holds the key its token is bound to."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from hub.access.jose import Expect, Signer, key_from, opened_by, parts_of, signer_of, text_claim, whole_number
from hub.access.nonces import Nonces
from hub.errors import TokenInvalid

ALGORITHMS = ("ES256", "Ed25519")
MAX_PROOF = 4096
WINDOW = 60

_KEPT = 1_000
_known: OrderedDict[str, tuple[Signer, str]] = OrderedDict()
_EXPECT = Expect(ALGORITHMS, ("dpop+jwt",), frozenset({"alg", "typ", "jwk"}))


class NonceNeeded(TokenInvalid):
    """The proof lacks the server's current nonce."""

    remedy = "Repeat the request with the nonce of the DPoP-Nonce header."

    def __init__(self) -> None:
        super().__init__(error="use_dpop_nonce")


class Proof(msgspec.Struct, frozen=True):
    """A proof that holds. ``jti`` must still be used once, by key, until ``expires_at``."""

    thumbprint: str
    jti: str
    expires_at: int


class Asked(msgspec.Struct, frozen=True):
    """What the proof must speak about: the request's method and public address (no query), and the token it comes with."""

    method: str
    url: str
    token: str | None = None


def check_proof(headers: Sequence[str], asked: Asked, nonces: Nonces, now: float) -> Proof:
    """``headers`` are the values of all DPoP headers. Raises TokenInvalid; NonceNeeded when only the nonce is missing or old."""
    if len(headers) != 1 or len(headers[0]) > MAX_PROOF:
        raise TokenInvalid("Send exactly one DPoP proof.")
    parts = parts_of(headers[0])
    signer, thumbprint = _signer(parts[0])
    claims = opened_by(signer, parts).claims
    if claims.get("htm") != asked.method or claims.get("htu") != asked.url:
        raise TokenInvalid("The proof was made for another request.")
    if abs(whole_number(claims, "iat") - now) > WINDOW:
        raise TokenInvalid("The proof is too old, or comes from the future.")
    if asked.token is not None and not hmac.compare_digest(text_claim(claims, "ath").encode(), token_hash(asked.token).encode()):
        raise TokenInvalid("The proof was made for another token.")
    jti = text_claim(claims, "jti", 64)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not nonces.accepts(nonce, now):
        raise NonceNeeded()
    return Proof(thumbprint, jti, int(now) + 2 * WINDOW + 1)


def _signer(head: str) -> tuple[Signer, str]:
    """Whom a proof's header names, and his key's thumbprint. A client sends the same header each time: one that was looked at is not looked at again. Raises TokenInvalid."""
    found = _known.get(head)
    if found is None:
        signer = signer_of(head, _EXPECT, lambda header: key_from(header["jwk"], ("EC", "OKP")))
        found = _known[head] = signer, signer.key.thumbprint()
        if len(_known) > _KEPT:
            _known.popitem(last=False)
    return found


@lru_cache(maxsize=_KEPT)
def token_hash(token: str) -> str:
    """``ath``: base64url of the token's SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode("ascii")).digest()).rstrip(b"=").decode()
