"""Operations as hypothesis-graphql draws them from the printed contract, brought nearer to the data: some ids are real, some pages have a size that may be."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from graphql import IntValueNode, NullValueNode, StringValueNode, Visitor, print_ast, visit
from graphql import build_schema as read_schema
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from schema.contract import HubSchema, build_schema

SCHEMA: HubSchema = build_schema()
ROOTS = [name for kind in (SCHEMA.core.query_type, SCHEMA.core.mutation_type) if kind for name in kind.fields]
PLACE = "00000000-0000-0000-0000-00000000c0de"
"""Drawn before there is a customer: an id takes this one's place."""
IDS = {"id", "customerId", "fromId", "intoId", "connectionId", "partyId"}


def operations(schema: HubSchema, roots: Sequence[str], ids: Sequence[str]) -> st.SearchStrategy[str]:
    """Texts of valid documents that select some of these fields of Query and Mutation. Raises ImportError where hypothesis-graphql is not installed."""
    from hypothesis_graphql import from_schema, nodes

    scalars = {
        "Date": st.dates().map(lambda day: nodes.String(day.isoformat())),
        "DateTime": st.datetimes().map(lambda at: nodes.String(at.isoformat() + "Z")),
        "Decimal": st.decimals(allow_nan=False, allow_infinity=False, places=2).map(lambda number: nodes.String(str(number))),
    }
    drawn: Any = from_schema(read_schema(schema.sdl()), fields=list(roots), custom_scalars=scalars, print_ast=lambda node: node)
    return st.builds(lambda node, seed: print_ast(visit(node, Nearer(ids, random.Random(seed)))), drawn, st.integers(0, 2**32))


class Nearer(Visitor):
    """Puts real values into some of the places that decide whether anything is found."""

    def __init__(self, ids: Sequence[str], random: random.Random) -> None:
        super().__init__()
        self.ids, self.random = ids, random

    def enter_argument(self, node: Any, *_: Any) -> Any:
        return self._nearer(node)

    def enter_object_field(self, node: Any, *_: Any) -> Any:
        return self._nearer(node)

    def _nearer(self, node: Any) -> Any:
        name, real = node.name.value, self.random.random() < 0.7
        if real and name in IDS:
            return replace(node, value=StringValueNode(value=self.random.choice(self.ids)))
        if real and name == "first":
            return replace(node, value=IntValueNode(value=str(self.random.randint(1, 5))))
        return replace(node, value=NullValueNode()) if real and name == "after" else None


def every(examples: int, *, derandomize: bool = True) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=derandomize,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate],
    )


def main(count: int, number: int) -> None:
    """Prints so many, one a line, as JSON: the same ones for the same number."""

    @seed(number)
    @given(operations(SCHEMA, ROOTS, [PLACE]))
    @every(count, derandomize=False)
    def tell(text: str) -> None:
        sys.stdout.write(json.dumps(text) + "\n")
        sys.stdout.flush()

    tell()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
