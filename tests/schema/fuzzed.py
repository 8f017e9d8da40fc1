"""Operations as hypothesis-graphql draws them from the printed contract, brought nearer to the data: some ids are real, some pages have a size that may be."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from graphql import IntValueNode, NullValueNode, StringValueNode, Visitor, build_schema, print_ast, visit
from hypothesis import strategies as st

from schema.contract import HubSchema

IDS = {"id", "customerId", "fromId", "intoId", "connectionId", "partyId"}


def operations(schema: HubSchema, roots: Sequence[str], ids: Sequence[str]) -> st.SearchStrategy[str]:
    """Texts of valid documents that select some of these fields of Query and Mutation. Raises ImportError where hypothesis-graphql is not installed."""
    from hypothesis_graphql import from_schema, nodes

    scalars = {
        "Date": st.dates().map(lambda day: nodes.String(day.isoformat())),
        "DateTime": st.datetimes().map(lambda at: nodes.String(at.isoformat() + "Z")),
        "Decimal": st.decimals(allow_nan=False, allow_infinity=False, places=2).map(lambda number: nodes.String(str(number))),
    }
    drawn: Any = from_schema(build_schema(schema.sdl()), fields=list(roots), custom_scalars=scalars, print_ast=lambda node: node)
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
