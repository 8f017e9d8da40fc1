"""A registered client's side of a running hub: logs in with its key, asks the contract's example operations, proves every request (DPoP)."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from hub.access.caller import ClientSide
from hub.connect import Response
from hub.domain.identifiers import new_id
from hub.errors import (
    CallerMustFix,
    ConsentMissing,
    CustomerDeclined,
    FixConfiguration,
    HubError,
    InvalidInput,
    KeyReused,
    NotAllowed,
    NotFound,
    WaitAndRetry,
)
from hub.http import Caller as Line
from schema.examples import example

_PROBLEMS: Mapping[str, type[HubError]] = {
    "InvalidInput": InvalidInput,
    "NotAllowed": NotAllowed,
    "NotFound": NotFound,
    "ConsentMissing": ConsentMissing,
    "CustomerDeclined": CustomerDeclined,
    "IdempotencyKeyReused": KeyReused,
    "TryLater": WaitAndRetry,
}
_FORM = "application/x-www-form-urlencoded"

_BUSY, _PAUSE, _TIMES = 503, 2.0, 5


class Caller:
    """One client. Close it at the end. ``stored``: it asks with stored documents only, by their digests."""

    def __init__(self, side: ClientSide, *, stored: bool = False) -> None:
        self.side, self.line, self.stored = side, Line(side.origin), stored
        self._token = ""

    async def close(self) -> None:
        await self.line.close()

    async def token(self, *, bearer: bool = False) -> dict[str, Any]:
        """The answer of the token endpoint; ``bearer`` asks for an unbound token. Raises CallerMustFix with the server's words."""
        for _ in range(2):
            headers = {"Content-Type": _FORM}
            if not bearer:
                headers["DPoP"] = self.side.proof("POST", self.side.token_url)
            answer = await self.line.post("/oauth/token", urlencode(self.side.token_form()).encode(), headers)
            body: dict[str, Any] = _json(answer)
            if not self.side.heard(answer.headers, body):
                break
        if answer.status != 200:
            raise CallerMustFix(f"The hub gives no token: {body.get('error_description') or body.get('error')}")
        return body

    async def query(self, name: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The data of one of the contract's examples. Raises CallerMustFix with the first error."""
        text = example(name)
        document = {"documentId": hashlib.sha256(text.encode()).hexdigest()} if self.stored else {"query": text}
        body = orjson.dumps({**document, "variables": dict(variables), "operationName": name})
        answer = await self._ask(body)
        said = _json(answer)
        if "errors" in said:
            error = said["errors"][0]
            raise CallerMustFix(f"{name}: {error['message']}", remedy=error.get("extensions", {}).get("remedy", ""))
        data: dict[str, Any] = said["data"]
        return data

    async def mutate(self, name: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The payload of a mutation, under a fresh idempotency key. Raises the problem by its class."""
        data = await self.query(name, {"key": str(new_id()), **variables})
        payload: dict[str, Any] = next(iter(data.values()))
        problem = _PROBLEMS.get(payload["__typename"])
        if problem is not None:
            raise problem(payload["message"], remedy=payload["remedy"])
        return payload

    async def _ask(self, body: bytes) -> Response:
        """One request; once more when the nonce is old or the token has expired, and after a pause while the hub is busy: the same key has one effect."""
        for _ in range(_TIMES):
            if not self._token:
                self._token = str((await self.token())["access_token"])
            headers = {"Content-Type": "application/json", "Accept": "application/json", **self.side.headers(self._token)}
            answer = await self.line.post("/graphql", body, headers)
            if answer.status == _BUSY:
                await asyncio.sleep(_PAUSE)
                continue
            if answer.status != 401:
                return answer
            if not self.side.heard(answer.headers):
                self._token = ""
        return answer


def _json(answer: Response) -> Any:
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise CallerMustFix(f"This is no hub: it answered {answer.status} without JSON.", remedy="Check the address.") from None


def key_file(home: Path, client: str) -> Path:
    """Where the private key of a client of this machine lies. Raises InvalidInput for what is no client's name."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,63}", client):
        raise InvalidInput(f"{client!r} is no client's name.", remedy="It has lower case letters, digits, dots, dashes or underscores.")
    return home / "clients" / f"{client}.json"


def write_key(home: Path, client: str, private: Mapping[str, Any], origin: str) -> None:
    """Keeps a client's private key (mode 0600) with the origin it logs in to."""
    path = key_file(home, client)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_bytes(orjson.dumps({"client": client, "key": dict(private), "origin": origin}))


def write_origin(home: Path, origin: str) -> None:
    """Notes where this home is being served, for ``hub token``."""
    (home / "serving.json").write_bytes(orjson.dumps({"origin": origin}))


def _serving(home: Path) -> str | None:
    path = home / "serving.json"
    return str(orjson.loads(path.read_bytes())["origin"]) if path.exists() else None


def read_side(home: Path, client: str, origin: str | None = None) -> ClientSide:
    """The client side kept in a home. Raises FixConfiguration when there is none."""
    path = key_file(home, client)
    try:
        kept = orjson.loads(path.read_bytes())
        return ClientSide(kept["client"], kept["key"], origin or _serving(home) or kept["origin"])
    except (OSError, ValueError, KeyError, TypeError):
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.json"))) or "none"
        raise FixConfiguration(
            f"There is no usable key of client {client!r} in {path.parent}.", remedy=f"Clients with a key there: {known}."
        ) from None
