"""The guard of the API: request -> Admitted (the caller, and until when). The checks stand in the order of the trust rules, section b.

The client's state and the use of the proof are one statement (:mod:`hub.access.admissions`), committed before the operation begins: a proof counts once even when the operation
fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import HTTPConnection

from hub.access.admissions import Admissions
from hub.access.challenges import INVALID_PROOF, bad_proof, malformed, no_credentials
from hub.access.clients import Client
from hub.access.keys import SigningKeys
from hub.access.nonces import Nonces
from hub.access.proofs import Asked, Proof, check_proof
from hub.access.tokens import AccessToken, key_named, open_access_token
from hub.domain.caller import Admitted, Caller
from hub.domain.periods import china_day
from hub.errors import TokenInvalid
from hub.headers import sent
from hub.store.database import Database


class Guard:
    """Admits requests to the resource ``origin``/graphql. ``now`` is real time."""

    def __init__(self, database: Database, keys: SigningKeys, nonces: Nonces, origin: str, now: Callable[[], float] = time.time) -> None:
        self.admissions, self.keys, self.nonces, self.origin, self.now = Admissions(database), keys, nonces, origin, now

    @property
    def resource(self) -> str:
        return f"{self.origin}/graphql"

    async def admitted(self, request: HTTPConnection) -> Admitted:
        """A request, or the handshake of a WebSocket (a GET). Raises TokenInvalid (NonceNeeded when only the proof's nonce is missing or old)."""
        scheme, text = _credentials(request)
        try:
            return await self._opened(request, scheme, text)
        except TokenInvalid as error:
            error.facts.setdefault("scheme", scheme)
            raise

    async def _opened(self, request: HTTPConnection, scheme: str, text: str) -> Admitted:
        keys = await self.keys.knowing(key_named(text))
        token = open_access_token(text, keys, self.origin, self.resource, self.now())
        proof = self._proof(request, scheme, text, token)
        client = await self._admit(token, proof)
        if proof is None and not client.bearer:
            raise TokenInvalid("The client's tokens must be bound to its key.")
        if token.purpose and token.purpose not in client.purposes:
            raise TokenInvalid("The client may no longer ask for this purpose.")
        scopes = token.scopes & client.scopes_on(china_day(datetime.fromtimestamp(self.now(), UTC)))
        caller = Caller(client.client_id, client.audience, scopes, token.purpose, client.documents, client.cost_per_minute)
        return Admitted(caller, token.jti, token.expires_at, token.issued_at)

    def _proof(self, request: HTTPConnection, scheme: str, text: str, token: AccessToken) -> Proof | None:
        """A bound token needs its proof and the scheme DPoP; an unbound one the scheme Bearer and no proof."""
        headers = sent(request.scope, b"dpop")
        if token.thumbprint is None:
            if scheme != "bearer" or headers:
                raise TokenInvalid("An unbound token is sent as Bearer, without a proof.")
            return None
        if scheme != "dpop":
            raise TokenInvalid("A bound token is sent as DPoP, with a proof.")
        try:
            proof = check_proof(headers, Asked(request.scope.get("method", "GET"), self.resource, text), self.nonces, self.now())
        except TokenInvalid as error:
            error.facts.setdefault("error", INVALID_PROOF)
            raise
        if proof.thumbprint != token.thumbprint:
            raise bad_proof("The proof was made with another key than the token's.")
        return proof

    async def _admit(self, token: AccessToken, proof: Proof | None) -> Client:
        values: dict[str, Any] = {"client": token.client_id, "token": token.jti, "thumbprint": None, "proof": None, "expires_at": None}
        if proof is not None:
            values |= {"thumbprint": proof.thumbprint, "proof": proof.jti, "expires_at": datetime.fromtimestamp(proof.expires_at, UTC)}
        row = await self.admissions.of(values)
        if row is None:
            raise TokenInvalid("The client is not registered, or disabled.")
        if proof is not None and not row.fresh:
            raise bad_proof("The proof was used before.")
        client = Client.of(row)
        if row.revoked or token.issued_at < client.tokens_from:
            raise TokenInvalid("The token was revoked.")
        return client


def _credentials(request: HTTPConnection) -> tuple[str, str]:
    """Scheme (lower case) and token of the one Authorization header."""
    headers = sent(request.scope, b"authorization")
    if not headers:
        raise no_credentials()
    if len(headers) > 1:
        raise malformed("Send one Authorization header.")
    scheme, _, text = headers[0].partition(" ")
    if scheme.lower() not in ("dpop", "bearer"):
        raise no_credentials()
    if " " in text:
        raise malformed("The Authorization header does not hold one token.")
    return scheme.lower(), text
