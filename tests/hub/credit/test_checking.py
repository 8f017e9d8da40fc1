"""A policy as text: each fault is told with its line, and all of them at once."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import Any

import pytest

from hub.credit import policies
from hub.credit.checking import check, read_text
from hub.errors import PolicyInvalid

TEXT = policies.raw("S03").decode()


def line_of(words: str, text: str = TEXT) -> int:
    """The line in which the words stand, counted by hand of str.splitlines."""
    (found,) = [number for number, line in enumerate(text.splitlines(), 1) if words in line]
    return found


@pytest.mark.parametrize("name", policies.names())
def test_the_policies_of_the_package_have_no_fault(name: str) -> None:
    text = policies.raw(name).decode()
    assert check(text) == []
    assert read_text(text) == policies.document(name)


@pytest.mark.parametrize(
    ("before", "after", "where", "wrong"),
    [
        ('"cb_shop_score >= 4.6"', '"cb_shop_scores >= 4.6"', "eligibility[2]", "which nothing is called"),
        ('"code": "E10"', '"code": "E99"', "eligibility[4]", "'E99' is not known"),
        ("2.0 * ss_min_month", "2.0 * ss_min_month > 1", "leg LOWEST", "is no amount"),
        ("\"check_R1 == 'PASS'\"", "\"check_R1 == 'PAS'\"", "uplift S03.U1", "asks for"),
        ('"op_hf_streak >= 12"', '"op_hf_streak >="', "uplift S03.U5", ""),
        ('"uplift_ceiling": "0.50"', '"uplift_ceiling": "-1"', "uplift_ceiling and term", "neither is below 0"),
        ("0.20 * verified_revenue", "0.20 * verified", "cap REVENUE", "which nothing is called"),
        ('"base": 9', '"base": "ss_cv >= 1"', "term", "is no amount"),
        ('"base": 9', '"base": 358', "term", "it has more than 360 months"),
        ('"EQUAL_PRINCIPAL"', '"WHENEVER"', "repayment", "'WHENEVER' is not known"),
        ('"cb_shop_score >= 4.6"', '"op_device_count <= 3"', "eligibility[2]", "fraud prevention and monitoring only"),
        ('"uplift_ceiling": "0.50"', '"uplift_ceiling": "0.50", "spread": "0.01"', "spread", "on nothing else (PIPL 24)"),
        ('"cb_shop_score >= 4.6"', '"rr_risk_adjusted_margin >= 0"', "eligibility[2]", "which is made of the offer that it would lead to"),
        ('"cb_shop_score >= 4.6"', '"cb_shop_score / ss_cv != 2"', "eligibility[2]", "asks whether a quotient equals something"),
        ('"TRADE"', '"BARTER"', "sales_series", "'BARTER' is not known"),
    ],
)
def test_a_fault_is_told_with_its_line(before: str, after: str, where: str, wrong: str) -> None:
    text = TEXT.replace(before, after)
    assert text != TEXT
    (found,) = check(text)
    assert (found.line, found.where) == (line_of(after, text), where)
    assert wrong in found.wrong and found.remedy
    with pytest.raises(PolicyInvalid, match=f"Line {found.line}, "):
        read_text(text)


def test_all_faults_are_told_in_the_order_of_their_lines() -> None:
    text = (
        TEXT.replace("WHENEVER", "").replace('"UNSECURED"', '"TRUST"').replace("0.20 * verified_revenue", "x +").replace('"E08"', '"E77"')
    )
    found = check(text)
    assert [one.where for one in found] == ["eligibility[1]", "cap REVENUE", "guarantee"]
    assert [one.line for one in found] == sorted(one.line for one in found)


@pytest.mark.parametrize(
    ("text", "line", "wrong"),
    [
        ("", 1, "it is no JSON"),
        ('{\n  "id": "S03",\n  oops\n}', 3, "it is no JSON"),
        ("[1]", 1, "it is no JSON object"),
        ("{}", 1, "incomplete"),
        (TEXT.replace('"legs"', '"lags"'), 1, "'legs'"),
    ],
)
def test_what_is_no_policy_at_all(text: str, line: int, wrong: str) -> None:
    (found,) = check(text)
    assert found.line == line
    assert wrong in found.wrong


@pytest.mark.parametrize(
    ("before", "after", "where", "wrong"),
    [
        ('"sources": [', '"sources": ["SHOP", ', "sources[0]", "is no object"),
        ('"uplift_ceiling": "0.50"', '"uplift_ceiling": "NaN"', "uplift_ceiling", "is no decimal"),
        ('"base": 9', '"base": [9]', "term.base", "is no number or expression"),
        ('"id": "S03"', '"id": "S 03"', "id", "is no name"),
        ('"TRADE"', '"TRA\\u0000DE"', "the text", "a character that is none"),
        ('"TRADE"', "NaN", "the text", "NaN is no number"),
        ('"TRADE"', "[" * 30 + "]" * 30, "the text", "nests more than"),
        ('"TRADE"', "9" * 5000, "the text", "Exceeds the limit"),
    ],
)
def test_a_value_of_another_kind_is_a_fault_and_no_accident(before: str, after: str, where: str, wrong: str) -> None:
    """What comes through the API may be anything."""
    text = TEXT.replace(before, after, 1)
    assert text != TEXT
    found = check(text)
    assert (found[0].where, len(found)) == (where, 1) and wrong in found[0].wrong and found[0].remedy, found


def test_whatever_is_written_into_a_policy_is_checked_to_the_end() -> None:
    random, words = Random(53), [None, True, -1, 1.5, "", "0.5", [], {}, [1], {"a": 1}, "x >= ", "9**9**9", "(" * 900, 10**30]
    seen: Counter[bool] = Counter()
    for _ in range(60):
        document = json.loads(policies.raw(random.choice(policies.names())))
        inside: Any = document
        for _ in range(random.randrange(3)):
            below = [one for one in (inside.values() if isinstance(inside, dict) else inside) if isinstance(one, dict | list) and one]
            inside = random.choice(below) if below else inside
        place = random.choice(list(inside) if isinstance(inside, dict) else range(len(inside)))
        inside[place] = random.choice(words)
        seen[bool(check(json.dumps(document)))] += 1
    assert seen[True] > 30 and seen[False] > 0
