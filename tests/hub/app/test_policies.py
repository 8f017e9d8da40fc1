"""The life of a policy in the store: drafted, tried, published by another one, taken back; and what a trial leaves alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from hub.credit import policies
from hub.credit.differences import Differences
from hub.domain.enums import Outcome
from hub.errors import InvalidInput, NotAllowed, NotFound, PolicyInvalid
from hub.store.embedded import Urls
from hub.store.evaluations import drafts, keep_reference
from hub.store.evaluations.drafts import CHANGED, ERASED, SEALED, Draft
from hub.store.evaluations.policies import effective_policy, end_policy
from hub.worker import _errands
from schema import services as contract
from tests.hub.app.conftest import NOW, Desk

SOON = date(2026, 2, 1)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def changed(**changes: Any) -> dict[str, Any]:
    return {**policies.document("S03"), "version": "2026-02-01", "effective_from": SOON.isoformat(), **changes}


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
