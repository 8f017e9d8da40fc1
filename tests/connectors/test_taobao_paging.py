"""Pages are read from the last one backwards, and whatever changes meanwhile, the figures of the window add up."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.taobao import paging
from hub.connect import ContractBroken, Page


def turned(total: int, rows: int, cursor: Any) -> Page:
    return paging.turn({"total_results": total}, [{}] * rows, cursor, None)


def test_pages_are_read_from_the_last_one_backwards() -> None:
    cursor, sizes, asked = None, [], []
    while True:
        asked.append(paging.page_parameters(cursor)["page_no"])
        number = int(asked[-1])
        page = turned(250, 100 if number < 3 else 50, cursor)
        sizes.append(len(page.records))
        if page.next is None:
            break
        cursor = page.next
    assert (asked, sizes, page.total) == (["1", "3", "2", "1"], [0, 50, 100, 100], 250)


def test_a_window_that_changes_starts_again_and_its_figures_add_up() -> None:
    last = turned(150, 50, turned(150, 100, None).next)
    changed = turned(151, 100, last.next)
    assert (len(changed.records), changed.next["page"]) == (0, 2)  # type: ignore[index]
    again = turned(151, 51, changed.next)
    end = turned(151, 100, again.next)
    handed_out = len(last.records) + len(again.records) + len(end.records)
    assert (end.next, end.total, handed_out) == (None, 201, 201)


def test_a_window_may_become_empty_while_it_is_read() -> None:
    emptied = turned(0, 0, turned(150, 100, None).next)
    end = turned(0, 0, emptied.next)
    assert (end.next, end.total) == (None, 0)


def test_an_empty_page_in_the_middle_breaks_the_contract() -> None:
    with pytest.raises(ContractBroken):
        turned(150, 0, turned(150, 100, None).next)


def test_a_list_without_a_total_breaks_the_contract() -> None:
    with pytest.raises(ContractBroken):
        paging.turn({}, [], None, None)
