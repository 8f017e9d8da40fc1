"""An external model over HTTP: it answers, and the engine goes on from there; whatever is wrong with its answer, the default formula answers and says why."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.credit.checking import check
from hub.credit.models import schemas
from hub.credit.models.reach import outside
from hub.credit.models.run import Complete
from hub.domain.enums import MissingReason, Outcome
from hub.domain.models import ModelFault, ModelKind, ModelSlot
from hub.errors import PolicyInvalid
from tests.hub.credit.models.cases import value, watched, whole
from tests.hub.credit.models.served import ANSWER, SCORE, Model, at, naming, served
from tests.hub.credit.variants import evaluated, seller

SELLER = evaluated(seller()).dossier


def of(found: Complete, slot: ModelSlot = ModelSlot.SCORE) -> Any:
    return next(one for one in found.results if one.slot is slot)


@pytest.mark.law("互联网贷款 2021-24: core risk control")
async def test_an_external_score_goes_into_the_engine() -> None:
    """650 is grade B: 3.00 + 1.90 - 0.30 = 4.60 %; caps and limit are the engine's."""
    model = Model()
    async with served(model) as (url, reach):
        found = await whole(SELLER, policy=naming({"SCORE": at(url)}), reach=reach)
    result, made = of(found), found.made.findings
    assert (result.kind, result.model_id, result.version, result.wanted, result.fault) == (
        ModelKind.HTTP,
        "bank-score",
        "2025-11",
        "bank-score",
        None,
    )
    assert [value(result, name) for name in ("score", "grade")] == [650, "B"] and str(value(result, "probabilityOfDefault")) == "0.021"
    assert made is not None and made.price is not None and made.limit is not None
    assert (str(made.price.rate), made.limit.final_limit, found.made.outcome) == ("0.0460", 223_000, Outcome.ENHANCED)
    assert result.answer["output"]["score"] == 650 and len(result.request_sha256) == 64
    assert found.made.reasons.codes == ("C06",), "its own reasons are told"


async def test_nothing_is_sent_that_the_schema_does_not_name() -> None:
    model = Model()
    async with served(model) as (url, reach):
        await whole(SELLER, policy=naming({"SCORE": at(url)}), reach=reach)
    (heard,) = model.heard
    assert set(heard) == {"modelSlot", "asOf", "features"} and set(heard["features"]) == set(SCORE["features"])
    assert heard["features"]["ss_tax_rating"] == {"value": None, "unit": "ENUM", "missingReason": "INSUFFICIENT_COVERAGE"}
    assert heard["features"]["rr_dscr"]["value"] == "13.175"


def answering(**changes: Any) -> bytes:
    return orjson.dumps({**ANSWER, **changes})


FAULTS = {
    "too slow": (Model(wait=3), ModelFault.TIMEOUT),
    "a redirect": (Model(status=302, headers={"Location": "http://127.0.0.1:1/"}), ModelFault.REFUSED),
    "an error": (Model(status=500), ModelFault.REFUSED),
    "no JSON": (Model(b"ready"), ModelFault.WRONG_SHAPE),
    "a list": (Model(b"[]"), ModelFault.WRONG_SHAPE),
    "a member too few": (Model(orjson.dumps({"output": {"score": 650}})), ModelFault.WRONG_SHAPE),
    "a member too many": (Model(answering(name="x")), ModelFault.WRONG_SHAPE),
    "an output too many": (Model(answering(output={"score": 650, "limit": 9})), ModelFault.WRONG_SHAPE),
    "a score as text": (Model(answering(output={"score": "650"})), ModelFault.WRONG_SHAPE),
    "a score that is true": (Model(answering(output={"score": True})), ModelFault.WRONG_SHAPE),
    "a reason nobody knows": (Model(answering(reasonCodes=["Z99"])), ModelFault.WRONG_SHAPE),
    "above the document's bound": (Model(answering(output={"score": 701})), ModelFault.OUT_OF_RANGE),
    "below the slot's": (Model(answering(output={"score": 399})), ModelFault.OUT_OF_RANGE),
    "a probability above one": (Model(answering(output={"score": 650, "probabilityOfDefault": 1.01})), ModelFault.OUT_OF_RANGE),
    "an enormous number": (Model(answering(output={"score": 650}).replace(b"650", b"1" + b"0" * 5000)), ModelFault.WRONG_SHAPE),
    "NaN": (Model(answering(output={"score": 650}).replace(b"650", b"NaN")), ModelFault.NOT_A_NUMBER),
    "Infinity": (Model(answering(output={"score": 650}).replace(b"650", b"-Infinity")), ModelFault.NOT_A_NUMBER),
    "too large": (Model(answering(warnings=["x" * 70_000])), ModelFault.TOO_LARGE),
    "compressed": (Model(headers={"Content-Encoding": "gzip"}), ModelFault.TOO_LARGE),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_whatever_is_wrong_the_default_formula_answers_and_says_why(name: str) -> None:
    """679 is the scorecard's; who scored by a stand-in is not decided on by a machine."""
    model, fault = FAULTS[name]
    async with served(model) as (url, reach):
        found = await whole(SELLER, policy=naming({"SCORE": at(url, timeout_ms=300)}), reach=reach)
    result = of(found)
    assert (result.kind, result.model_id, result.fault, result.wanted) == (ModelKind.DEFAULT, "hub.score", fault, "bank-score")
    assert (value(result, "score"), found.made.outcome, result.answer) == (679, Outcome.REFER_MANUAL, None)


async def test_nobody_is_called_who_is_not_listed(tmp_path: Path) -> None:
    """Also not a listed host under another path; and a listed one that is away is a fault, too."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}/score"
    model = Model()
    async with served(model) as (url, _):
        for listed in ([], [f"{url}/v1"], ["http://127.0.0.1:1/score"]):
            reach = outside(listed, tmp_path)
            result = of(await whole(SELLER, policy=naming({"SCORE": at(url)}), reach=reach))
            await reach.http.close()
            assert (result.fault, model.heard) == (ModelFault.UNREACHABLE, [])
    reach = outside([closed], tmp_path)
    assert of(await whole(SELLER, policy=naming({"SCORE": at(closed)}), reach=reach)).fault is ModelFault.UNREACHABLE
    await reach.http.close()


@pytest.mark.law("互联网贷款 2021-24: core risk control")
async def test_an_approval_can_only_be_stricter_than_the_engine() -> None:
    slot = ModelSlot.APPROVAL
    answer = {**SCORE["answer"], "properties": {**SCORE["answer"]["properties"], "output": {
        "type": "object", "properties": {"approval": {"type": "string"}}, "required": ["approval"]}}}  # fmt: skip
    for word, expected in (("APPROVE", "APPROVE"), ("REFER", "REFER"), ("DECLINE", "DECLINE")):
        async with served(Model(answering(output={"approval": word}))) as (url, reach):
            found = await whole(SELLER, policy=naming({slot.value: at(url, answer=answer)}), reach=reach)
        assert (value(of(found, slot), "approval"), found.made.outcome) == (expected, Outcome.ENHANCED)
    async with served(Model(status=500)) as (url, reach):
        found = await whole(SELLER, policy=naming({slot.value: at(url, answer=answer)}), reach=reach)
        assert (value(of(found, slot), "approval"), of(found, slot).fault) == ("REFER", ModelFault.REFUSED), "nobody approves by a stand-in"


async def test_points_of_an_external_model_have_the_hubs_levels() -> None:
    slot = ModelSlot.POST_LOAN
    answer = {**SCORE["answer"], "properties": {**SCORE["answer"]["properties"], "output": {
        "type": "object", "properties": {"points": {"type": "integer"}}, "required": ["points"]}}}  # fmt: skip
    model = Model(answering(output={"points": 71}))
    async with served(model) as (url, reach):
        policy = naming({slot.value: at(url, answer=answer)})
        found = of(await whole(SELLER, watched(), policy, reach), slot)
        assert [value(found, name) for name in ("points", "level")] == [71, "RED"] and len(model.heard) == 1
        nobody = of(await whole(SELLER, policy=policy, reach=reach), slot)
        assert (value(nobody, "level"), nobody.wanted, len(model.heard)) == (MissingReason.NOT_APPLICABLE, None, 1), "nobody is asked about"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"features": ["op_device_count"]}, "may not be used"),
        ({"features": ["nobody"]}, "nothing is called"),
        ({"features": ["owner_ethnicity"]}, "may not be looked at .PIPL 24"),
        ({"timeout_ms": 5000}, "timeout_ms"),
        ({"request": {"type": "object", "properties": {"idNumber": {"type": "string"}}}}, "not known"),
        ({"answer": {"type": "object", "properties": {}, "pattern": "x"}}, "not supported"),
        ({"answer": {"type": "object", "properties": {}}}, "must require"),
        ({"kind": "carrier pigeon"}, "wrong type or word"),
        ({"kind": "onnx", "file": "../x.onnx", "sha256": "00" * 32, "outputs": {"score": "y"}}, "plain name"),
        ({"kind": "onnx", "file": "x.onnx", "sha256": "00" * 32, "outputs": {"limit": "y"}}, "other things"),
    ],
)
@pytest.mark.law("requirements: fraud monitoring only")
def test_a_document_that_cannot_work_is_refused_when_it_is_read(changes: dict[str, Any], said: str) -> None:
    named = at("https://models.bank.example/score", **changes)
    of_http = ("url", "request", "answer") if "file" in named else ()
    with pytest.raises(PolicyInvalid, match=said):
        naming({"SCORE": {name: one for name, one in named.items() if name not in of_http}})


def test_a_fault_is_told_with_its_line() -> None:
    document = {**naming({"SCORE": at("https://m.example/s")}).document, "models": {"SCORE": at("https://m.example/s", timeout_ms=5000)}}
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
    (found,) = check(text)
    assert text.splitlines()[found.line - 1].strip().startswith('"timeout_ms"') and "timeout_ms" in found.wrong


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(["modelId", "version", "output", "score", "x"]), below, max_size=4)
    ),
    max_leaves=8,
)


WORDS = st.sampled_from([*schemas.KEYWORDS, "$ref"])
SCHEMAS = st.recursive(
    JSON | st.sampled_from(["number", "object", "string"]),
    lambda below: st.dictionaries(WORDS, below, max_size=4) | st.lists(below, max_size=2),
    max_leaves=10,
)


@given(SCHEMAS, JSON)
def test_whatever_stands_for_a_schema_is_refused_or_works(schema: Any, value_: object) -> None:
    """Drafts of policies come from outside: none makes the hub stumble, when it is read or when it is used."""
    if not list(schemas.faults(schema)):
        assert schemas.wrong(schema, value_) in (None, *ModelFault)


@given(JSON)
def test_no_answer_is_taken_that_does_not_fit(given_: object) -> None:
    """Whatever is sent: a fault, or all that is required and within its bounds."""
    fault = schemas.wrong(SCORE["answer"], given_)
    if fault is None:
        assert isinstance(given_, dict) and {"modelId", "version", "output"} <= set(given_)
        assert 400 <= given_["output"]["score"] <= 700 and not isinstance(given_["output"]["score"], bool)
