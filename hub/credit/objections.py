"""异议: what a customer objects to while it is evaluated: a value, beside the dossier. What follows from it: :mod:`hub.credit.disputed`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Objections:
    """Those that are open. ``others``: of each kind of which a fact is objected to, the facts that are not. ``summed``: kinds that are summed where they lie, of which
    one is objected to: what they would be without it cannot be told. ``decided``: scenarios of which a result is objected to. ``about``: the ids of the fact versions."""

    others: Mapping[type, tuple[Any, ...]] = field(default_factory=dict)
    summed: frozenset[str] = frozenset()
    decided: frozenset[str] = frozenset()
    about: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.others or self.summed or self.decided)

    def named(self) -> dict[str, Any]:
        """What is kept of them beside a result: which facts and results they are about, and nothing that the customer said."""
        return {"facts": sorted(self.about), "decided": sorted(self.decided)}


NONE = Objections()
"""Nobody objects."""
