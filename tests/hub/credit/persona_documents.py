"""Persona documents made from the format's own schema: what it requires, and any choice of what it allows.

A document made so has resolvable references: everybody is "owner", every account "main", every party "a".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.connectors.cn_persona import resident, uscc

Choose = Callable[[str], bool]
"""Whether an optional property is there, by its path."""

BY_REFERENCE = {
    "date": "2025-06-15", "month": "2025-03", "period": "2025Q1", "money": "120.50", "ratio": "0.25", "day": 31, "holder": "owner",
    "uscc": uscc("92999900MA9XXXX01"),
}  # fmt: skip
BY_NAME = {
    "person": "owner", "subject_person": "owner", "responsible": "owner", "party": "a", "account": "main", "buyer": "a", "id": "main",
    "scenario": "S03", "known_at": "2026-01-20T10:00:00+08:00", "resident_id": resident("33999819900102004"), "industry": "F5292",
    "codes": "N1*", "share": "0.30",
}  # fmt: skip
KEYS = {"people": "owner", "parties": "a", "buyers": "a", "rates": "PENSION", "margin_bands": "F52", "crops": "茶"}


class Maker:
    """Documents of one schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema

    def document(self, choose: Choose, borrower: str = "business") -> dict[str, Any]:
        """A persona whose borrower is a ``business`` or a ``subject_person``."""
        other = {"business": "subject_person", "subject_person": "business"}[borrower]

        def chosen(path: str) -> bool:
            return path == borrower or (path != other and choose(path))

        made: dict[str, Any] = self._make(self.schema, "", "", chosen)
        return _linked(made)

    def _make(self, schema: dict[str, Any], name: str, path: str, choose: Choose) -> Any:
        if "$ref" in schema:
            reference = schema["$ref"].split("/")[-1]
            if reference in BY_REFERENCE:
                return BY_REFERENCE[reference]
            schema = self.schema["$defs"][reference]
        for fixed in ("const", "enum"):
            if fixed in schema:
                return schema[fixed] if fixed == "const" else schema[fixed][0]
        if "oneOf" in schema and "type" not in schema:
            return self._make(schema["oneOf"][0 if choose(f"{path}?") else -1], name, path, choose)
        return self._typed(schema, name, path, choose)

    def _typed(self, schema: dict[str, Any], name: str, path: str, choose: Choose) -> Any:
        match schema["type"]:
            case "object":
                return self._object(schema, name, path, choose)
            case "array":
                count = schema.get("minItems", 1)
                return [self._make(schema["items"], name, f"{path}[]", choose) for _ in range(max(1, count))]
            case "integer":
                return max(1, schema.get("minimum", 1))
            case "number":
                return 30.25
            case "boolean":
                return True
            case "null":
                return None
        return BY_NAME.get(name, "x")

    def _object(self, schema: dict[str, Any], name: str, path: str, choose: Choose) -> Any:
        properties, needed = dict(schema.get("properties", {})), list(schema.get("required", ()))
        for part in schema.get("allOf", ()):
            base = self.schema["$defs"][part["$ref"].split("/")[-1]]
            properties |= base["properties"]
            needed += [*base["required"], *(("amounts",) if choose(f"{path}.amounts") else ("total", "months"))]
            properties = {key: value for key, value in properties.items() if key not in ("amounts", "total", "months") or key in needed}
        if not properties:
            return {KEYS[name]: self._make(schema["additionalProperties"], name, f"{path}.*", choose)}
        paths = {key: f"{path}.{key}".removeprefix(".") for key in properties}
        present = [key for key in properties if key in needed or choose(paths[key])]
        return {key: self._make(properties[key], key, paths[key], choose) for key in present}


def _linked(document: dict[str, Any]) -> dict[str, Any]:
    """Relations name parties of the invoices."""
    if "relations" in document and "invoices" not in document:
        document["relations"]["related"] = []
    return document


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in a document, containers too."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(leaf for key, child in children for leaf in leaves(child, (*path, key)))]
