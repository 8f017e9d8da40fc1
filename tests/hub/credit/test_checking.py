"""A policy as text: each fault is told with its line, and all of them at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from hub.credit import policies
from hub.credit.checking import check, check_file, lines_of, read_text, text_of
from hub.credit.own_documents import NAMES
from hub.credit.shape import written
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
        ('"cb_shop_score >= 4.6"', '"cb_shop_scores >= 4.6"', "eligibility[2].pass", "which nothing is called"),
        ('"code": "E10"', '"code": "E99"', "eligibility[4].code", "'E99' is not known"),
        ("2.0 * ss_min_month", "2.0 * ss_min_month > 1", "legs[1].amount", "is no amount"),
        ("\"check_R1 == 'PASS'\"", "\"check_R1 == 'PAS'\"", "uplifts[0].any[0]", "asks for"),
        ('"op_hf_streak >= 12"', '"op_hf_streak >="', "uplifts[4].any[0]", ""),
        ('"uplift_ceiling": "0.50"', '"uplift_ceiling": "-1"', "uplift_ceiling", "is no share from 0 to 1"),
        ("0.20 * verified_revenue", "0.20 * verified", "caps.REVENUE", "which nothing is called"),
        ('"base": 9', '"base": "ss_cv >= 1"', "term.base", "is no amount"),
        ('"base": 9', '"base": 358', "term", "it has more than 360 months"),
        ('"EQUAL_PRINCIPAL"', '"WHENEVER"', "repayment[0]", "'WHENEVER' is not known"),
        ('"cb_shop_score >= 4.6"', '"op_device_count <= 3"', "eligibility[2].pass", "fraud prevention and monitoring only"),
        ('"uplift_ceiling": "0.50"', '"uplift_ceiling": "0.50", "spread": "0.01"', "spread", "on nothing else (PIPL 24)"),
        (
            '"cb_shop_score >= 4.6"',
            '"rr_risk_adjusted_margin >= 0"',
            "eligibility[2].pass",
            "which is made of the offer that it would lead to",
        ),
        ('"cb_shop_score >= 4.6"', '"cb_shop_score / ss_cv != 2"', "eligibility[2].pass", "asks whether a quotient equals something"),
        ('"TRADE"', '"BARTER"', "sales_series", "'BARTER' is not known"),
        ('"PRODUCT": "500000"', '"PRODUCT": "-500000"', "caps.PRODUCT", "is not above 0"),
        ('"PRODUCT": "500000"', '"PRODUCT": "(0)"', "caps.PRODUCT", "is not above 0"),
        ('"PRODUCT": "500000"', '"PRODUCT": "5 - 7"', "caps.PRODUCT", "is not above 0"),
        ('"uplift_ceiling": "0.50"', '"uplift_ceiling": "1e-1"', "uplift_ceiling", "is no share"),
        ('"uplift_ceiling": "0.50"', '"uplift_ceiling": "０.5"', "uplift_ceiling", "is no share"),
        ('"bonus": 3', '"bonus": 3, "bonus": 30', "term.bonus", "it stands there twice"),
        ('"guarantee": [', '"assessment": {"id": "PIPIA-1", "on": "2026-02-30"}, "guarantee": [', "assessment.on", "is no day"),
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
    assert [one.where for one in found] == ["eligibility[1].code", "caps.REVENUE", "guarantee[0]"]
    assert [one.line for one in found] == sorted(one.line for one in found)


@pytest.mark.parametrize(
    ("text", "line", "wrong"),
    [
        ("", 1, "it is no JSON"),
        ('{\n  "id": "S03",\n  oops\n}', 3, "it is no JSON"),
        ("[1]", 1, "it is no JSON object"),
        ("{}", 1, "incomplete"),
        (TEXT.replace('"legs"', '"lags"'), line_of('"legs"'), "`lags` is not known"),
        (TEXT.replace('"uplift_ceiling": "0.50",', ""), 1, "'uplift_ceiling' missing"),
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
        ('"uplift_ceiling": "0.50"', '"uplift_ceiling": "NaN"', "uplift_ceiling", "is no share"),
        ('"base": 9', '"base": [9]', "term.base", "is no whole number from 1 to 360, or expression"),
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


OUT_OF_RANGE: dict[str, tuple[tuple[str | int, ...], Any, str]] = {
    "less than no month": (("sources", 0), {"kind": "SHOP", "months": -1}, "sources[0].months"),
    "months that nothing is said of": (("sources", 0), {"kind": "SHOP", "months": 18}, "sources[0].months"),
    "all of no months": (("sources", 0), {"kind": "TAX", "all": True}, "sources[0]"),
    "one source and several": (("sources", 0), {"kind": "TAX", "any": ["SHOP"]}, "sources[0]"),
    "no source": (("sources", 0), {"months": 12}, "sources[0]"),
    "a source nobody serves": (("sources", 0), {"kind": "TAXES"}, "sources[0].kind"),
    "a term without an end": (("term",), {"base": 0, "bonus": 0}, "term.base"),
    "less than no bonus": (("term",), {"base": 9, "bonus": -1}, "term.bonus"),
    "half an uplift too many": (("uplifts", 0, "share"), "1.50", "uplifts[0].share"),
    "a share as a number": (("uplifts", 0, "share"), 0.15, "uplifts[0].share"),
    "a share that is none": (("uplifts", 0, "share"), "Infinity", "uplifts[0].share"),
    "a word for true": (("uplifts", 0, "enabled"), "yes", "uplifts[0].enabled"),
    "a name of nothing": (("title",), " ", "title"),
    "a cap that caps all": (("caps", "PRODUCT"), "0.00", "caps.PRODUCT"),
}


@pytest.mark.parametrize("name", OUT_OF_RANGE)
def test_a_value_out_of_its_range_is_refused(name: str) -> None:
    path, value, where = OUT_OF_RANGE[name]
    document = json.loads(TEXT)
    inside: Any = document
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value
    text = text_of(document)
    (found,) = check(text)
    assert found.where == where and found.remedy
    assert found.line == next(line for place, line in lines_of(text).items() if written(place) == where)


SCORE = {
    "kind": "http", "model": "m", "url": "https://m.example/s", "features": ["ss_cv"],
    "request": {"type": "object", "properties": {"asOf": {"type": "string"}}},
    "answer": {"type": "object", "properties": {"modelId": {"type": "string"}, "version": {"type": "string"}, "output": {
        "type": "object", "properties": {"score": {"type": "integer"}}}}, "required": ["modelId", "version", "output"]},
}  # fmt: skip
WHOLE = {
    **json.loads(TEXT),
    "assessment": {"id": "PIPIA-1", "on": "2026-01-05"},
    "fees": [{"kind": "GUARANTEE", "once": "0.01"}],
    "models": {"SCORE": SCORE},
}
"""With the members that no policy of the package has."""
DOCUMENTS = {**{name: policies.document(name) for name in policies.names()}, "every member": WHOLE}


def members(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every member, but for those of JSON Schemas: these have their own check."""
    for name, below in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(name, str):
            yield (*path, name)
        if name not in ("request", "answer"):
            yield from members(below, (*path, name))


def renamed(value: Any, path: tuple[str | int, ...], name: str) -> Any:
    """With the last member of a path under another name, at its place."""
    if len(path) > 1:
        inside = renamed(value[path[0]], path[1:], name)
        return {**value, path[0]: inside} if isinstance(value, dict) else [*value[: path[0]], inside, *value[path[0] + 1 :]]  # type: ignore[misc]
    return {(name if one == path[0] else one): below for one, below in value.items()}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_member_can_be_misspelt(name: str) -> None:
    """Each once, at every level: the fault is on the line of the member, and most often what was meant is named."""
    document, meant = DOCUMENTS[name], 0
    assert check(text_of(document)) == [], "control"
    every = list(members(document))
    assert len(every) > 40
    for path in every:
        wrong = (*path[:-1], f"{path[-1]}x")
        text = text_of(renamed(document, path, str(wrong[-1])))
        found = next(one for one in check(text) if one.where == written(wrong))
        assert found.line == lines_of(text)[wrong] and f"`{wrong[-1]}` is not known" in found.wrong, (path, found)
        meant += f"`{path[-1]}`" in found.remedy
    assert meant > 0.9 * len(every)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_member_can_be_added(name: str) -> None:
    document = DOCUMENTS[name]
    for path in {one[:-1] for one in members(document)}:
        text = text_of(with_member(document, path))
        (found,) = check(text)
        assert (found.where, found.line) == (written((*path, "comment")), lines_of(text)[*path, "comment"])
        assert found.remedy.startswith(("Known are ", "Did you mean "))


def with_member(value: Any, path: tuple[str | int, ...]) -> Any:
    if not path:
        return {**value, "comment": "for nobody"}
    inside = with_member(value[path[0]], path[1:])
    return {**value, path[0]: inside} if isinstance(value, dict) else [*value[: path[0]], inside, *value[path[0] + 1 :]]  # type: ignore[misc]


@pytest.mark.parametrize("name", NAMES)
def test_the_hubs_own_documents_are_checked_as_what_they_are(name: str) -> None:
    document = policies.document(name)
    assert check_file(policies.raw(name).decode()) == (name, [])
    last = list(document)[-1]
    text = text_of({**document, f"{last}x": None})
    kind, (found,) = check_file(text)
    assert (kind, found.where, found.remedy) == (name, f"{last}x", f"Did you mean `{last}`?")
    with pytest.raises(PolicyInvalid):
        read_text(policies.raw(name).decode())


def test_what_the_engines_parameters_say_is_checked_too() -> None:
    text = policies.raw("engine").decode().replace("registration_status == 'ACTIVE'", "registration_state == 'ACTIVE'")
    kind, (found,) = check_file(text)
    assert (kind, found.where, found.line) == ("engine", "hard_exclusions[0].unless", line_of("registration_state", text))
    assert check_file(TEXT) == (None, []), "a policy is a policy"


def test_what_cannot_be_read_is_a_fault() -> None:
    """A number that is none to a reader of 64 bits, where a model's request may hold anything."""
    model = {
        "kind": "http",
        "model": "m",
        "features": ["ss_cv"],
        "url": "https://models.example/s",
        "request": {"maximum": 2**70},
        "answer": {},
    }
    found = check(json.dumps({**policies.document("S03"), "models": {"SCORE": model}}))
    assert [one.wrong for one in found] and found[0].line == 1
