"""The hub's own dated documents beside the policies (:mod:`hub.credit.policies`): the engine's parameters, the reasons and the like.

They come with a release and are published by nobody. Whoever checks a folder of them is told which they are, and what is wrong with them as what they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import InvalidOperation
from typing import Any

from hub.credit import policies
from hub.credit.shape import POLICY, Fault, Members
from hub.credit.validation import engine_faults

NAMES = ("barred", "engine", "explanations", "fairness", "models", "reasons")
_OF_ALL = {"version", "source"}


def own_document(document: Mapping[str, Any]) -> str | None:
    """Which one a document is: the one it has most members in common with; None for a policy, or what should be one."""
    alike = {name: len((set(document) & set(policies.document(name))) - _OF_ALL) for name in NAMES}
    name = max(NAMES, key=lambda one: alike[one])
    return name if alike[name] > len((set(document) & {*POLICY.needed, *POLICY.free}) - _OF_ALL) else None


def of_the_hub(name: str, document: Mapping[str, Any]) -> Iterator[Fault]:
    """Members that the one of this version has not, or has; of the engine's parameters also what they say."""
    form = list(Members(dict.fromkeys(policies.document(name), _anything), {})(document, ()))
    yield from form
    if name == "engine" and not form:
        try:
            yield from engine_faults(document)
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
            yield (), f"it is incomplete, or has a wrong type, at {error}", "Compare it with the one that comes with the hub."


def _anything(value: object, path: tuple[str | int, ...]) -> Iterator[Fault]:
    yield from ()
