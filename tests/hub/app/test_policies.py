"""The life of a policy in the store: drafted, tried, published by another one, taken back; and what a trial leaves alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Table, insert, text
from sqlalchemy.exc import ProgrammingError

from hub.credit import policies
from hub.credit.checking import text_of
from hub.credit.differences import Differences
from hub.credit.policy import read_policy
from hub.domain.enums import Outcome
from hub.domain.identifiers import new_id
from hub.errors import InvalidInput, NotAllowed, NotFound, PolicyInvalid
from hub.store import tables
from hub.store.embedded import Urls
from hub.store.evaluations import drafts, keep_reference
from hub.store.evaluations.drafts import CHANGED, ERASED, SEALED, Draft
from hub.store.evaluations.policies import effective_policy, end_policy, policies_in_force
from hub.store.evaluations.reproduce import EQUAL, find_evaluation, reproduce
from hub.worker import _errands
from schema import services as contract
from tests.hub.app.conftest import NOW, Desk

SOON = date(2026, 2, 1)
ASSESSED = {"id": "PIPIA-7", "on": "2026-01-05"}
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def changed(**changes: Any) -> dict[str, Any]:
    """None leaves a member out."""
    made = {**policies.document("S03"), "version": "2026-02-01", "effective_from": SOON.isoformat(), "assessment": ASSESSED, **changes}
    return {name: value for name, value in made.items() if value is not None}


async def written(desk: Desk, author: str = "an author", **changes: Any) -> Draft:
    async with desk.runtime.database.work() as tx:
        return await drafts.draft_policy(tx, changed(**changes), author, NOW)


async def evaluated(desk: Desk) -> str:
    """An evaluation of somebody of whom nothing is known: S03 cannot decide."""
    asked = contract.Evaluate(await desk.shop(), "S03", "OPERATING", None, None, None)
    return (await desk.services.evaluate(desk.call(), asked)).evaluation_id


async def tried(desk: Desk, draft: Draft) -> Differences:
    database, grantee = desk.runtime.database, desk.runtime.settings.grantee
    async with database.work() as tx:
        draft = await drafts.try_draft(tx, draft.draft_id, SINCE)
    while await drafts.come_to(database, draft, grantee, NOW, 2):
        pass
    async with database.work() as tx:
        assert len(set(await drafts.progress(tx, draft))) == 1, "it has come to all of them"
        return await drafts.report(tx, draft.draft_id)


async def applies(desk: Desk, day: date) -> str:
    async with desk.runtime.database.work() as tx:
        return (await effective_policy(tx, "S03", day)).version


@pytest.mark.law("互联网贷款 2020-9: approved")
async def test_whoever_wrote_it_does_not_publish_it(desk: Desk) -> None:
    draft = await written(desk)
    with pytest.raises(NotAllowed, match="does not publish it"):
        async with desk.runtime.database.work() as tx:
            await drafts.publish_draft(tx, draft.draft_id, "an author", NOW, NOW.date())
    assert await applies(desk, SOON) == "2026-01-01"
    async with desk.runtime.database.work() as tx:
        done = await drafts.publish_draft(tx, draft.draft_id, "another", NOW, NOW.date())
    assert (done.state, done.decided_by) == ("PUBLISHED", "another")
    assert (await applies(desk, SOON - timedelta(days=1)), await applies(desk, SOON)) == ("2026-01-01", "2026-02-01")
    with pytest.raises(InvalidInput, match="is published"):
        async with desk.runtime.database.work() as tx:
            await drafts.discard_draft(tx, draft.draft_id, "another", NOW, "too late")
    with pytest.raises(InvalidInput, match="was published before"):
        await written(desk)


async def test_a_policy_does_not_begin_to_apply_on_a_day_that_is_over(desk: Desk) -> None:
    draft = await written(desk, effective_from="2026-01-10")
    with pytest.raises(InvalidInput, match="a day that is over"):
        async with desk.runtime.database.work() as tx:
            await drafts.publish_draft(tx, draft.draft_id, "another", NOW, NOW.date())
    assert await applies(desk, SOON) == "2026-01-01"


async def test_a_draft_with_a_fault_is_not_kept(desk: Desk) -> None:
    with pytest.raises(PolicyInvalid, match="factor"):
        await written(desk, factor="ss_cv >= 1")
    async with desk.runtime.database.work() as tx:
        assert await drafts.drafts(tx) == []
        with pytest.raises(NotFound):
            await drafts.draft(tx, (await _id(tx)))


async def _id(tx: Any) -> Any:
    return (await tx.execute(text("SELECT gen_random_uuid()"))).scalar_one()


@pytest.mark.law("互联网贷款 2020-9: monitored")
async def test_a_trial_tells_what_would_become_of_what_was_decided_and_changes_nothing(desk: Desk) -> None:
    """Without the sources that it cannot do without, the same shop is judged by what is known: nothing, so it is not eligible or not decided for other reasons."""
    made = await evaluated(desk)
    before = await rows(desk, "SELECT * FROM evaluation")
    found = await tried(desk, await written(desk, sources=[], eligibility=[]))
    assert (found.cases, found.changed, dict(found.left)) == (1, 1, {})
    ((moved, count),) = found.moves.items()
    assert count == 1 and moved[0] is Outcome.INSUFFICIENT_DATA and moved[1] is not Outcome.INSUFFICIENT_DATA
    assert [one.name for one in found.examples] == [made]
    assert await rows(desk, "SELECT * FROM evaluation") == before
    same = await tried(desk, await written(desk, title="the same"))
    assert (same.cases, same.changed) == (1, 0)


async def test_what_comes_later_is_tried_too_until_it_ends(desk: Desk) -> None:
    draft = await written(desk)
    await evaluated(desk)
    assert (await tried(desk, draft)).cases == 1
    await evaluated(desk)
    assert (await tried(desk, draft)).cases == 2
    async with desk.runtime.database.work() as tx:
        assert [one.draft_id for one in await drafts.tried(tx)] == [draft.draft_id]
        await drafts.try_draft(tx, draft.draft_id, None)
        assert await drafts.tried(tx) == []


async def test_a_worker_comes_to_what_is_on_trial_by_itself(desk: Desk) -> None:
    draft = await written(desk)
    await evaluated(desk)
    await _errands(desk.runtime)
    async with desk.runtime.database.work() as tx:
        assert (await drafts.report(tx, draft.draft_id)).cases == 0, "control: it is not on trial yet"
        await drafts.try_draft(tx, draft.draft_id, SINCE)
    await _errands(desk.runtime)
    async with desk.runtime.database.work() as tx:
        assert (await drafts.report(tx, draft.draft_id)).cases == 1


async def test_an_evaluation_whose_inputs_are_others_now_is_not_compared(desk: Desk) -> None:
    await evaluated(desk)
    async with desk.runtime.database.work() as tx:
        await keep_reference(tx, "lender", {"lender": "样例银行", "margin_bands": {"F52": ["0.2", "0.4"]}}, NOW)
    found = await tried(desk, await written(desk))
    assert (found.cases, dict(found.left)) == (0, {CHANGED: 1})


_READ = text("""INSERT INTO feature_evidence (customer_id, evaluation_id, feature_id, ordinal, kind, source, facts, digest)
    SELECT customer_id, evaluation_id, 'f', 0, 'TaxReturn', 'TAX', 5, '11' FROM evaluation""")


async def test_an_evaluation_whose_inputs_nobody_may_read_any_more_is_not_made_once_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its inputs are there yet: they are not looked at."""
    await evaluated(desk)
    async with desk.runtime.database.work() as tx:
        await tx.execute(_READ)
    found = await tried(desk, await written(desk))
    assert (found.cases, dict(found.left)) == (0, {SEALED: 1})

    async def always(*of: Any) -> bool:
        return True

    monkeypatch.setattr(drafts, "readable_today", always)
    assert (await tried(desk, await written(desk, version="2026-02-02"))).cases == 1, "it is asked that keeps it from being made"


async def test_an_evaluation_whose_inputs_are_erased_is_not_made_once_more(desk: Desk, urls: Urls) -> None:
    await evaluated(desk)
    with psycopg.connect(urls.owner.replace("+psycopg", "")) as owner:
        owner.execute("SELECT set_config('row_security', 'off', false)")
        owner.execute("ALTER TABLE evaluation NO FORCE ROW LEVEL SECURITY")
        owner.execute("UPDATE evaluation SET inputs_erased_on = current_date")
        owner.execute("ALTER TABLE evaluation FORCE ROW LEVEL SECURITY")
    found = await tried(desk, await written(desk))
    assert (found.cases, dict(found.left)) == (0, {ERASED: 1})


@pytest.mark.law("互联网贷款 2020-9: monitored")
async def test_a_version_is_taken_back_and_the_one_before_applies_again(desk: Desk) -> None:
    draft, later = await written(desk), SOON + timedelta(days=10)
    async with desk.runtime.database.work() as tx:
        await drafts.publish_draft(tx, draft.draft_id, "another", NOW, NOW.date())
        back = await end_policy(tx, "S03", "2026-02-01", (later, NOW.date()), actor="another", reason="too many referrals", now=NOW)
    assert back.version == "2026-01-01"
    assert [await applies(desk, day) for day in (SOON, later - timedelta(days=1), later, later + timedelta(days=400))] == [
        "2026-02-01", "2026-02-01", "2026-01-01", "2026-01-01",
    ]  # fmt: skip
    for version, said in (("2026-02-01", "was ended before"), ("2026-01-01", "is the only one in force")):
        with pytest.raises(InvalidInput, match=said):
            async with desk.runtime.database.work() as tx:
                await end_policy(tx, "S03", version, (later, NOW.date()), actor="another", reason="again", now=NOW)
    with pytest.raises(InvalidInput, match="is over"):
        async with desk.runtime.database.work() as tx:
            await end_policy(tx, "S03", "2026-02-01", (NOW.date() - timedelta(days=1), NOW.date()), actor="another", reason="late", now=NOW)
    with pytest.raises(NotFound):
        async with desk.runtime.database.work() as tx:
            await end_policy(tx, "S03", "1999", (later, NOW.date()), actor="another", reason="again", now=NOW)


async def rows(desk: Desk, statement: str) -> list[Any]:
    async with desk.runtime.database.work() as tx:
        return [tuple(row) for row in await tx.execute(text(statement))]


async def test_a_trial_leaves_out_what_nothing_was_decided_by(desk: Desk) -> None:
    asked = contract.Evaluate(await desk.shop(), "S03", "OPERATING", None, NOW.date() - timedelta(days=30), None)
    await desk.services.evaluate(desk.call(), asked)
    assert await rows(desk, "select what_if from evaluation") == [(True,)]
    found = await tried(desk, await written(desk))
    assert (found.cases, dict(found.left)) == (0, {})


STALE = {"upplifts": [], "factor": "ss_cv >= 1 ? 1.0 : ss_cv >= 2 ? 0.9 : 0.8", "assessment": None}
"""What the check of today refuses: a member that nobody reads, and a row that is never reached. An older one let both pass."""


async def stored(desk: Desk, table: Table, **more: Any) -> dict[str, Any]:
    """As an older version of the hub would have kept it."""
    document = changed(version="2026-01-02", effective_from="2026-01-02", **STALE)
    row = {"policy_id": "S03", "version": document["version"], "sha256": policies.sha256(document), "document": document}
    async with desk.runtime.database.work() as tx:
        await tx.execute(insert(table), {**row, "effective_from": date(2026, 1, 2), **more})
    return document


async def test_what_was_published_goes_on_whatever_the_check_of_today_says(desk: Desk) -> None:
    document = await stored(desk, tables.policy, published_at=NOW)
    with pytest.raises(PolicyInvalid, match="upplifts"):
        read_policy(document)
    assert await applies(desk, NOW.date()) == "2026-01-02"
    made = await evaluated(desk)
    assert await rows(desk, "SELECT policy_version FROM evaluation") == [("2026-01-02",)]
    async with desk.runtime.database.work() as tx:
        assert (await reproduce(tx, await find_evaluation(tx, UUID(made)), NOW)).verdict == EQUAL
        assert (await policies_in_force(tx, NOW.date()))["S03"].version == "2026-01-02"
    assert await rows(desk, "SELECT assessment_id FROM policy WHERE version = '2026-01-02'") == [(None,)]
    (count,) = await rows(desk, "SELECT count(*) FROM policy WHERE assessment_id LIKE 'EXAMPLE of the hub%' AND assessed_on = '2026-01-01'")
    assert count == (12,), "those of the package say what they are"


async def test_a_draft_of_an_older_check_is_shown_and_not_published(desk: Desk) -> None:
    draft_id = new_id()
    await stored(desk, tables.policy_draft, draft_id=draft_id, state="OPEN", author="an author", created_at=NOW)
    async with desk.runtime.database.work() as tx:
        (shown,) = await drafts.drafts(tx)
    with pytest.raises(PolicyInvalid, match=r"`upplifts` is not known\. Did you mean `uplifts`\?") as refused:
        async with desk.runtime.database.work() as tx:
            await drafts.publish_draft(tx, draft_id, "another", NOW, date(2026, 1, 2))
    (found,) = refused.value.facts["faults"]
    assert found.where == "upplifts" and '"upplifts"' in text_of(shown.policy.document).splitlines()[found.line - 1]
    assert await rows(desk, "SELECT state FROM policy_draft") == [("OPEN",)]


@pytest.mark.law("PIPL 55-56: policies")
async def test_no_policy_is_published_before_its_impact_was_assessed(desk: Desk) -> None:
    for number, (assessment, said) in enumerate(
        ((None, "names no impact assessment"), ({"id": "PIPIA-7", "on": "2027-01-05"}, "yet to come"))
    ):
        draft = await written(desk, version=f"2026-02-0{number + 2}", assessment=assessment)
        with pytest.raises(PolicyInvalid, match=said) as refused:
            async with desk.runtime.database.work() as tx:
                await drafts.publish_draft(tx, draft.draft_id, "another", NOW, NOW.date())
        assert refused.value.facts["faults"][0].where == "assessment"
    draft = await written(desk)
    async with desk.runtime.database.work() as tx:
        await drafts.publish_draft(tx, draft.draft_id, "another", NOW, NOW.date())
    kept = await rows(desk, "SELECT assessment_id, assessed_on FROM policy WHERE version >= '2026-02'")
    assert kept == [("PIPIA-7", date(2026, 1, 5))], "control: with one it is, and it is kept"
    for statement in ("UPDATE policy SET assessment_id = 'x'", "DELETE FROM policy"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            await rows(desk, statement)
