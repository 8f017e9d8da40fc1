"""A partner's side of the run: a token bound to its key, and proofs signed ahead, each for one request. To sign them while the clock runs would measure who signs."""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey

from bench.read.growing import CLIENT, PURPOSE
from hub.access.caller import ClientSide, public_half
from hub.access.clients import NewClient, make_client_keys, register_client
from hub.access.proofs import token_hash
from hub.store.database import Database
from schema.access import AUDIENCES


async def registered(database: Database) -> dict[str, Any]:
    """Its private key. The client is no bearer: every request needs a proof."""
    private, public = make_client_keys()
    async with database.work() as tx:
        await register_client(tx, NewClient(CLIENT, CLIENT, "INTERNAL", tuple(AUDIENCES["INTERNAL"]), (PURPOSE,), public), AUDIENCES)
    return private


@dataclass
class Partner:
    """At the hub of ``origin``."""

    key: dict[str, Any]
    origin: str
    token: str = ""
    nonce: str = ""

    async def introduce(self) -> None:
        """Asks for a token."""
        side = ClientSide(CLIENT, self.key, self.origin)
        async with httpx.AsyncClient(trust_env=False) as line:
            for _ in range(2):
                proof = {"DPoP": side.proof("POST", side.token_url)}
                answer = await line.post(side.token_url, data=side.token_form(), headers=proof)
                if not side.heard(answer.headers, answer.json()):
                    break
        self.token, self.nonce = answer.json()["access_token"], str(side.nonce)

    def proofs(self, count: int) -> list[str]:
        """Good for a minute."""
        key = ECKey.import_key(self.key)
        head = _coded({"alg": "ES256", "typ": "dpop+jwt", "jwk": public_half(key)})
        claims = {
            "htm": "POST",
            "htu": f"{self.origin}/graphql",
            "iat": int(time.time()) + 20,
            "ath": token_hash(self.token),
            "nonce": self.nonce,
        }
        return [_signed(key, head, {**claims, "jti": secrets.token_urlsafe(16)}) for _ in range(count)]


def _signed(key: ECKey, head: bytes, claims: dict[str, Any]) -> str:
    said = head + b"." + _coded(claims)
    r, s = decode_dss_signature(key.private_key.sign(said, ECDSA(SHA256())))  # type: ignore[union-attr]
    return (said + b"." + _plain(r.to_bytes(32) + s.to_bytes(32))).decode()


def _coded(value: dict[str, Any]) -> bytes:
    return _plain(orjson.dumps(value))


def _plain(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
