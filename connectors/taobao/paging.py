"""Reading a list from its last page backwards, as the vendor asks for, because rows shift while a list is read.

The first request asks page 1 for the total. If everything fits on it, it is the whole answer; otherwise its rows are left and the pages are read from the last to the first.
If the total changes meanwhile, rows came or went: the window starts again. ``seen`` counts what was read so far, ``base`` what of it an earlier start had read, so that the
declared total is what the whole window must have given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.connect import ContractBroken, Interval, Json, Page

SIZE = 100


def page_parameters(cursor: Json | None) -> dict[str, str]:
    """The page of a cursor; the total is wanted, so not ``use_has_next``."""
    return {"page_no": str(cursor["page"] if cursor else 1), "page_size": str(SIZE), "use_has_next": "false"}


def turn(found: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], cursor: Json | None, covered: tuple[Interval, ...] | None) -> Page:
    """The page that was read, and where to go on."""
    total = found.get("total_results")
    if not isinstance(total, int):
        raise ContractBroken("a list without total_results")
    last = -(-total // SIZE)
    if cursor is None:
        return Page(next=_at(last, total)) if last > 1 else Page(tuple(rows), total=total, covered=covered)
    seen, base = int(cursor.get("seen", 0)), int(cursor.get("base", 0))
    if total != cursor["total"]:
        return Page(next=_at(max(last, 1), total, seen, seen), restart=True)
    if total and not rows:
        raise ContractBroken("a page before the end is empty")
    page = int(cursor["page"])
    if page > 1:
        return Page(tuple(rows), next=_at(page - 1, total, seen + len(rows), base))
    return Page(tuple(rows), total=base + total, covered=covered)


def _at(page: int, total: int, seen: int = 0, base: int = 0) -> Json:
    return {"page": page, "total": total, "seen": seen, "base": base}
