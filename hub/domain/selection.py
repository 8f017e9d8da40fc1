"""What a client selected, as a neutral tree: between the GraphQL contract, which makes it, and the store, which compiles it to SQL.

The tree knows neither GraphQL's syntax nor PostgreSQL. Fragments, aliases, ``@skip`` and ``@include`` are already resolved; an argument
is the name of a *slot*, whose value comes with each request. So one tree serves every request of the same shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SlotValues = Mapping[str, Any]
"""Coerced values by slot. An argument that was not given, or given as null, has no entry."""


@dataclass(frozen=True, slots=True)
class Argument:
    """``name`` as the contract calls it, ``slot`` where its value is found."""

    name: str
    slot: str


@dataclass(frozen=True, slots=True)
class Pick:
    """One selected field: ``key`` in the answer, ``name`` in the contract, ``of`` what is selected below it (None for a leaf)."""

    key: str
    name: str
    arguments: tuple[Argument, ...] = ()
    of: Selection | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What is selected where an abstract type turns out to be ``type``."""

    type: str
    picks: tuple[Pick, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is selected of a type. For an abstract type ``picks`` holds for every concrete type that has no case of its own."""

    type: str
    picks: tuple[Pick, ...]
    cases: tuple[Case, ...] = ()

    def walk(self) -> Iterator[tuple[str, Pick]]:
        """Every pick with the type it is made on, depth first."""
        for owner, picks in ((self.type, self.picks), *((case.type, case.picks) for case in self.cases)):
            for pick in picks:
                yield owner, pick
                if pick.of is not None:
                    yield from pick.of.walk()


@dataclass(frozen=True, slots=True)
class StoredRead:
    """One planned operation: ``name`` and ``sha256`` (of its document) identify it, ``fields`` are the coordinates it reads."""

    name: str
    sha256: str
    fields: tuple[str, ...]
    selection: Selection
