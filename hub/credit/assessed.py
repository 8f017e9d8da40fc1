"""By which impact assessment (个人信息保护影响评估, PIPL 55-56) a policy is published: what the document itself states of it, beside what it decides by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from hub.credit import policies
from hub.credit.checking import Found, lines_of, read_text
from hub.domain.assessments import Assessment
from hub.errors import PolicyInvalid

OF_THE_PACKAGE = Assessment("EXAMPLE of the hub, not assessed by the lender", date.fromisoformat(policies.CURRENT))
"""What is said of the policies that come with the hub. Their documents state none, so that whoever copies one has to state his own."""


def stated(document: Mapping[str, Any]) -> Assessment | None:
    """What a document states; None for nothing, and for what an older check would have let pass."""
    return Assessment.of(document.get("assessment"))


def read_to_publish(text: str, today: date) -> Mapping[str, Any]:
    """The document of a text that may be published. Raises PolicyInvalid, with every fault by its line."""
    document = read_text(text)
    one = stated(document)
    if one is None:
        raise _refused(
            1, "it names no impact assessment (PIPL 55, 56)", 'Write it like "assessment": {"id": "PIPIA-2026-014", "on": "2026-01-05"}.'
        )
    if one.on > today:
        raise _refused(
            lines_of(text)["assessment", "on"], f"{one.on} is yet to come: the impact is assessed before", "Publish it when that was done."
        )
    return document


def _refused(line: int, wrong: str, remedy: str) -> PolicyInvalid:
    found = Found(line, "assessment", wrong, remedy)
    return PolicyInvalid(
        found.sentence(), remedy="The draft stays as it is. Discard it, and draft the document anew with what is missing.", faults=(found,)
    )
