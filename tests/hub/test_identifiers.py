"""Identifiers by their standards' checksums, ids that sort by time, masks that hide."""

from __future__ import annotations

import itertools
import time
import uuid
from datetime import date

import pytest

from hub.domain.identifiers import birth_date, is_resident_id, is_uscc, mask, new_id, new_id_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("339998198709170425", "339998********0425"),
        ("92330203MA2DEMKX0M", "923302********KX0M"),
        ("6222021234567890", "622202******7890"),
        ("622202123456789", "622202*****6789"),
        ("62220212345678", "622*******5678"),
        ("13800000000", "138****0000"),
        ("138000abcdef", "138*****cdef"),
        ("13800abcdefg", "1***********"),
        ("1234567890", "1*********"),
        ("b002705", "b******"),
        ("沈知夏", "沈**"),
        ("宁波晚屋茶器店", "宁******"),
        ("一个名字很长很长很长很长的有限公司", "一****************"),
        ("A", "A*"),
    ],
)
def test_a_mask_hides_at_least_four(text: str, shown: str) -> None:
    assert mask(text) == shown
    assert shown.count("*") >= min(4, max(1, len(text) - 1))


@pytest.mark.parametrize("position", range(18))
def test_a_changed_character_is_noticed(position: int) -> None:
    """Any one changed digit breaks the check of a code (MOD 31-3) and of a resident ID (ISO 7064 MOD 11-2)."""
    for good, check in (("92330203MA2DEMKX0M", is_uscc), ("339998198709170425", is_resident_id)):
        assert check(good)
        other = "1" if good[position] != "1" else "2"
        assert not check(good[:position] + other + good[position + 1 :])


def test_a_resident_id_is_born_on_a_real_day() -> None:
    assert birth_date("339998198709170425") == date(1987, 9, 17)
    assert not is_resident_id("339998198709170425", today=date(1987, 9, 16))


def test_ids_sort_by_time() -> None:
    first = new_id()
    time.sleep(0.002)
    second = new_id()
    assert first < second
    assert (first.version, second.version, first.variant) == (7, 7, uuid.RFC_4122)
    assert abs((first.int >> 80) - time.time_ns() // 1_000_000) < 60_000


def test_ids_sort_within_a_millisecond() -> None:
    """As rows of the access log do, which are shown by their ids. (A clock that is set back, or a tie, is nobody's fault: nearly all.)"""
    made = []
    for _ in range(1_000):
        made.append(new_id())
        until = time.perf_counter_ns() + 2_000
        while time.perf_counter_ns() < until:
            pass
    assert len({one.int >> 80 for one in made}) < 900, "many of them were made in one millisecond"
    assert sum(one < other for one, other in itertools.pairwise(made)) > 990
    assert len({one.int & (1 << 62) - 1 for one in made}) == 1_000


def test_an_id_as_text_is_one() -> None:
    before, text, after = new_id(), new_id_text(), new_id()
    made = uuid.UUID(text)
    assert str(made) == text and before < made < after
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
