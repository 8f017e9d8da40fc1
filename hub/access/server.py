"""The authorization server: token, introspection, revocation, keys, metadata (RFC 6749, 7662, 7009, 8414, 9728, 8707).

Only ``client_credentials`` with ``private_key_jwt``: machines ask for themselves. Every client proves itself with an assertion, and proves its key
with a DPoP proof unless an administrator registered it as bearer. Answers are never cached; errors say what, never why in detail.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import structs
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.access.assertions import ALGORITHMS as ASSERTION_ALGORITHMS
from hub.access.assertions import ASSERTION_TYPE, check_assertion, claimed_client
from hub.access.clients import Client, find_client, note_use
from hub.access.forms import read_form
from hub.access.keys import SERVER, SigningKeys
from hub.access.nonces import Nonces
from hub.access.proofs import ALGORITHMS as PROOF_ALGORITHMS
from hub.access.proofs import Asked, NonceNeeded, check_proof
from hub.access.refusals import NO_STORE, Refusal, answering
from hub.access.replay import sweep, use_once
from hub.access.tokens import LIFE, PURPOSE, AccessToken, issue, key_named, open_access_token, split_scope
from hub.errors import InvalidInput, TokenInvalid
from hub.store.database import Database


class AuthorizationServer:
    """The routes below ``/oauth`` and the metadata. ``origin`` is the hub's public one; ``now`` is real time."""

    def __init__(
        self,
        database: Database,
        keys: SigningKeys,
        nonces: Nonces,
        origin: str,
        scopes: tuple[str, ...],
        now: Callable[[], float] = time.time,
    ) -> None:
        self.database, self.keys, self.nonces = database, keys, nonces
        self.origin, self.scopes, self.now = origin, scopes, now

    @property
    def resource(self) -> str:
        """The GraphQL endpoint: the audience of every token."""
        return f"{self.origin}/graphql"

    def routes(self) -> list[Route]:
        posted = {"token": self.token, "introspect": self.introspect, "revoke": self.revoke}
        return [
            *(Route(f"/oauth/{name}", answering(handler, self._nonce), methods=["POST"]) for name, handler in posted.items()),
            Route("/oauth/jwks", self.jwks),
            Route("/.well-known/oauth-authorization-server", self.metadata),
            Route("/.well-known/oauth-protected-resource/graphql", self.resource_metadata),
        ]

    def _nonce(self) -> str:
        return self.nonces.current(self.now())

    async def token(self, request: Request) -> Response:
        """client_credentials -> an access token of ten minutes."""
        form = await read_form(request)
        if _given(form, "grant_type") != "client_credentials":
            raise Refusal("unsupported_grant_type", "Only client_credentials is served.")
        if form.get("resource", self.resource) != self.resource:
            raise Refusal("invalid_target", "Tokens are made for the GraphQL endpoint only.")
        client = await self._authenticated(form)
        thumbprint = await self._bound(request, client)
        scope = granted(client, form.get("scope"))
        keys = await self.keys.current()
        # Not before its tokens count again: what is issued in the moment after they were ended is not one of them.
        issued_at = max(self.now(), client.tokens_from)
        token = issue(keys, self.origin, self.resource, client.client_id, scope, thumbprint, issued_at)
        async with self.database.write(SERVER) as tx:
            await note_use(tx, client.client_id)
        kind = "DPoP" if thumbprint else "Bearer"
        return JSONResponse({"access_token": token, "token_type": kind, "expires_in": LIFE, "scope": scope}, headers=NO_STORE)

    async def introspect(self, request: Request) -> Response:
        """Whether a token is active, and what it is good for now. A client asks about its own tokens; an internal one about any."""
        form = await read_form(request)
        text = _given(form, "token")
        asking = await self._authenticated(form)
        token = await self._opened(text)
        holder = await self._holder(token) if token and (token.client_id == asking.client_id or asking.audience == "INTERNAL") else None
        if token is None or holder is None:
            return JSONResponse({"active": False}, headers=NO_STORE)
        left = structs.replace(token, scopes=token.scopes & holder.scopes)
        return JSONResponse({"active": True, **self._introspection(left)}, headers=NO_STORE)

    def _introspection(self, token: AccessToken) -> dict[str, Any]:
        scope = " ".join([*sorted(token.scopes), *([PURPOSE + token.purpose] if token.purpose else [])])
        told: dict[str, Any] = {
            "client_id": token.client_id,
            "sub": token.client_id,
            "scope": scope,
            "iss": self.origin,
            "aud": self.resource,
            "iat": token.issued_at,
            "exp": token.expires_at,
            "jti": token.jti,
            "token_type": "DPoP" if token.thumbprint else "Bearer",
        }
        return told | ({"cnf": {"jkt": token.thumbprint}} if token.thumbprint else {})

    async def revoke(self, request: Request) -> Response:
        """A client revokes its own token. Unknown and foreign tokens are answered alike: 200 and no effect (RFC 7009)."""
        form = await read_form(request)
        text = _given(form, "token")
        client = await self._authenticated(form)
        token = await self._opened(text)
        if token is not None and token.client_id == client.client_id:
            async with self.database.write(SERVER) as tx:
                await use_once(tx, "REVOKED", token.client_id, token.jti, token.expires_at)
        return Response(status_code=200, headers=NO_STORE)

    async def jwks(self, request: Request) -> Response:
        return JSONResponse((await self.keys.current()).jwks(), headers={"Cache-Control": "max-age=300"})

    async def metadata(self, request: Request) -> Response:
        """RFC 8414."""
        return JSONResponse(
            {
                "issuer": self.origin,
                "token_endpoint": f"{self.origin}/oauth/token",
                "introspection_endpoint": f"{self.origin}/oauth/introspect",
                "revocation_endpoint": f"{self.origin}/oauth/revoke",
                "jwks_uri": f"{self.origin}/oauth/jwks",
                "grant_types_supported": ["client_credentials"],
                "response_types_supported": [],
                "scopes_supported": list(self.scopes),
                **{
                    f"{endpoint}_endpoint_auth_methods_supported": ["private_key_jwt"]
                    for endpoint in ("token", "introspection", "revocation")
                },
                **{
                    f"{endpoint}_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS)
                    for endpoint in ("token", "introspection", "revocation")
                },
                "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
                "protected_resources": [self.resource],
            }
        )

    async def resource_metadata(self, request: Request) -> Response:
        """RFC 9728."""
        return JSONResponse(
            {
                "resource": self.resource,
                "authorization_servers": [self.origin],
                "scopes_supported": list(self.scopes),
                "bearer_methods_supported": ["header"],
                "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
            }
        )

    async def _authenticated(self, form: dict[str, str]) -> Client:
        """The client that the assertion proves. Raises TokenInvalid."""
        assertion = form.get("client_assertion", "")
        if form.get("client_assertion_type") != ASSERTION_TYPE or "client_secret" in form:
            raise TokenInvalid("A client proves itself with a signed assertion and nothing else.")
        claimed = claimed_client(assertion)
        if form.get("client_id", claimed) != claimed:
            raise TokenInvalid("The assertion is not the client's own.")
        async with self.database.write(SERVER) as tx:
            client = await find_client(tx, claimed)
            jti, expires = check_assertion(assertion, client, self.origin, self.now())
            assert client is not None, "nobody's assertion holds"
            await sweep(tx)
            if not await use_once(tx, "ASSERTION", client.client_id, jti, expires):
                raise TokenInvalid("The assertion was used before.")
        return client

    async def _bound(self, request: Request, client: Client) -> str | None:
        """The thumbprint of the key the token will be bound to; None for a bearer client that sends no proof."""
        headers = request.headers.getlist("dpop")
        if not headers and client.bearer:
            return None
        try:
            proof = check_proof(headers, Asked("POST", f"{self.origin}/oauth/token"), self.nonces, self.now())
        except NonceNeeded:
            raise
        except TokenInvalid as error:
            raise Refusal("invalid_dpop_proof", error.sentence()) from error
        async with self.database.write(SERVER) as tx:
            if not await use_once(tx, "DPOP", proof.thumbprint, proof.jti, proof.expires_at):
                raise Refusal("invalid_dpop_proof", "The proof was used before.")
        return proof.thumbprint

    async def _opened(self, token: str) -> AccessToken | None:
        """None for anything that is no token of ours that is still good."""
        try:
            keys = await self.keys.knowing(key_named(token))
            return open_access_token(token, keys, self.origin, self.resource, self.now())
        except TokenInvalid:
            return None

    async def _holder(self, token: AccessToken) -> Client | None:
        """The token's client, while the guard would admit it with this token."""
        async with self.database.write(SERVER) as tx:
            known = await tx.exec_driver_sql(
                "select 1 from used_token_id where kind = 'REVOKED' and issuer = %(client)s and jti = %(jti)s",
                {"client": token.client_id, "jti": token.jti},
            )
            client = None if known.first() else await find_client(tx, token.client_id)
        if client is None or token.issued_at < client.tokens_from or (token.purpose and token.purpose not in client.purposes):
            return None
        return client if token.thumbprint or client.bearer else None


def granted(client: Client, asked: str | None) -> str:
    """The scope of the token: what is asked for, else everything. A client with one purpose need not name it."""
    if asked is None:
        asked = " ".join(sorted(client.scopes))
    try:
        scopes, purpose = split_scope(asked)
    except TokenInvalid as error:
        raise Refusal("invalid_scope", error.sentence()) from error
    if not purpose and len(client.purposes) == 1:
        purpose = client.purposes[0]
    if not scopes or not scopes <= client.scopes or (purpose and purpose not in client.purposes):
        raise Refusal("invalid_scope", "The client may not ask for this scope or purpose.")
    return " ".join([*sorted(scopes), *([PURPOSE + purpose] if purpose else [])])


def _given(form: Mapping[str, str], name: str) -> str:
    """Raises InvalidInput for a parameter that is missing or empty."""
    if not form.get(name):
        raise InvalidInput(f"The parameter {name} is missing.")
    return form[name]
