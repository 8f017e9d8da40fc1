"""The reader of personas: what the format allows is read, everything else is refused in one sentence that names the place.

The format's schema lies in ../shared; the sentences are tested without it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from connectors.sandbox.persona import Persona, load
from hub.credit import policies
from hub.credit.evaluate import Request, evaluate
from hub.credit.expected import to_expected
from hub.credit.policy import read_policy
from hub.errors import PersonaInvalid
from tests.connectors.cn_persona import uscc
from tests.hub.credit.dossiers import dossier_of
from tests.hub.credit.persona_documents import Maker, leaves
from tests.hub.credit.variants import seller

Document = dict[str, Any]
BORROWERS = ("business", "subject_person")
JUNK: tuple[Any, ...] = (None, "", "x", "2025-02-30", "1.5", 0, 1, 1.0, 2.5, -1, 40, True, [], {}, ["x"], {"x": 1})
LINKS = ("no key of", "check character", "of the calendar", "is told", "same length", "more than one", "is there", "offset")
"""What the schema cannot see and the reader refuses: nobody could expand it."""


OPEN_GATE = read_policy({**policies.document("S03"), "sources": []})
"""S03 without a required source."""


@pytest.fixture
def maker(shared: Path) -> Maker:
    return Maker(json.loads((shared / "golden" / "persona.schema.json").read_text("utf-8")))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Any], Path]:
    def written(document: Any) -> Path:
        path = tmp_path / "persona.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
        return path

    return written


@pytest.mark.parametrize("borrower", BORROWERS)
@pytest.mark.parametrize("everything", [True, False])
def test_the_smallest_and_the_largest_document_are_read(
    maker: Maker, write: Callable[[Any], Path], borrower: str, everything: bool
) -> None:
    document = maker.document(lambda _path: everything, borrower)
    assert list(Draft202012Validator(maker.schema).iter_errors(document)) == []
    assert load(write(document)).id == "main"


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.sampled_from(BORROWERS))
def test_any_choice_of_optional_parts_is_read_and_evaluated(maker: Maker, shared: Path, seed: int, borrower: str) -> None:
    """The whole engine runs, as behind an open gate: whatever is missing, it answers in the expected format."""
    document = maker.document(lambda path: Random(f"{seed} {path}").random() < 0.5, borrower)
    assert Draft202012Validator(maker.schema).is_valid(document)
    evaluation = evaluate(dossier_of(Persona.model_validate(document)), OPEN_GATE, Request())
    assert evaluation.findings is not None
    expected = json.loads((shared / "golden" / "expected.schema.json").read_text("utf-8"))
    assert list(Draft202012Validator(expected).iter_errors(to_expected(evaluation, "main"))) == []


def test_the_reader_and_the_schema_agree_about_every_field(maker: Maker, write: Callable[[Any], Path]) -> None:
    """Each field of the largest document takes two kinds of junk: what the schema refuses, the reader refuses with its place, and the other way round."""
    whole = maker.document(lambda _path: True)
    valid = sections(maker.schema, whole)
    refused = 0
    for number, path in enumerate(leaves(whole)[1:]):
        for junk in (JUNK[number % len(JUNK)], JUNK[(number * 7 + 5) % len(JUNK)]):
            document = replaced(whole, path, junk)
            said = sentence(write(document))
            assert said is None or "\n" not in said
            if valid[path[0]](document):
                assert said is None or any(link in said for link in LINKS), (path, junk, said)
            else:
                refused += 1
                assert said, (path, junk)
    assert refused > 300


def sections(schema: Document, whole: Document) -> dict[str, Callable[[Document], bool]]:
    """Whether a document is valid that differs from a valid one in one section: the others need not be looked at again."""
    made = {}
    for name in schema["properties"]:
        looked_at = {one: of if one == name else True for one, of in schema["properties"].items()}
        checked = {**schema, "properties": looked_at}
        made[name] = Draft202012Validator(checked, format_checker=Draft202012Validator.FORMAT_CHECKER).is_valid
    assert Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).is_valid(whole)
    assert all(valid(whole) for valid in made.values())
    return made


def replaced(document: Document, path: tuple[Any, ...], value: Any) -> Document:
    found = deepcopy(document)
    inner: Any = found
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return found


def sentence(path: Path) -> str | None:
    """What the reader says against a file."""
    try:
        load(path)
    except PersonaInvalid as error:
        return str(error)
    return None


def bought(*numbers: str) -> Document:
    """Orders of one buyer by these numbers."""
    order = {"buyer": "a", "amount": "1.00", "confirmed": "1.00", "invoiced": "0.00", "status": "OPEN"}
    days = {"signed_on": "2025-12-01", "deliver_by": "2026-03-01"}
    buyers = {"a": {"name": "买方", "uscc": uscc("91999900MA9XXXX61"), "government": False}}
    return {"account_locked": False, "buyers": buyers, "orders": [{**order, **days, "id": number} for number in numbers]}


def grown(*crops: str) -> Document:
    """These crops on one plot in one season."""
    plot = {"id": "p1", "season": "2026", "claimed_mu": "1", "satellite_mu": "1", "claimed_yield": "1", "lat": 30.0, "lon": 120.0}
    said = dict.fromkeys(("insured", "purchase_contract", "credit_village"), False)
    holders = {"register_holder": "owner", "policy_holder": "owner", "verified_seasons": 0, "harvest_on": "2026-09-20"}
    return holders | said | {"plots": [{**plot, "crop": crop} for crop in crops]}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("as_of",), "2026-02-30", "at as_of: not a day of the calendar as YYYY-MM-DD"),
        (("known_at",), "2026-01-20T10:00:00", "at known_at: a time without an offset; write it as 2026-01-20T10:00:00+08:00"),
        (("scenario",), "S13", "at scenario: not a scenario from S01 to S12"),
        (("reference",), {}, "at reference: lender: missing"),
        (("reference", "margin_bands"), {"F": ["0.1"]}, "at reference: margin_bands.F[1]: missing"),
        (("people",), {}, "at people: an empty list or object, or one with too few entries"),
        (("business", "uscc"), "92330203MA2DEMKX0N", "at business.uscc: not a valid unified social credit code (check character)"),
        (("business", "responsible"), "ghost", "at the top: business.responsible: 'ghost' is no key of people"),
        (("business", "status"), "GONE", "at business.status: not one of 'ACTIVE', 'REVOKED', 'CANCELLED' or 'ABNORMAL'"),
        (("sources", "TAX"), None, "at sources.TAX: null; what is not known is left out"),
        (("sources", "TAX", "from"), "2025-1", "at sources.TAX.from: not a month as YYYY-MM"),
        (("shop", "months", 3, "orders"), "12", "at shop.months[3].orders: not a whole number"),
        (("shop", "fee_rate"), "０.05", "at shop.fee_rate: not a decimal number as text"),
        (("shop", "months", 3, "orders"), -1, "at shop.months[3].orders: a number less than 0"),
        (("shop", "months", 3, "unit_price"), 80.0, "at shop.months[3].unit_price: not an amount in yuan with two decimals as text"),
        (("shop", "months", 1, "month"), "2024-12", "at the top: shop.months: 2024-12 is told 2 times"),
        (("shop", "colour"), "red", "at shop.colour: the format knows no such field"),
        (("ledger", "flows", 0, "account"), "other", "at the top: ledger.flows[0].account: 'other' is no key of ledger.accounts"),
        (("ledger", "flows", 0, "total"), "1.00", None),
        (("ledger", "flows", 1, "amounts"), ["1.00"], "at ledger.flows[1]: a series has either amounts, or a total"),
        (("tax", "withholding", "wages"), ["1.00"], "at the top: tax.withholding: headcount and wages are not of the same length"),
        (("bureau", "accounts", 0, "secured"), "false", "at bureau.accounts[0].secured: neither true nor false"),
        (("procurement",), bought("o1", "o1"), "at the top: procurement.orders: a o1 is told 2 times"),
        (("procurement",), bought("o1", "o2"), None),
        (("farm",), grown("水稻", "水稻"), "at the top: farm.plots: p1 2026 水稻 is told 2 times"),
        (("farm",), grown("水稻", "油菜"), None),
        (("subject_person",), "owner", "at the top: the top: a persona has either a business or a subject_person"),
    ],
)
def test_a_fault_is_one_sentence_with_its_place(write: Callable[[Any], Path], path: tuple[Any, ...], value: Any, said: str | None) -> None:
    found = sentence(write(replaced(seller(), path, value)))
    assert found is None if said is None else found is not None and f"is not a persona: {said}" in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is not JSON"),
        ("[1]", "at the top: not an object"),
        ('{"as_of": NaN}', "NaN is no number"),
        ("[" * 100_000, "it is nested too deeply"),
    ],
)
def test_a_file_that_holds_no_persona(write: Callable[[Any], Path], text: str, said: str) -> None:
    assert said in (sentence(write(text)) or "")


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    assert "There is no persona file at" in (sentence(tmp_path / "none.json") or "")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe{}")
    assert "it is not UTF-8 text" in (sentence(tmp_path / "binary.json") or "")


def test_a_byte_order_mark_is_no_fault(write: Callable[[Any], Path]) -> None:
    assert load(write("\ufeff" + json.dumps(seller()))).id == "online-tea-seller"
