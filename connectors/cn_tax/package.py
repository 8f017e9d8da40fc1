"""The rows of a package: canonical text, keys in one case, the unit of their amounts, and the groups that make one record."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from connectors.cn_tax.sign import canonical
from hub.connect import ContractBroken

Row = Mapping[str, Any]


def canonical_rows(rows: Iterable[Row]) -> str:
    return "".join(map(canonical, rows))


def labelled(row: Row, unit: str) -> dict[str, Any]:
    """The row with upper-case keys and the unit of its amounts: a record must be readable without its page."""
    return {"JEDW": unit, **{name.upper(): value for name, value in row.items()}}


def group(rows: Sequence[Row], key: str | None) -> list[list[Row]]:
    """Neighbours with the same key; every row alone without one. Raises ContractBroken when rows are not in the order of the key."""
    if key is None:
        return [[row] for row in rows]
    groups = [(value, list(members)) for value, members in groupby(rows, lambda row: row.get(key))]
    if len({value for value, _ in groups}) != len(groups):
        raise ContractBroken("the rows are not in the order of their key", code=key)
    return [members for _, members in groups]


def joined(
    rows: Sequence[Row], key: str | None, aside: Container[object], *, whole: bool
) -> tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]:
    """Records, and the rows that wait for the next page: the last group may go on there unless these rows are the ``whole`` rest."""
    groups = group(rows, key)
    if key is None:
        return tuple(dict(row) for (row,) in groups), ()
    left = () if whole or not groups else tuple(dict(row) for row in groups.pop())
    return tuple(_record(key, members, aside) for members in groups), left


def _record(key: str, rows: list[Row], aside: Container[object]) -> dict[str, Any]:
    value = rows[0].get(key)
    return {key: value, "aside": value in aside, "rows": [dict(row) for row in rows]}
