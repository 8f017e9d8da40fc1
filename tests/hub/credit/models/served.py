"""A model of the institution's, on loopback: what it hears it keeps, and it answers as a test wants it to."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from hub.credit.models.reach import Outside, outside
from hub.credit.policy import Policy, load_policy, read_policy
from tests.hub.sync.server import Brief

ANSWER = {
    "modelId": "bank-score",
    "version": "2025-11",
    "output": {"score": 650, "probabilityOfDefault": 0.021},
    "reasonCodes": ["C06"],
    "warnings": [],
}
NUMBER = {"type": "number"}
SCORE: dict[str, Any] = {
    "kind": "http",
    "model": "bank-score",
    "features": ["ss_cv", "rr_dscr", "ss_tax_rating"],
    "request": {
        "type": "object",
        "properties": {
            "modelSlot": {"type": "string"},
            "asOf": {"type": "string"},
            "features": {"type": "object", "additionalProperties": True},
        },
        "required": ["features"],
    },
    "answer": {
        "type": "object",
        "properties": {
            "modelId": {"type": "string", "maxLength": 64},
            "version": {"type": "string", "maxLength": 64},
            "output": {
                "type": "object",
                "properties": {"score": {"type": "integer", "minimum": 400, "maximum": 700}, "probabilityOfDefault": NUMBER},
                "required": ["score"],
            },
            "reasonCodes": {"type": "array", "items": {"type": "string"}, "maxItems": 4},
            "warnings": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["modelId", "version", "output"],
    },
}


@dataclass
class Model:
    """``body`` None: :data:`ANSWER`."""

    body: bytes | None = None
    status: int = 200
    wait: float = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    heard: list[Any] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.heard.append(orjson.loads(body))
        await asyncio.sleep(self.wait)
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": orjson.dumps(ANSWER) if self.body is None else self.body})


@asynccontextmanager
async def served(model: Model, folder: Path = Path("nowhere")) -> AsyncIterator[tuple[str, Outside]]:
    """Its address, and the way to it."""
    server = Brief(model)
    await server.start()
    url = f"{server.origin}/score"
    found = outside([url], folder)
    yield url, found
    await found.http.close()
    await server.stop()


def naming(models: Mapping[str, Any], scenario: str = "S03") -> Policy:
    """A policy that names models."""
    document = {**copy.deepcopy(dict(load_policy(scenario).document)), "version": "2026-01-02", "models": models}
    return read_policy(document)


def at(url: str, **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SCORE), "url": url, **changes}


def replaced(policy: Policy, **changes: Any) -> Policy:
    return replace(policy, **changes)
