"""Many at once are what each would be alone, rows and kept inputs; with external models and loans, too. Made once more, nobody outside is asked again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from hub.credit.differences import Decision
from hub.credit.evaluate import Request
from hub.credit.fairness import axes
from hub.credit.models.reach import Reach, unreachable
from hub.domain.enums import Outcome, Purpose, SourceKind
from hub.domain.identifiers import new_id
from hub.domain.models import LoanState, ModelSlot
from hub.domain.periods import Month
from hub.store import tables
from hub.store.evaluations import Asked, evaluate_customer, portfolios, publish_policies
from hub.store.evaluations.approvals import approve, approved_on, due_on
from hub.store.evaluations.canonical import ORDER, Document, document_of
from hub.store.evaluations.inputs import FORM, as_then
from hub.store.evaluations.keep import evaluate_customers
from hub.store.evaluations.reproduce import DIFFERENT, EQUAL, Reproduction, find_evaluation, reproduce
from hub.store.loans import LoanWord, record
from hub.store.reports import fairness_of, keep_fairness
from hub.store.tables import connection, consent, customer, evaluation_inputs
from tests.hub.credit.models.served import Model, at, naming, served
from tests.hub.store.seed import GRANTEE, Seed
from tests.hub.store.test_portfolios import DOCUMENT
from tests.hub.store.test_reproducing import DAY, Scene, scene, seeded

__all__ = ["scene", "seeded"]
"""Fixtures."""

APPROVAL: dict[str, Any] = {
    "answer": {
        "type": "object",
        "properties": {
            "modelId": {"type": "string"},
            "version": {"type": "string"},
            "output": {"type": "object", "properties": {"approval": {"type": "string"}}, "required": ["approval"]},
        },
        "required": ["modelId", "version", "output"],
    }
}
REFERRED = b'{"modelId": "bank-approval", "version": "1", "output": {"approval": "REFER"}}'


@asynccontextmanager
async def external(found: Scene) -> AsyncIterator[tuple[Model, Model, Reach]]:
    """S03 names a model for its score and one for its approval, from today on."""
    score, approval = Model(), Model(REFERRED)
    async with served(score) as (url, reach), served(approval) as (other, beside):
        named = naming({"SCORE": at(url), "APPROVAL": at(other, model="bank-approval", **APPROVAL)})
        document = {**named.document, "effective_from": "2026-01-02"}
        await publish_policies(found.tx, [document], found.at)

        async def both(asked: Any) -> Any:
            return await (reach if asked.external.slot is ModelSlot.SCORE else beside)(asked)

        yield score, approval, both


async def stored(found: Scene, evaluation_id: Any) -> tuple[Document, Any]:
    """An evaluation's rows, and what is kept of its inputs."""
    rows = {table: [dict(row._mapping) for row in await found.tx.execute(_of(table, evaluation_id))] for table in ORDER}
    return document_of(rows), (await found.tx.execute(_of(evaluation_inputs, evaluation_id))).one()[2:]


def _of(table: Any, evaluation_id: Any) -> Any:
    return select(table).where(table.c.evaluation_id == evaluation_id)


async def again(found: Scene, evaluation_id: Any) -> Reproduction:
    return await reproduce(found.tx, await find_evaluation(found.tx, evaluation_id), found.at + DAY)


async def bare(found: Scene) -> Seed:
    """A customer of whom nothing is known."""
    seed = Seed(found.tx, found.at)
    row = {"kind": "PERSON", "name_masked": "*", "subject_hash": "bare", "created_at": found.at}
    await found.tx.execute(insert(customer), {"customer_id": seed.customer_id, **row})
    return seed


async def lent(found: Scene) -> Asked:
    """A loan that runs, granted on a decision of two months ago; and the evaluation that watches it."""
    granted_on = found.asked.as_of - timedelta(days=60)
    await evaluate_customer(found.tx, replace(found.asked, as_of=granted_on))
    loan = LoanWord(
        "L1", "S03", LoanState.ACTIVE, found.asked.as_of, granted_on, None, Decimal(90_000), Decimal(80_000), Decimal(1_000), 12
    )
    await record(found.tx, found.asked.customer_id, loan, "app", found.at)
    given = [dict(row._mapping) for row in await found.tx.execute(select(consent))]
    await found.tx.execute(insert(consent), [{**row, "consent_id": new_id(), "purpose": Purpose.POST_LOAN} for row in given])
    return replace(found.asked, purpose=Purpose.POST_LOAN.value)


async def test_a_batch_is_what_each_is_alone(scene: Scene) -> None:
    """The first has its gate closed, so that its row says less than those of the others do."""
    someone = await bare(scene)
    asked = [
        replace(scene.asked, customer_id=someone.customer_id),
        replace(scene.asked, scenario="S01"),
        scene.asked,
        replace(scene.asked, request=Request("OPERATING", Decimal(50_000))),
    ]
    async with external(scene) as (score, approval, reach):
        alone = [await evaluate_customer(scene.tx, one, reach) for one in asked]
        heard = score.heard + approval.heard
        together = await evaluate_customers(scene.tx, asked, reach)
    assert [one.outcome for one in together[:3]] == [Outcome.INSUFFICIENT_DATA, Outcome.INSUFFICIENT_DATA, Outcome.ENHANCED]
    for one, other in zip(alone, together, strict=True):
        assert await stored(scene, one.evaluation_id) == await stored(scene, other.evaluation_id)
    assert len(heard) == 4 and len(score.heard) == len(approval.heard) == 4, "two of them may be asked about, each time two models"
    row = await find_evaluation(scene.tx, together[2].evaluation_id)
    assert (row.score, row.grade) == (650, "B") and row.final_limit > 0
    assert (await find_evaluation(scene.tx, together[3].evaluation_id)).supersedes == together[2].evaluation_id


async def test_loans_are_the_same_in_a_batch(scene: Scene) -> None:
    asked = await lent(scene)
    alone = await evaluate_customer(scene.tx, asked)
    first, other = await evaluate_customers(scene.tx, [replace(asked, customer_id=(await bare(scene)).customer_id), asked])
    assert await stored(scene, alone.evaluation_id) == await stored(scene, other.evaluation_id)
    assert (first.found.fired, other.found.fired) == (None, alone.found.fired) and other.found.fired is not None


async def test_models_outside_answer_as_they_did(scene: Scene) -> None:
    async with external(scene) as (score, approval, reach):
        kept = await evaluate_customer(scene.tx, scene.asked, reach)
    assert kept.found.made.findings is not None and kept.found.made.findings.score.total == 650
    assert (await again(scene, kept.evaluation_id)).verdict == EQUAL
    assert len(score.heard) == len(approval.heard) == 1, "nobody is asked again"
    said = "document #>> '{models,SCORE,answer}'"
    changed = f"jsonb_set(document, '{{models,SCORE,answer}}', to_jsonb(replace({said}, '650', '640')))"
    await scene.tamper("evaluation_inputs", f"document = {changed} WHERE document -> 'models' ? 'SCORE'")
    found = await again(scene, kept.evaluation_id)
    assert found.verdict == DIFFERENT, "control: the answer that was kept is what it is made from"


async def test_a_model_that_did_not_answer_does_not_answer_again(scene: Scene) -> None:
    async with external(scene):
        kept = await evaluate_customer(scene.tx, scene.asked, unreachable)
    assert kept.outcome is Outcome.REFER_MANUAL
    assert (await again(scene, kept.evaluation_id)).verdict == EQUAL


async def test_what_the_lender_had_told_is_told_again(scene: Scene) -> None:
    """Since then a connection has ended, the loan is another one, and another decision of that day stands."""
    asked = await lent(scene)
    kept = await evaluate_customer(scene.tx, asked)
    await scene.tx.execute(
        update(connection).where(connection.c.connection_id == scene.connections[SourceKind.SHOP]).values(status="DISCONNECTED")
    )
    loan = LoanWord(
        "L1", "S03", LoanState.SETTLED, asked.as_of, asked.as_of - timedelta(days=60), None, Decimal(90_000), Decimal(0), Decimal(0), 0
    )
    await record(scene.tx, asked.customer_id, loan, "app", scene.at + DAY)
    await evaluate_customer(scene.tx, replace(asked, as_of=asked.as_of - timedelta(days=60)))
    found = await again(scene, kept.evaluation_id)
    assert found.verdict == EQUAL, found.sentence
    await scene.tamper("loan_status", "days_past_due = 40")
    found = await again(scene, kept.evaluation_id)
    assert found.verdict == DIFFERENT and found.difference is not None
    assert "What the lender had told of 1 loans is not what is read now" in found.difference.cause


async def test_who_is_pre_screened_is_scored_by_the_same_model(scene: Scene) -> None:
    """And nobody outside is asked about who is none of the portfolio."""
    mine = scene.asked.customer_id
    async with external(scene) as (score, approval, reach):
        alone = await evaluate_customer(scene.tx, replace(scene.asked, request=Request("OPERATING")), reach)
        some = await portfolios.begin(scene.tx, DOCUMENT, "an author", scene.at, scene.asked.as_of)
        found = (await portfolios.screened(scene.tx, some, [mine], GRANTEE, reach))[mine]
        assert found.decision == Decision.of(alone.found.made) and found.decision.rate == Decimal("0.0460")
        assert (len(score.heard), len(approval.heard)) == (2, 1), "an approval has no part in a decision"
        assert len({str(sorted(one["features"])) for one in score.heard}) == 1
        silent = (await portfolios.screened(scene.tx, some, [mine], GRANTEE))[mine]
        assert silent.decision is not None and silent.decision.outcome is Outcome.REFER_MANUAL, "control: it did not answer"
        other = await portfolios.begin(scene.tx, {**DOCUMENT, "choose": {"industries": ["C"]}}, "an author", scene.at, scene.asked.as_of)
        assert (await portfolios.screened(scene.tx, other, [mine], GRANTEE, reach))[mine].left == "OUTSIDE"
        assert len(score.heard) == 2


@pytest.mark.law("互联网贷款 2020-9: approved anew")
async def test_a_model_that_was_not_approved_anew_is_not_asked(scene: Scene) -> None:
    """Twelve months to the day. What it answered is not asked for again where the evaluation is made again."""
    async with external(scene) as (score, _, reach):
        for days, told, outcome in ((365, None, Outcome.ENHANCED), (1, "NOT_APPROVED", Outcome.REFER_MANUAL)):
            await scene.tamper("policy", f"published_at = published_at - interval '{days} days'")
            made = await evaluate_customer(scene.tx, scene.asked, reach)
            fault = next(one.fault for one in made.found.results if one.slot is ModelSlot.SCORE)
            assert (fault, len(score.heard), made.outcome) == (told, 1, outcome)
            assert (await again(scene, made.evaluation_id)).verdict == EQUAL
        named = "S03", made.found.made.policy.version
        assert await approve(scene.tx, named, "admin", "yearly review", scene.at) == date(2027, 1, 20)
        assert (await approved_on(scene.tx, ["S03"], scene.at - DAY))[named] == date(2025, 1, 19), "as known the day before"
        await evaluate_customer(scene.tx, scene.asked, reach)
        assert len(score.heard) == 2


@pytest.mark.parametrize(("approved", "due"), [("2024-02-29", "2025-02-28"), ("2025-12-31", "2026-12-31")])
def test_an_approval_holds_for_twelve_months(approved: str, due: str) -> None:
    assert due_on(date.fromisoformat(approved)) == date.fromisoformat(due)


@pytest.mark.law("fairness: report")
async def test_of_a_month_the_last_decision_of_each_counts(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.told for one in await fairness_of(scene.tx, Month("2026-01"))] == [False] * (1 + len(axes())), "one customer is few"
    monkeypatch.setattr("hub.credit.fairness.least", lambda: 1)
    await scene.both(scene.at)
    cells = {one.axis: one for one in await fairness_of(scene.tx, Month("2026-01"), "S03")}
    kept = await find_evaluation(scene.tx, scene.kept.evaluation_id)
    assert (cells["ALL"].decided, cells["ALL"].approval_rate, cells["ALL"].mean_limit) == (1, 1, kept.final_limit), "two evaluations of one"
    assert cells["region"].segment == "宁波市" and cells.keys() == {"ALL", *axes()}
    for month, scenario in (("2026-02", None), ("2026-01", "S01")):
        assert await fairness_of(scene.tx, Month(month), scenario) == ()
    assert [await keep_fairness(scene.tx, Month("2026-01"), scene.at + DAY) for _ in range(2)] == [2 * (1 + len(axes())), 0], (
        "once, of all and of S03"
    )


def test_what_was_lacking_is_told_of_todays_form_alone() -> None:
    """Evaluations of before keep the bytes that they had."""
    row = {"lacking": [{"name": "ss_tax_paid"}], "all_in_cost": 1}
    told = [as_then({tables.evaluation: [row]}, form)[tables.evaluation][0] for form in (1, 2, FORM)]
    assert told == [{"lacking": None, "all_in_cost": None}, {"lacking": None, "all_in_cost": 1}, row]


def test_reasons_of_before_keep_their_words() -> None:
    """As they were worded then: sources behind a closed gate, unknown rules without what they ask for, and what is no gate."""
    now = [
        {"code": "G01", "text_en": "Consent is missing: TAX, INVOICE", "text_zh": "缺少授权：TAX、INVOICE"},
        {"code": "G05", "text_en": "The history is too short: Cost of research", "text_zh": "历史数据时间不足：研发费用"},
        {"code": "E01", "text_en": "The business is too young", "text_zh": "经营时间不足"},
    ]
    then = [
        {**now[0], "text_zh": "缺少授权：TAX, INVOICE"},
        {"code": "G05", "text_en": "The history is too short", "text_zh": "历史数据时间不足"},
        now[2],
    ]
    told = [as_then({tables.reason_text: now}, form)[tables.reason_text] for form in (1, 2, FORM)]
    assert told == [then, then, now]
