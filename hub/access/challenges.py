"""What a refused request is told about how to come back: the header WWW-Authenticate (RFC 6750, section 3; RFC 9449, section 7.1; RFC 9728, section 5.1).

Who brings no credentials is told both schemes and no error; who brings some is told what is wrong with them, in the scheme that he used. The error's code travels with
the exception, as its fact ``error``; without one it is ``invalid_token``.
"""

from __future__ import annotations

from hub.access.proofs import ALGORITHMS
from hub.errors import TokenInvalid

INVALID_REQUEST, INVALID_PROOF, NONCE_NEEDED = "invalid_request", "invalid_dpop_proof", "use_dpop_nonce"
_NO_CREDENTIALS = ""


def no_credentials() -> TokenInvalid:
    return TokenInvalid("Send an access token, as DPoP with a proof or as Bearer.", error=_NO_CREDENTIALS)


def malformed(message: str) -> TokenInvalid:
    return TokenInvalid(message, error=INVALID_REQUEST)


def bad_proof(message: str) -> TokenInvalid:
    return TokenInvalid(message, error=INVALID_PROOF)


def status_of(error: TokenInvalid) -> int:
    return 400 if error.facts.get("error") == INVALID_REQUEST else 401


def challenge(error: TokenInvalid, origin: str) -> str:
    """The header's value. ``origin`` is the hub's public one."""
    source = f'resource_metadata="{origin}/.well-known/oauth-protected-resource/graphql"'
    dpop, bearer = f'algs="{" ".join(ALGORITHMS)}", {source}', source
    code = error.facts.get("error", "invalid_token")
    if code == _NO_CREDENTIALS:
        return f"DPoP {dpop}, Bearer {bearer}"
    told = f'error="{code}", error_description="{_quotable(error.sentence())}"'
    if error.facts.get("scheme") == "bearer":
        return f"Bearer {told}, {bearer}, DPoP {dpop}"
    return f"DPoP {told}, {dpop}"


def _quotable(sentence: str) -> str:
    """Within the characters of RFC 6750."""
    return "".join(char for char in sentence if " " <= char <= "~" and char not in '"\\')
