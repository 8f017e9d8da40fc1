"""The contract changes in the open: what breaks is named, what is deprecated has a day, and each check finds what is planted."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from schema.contract import build_schema
from schema.evolution import CHANGELOG, RELEASED, Change, changes, overdue, unnamed

ROOT = Path(__file__).resolve().parents[2]
SDL = build_schema().sdl()
TODAY = date(2027, 1, 1)
SMALL = """
directive @access(scope: String!, level: String!, kind: String!) on OBJECT | INTERFACE | FIELD_DEFINITION
enum Tier { HIGH LOW }
input Asked { tier: Tier }
type Query @access(scope: "customers:read", level: "C1", kind: "NONE") { tier(asked: Asked, first: Int = 20): Tier! name: String! }
"""


def test_what_breaks_since_the_last_release_is_named() -> None:
    found = changes(RELEASED.read_text("utf-8"), SDL)
    for one in found:
        print(one)
    assert unnamed(found, CHANGELOG.read_text("utf-8")) == [], "name it in CHANGELOG.md, under Unreleased, in these words"


PLANTED = {
    "a field that is gone": ("name: String!", "", "Field Query.name was removed."),
    "another type": ("name: String!", "name: Int!", "Field Query.name changed type from String! to Int!."),
    "null where there was none": ("name: String!", "name: String", "Field Query.name changed type from String! to String."),
    "a value that is gone": ("HIGH LOW", "LOW", "Enum value Tier.HIGH was removed."),
    "an input that must be given": ("tier: Tier }", "tier: Tier! }", "Field Asked.tier changed type from Tier to Tier!."),
    "another scope": ('"customers:read"', '"facts:read"', "Field Query.name needs the scope facts:read instead of customers:read."),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_change_that_breaks_is_found(planted: str) -> None:
    """Control: not named, it fails; named, also across lines, it passes; named under an older release, it fails."""
    old, new, said = PLANTED[planted]
    found = changes(SMALL, SMALL.replace(old, new))
    assert Change(said, True) in found, found
    assert Change(said, True) in unnamed(found, "# Changelog\n\n## Unreleased\n\n- Nothing.\n")
    named = "".join(f"- {one.said}\n" for one in found).replace(" was", "\n  was")
    assert unnamed(found, f"# Changelog\n\n## Unreleased\n\n{named}\n## 1.0\n") == []
    assert unnamed(found, f"# Changelog\n\n## Unreleased\n\n- Nothing.\n\n## 1.0\n\n{named}") != []


def test_a_planted_change_in_the_contract_itself_is_found() -> None:
    """Control, on the real file."""
    old = "  finalLimit: Decimal"
    assert old in SDL
    found = changes(RELEASED.read_text("utf-8"), SDL.replace(old, "  lastLimit: Decimal"))
    assert [one.said for one in unnamed(found, CHANGELOG.read_text("utf-8"))] == ["Field Evaluation.finalLimit was removed."]


def test_what_is_dangerous_is_told() -> None:
    found = changes(SMALL, SMALL.replace("HIGH LOW", "HIGH LOW NONE").replace("Int = 20", "Int = 50"))
    assert found and not any(one.breaks for one in found)
    assert any("NONE" in one.said for one in found) and any("first" in one.said for one in found)
    assert changes(SMALL, SMALL.replace("name: String!", "name: String! more: Int")) == [], "more is no danger"


def test_a_deprecation_has_a_day_and_what_is_past_it_is_gone() -> None:
    assert overdue(SDL, datetime.now(UTC).date()) == []


def test_a_deprecation_without_a_day_or_past_it_is_found() -> None:
    """Control."""
    for reason, fault in {
        "Use tier. Removed after 2027-05-01.": None,
        "Use tier. Removed after 2026-12-31.": "was to be removed after 2026-12-31",
        "Use tier.": "ends with",
        "Removed after 2027-05-01.": "ends with",
        "Use tier. Removed after 2027-13-01.": "ends with",
    }.items():
        for place, where in {
            "name: String!": "Query.name",
            "tier: Tier": "Asked.tier",
            "LOW": "Tier.LOW",
            "first: Int = 20": "Query.tier(first)",
        }.items():
            found = overdue(SMALL.replace(place, f'{place} @deprecated(reason: "{reason}")', 1), TODAY)
            assert len(found) == (fault is not None) and all(one.startswith(f"{where}: ") and str(fault) in one for one in found), found


def test_the_command_tells_and_ends_with_one_when_something_is_not_named() -> None:
    told = subprocess.run([sys.executable, "-m", "schema.evolution"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
