"""The lock holds no version below the floor that a known vulnerability sets (trust rules, section c)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.version import Version

LOCK = Path(__file__).resolve().parents[1] / "requirements" / "hub.txt"
FLOOR = {
    "authlib": "1.9.9",
    "joserfc": "1.8.0",
    "starlette": "1.10",
    "strawberry-graphql": "0.341.2",
    "h11": "0.16.0",
    "cryptography": "45",
    "graphql-core": "3.3.2",
}


def below_floor(lock: str) -> list[str]:
    versions = dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", lock, re.M))
    return [name for name, floor in FLOOR.items() if Version(versions[name]) < Version(floor)]


def test_nothing_below_the_floor() -> None:
    assert below_floor(LOCK.read_text("utf-8")) == []


@pytest.mark.parametrize("name", FLOOR)
def test_the_check_notices_a_lower_version(name: str) -> None:
    lowered = re.sub(rf"^{name}==\S+", f"{name}==0.0.1", LOCK.read_text("utf-8"), flags=re.M)
    assert below_floor(lowered) == [name]
