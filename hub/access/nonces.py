"""DPoP nonces: an HMAC of the current five-minute slot. Nothing is stored; every process of the hub accepts every other's."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache

SLOT = 300


@dataclass(frozen=True, slots=True)
class Nonces:
    """``master`` is any secret of the hub; the nonce key is derived from it."""

    master: bytes

    def current(self, now: float) -> str:
        return self._of(int(now) // SLOT)

    def accepts(self, nonce: str, now: float) -> bool:
        """The current slot's nonce, or the one before."""
        slot = int(now) // SLOT
        return any(hmac.compare_digest(nonce.encode(), self._of(one).encode()) for one in (slot, slot - 1))

    def _of(self, slot: int) -> str:
        return _nonce(self.master, slot)


@lru_cache(maxsize=64)
def _nonce(master: bytes, slot: int) -> str:
    """Every request of five minutes is told and compared with the same ones."""
    key = hmac.new(master, b"hub.access.dpop-nonce", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(hmac.new(key, str(slot).encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
