"""The guard of the API: request -> Admitted (the caller, and until when). The checks stand in the order of the trust rules, section b.

The client's state and the use of the proof are one statement (:mod:`hub.access.admissions`). Where a process remembers the client, it is left pending (ADR 71): whatever has an
effect has it settled first, and what only reads has it settled with the access log's commit, before anything is answered. A proof counts once even when the operation fails.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import orjson
from starlette.requests import HTTPConnection

from hub.access.admissions import Admissions
from hub.access.challenges import INVALID_PROOF, bad_proof, malformed, no_credentials
from hub.access.clients import Client
from hub.access.keys import SigningKeys
from hub.access.nonces import Nonces
from hub.access.proofs import Asked, Proof, check_proof
from hub.access.tokens import AccessToken, key_named, open_access_token
from hub.domain.caller import Admitted, Caller, Pending, Standing
from hub.domain.periods import china_day
from hub.errors import TokenInvalid
from hub.headers import sent
from hub.store.database import Database

_REMEMBERED = 1_000
"""Clients."""


class Guard:
    """Admits requests to the resource ``origin``/graphql. ``now`` is real time."""

    def __init__(self, database: Database, keys: SigningKeys, nonces: Nonces, origin: str, now: Callable[[], float] = time.time) -> None:
        self.admissions, self.keys, self.nonces, self.origin, self.now = Admissions(database), keys, nonces, origin, now
        self._remembered: OrderedDict[str, tuple[bytes, Client]] = OrderedDict()

    @property
    def resource(self) -> str:
        return f"{self.origin}/graphql"

    async def admitted(self, request: HTTPConnection) -> Admitted:
        """A request, or the handshake of a WebSocket (a GET); pending where the client is remembered. Raises TokenInvalid (NonceNeeded when only the proof's nonce is missing or
        old)."""
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
        asked: dict[str, Any] = {"client": token.client_id, "token": token.jti, "thumbprint": None, "proof": None, "expires_at": None}
        if proof is not None:
            asked |= {"thumbprint": proof.thumbprint, "proof": proof.jti, "expires_at": datetime.fromtimestamp(proof.expires_at, UTC)}

        def judge(standing: Standing) -> Admitted:
            try:
                return self._admitted(token, proof, self._known(token, proof, standing))
            except TokenInvalid as error:
                error.facts.setdefault("scheme", scheme)
                raise

        remembered = self._remembered.get(token.client_id)
        if remembered is not None:
            # What it refuses may be allowed by now.
            with suppress(TokenInvalid):
                return self._admitted(token, proof, remembered[1], Pending(asked, remembered[0], self.admissions.of, judge))
        return judge(await self.admissions.of(asked))

    def _admitted(self, token: AccessToken, proof: Proof | None, client: Client, pending: Pending | None = None) -> Admitted:
        if proof is None and not client.bearer:
            raise TokenInvalid("The client's tokens must be bound to its key.")
        if token.issued_at < client.tokens_from:
            raise TokenInvalid("The token was revoked.")
        if token.purpose and token.purpose not in client.purposes:
            raise TokenInvalid("The client may no longer ask for this purpose.")
        scopes = token.scopes & client.scopes_on(china_day(datetime.fromtimestamp(self.now(), UTC)))
        caller = Caller(client.client_id, client.audience, scopes, token.purpose, client.documents, client.cost_per_minute)
        return Admitted(caller, token.jti, token.expires_at, token.issued_at, pending)

    def _known(self, token: AccessToken, proof: Proof | None, standing: Standing) -> Client:
        """The client as the store tells of it, which is remembered. Raises TokenInvalid."""
        self._remembered.pop(token.client_id, None)
        if standing.client is None:
            raise TokenInvalid("The client is not registered, or disabled.")
        if proof is not None and not standing.fresh:
            raise bad_proof("The proof was used before.")
        if standing.revoked:
            raise TokenInvalid("The token was revoked.")
        client = Client.of(SimpleNamespace(**orjson.loads(standing.client)))
        self._remembered[client.client_id] = standing.client, client
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return client

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
