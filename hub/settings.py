"""The one Settings object: built once from the environment at a composition root, passed in, never imported as a value.

Every field is an environment variable with the prefix ``HUB_``. Secrets are read from files below ``home`` or from the environment, never from arguments.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import AwareDatetime, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_home() -> Path:
    return Path.home() / ".local" / "share" / "zengxin-hub"


class Settings(BaseSettings):
    """What an operator decides. Without a database URL the hub runs an embedded PostgreSQL below ``home``."""

    model_config = SettingsConfigDict(env_prefix="HUB_", frozen=True)

    home: Path = Field(default_factory=default_home, description="Data, keys and the embedded PostgreSQL.")
    database_url: str | None = Field(default=None, description="Owner's URL (migrations). Any PostgreSQL from 15 on.")
    app_database_url: str | None = Field(default=None, description="URL of the role hub_app, which serves GraphQL.")
    worker_database_url: str | None = Field(default=None, description="URL of the role hub_worker, which syncs and evaluates.")
    embedded_database: str = Field(
        default="hub", pattern=r"^[a-z][a-z0-9_]{0,62}$", description="Name of the database in the embedded PostgreSQL: a demo's is `demo`."
    )
    backup_database_url: SecretStr | None = Field(
        default=None, description="URL of a role that row-level security does not bind, for `hub backup` and `hub restore` only."
    )
    keys: SecretStr | None = Field(
        default=None,
        description="The content of a key file, instead of the file: for hosts that are handed their secrets in the environment.",
    )
    pooled: bool = Field(default=False, description="The URLs of hub_app and hub_worker lead through a pooler in transaction mode.")
    queue_database_url: str | None = Field(
        default=None, description="URL of hub_worker that leads to PostgreSQL itself, for the queue; needed where the others are pooled."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    public_origin: str | None = Field(default=None, description="Scheme, host and port under which partners reach the hub.")
    grantee: str = Field(
        default="", description="Legal name of the institution that deploys the hub: the grantee of consents. `hub serve` needs it."
    )
    region: str = Field(
        default="",
        pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,12})?$|^$",
        description="Where this host processes data, such as CN-ZJ. `hub migrate` pins it; a process that says another one does not start.",
    )
    workers: int = Field(default=6, ge=1, le=100, description="Connections of one platform that one worker process syncs at the same time.")
    private_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(),
        description="Networks that a platform's name may lead to beside public addresses, as a JSON list of CIDRs: leased lines.",
    )
    model_urls: tuple[str, ...] = Field(
        default=(),
        description="Addresses of models of the institution that policies may name, as a JSON list. Nothing else is asked.",
    )
    explorer: bool = Field(
        default=False, description="Serve /explorer, a page for the institution's own people to ask from with unbound tokens."
    )
    clock: AwareDatetime | None = Field(
        default=None, description="Stops the business clock at an instant: to rehearse with simulated platforms."
    )

    federation: bool = Field(default=False, description="Answers `_service` and `_entities`: the hub is a subgraph of Apollo Federation 2.")

    connectors: Path | None = Field(default=None, description="The operator's connectors.json. Default: the one in home.")
    audit_dir: Path | None = Field(
        default=None,
        description="Where signed heads of the audit chain are published. Default: audit/ below home. Best on another machine's disk.",
    )

    @field_validator("public_origin")
    @classmethod
    def _is_origin(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https://[a-z0-9.-]+(:\d{1,5})?|http://(127\.0\.0\.1|localhost)(:\d{1,5})?", value):
            raise ValueError("write it like https://hub.example or https://hub.example:8443, without a path; plain http on loopback only")
        return value

    @property
    def keys_dir(self) -> Path:
        return self.home / "keys"

    @property
    def cluster_dir(self) -> Path:
        """The embedded PostgreSQL."""
        return self.home / "postgres"

    @property
    def audit_folder(self) -> Path:
        return self.audit_dir or self.home / "audit"

    @property
    def models_dir(self) -> Path:
        """ONNX files that policies may name."""
        return self.home / "models"

    @property
    def connectors_file(self) -> Path:
        """JSON: connector name -> its settings, ``base_url`` among them. Only what is listed here may be connected to."""
        return self.connectors or self.home / "connectors.json"
