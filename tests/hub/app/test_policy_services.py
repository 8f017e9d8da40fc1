"""Policies through the API: the same steps as at the machine, audited with what was and what is; and what drafts and trials show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import insert, select, text

from hub.app.policies import EVER, PolicySteps
from hub.credit import policies
from hub.domain.enums import Outcome
from hub.domain.identifiers import new_id
from hub.errors import InvalidInput, NotAllowed, NotFound, PolicyInvalid
from hub.store.embedded import Urls
from hub.store.evaluations import drafts
from hub.store.evaluations.drafts import CHANGED, ERASED
from hub.store.security import PRIVATE
from hub.store.tables import audit_event, evaluation, policy_trial
from hub.store.view import CATALOGUE
from hub.store.view.catalogue import Catalogue, Embedded, Many, NodeOf, One, Paged
from hub.worker import _errands
from schema import services as contract
from schema.examples import example
from tests.hub.app.conftest import ORIGIN, Desk
from tests.hub.app.once.scene import Scene, opened
from tests.hub.app.test_access_log import holds
from tests.hub.app.test_policies import evaluated, rows

REASON = "too many referrals"
ASSESSED = {"id": "PIPIA-7", "on": "2026-01-05"}


def document(**changes: Any) -> str:
    made = {**policies.document("S03"), "version": "2026-02-01", "effective_from": "2026-02-01", "assessment": ASSESSED, **changes}
    return json.dumps(made, ensure_ascii=False, indent=1)


async def drafted(desk: Desk, client: str = "partner-app", **changes: Any) -> str:
    return (await desk.services.policies.draft(desk.call(client), contract.DraftPolicy(document(**changes)))).draft_id


async def events(desk: Desk) -> list[Any]:
    async with desk.runtime.database.work() as tx:
        found = await tx.execute(select(audit_event).where(audit_event.c.action.like("policy.%")).order_by(audit_event.c.sequence))
        # The policies of the release were published by the operator.
        return [(row.actor, row.action, row.subject, row.before, row.after) for row in found if row.actor != "operator"]


async def test_a_policy_lives_from_a_draft_to_its_end_and_each_step_is_audited(desk: Desk) -> None:
    services, draft_id = desk.services.policies, await drafted(desk)
    with pytest.raises(NotAllowed, match="does not publish it"):
        await services.publish(desk.call("partner-app"), contract.PublishPolicyDraft(draft_id))
    await services.try_out(desk.call("partner-app"), contract.TryPolicyDraft(draft_id, None, False))
    done = await services.publish(desk.call("other-app"), contract.PublishPolicyDraft(draft_id))
    assert done == contract.DraftStep(draft_id, "S03", "2026-02-01", "PUBLISHED")
    ended = await services.end(desk.call("other-app"), contract.EndPolicyVersion("S03", "2026-02-01", None, REASON))
    assert (ended.ends_on, ended.applies) == (desk.runtime.clock.today(), "2026-01-01")
    told = [
        (actor, action, subject, (before or {}).get("state"), (after or {}).get("state"))
        for actor, action, subject, before, after in await events(desk)
    ]
    subject = "policy:S03:2026-02-01"
    assert told == [
        ("partner-app", "policy.draft", subject, None, "OPEN"),
        ("partner-app", "policy.try", subject, "OPEN", "TRIED"),
        ("other-app", "policy.publish", subject, "TRIED", "PUBLISHED"),
        ("other-app", "policy.end", subject, None, None),
    ]
    *_, before, after = (await events(desk))[-1]
    assert (before, after) == ({"ends_on": None}, {"ends_on": "2026-01-20", "reason": REASON, "applies": "2026-01-01"})
    assert await holds(desk)


async def test_the_machine_and_the_api_are_two_pairs_of_eyes(desk: Desk) -> None:
    """What a client wrote an operator publishes, and the other way round; neither publishes his own."""
    steps = PolicySteps(desk.runtime.vault.keys, desk.runtime.clock)
    mine = await drafted(desk)
    async with desk.runtime.database.work() as tx:
        theirs = await steps.draft(tx, "operator:ann", json.loads(document(version="2026-02-02")))
    with pytest.raises(NotAllowed):
        async with desk.runtime.database.work() as tx:
            await steps.publish(tx, "operator:ann", theirs.draft_id)
    async with desk.runtime.database.work() as tx:
        assert (await steps.publish(tx, "operator:ann", UUID(mine))).decided_by == "operator:ann"
    asked = contract.PublishPolicyDraft(str(theirs.draft_id))
    assert (await desk.services.policies.publish(desk.call("partner-app"), asked)).state == "PUBLISHED"


async def test_a_document_with_faults_is_refused_with_all_of_them(desk: Desk) -> None:
    broken = document(factor="ss_cv >= 1").replace('"E10"', '"E99"')
    with pytest.raises(PolicyInvalid) as refused:
        await desk.services.policies.draft(desk.call(), contract.DraftPolicy(broken))
    found = refused.value.facts["faults"]
    assert [one.where for one in found] == ["eligibility[4].code", "factor"]
    assert all(one.remedy and broken.splitlines()[one.line - 1] for one in found)
    assert await events(desk) == [] and await rows(desk, "SELECT 1 FROM policy_draft") == []


@pytest.mark.parametrize("wrong", ["", "x", "0", "01a21ecc-a49f-7990-a54f-1a98904741de"])
async def test_what_is_no_draft_is_not_found(desk: Desk, wrong: str) -> None:
    for step, asked in (
        (desk.services.policies.publish, contract.PublishPolicyDraft(wrong)),
        (desk.services.policies.discard, contract.DiscardPolicyDraft(wrong, REASON)),
        (desk.services.policies.try_out, contract.TryPolicyDraft(wrong, None, False)),
    ):
        with pytest.raises(NotFound):
            await step(desk.call(), asked)  # type: ignore[operator]


async def test_what_is_asked_for_has_a_reason_and_says_one_thing(desk: Desk) -> None:
    services, draft_id = desk.services.policies, await drafted(desk)
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(InvalidInput, match="reason"):
            await services.discard(desk.call(), contract.DiscardPolicyDraft(draft_id, reason))
        with pytest.raises(InvalidInput, match="reason"):
            await services.end(desk.call(), contract.EndPolicyVersion("S03", "2026-01-01", None, reason))
    with pytest.raises(InvalidInput, match="since"):
        await services.try_out(desk.call(), contract.TryPolicyDraft(draft_id, EVER, True))
    assert (await services.discard(desk.call(), contract.DiscardPolicyDraft(draft_id, REASON))).state == "DISCARDED"


DRAFTS = """query ($id: ID) { policyDrafts(draftId: $id) { nodes { draftId state author decidedBy discardReason document trial { since running evaluations done
    differences { compared isExact changed limitBefore limitAfter raised lowered dearer cheaper outcomes { before after count } gained { code count }
    lost { code count } leftOut { why count } examples { evaluationId before { outcome limit rate termMonths reasons } after { outcome limit rate termMonths reasons } } } } } } }"""


async def shown(scene: Scene, draft_id: str, client: str = "admin") -> Any:
    answer = (await scene.sides[client].ask(DRAFTS, {"id": draft_id})).json()
    assert "errors" not in answer, answer
    (found,) = answer["data"]["policyDrafts"]["nodes"]
    return found


async def test_an_admin_follows_a_draft_through_the_api(urls: Urls, tmp_path: Path) -> None:
    async with opened(urls, tmp_path, ORIGIN) as scene:
        await evaluated(scene.desk)
        bad = (await scene.ask("draftPolicy", "admin", {"document": document(factor="ss_cv >= 1")}, "k0")).json()["data"]["draftPolicy"]
        assert (
            bad["__typename"] == "PolicyInvalid" and [one["path"] for one in bad["faults"]] == ["factor"] and bad["faults"][0]["line"] > 1
        )
        made = (await scene.ask("draftPolicy", "admin", {"document": document(sources=[], eligibility=[])}, "k1")).json()["data"][
            "draftPolicy"
        ]
        assert (made["__typename"], made["state"]) == ("PolicyDrafted", "OPEN")
        found = await shown(scene, made["draftId"])
        assert (found["author"], found["trial"]) == ("admin", None) and json.loads(found["document"])["version"] == "2026-02-01"
        assert (await scene.ask("tryPolicyDraft", "admin", {"draftId": made["draftId"]}, "k2")).json()["data"]["tryPolicyDraft"][
            "state"
        ] == "TRIED"
        trial = (await shown(scene, made["draftId"]))["trial"]
        assert (trial["evaluations"], trial["done"], trial["running"]) == (1, 0, True)
        await _errands(scene.desk.runtime)
        trial = (await shown(scene, made["draftId"]))["trial"]
        assert (trial["done"], trial["differences"]["compared"], trial["differences"]["changed"]) == (1, 1, 1)
        (refused,) = (await scene.ask("publishPolicyDraft", "admin", {"draftId": made["draftId"]}, "k3")).json()["data"].values()
        assert refused["__typename"] == "NotAllowed" and refused["remedy"]
        listed = (await scene.sides["admin"].ask(example("Policies"), {"scenario": "S03"})).json()["data"]["policies"]["nodes"]
        assert [(one["version"], one["applies"]) for one in listed] == [("2026-01-01", True)]
        both = (
            await scene.sides["admin"].ask(
                "{ a: policyDrafts { nodes { state } } b: policies { totalCount } __typename c: policyDrafts { totalCount } }"
            )
        ).json()
        assert both == {
            "data": {"a": {"nodes": [{"state": "TRIED"}]}, "b": {"totalCount": 12}, "__typename": "Query", "c": {"totalCount": 1}}
        }


async def test_the_sums_of_a_trial_are_those_of_the_report(urls: Urls, tmp_path: Path) -> None:
    """What the statement sums up is what :mod:`hub.credit.differences` sums up, over cases drawn at random."""
    async with opened(urls, tmp_path, ORIGIN) as scene:
        desk, random = scene.desk, Random(53)
        await evaluated(desk)
        draft_id = await drafted(desk)
        await desk.services.policies.try_out(desk.call(), contract.TryPolicyDraft(draft_id, None, False))
        await cases(desk, draft_id, random)
        async with desk.runtime.database.work() as tx:
            told = (await drafts.report(tx, UUID(draft_id))).document()
        found = (await shown(scene, draft_id))["trial"]["differences"]
        assert told["cases"] > 30 and told["changed"] > 20 and told["reasons"]["gained"] and len(told["leftOut"]) == 2
        assert as_reported(found) == numbered(told)
        spoilt = {**found, "gained": found["lost"]}
        assert as_reported(spoilt) != numbered(told), "control"


async def cases(desk: Desk, draft_id: str, random: Random) -> None:
    """Sixty evaluations and their trials, one with the same decision now and then."""
    async with desk.runtime.database.work() as tx:
        row = dict((await tx.execute(select(evaluation))).mappings().one())
        for number in range(60):
            mine = {"evaluation_id": new_id(), **decision(random)}
            await tx.execute(insert(evaluation), {**row, **mine})
            other = {name: mine[name] for name in decision(random)} if number % 5 == 0 else decision(random)
            left = random.choice((CHANGED, ERASED)) if number % 7 == 0 else None
            ids = {"customer_id": row["customer_id"], "evaluation_id": mine["evaluation_id"], "draft_id": UUID(draft_id)}
            await tx.execute(insert(policy_trial), {**ids, **other, "left_out": left, "at": row["created_at"]})


def decision(random: Random) -> dict[str, Any]:
    offered = random.random() < 0.7
    return {
        "outcome": str(random.choice(list(Outcome))),
        "final_limit": Decimal(random.randrange(1, 40)) * 1000 if offered else None,
        "rate": Decimal(random.randrange(400, 1200)) / 10_000 if offered else None,
        "term_months": random.choice((6, 9, 12)) if offered else None,
        "reasons": random.sample(["C01", "C06", "E08", "R02", "X1"], random.randrange(0, 4)),
    }


def as_reported(found: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of the API in the form of the report."""

    def decided(one: Mapping[str, Any]) -> dict[str, Any]:
        return {"outcome": one["outcome"], "limit": one["limit"], "rate": one["rate"], "term": one["termMonths"], "reasons": one["reasons"]}

    return numbered({
        "cases": found["compared"],
        "changed": found["changed"],
        "outcomes": [{"from": one["before"], "to": one["after"], "count": one["count"]} for one in found["outcomes"]],
        "limits": {"before": found["limitBefore"], "after": found["limitAfter"], "raised": found["raised"], "lowered": found["lowered"]},
        "rates": {"higher": found["dearer"], "lower": found["cheaper"]},
        "reasons": {name: {one["code"]: one["count"] for one in found[name]} for name in ("gained", "lost")},
        "leftOut": {one["why"]: one["count"] for one in found["leftOut"]},
        "examples": [
            {"evaluation": one["evaluationId"], "before": decided(one["before"]), "after": decided(one["after"])} for one in found["examples"]
        ],
    })  # fmt: skip


def numbered(told: Any) -> Any:
    """Amounts by their value, and names without an order of their own."""
    match told:
        case dict():
            return {str(name): numbered(one) for name, one in sorted(told.items())}
        case list():
            return [numbered(one) for one in told]
        case str() if told.replace(".", "").isdigit():
            return Decimal(told)
    return orjson.loads(orjson.dumps(told))


def reached(catalogue: Catalogue, root: str) -> set[str]:
    """The types that a field of Query leads to, and the tables that their statements name."""
    todo, seen = [catalogue["Query"].members[root]], set[str]()
    while todo:
        member = todo.pop()
        of = getattr(member, "type", None)
        if isinstance(member, NodeOf):
            seen |= set(member.rows)
        elif isinstance(member, One | Many | Paged | Embedded) and of not in seen:
            seen.add(str(of))
            todo += catalogue[str(of)].members.values()
    return seen


def test_nothing_private_leads_to_a_customer() -> None:
    """What is read as the hub, past row-level security, is these types and no others."""
    private = [name for name, one in CATALOGUE["Query"].members.items() if isinstance(one, Paged) and one.private]
    assert private == ["policyDrafts"] and {"policy_draft", "policy_trial"} <= PRIVATE
    closed = {
        "PolicyDraft", "PolicyTrial", "PolicyDifferences", "OutcomeMove", "ReasonMove", "LeftOut", "ChangedCase", "DecisionBefore", "DecisionAfter",
    }  # fmt: skip
    assert reached(CATALOGUE, "policyDrafts") == closed
    open_ = {**CATALOGUE, "LeftOut": replace(CATALOGUE["LeftOut"], members={"whose": Embedded("Customer")})}
    assert "Customer" in reached(open_, "policyDrafts"), "control"


async def test_a_client_s_own_transaction_sees_no_draft(desk: Desk) -> None:
    await drafted(desk)
    with pytest.raises(Exception, match="permission denied"):
        async with desk.runtime.database.write(desk.services.calling.scope(desk.call())) as tx:
            await tx.execute(text("SELECT 1 FROM policy_draft"))
