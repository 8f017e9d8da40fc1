"""Envelope encryption, key service, register of destroyed keys, blind indexes."""

from hub.vault.blind import IDENTIFIER, Blind
from hub.vault.keys import EnvKeys, FileKeys, KeyService, Wrapped
from hub.vault.register import Register, wrap_binding
from hub.vault.vault import Place, Sealer, Vault

__all__ = ["IDENTIFIER", "Blind", "EnvKeys", "FileKeys", "KeyService", "Place", "Register", "Sealer", "Vault", "Wrapped", "wrap_binding"]
