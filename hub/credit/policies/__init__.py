"""Dated documents: the engine's parameters, the scenario policies, the reason catalogue. No figure of a policy stands in code."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

CURRENT = "2026-01-01"


def raw(name: str, version: str = CURRENT) -> bytes:
    return (files(__package__) / f"{name}.{version}.json").read_bytes()


@cache
def document(name: str, version: str = CURRENT) -> dict[str, Any]:
    """A document of this package."""
    found: dict[str, Any] = orjson.loads(raw(name, version))
    return found


def sha256(content: dict[str, Any]) -> str:
    """Hex SHA-256 of a document's canonical JSON."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def names() -> list[str]:
    """Every scenario that has a policy here."""
    return sorted(
        {entry.name.split(".")[0] for entry in files(__package__).iterdir() if entry.name.startswith("S") and entry.name.endswith(".json")}
    )
