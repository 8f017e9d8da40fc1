"""Envelope encryption, key service, blind indexes."""

from hub.vault.blind import IDENTIFIER, Blind
from hub.vault.keys import FileKeys, KeyService, Wrapped
from hub.vault.vault import Place, Sealer, Vault, wrap_binding

__all__ = ["IDENTIFIER", "Blind", "FileKeys", "KeyService", "Place", "Sealer", "Vault", "Wrapped", "wrap_binding"]
