"""Identifiers that count once, kept until they could not be used any more anyway: assertions, DPoP proofs, revoked tokens."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text

from hub.store.database import Write

_USE = text(
    "insert into used_token_id (kind, issuer, jti, expires_at) values (:kind, :issuer, :jti, :expires_at) on conflict do nothing returning 1"
)
_SWEEP = text("delete from used_token_id where expires_at < now() - interval '1 minute'")


async def use_once(tx: Write, kind: str, issuer: str, jti: str, expires_at: int) -> bool:
    """False when it was used before. Only a committed transaction makes it used."""
    row = {"kind": kind, "issuer": issuer, "jti": jti, "expires_at": datetime.fromtimestamp(expires_at, UTC)}
    return (await tx.execute(_USE, row)).first() is not None


async def sweep(tx: Write) -> None:
    """Forgets what has expired."""
    await tx.execute(_SWEEP)
