"""Opening a signed token strictly. What is unknown is refused: header members, algorithms, claims that are no claims.

joserfc checks the signature; sizes, the allow-list of header members, duplicate members and the number of parts are checked here, before
and after (trust rules, section b: an empty ``crit``, ``jku``, ``jwk``, ``x5u`` and ``x5c`` pass the library).

A token is taken apart once. What is asked of its header and of the key that it leads to is asked by :func:`signer_of`, what is asked of each token by :func:`opened_by`:
whoever is sent the same header again and again keeps its signer.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from hub.errors import TokenInvalid

MAX_TOKEN = 8192


class SignatureInvalid(TokenInvalid):
    """The token's signature does not hold."""


class Opened(msgspec.Struct, frozen=True):
    """A token whose signature holds."""

    header: dict[str, Any]
    claims: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Expect:
    """What a token must look like before anything is computed. ``optional`` header members may be missing, no other member may be there."""

    algorithms: tuple[str, ...]
    typ: tuple[str | None, ...]
    required: frozenset[str]
    optional: frozenset[str] = frozenset()


class Signer(msgspec.Struct, frozen=True):
    """Whom a token's header names: the header is as expected, and the key fits its algorithm. That he signed anything is not said."""

    header: dict[str, Any]
    key: Key
    algorithm: Any


def open_token(token: str, expect: Expect, key_of: Callable[[dict[str, Any]], Key]) -> Opened:
    """Raises TokenInvalid unless the token is signed by the key that ``key_of`` finds for its header, and is as expected."""
    parts = parts_of(token)
    return opened_by(signer_of(parts[0], expect, key_of), parts)


def signer_of(head: str, expect: Expect, key_of: Callable[[dict[str, Any]], Key]) -> Signer:
    """``head`` is the first part of a token. Raises TokenInvalid."""
    header = _object(head)
    members = frozenset(header)
    if not expect.required <= members or not members <= expect.required | expect.optional:
        raise TokenInvalid("The token's header holds members that are not expected, or lacks some.")
    if header["alg"] not in expect.algorithms or header.get("typ") not in expect.typ:
        raise TokenInvalid("The token's algorithm or type is not accepted.")
    key = key_of(header)
    try:
        return Signer(header, key, _fitting(head, header, expect.algorithms, key))
    except (JoseError, ValueError) as error:
        raise SignatureInvalid from error


def opened_by(signer: Signer, parts: Sequence[str]) -> Opened:
    """The token of these parts. Raises TokenInvalid unless the signer signed it."""
    if not _holds(signer, parts):
        raise SignatureInvalid
    return Opened(signer.header, _object(parts[1]))


def _fitting(head: str, header: dict[str, Any], algorithms: Sequence[str], key: Key) -> Any:
    """The algorithm, if the library takes this header and this key for it. Raises JoseError."""
    registry = JWSRegistry(algorithms=algorithms)
    registry.validate_header_size(head.encode())
    registry.check_header(header)
    found = registry.get_alg(header["alg"])
    found.check_key(key)
    return found


def _holds(signer: Signer, parts: Sequence[str]) -> bool:
    """Whether the library takes the last part for the signer's signature of the others. A signature is written in one way only."""
    head, payload, signature = parts
    try:
        return bool(signer.algorithm.verify(f"{head}.{payload}".encode(), urlsafe_b64decode(signature.encode()), signer.key))
    except (JoseError, ValueError):
        return False


def peek(token: str) -> dict[str, Any]:
    """The claims of a token that nobody has checked: only to find out whose key should open it."""
    return _object(parts_of(token)[1])


def peek_header(token: str) -> dict[str, Any]:
    """The header of a token that nobody has checked: only to find out which key should open it."""
    return _object(parts_of(token)[0])


def parts_of(token: str) -> list[str]:
    """Header, payload and signature, as they are written. Raises TokenInvalid."""
    parts = token.split(".")
    if not 0 < len(token) <= MAX_TOKEN or len(parts) != 3 or not token.isascii():
        raise TokenInvalid("The token is not a compact signed token.")
    return parts


def _object(part: str) -> dict[str, Any]:
    try:
        raw = urlsafe_b64decode(part.encode())
    except binascii.Error:
        raise TokenInvalid("The token is not base64url.") from None
    return _parsed(raw)


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        found = _STRICT.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise TokenInvalid("The token does not hold a JSON object.") from None
    if not isinstance(found, dict):
        raise TokenInvalid("The token does not hold a JSON object.")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member appears twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def key_from(jwk: Any, kinds: Sequence[str] = ("EC", "OKP", "RSA")) -> Key:
    """A public key. Raises TokenInvalid for private members, other kinds and unusable values."""
    if not isinstance(jwk, dict) or jwk.get("kty") not in kinds or {"d", "p", "q", "k"} & set(jwk):
        raise TokenInvalid("The key is not a public key of an accepted kind.")
    try:
        made: Key = _KINDS[jwk["kty"]].import_key(jwk)
    except (JoseError, ValueError, TypeError, KeyError):
        raise TokenInvalid("The key cannot be used.") from None
    return made


_KINDS: dict[str, Any] = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}


def whole_number(claims: dict[str, Any], name: str) -> int:
    """A NumericDate claim. Raises TokenInvalid when it is missing or no whole number."""
    value = claims.get(name)
    if type(value) is not int or not 0 <= value < 2**40:
        raise TokenInvalid(f"The token's {name} is missing or no time.")
    return value


def text_claim(claims: dict[str, Any], name: str, longest: int = 256) -> str:
    """A text claim. Raises TokenInvalid when it is missing, empty, too long or no text that can be printed: the store takes no NUL and no half of a character."""
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise TokenInvalid(f"The token's {name} is missing or no text.")
    return value
