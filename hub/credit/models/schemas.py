"""The part of JSON Schema (2020-12) that a policy may use for a model's request and answer: what is not in it is refused when the policy is read, so that no word
of a schema is silently without effect. No patterns and no references: a schema is looked at in the time that its answer is long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from hub.domain.models import ModelFault

TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float, Decimal),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
COUNTS = ("minLength", "maxLength", "minItems", "maxItems")
KEYWORDS = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "minimum", "maximum", "description", *COUNTS}
)
DEEPEST = 8


def faults(schema: object, where: str = "schema", depth: int = 0) -> Iterator[str]:
    """What is wrong with a schema itself."""
    if not isinstance(schema, dict) or depth > DEEPEST:
        yield f"{where} is no schema, or too deep"
        return
    yield from (f"{where} uses {word!r}, which is not supported" for word in sorted(set(schema) - KEYWORDS))
    named = schema.get("type")
    if not all(isinstance(one, str) and one in TYPES for one in (named if isinstance(named, list) else [named])):
        yield f"{where} has no known type"
    yield from _faults_of_bounds(schema, where)
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list) or not set(map(str, required)) <= set(properties):
        yield f"{where} requires what it has no property for"
        return
    if not isinstance(schema.get("additionalProperties", False), bool):
        yield f"{where}: additionalProperties is true or false"
    for name, one in properties.items():
        yield from faults(one, f"{where}.{name}", depth + 1)
    if "items" in schema:
        yield from faults(schema["items"], f"{where}[]", depth + 1)


def _faults_of_bounds(schema: Mapping[str, Any], where: str) -> Iterator[str]:
    for word in (*COUNTS, "minimum", "maximum"):
        value = schema.get(word, 0)
        if (
            isinstance(value, bool)
            or not isinstance(value, int if word in COUNTS else TYPES["number"])
            or not Decimal(str(value)).is_finite()
        ):
            yield f"{where}: {word} is a number"
    if not isinstance(schema.get("enum", []), list):
        yield f"{where}: enum is a list"


def wrong(schema: Mapping[str, Any], value: object) -> ModelFault | None:
    """Why a value does not fit; None when it does."""
    named = schema.get("type")
    if named is not None and not any(_is(value, one) for one in (named if isinstance(named, list) else [named])):
        return ModelFault.WRONG_SHAPE
    if ("enum" in schema and value not in schema["enum"]) or ("const" in schema and value != schema["const"]):
        return ModelFault.WRONG_SHAPE
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        return _out_of_range(schema, Decimal(str(value)) if isinstance(value, float) else Decimal(value))
    if isinstance(value, str):
        return _too_many(schema, len(value), "Length")
    if isinstance(value, list):
        below = schema.get("items")
        each = (wrong(below, one) for one in value) if below else iter(())
        return _too_many(schema, len(value), "Items") or next((one for one in each if one), None)
    return _members(schema, value) if isinstance(value, dict) else None


def _is(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


def _out_of_range(schema: Mapping[str, Any], value: Decimal) -> ModelFault | None:
    if not value.is_finite():
        return ModelFault.NOT_A_NUMBER
    low, high = schema.get("minimum"), schema.get("maximum")
    outside = (low is not None and value < Decimal(str(low))) or (high is not None and value > Decimal(str(high)))
    return ModelFault.OUT_OF_RANGE if outside else None


def _too_many(schema: Mapping[str, Any], size: int, what: str) -> ModelFault | None:
    fits = schema.get(f"min{what}", 0) <= size <= schema.get(f"max{what}", size)
    return None if fits else ModelFault.WRONG_SHAPE


def _members(schema: Mapping[str, Any], value: Mapping[str, Any]) -> ModelFault | None:
    properties = schema.get("properties", {})
    unknown = set(value) - set(properties) if not schema.get("additionalProperties", False) else set()
    if unknown or not set(schema.get("required", [])) <= set(value):
        return ModelFault.WRONG_SHAPE
    each = (wrong(properties[name], one) for name, one in value.items() if name in properties)
    return next((one for one in each if one), None)
