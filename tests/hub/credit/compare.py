"""Compares a result with an expected file: decimals within the tolerance of their unit, everything else exactly, features as far as they are listed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

RATIO_PARTS = ("dimensions", "consistency", "coverage", "pd", "price", "s", "d", "weight", "share", "uplift", "effective_uplift", "tau")
NUMBER = re.compile(r"^-?\d+(\.\d+)?$")
EXACT = ("base_limit", "final_limit", "enhancement")


def differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    tolerance = {unit: Decimal(value) for unit, value in expected.get("tolerance", {}).items()}
    wanted = {name: value for name, value in expected.items() if name != "tolerance"}
    return list(_walk({name: found.get(name) for name in wanted}, wanted, (), tolerance, "YUAN"))


def _walk(found: Any, wanted: Any, path: tuple[str, ...], tolerance: Mapping[str, Decimal], unit: str) -> Iterator[str]:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        unit = wanted.get("unit", unit) if isinstance(wanted.get("unit", unit), str) else unit
        names = list(wanted) if path[-1:] == ("features",) else sorted({*wanted, *found})
        for name in names:
            yield from _walk(found.get(name), wanted.get(name), (*path, str(name)), tolerance, _unit(path, str(name), unit))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found) and wanted and isinstance(wanted[0], Mapping):
        for index, (one, other) in enumerate(zip(found, wanted, strict=True)):
            yield from _walk(one, other, (*path, str(index)), tolerance, unit)
    elif not _equal(found, wanted, tolerance.get(unit, Decimal(0)), path):
        yield f"{'.'.join(path)}: {found}, expected {wanted}"


def _unit(path: tuple[str, ...], name: str, unit: str) -> str:
    if path[-1:] == ("L2",) and name == "d":
        return "KM"
    return "RATIO" if name in RATIO_PARTS else unit


def _equal(found: Any, wanted: Any, allowed: Decimal, path: tuple[str, ...]) -> bool:
    numbers = all(isinstance(value, str) and NUMBER.match(value) for value in (found, wanted))
    if numbers and path[-1] not in EXACT:
        return abs(Decimal(found) - Decimal(wanted)) <= allowed
    return bool(found == wanted)
