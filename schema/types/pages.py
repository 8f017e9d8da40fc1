"""Relay connections: ``nodes`` for those who want rows, ``edges`` for those who want a cursor with each."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import strawberry

from schema.access import shown

T = TypeVar("T")
First = Annotated[int, strawberry.argument(description="Number of rows, 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="Rows behind this cursor: the `endCursor` of the page before.")]


COUNTED = "Number of all rows under the same arguments, at most 100000. Costs a count: ask for it once, not with every page."
EXACT = "False: there are more rows than `totalCount`, which stops at 100000."


@strawberry.type(
    description="Where a page stands in the whole. A cursor is opaque, belongs to the field that answered it, and stays valid when rows come and go."
)
class PageInfo:
    has_next_page: bool = shown("There are rows after this page.")
    has_previous_page: bool = shown("The page was asked for with `after`.")
    start_cursor: str | None = shown("Cursor of the first row; null when the page is empty.")
    end_cursor: str | None = shown("Cursor of the last row; pass it as `after` to go on.")


@strawberry.type(description="A row with its cursor.")
class Edge(Generic[T]):
    node: T = shown("The row.")
    cursor: str = shown("Its cursor.")


@strawberry.type(description="One page of rows, the newest first.")
class Connection(Generic[T]):
    total_count: int = shown(COUNTED)
    total_is_exact: bool = shown(EXACT)
    nodes: list[T] = shown("The rows.")
    edges: list[Edge[T]] = shown("The rows with their cursors.")
    page_info: PageInfo = shown("Where this page stands.")
