"""Who may call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.domain.enums import Purpose


@dataclass(frozen=True, slots=True)
class RegisterClient:
    """``jwks`` is a JSON Web Key Set of public keys. ``documents``: None is as the audience begins."""

    client_id: str
    name: str
    audience: str
    scopes: tuple[str, ...]
    purposes: tuple[Purpose, ...]
    jwks: Mapping[str, Any]
    return_urls: tuple[str, ...]
    bearer: bool
    documents: str | None = None
    cost_per_minute: int | None = None
    listed_from: date | None = None
    listed_to: date | None = None
    listed_in: str | None = None


@dataclass(frozen=True, slots=True)
class RegisterDocument:
    client_id: str
    document: str


@dataclass(frozen=True, slots=True)
class UpdateClient:
    """None leaves a value as it is."""

    client_id: str
    name: str | None
    audience: str | None
    scopes: tuple[str, ...] | None
    purposes: tuple[Purpose, ...] | None
    return_urls: tuple[str, ...] | None
    bearer: bool | None
    documents: str | None = None
    cost_per_minute: int | None = None
    listed_from: date | None = None
    listed_to: date | None = None
    listed_in: str | None = None


@dataclass(frozen=True, slots=True)
class AddClientKey:
    """``jwk`` is one public JSON Web Key."""

    client_id: str
    jwk: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RetireClientKey:
    client_id: str
    thumbprint: str


@dataclass(frozen=True, slots=True)
class ClientStep:
    """``reason`` is for the audit; nothing personal."""

    client_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class DisableClient(ClientStep):
    pass


@dataclass(frozen=True, slots=True)
class EnableClient(ClientStep):
    pass


@dataclass(frozen=True, slots=True)
class RevokeClientTokens(ClientStep):
    pass
