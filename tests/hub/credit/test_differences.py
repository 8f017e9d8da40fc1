"""What another policy would change, in sums that are added by hand."""

from __future__ import annotations

from decimal import Decimal

from hub.credit.differences import EXAMPLES, Case, Decision, differences
from hub.domain.enums import Outcome

BASE = Decision(Outcome.BASE_ONLY, Decimal(100_000), Decimal("0.05"), 9, ("C05",))
MORE = Decision(Outcome.ENHANCED, Decimal(130_000), Decimal("0.04"), 12, ("C06",))
LESS = Decision(Outcome.BASE_ONLY, Decimal(90_000), Decimal("0.06"), 9, ("C05",))
NONE = Decision(Outcome.INELIGIBLE, None, None, None, ("E08",))


def test_every_case_is_counted_once() -> None:
    found = differences([Case("a", BASE, BASE), Case("b", BASE, MORE), Case("c", BASE, LESS), Case("d", MORE, NONE), Case("e", NONE, BASE)])
    assert (found.cases, found.changed) == (5, 4)
    assert dict(found.moves) == {
        (Outcome.BASE_ONLY, Outcome.BASE_ONLY): 2,
        (Outcome.BASE_ONLY, Outcome.ENHANCED): 1,
        (Outcome.ENHANCED, Outcome.INELIGIBLE): 1,
        (Outcome.INELIGIBLE, Outcome.BASE_ONLY): 1,
    }
    # 100 + 100 + 100 + 130 + 0, and 100 + 130 + 90 + 0 + 100, in thousands.
    assert (found.limit_before, found.limit_after) == (Decimal(430_000), Decimal(420_000))
    assert (found.raised, found.lowered, found.cheaper, found.dearer) == (2, 2, 1, 1)
    assert (dict(found.gained), dict(found.lost)) == ({"C06": 1, "E08": 1, "C05": 1}, {"C05": 1, "C06": 1, "E08": 1})


def test_examples_are_the_cases_with_most_to_look_at() -> None:
    small = [Case(str(number), BASE, Decision(Outcome.BASE_ONLY, Decimal(100_000 + number), None, 9, ())) for number in range(1, 30)]
    found = differences([*small, Case("gone", MORE, NONE), Case("same", BASE, BASE)])
    assert [one.name for one in found.examples] == ["gone", *(str(number) for number in range(29, 29 - EXAMPLES + 1, -1))]


def test_as_a_document_money_and_rates_are_text() -> None:
    document = differences([Case("a", BASE, NONE)]).document()
    assert document["outcomes"] == [{"from": "BASE_ONLY", "to": "INELIGIBLE", "count": 1}]
    assert document["limits"] == {"before": "100000", "after": "0", "raised": 0, "lowered": 1}
    assert document["examples"][0]["before"] == {"outcome": "BASE_ONLY", "limit": "100000", "rate": "0.05", "term": 9, "reasons": ["C05"]}
