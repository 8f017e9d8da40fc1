"""What an operation costs is worked out once for all requests that differ only in values that cost nothing: which customer, which day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

_KEPT = 64
"""By plan, and gone with it: a client makes as many documents as it likes."""
_LONGEST = 100
_OF_NO_WEIGHT = "text"

Costing = TypeVar("Costing", bound=Callable[..., Any])


def remembered(costing: Costing) -> Costing:
    """For a method of (document, plan, variables). What raises is not remembered, and what weighs much itself neither."""

    def cost(self: Any, document: Any, plan: Any, variables: Mapping[str, Any]) -> Any:
        key, known = weights(plan, variables), plan.priced
        if key in known:
            return known[key]
        found = costing(self, document, plan, variables)
        if len(key) <= _LONGEST:
            if len(known) >= _KEPT:
                known.clear()
            known[key] = found
        return found

    return cost  # type: ignore[return-value]


def weights(plan: Any, variables: Mapping[str, Any]) -> str:
    """All that a cost can hang on, of the variables that the operation names: numbers, how long lists are, what is there at all."""
    names = [one.variable.name.value for one in plan.operation.variable_definitions or ()]
    return ",".join([_weight(variables[name]) if name in variables else "" for name in names])


def _weight(value: Any) -> str:
    if isinstance(value, str):
        return _OF_NO_WEIGHT
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return f"list {len(value)}"
    return f"{type(value).__name__} {value!r}"
