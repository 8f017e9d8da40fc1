"""The project's own personas as documents, with changes: those who sell to buyers that confirm orders, and those who farm."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from connectors.sandbox.persona import Persona

SUPPLIER, FARMER = "purchase-order-supplier", "rice-farmer"


def document_of(name: str) -> dict[str, Any]:
    """A fresh copy."""
    found: dict[str, Any] = json.loads((files("connectors.sandbox") / "personas" / f"{name}.json").read_text("utf-8"))
    return found


def persona_of(name: str, kind: str, *, changes: dict[str, Any] | None = None, **source: Any) -> Persona:
    """The persona with sections replaced by name, and another state of one source."""
    document = document_of(name) | (changes or {})
    document["sources"][kind] |= source
    return Persona.model_validate(document)
