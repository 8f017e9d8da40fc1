"""Industry codes and names of cities: what can be one."""

from __future__ import annotations

import pytest

from hub.domain.classifications import divisions_of, fault_of_city, fault_of_industry
from hub.domain.periods import day_of


def test_the_divisions_are_ninety_seven_and_each_is_in_one_section() -> None:
    """GB/T 4754-2017."""
    numbers = [number for section in "ABCDEFGHIJKLMNOPQRST" for number in divisions_of(section)]
    assert numbers == list(range(1, 98))
    assert (divisions_of("A"), divisions_of("F"), divisions_of("K"), divisions_of("C")) == (
        range(1, 6),
        range(51, 53),
        range(70, 71),
        range(13, 44),
    )


@pytest.mark.parametrize("code", ["A", "F52", "F5292", "C3", "C33", "K70", "S9100", "T9700"])
def test_an_industry(code: str) -> None:
    assert fault_of_industry(code) is None


@pytest.mark.parametrize("code", ["", "U", "f52", "52", "F 52", "F529200", "Ｆ52", "F5２", "F53", "K71", "A00", "C5", "A06"])
def test_what_is_no_industry(code: str) -> None:
    found = fault_of_industry(code)
    assert found is not None and found.message.endswith(".") and found.remedy.endswith(".")


@pytest.mark.parametrize("name", ["宁波市", "阿坝藏族羌族自治州", "大兴安岭地区", "锡林郭勒盟", "神农架林区", "象山县", "鄂温克族自治旗"])
def test_a_city(name: str) -> None:
    assert fault_of_city(name) is None


@pytest.mark.parametrize(
    "name", ["", "市", "宁波", "330200", "Ningbo", " 宁波市", "宁波市\n", "浙江省", "浙江省宁波市", "广西壮族自治区", "宁波市1"]
)
def test_what_is_no_city(name: str) -> None:
    found = fault_of_city(name)
    assert found is not None and found.remedy.endswith(".")


def test_a_day_is_written_in_one_way() -> None:
    assert str(day_of("2026-02-28")) == "2026-02-28"
    assert [day_of(one) for one in ("20260228", "2026-W09-6", "2026-02-30", "2026-2-28", "２０２６-02-28", "", None, 20260228)] == [
        None
    ] * 8
