"""A certified FAPI 2.0 provider (npm ``oidc-provider``) as a platform: installed outside the tree, started on loopback, spoken to by a connector of the language."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from joserfc.jwk import ECKey

from hub.connect import (
    Connector,
    Context,
    Dialogue,
    Json,
    Manifest,
    OAuth,
    Page,
    Quota,
    Record,
    RefreshNeeded,
    Request,
    Response,
    Setting,
    Window,
    dpop,
)
from hub.connect.answers import json_object
from hub.connect.code_grant import CodeGrant
from hub.connect.windows import whole
from hub.domain.enums import SourceKind
from hub.domain.facts.refund import Refund
from tests import npm

HERE = Path(__file__).parent / "oidc"
NAME = "certified"
OFFERED = OAuth(
    client="private_key_jwt",
    names_issuer=True,
    dpop=True,
    authorise_path="/auth",
    token_path="/token",
    revoke_path="/token/revocation",
    pushed_path="/request",
)
KEY = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256", "kid": "hub-1"})


def installed() -> Path:
    """The folder that holds the provider."""
    return npm.locked(HERE, "oidc-provider", "the flows against a certified provider")


@dataclass
class Certified:
    """The provider, listening at ``issuer``. ``log`` is where it writes what it refused and why."""

    issuer: str
    log: Path

    def register(self, redirect_uri: str) -> Mapping[str, str]:
        """A client of its own for a hub, and the settings of its connector."""
        client_id = f"hub-{hashlib.sha256(redirect_uri.encode()).hexdigest()[:12]}"
        public = {**KEY.as_dict(private=False), "use": "sig", "alg": "ES256"}
        self._say("clients", {
            "client_id": client_id,
            "redirect_uris": [redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "private_key_jwt",
            "dpop_bound_access_tokens": True,
            "jwks": {"keys": [public]},
        })  # fmt: skip
        return {"client_id": client_id, "client_key": json.dumps(KEY.as_dict(private=True)), "issuer": self.issuer, "base_url": self.issuer}

    def account(self, name: str) -> None:
        """Who logs in from now on."""
        self._say("account", {"account": name})

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = httpx.get(f"{self.issuer}/test/counts", trust_env=False).json()
        return found

    def _say(self, what: str, body: Any) -> None:
        httpx.post(f"{self.issuer}/test/{what}", json=body, trust_env=False).raise_for_status()


def serving(folder: Path, log: Path) -> Iterator[Certified]:
    """While it runs. It ends when nobody holds the other end of its input any more."""
    with log.open("w") as said:
        process = subprocess.Popen(
            ["node", str(HERE / "provider.mjs"), str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        )
        assert process.stdout is not None and process.stdin is not None
        line = process.stdout.readline()
        assert line, log.read_text()
        yield Certified(json.loads(line)["issuer"], log)
        process.stdin.close()
        process.stdout.close()
        process.wait(20)


class Known(CodeGrant):
    """The textbook, and then one call with the new token: who has logged in."""

    def complete(self, context: Context, *, redirect_uri: str, verifier: str, callback: Mapping[str, str]) -> Dialogue:
        grant = yield from super().complete(context, redirect_uri=redirect_uri, verifier=verifier, callback=callback)
        response = yield from _me(replace(context, grant=grant))
        return replace(grant, account=str(json_object(response, context.now)["sub"]))


def _me(context: Context) -> Generator[Request, Response, Response]:
    response = yield dpop.sign(context, Request("GET", "/me"))
    if nonce := dpop.nonce_wanted(response):
        response = yield dpop.sign(replace(context, nonces={"": nonce}), Request("GET", "/me"))
    return response


@dataclass(frozen=True)
class Me:
    """A stream of one record: the account."""

    name: str = "me"
    source: SourceKind = SourceKind.SHOP
    facts: tuple[type, ...] = (Refund,)
    window_days: int | None = None
    look_back_days: int = 0

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return whole(self.name, first, last)

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        return Request("GET", "/me")

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        if response.status == 401:
            raise RefreshNeeded("the token is no longer good")
        return Page((json_object(response, context.now),), total=1)

    def normalise(self, context: Context, record: Record) -> Iterator[Refund]:
        yield from ()


def connector(authorisation: CodeGrant | None = None) -> Connector:
    manifest = Manifest(
        name=NAME,
        title="Certified provider",
        title_zh="认证平台",
        sources=(SourceKind.SHOP,),
        doc="A provider of the FAPI 2.0 Security Profile.",
        settings=tuple(Setting(name, "", secret=name == "client_key") for name in OFFERED.needs),
        quota=Quota(10_000, 10_000, 16),
        oauth=OFFERED,
    )
    grant = authorisation or Known(lambda context: ("openid",), {"openid": SourceKind.SHOP})
    return Connector(manifest, grant, (Me(),), dpop.sign)
