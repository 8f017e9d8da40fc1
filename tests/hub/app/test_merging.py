"""Merges as an admin's mutations: once per key, one at a time, and what other mutations then do with an old id."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select, text

from hub.domain.enums import SourceKind
from hub.errors import ConsentMissing, HubError, InvalidInput, NotFound
from hub.store.tables import consent, customer_merge, evaluation, evaluation_inputs, identity_event
from schema import services as contract
from tests.hub.app.conftest import SHOP, Desk, link_for
from tests.hub.app.test_claims import FALSE, make
from tests.hub.app.test_parties import party_of
from tests.hub.app.test_services import agree, sees
from tests.hub.view.test_reading import ask

REASON = "one code, and the register names one operator"


async def merged(desk: Desk) -> tuple[str, str]:
    """The false claim goes into the true one. The institution sees both, each partner his own."""
    false, true = await make(desk, "partner-app", FALSE), await make(desk, "other-app", SHOP)
    await desk.services.identity.merge_customers(desk.call("admin"), contract.MergeCustomers(false, true, REASON))
    return false, true


async def test_a_merge_happens_once(desk: Desk) -> None:
    false, true = await make(desk, "partner-app", FALSE), await make(desk, "other-app", SHOP)
    asked = contract.MergeCustomers(false, true, REASON)
    same = [desk.services.identity.merge_customers(desk.call("admin", "key"), asked) for _ in range(5)]
    others = [desk.services.identity.merge_customers(desk.call("admin"), asked) for _ in range(5)]
    assert set(await asyncio.gather(*same, *others)) == {contract.CustomersMerged(false, true)}
    async with desk.runtime.database.work() as tx:
        events = (await tx.execute(select(identity_event))).all()
    assert [(one.kind, one.actor, one.reason, str(one.customer_id), str(one.other_id)) for one in events] == [
        ("MERGED", "admin", REASON, false, true)
    ]
    async with desk.runtime.database.work() as tx:
        chained = await tx.execute(text("SELECT actor, action, subject, after FROM audit_event WHERE action LIKE 'customer.%'"))
        noted = {tuple(map(str, row)) for row in chained}
    assert noted == {("admin", "customer.merge", f"customer:{false}", str({"into": true, "reason": REASON}))}, "in the audit chain, too"


async def test_two_merges_do_not_pass_each_other(desk: Desk) -> None:
    """Each into the other at the same time: one is refused, and no circle is left."""
    for number in range(6):
        false = await make(desk, "partner-app", contract.CreateCustomer("ORG", f"店{number}", SHOP.uscc, SHOP.person))
        true = await make(desk, "other-app", contract.CreateCustomer("ORG", f"铺{number}", SHOP.uscc, SHOP.person))
        both = [(false, true), (true, false)]
        ended = await asyncio.gather(
            *(desk.services.identity.merge_customers(desk.call("admin"), contract.MergeCustomers(*pair, REASON)) for pair in both),
            return_exceptions=True,
        )
        assert sorted(isinstance(one, HubError) for one in ended) == [False, True], ended
    async with desk.runtime.database.work() as tx:
        assert len((await tx.execute(select(customer_merge))).all()) == 6


async def test_a_merge_needs_a_reason_and_two_customers(desk: Desk) -> None:
    made = await make(desk, "partner-app", SHOP)
    for asked, error in ((("x", made, REASON), NotFound), ((made, "x", REASON), NotFound), ((made, made, " "), InvalidInput)):
        with pytest.raises(error):
            await desk.services.identity.merge_customers(desk.call("admin"), contract.MergeCustomers(*asked))
    with pytest.raises(NotFound):
        await desk.services.identity.split_customer(desk.call("admin"), contract.SplitCustomer("x", REASON))


async def test_an_old_id_goes_on_working(desk: Desk) -> None:
    """For who sees both it means the customer that stays; for who sees the old one alone it means what it meant."""
    false, true = await merged(desk)
    link = await desk.services.create_link_session(desk.call("partner-app"), link_for(false))
    assert link.link_id
    asked = contract.Evaluate(false, "S03", "OPERATING", None, None, None)
    assert (await desk.services.evaluate(desk.call("risk-desk"), asked)).customer_id == true
    async with desk.runtime.database.work() as tx:
        assert [str(one) for one in (await tx.execute(select(evaluation.c.customer_id))).scalars()] == [true]
        asked_for = (await tx.execute(select(consent.c.customer_id).distinct())).scalars().all()
    assert [str(one) for one in asked_for] == [false], "a link under the old id asks for the old customer's consent"
    assert await sees(desk, "partner-app") == [false] and await sees(desk, "other-app") == [true]
    with pytest.raises(NotFound):
        await desk.services.create_link_session(desk.call("partner-app"), link_for(true))


@pytest.mark.law("PIPL 24: a person decides")
@pytest.mark.parametrize(("client", "objecting"), [("risk-desk", 0), ("other-app", 0), ("partner-app", 1)])
async def test_who_asked_for_a_person_is_heard_under_both_ids(desk: Desk, client: str, objecting: int) -> None:
    """By an app, too, which sees one of them alone: it is told which scenario it is, and nothing of the other."""
    both = await make(desk, "partner-app", FALSE), await make(desk, "other-app", SHOP)
    mine, app, other = both[objecting], ("partner-app", "other-app")[objecting], both[1 - objecting]
    port, evaluate = desk.services.port(), desk.services.evaluate
    made = await evaluate(desk.call(app), contract.Evaluate(mine, "S03", "OPERATING", None, None, None))
    await port.request_human_review(desk.call(app), contract.RequestHumanReview(mine, f"Evaluation:{mine}:{made.evaluation_id}"))
    heard = []
    for _ in ("before", "after"):
        again = await evaluate(desk.call(client), contract.Evaluate(other, "S03", "OPERATING", None, None, None))
        async with desk.runtime.database.work() as tx:
            kept = select(evaluation_inputs.c.document).where(evaluation_inputs.c.evaluation_id == UUID(again.evaluation_id))
            heard.append((await tx.execute(kept)).scalar_one().get("objections"))
        await desk.services.identity.merge_customers(desk.call("admin"), contract.MergeCustomers(*both, REASON))
    assert heard == [None, {"facts": [], "decided": ["S03"]}]
    asked = contract.ReproduceEvaluation(f"Evaluation:{other}:{again.evaluation_id}")
    assert (await port.reproduce_evaluation(desk.call(client), asked)).verdict == "EQUAL"


async def test_a_withdrawal_means_every_consent_of_the_one_person(desk: Desk) -> None:
    false, true = await merged(desk)
    for client, made in (("partner-app", false), ("other-app", true)):
        await desk.services.create_link_session(desk.call(client), link_for(made))
        await agree(desk, made, SourceKind.TAX)
    done = await desk.services.consents.withdraw(desk.call("risk-desk"), contract.WithdrawConsent(false, SourceKind.TAX))
    assert done.customer_id == true
    async with desk.runtime.database.work() as tx:
        rows = await tx.execute(select(consent.c.customer_id, consent.c.status).where(consent.c.source == "TAX"))
        assert {str(row.customer_id): row.status for row in rows} == {false: "REVOKED", true: "REVOKED"}


async def test_a_step_takes_the_consents_it_fits_and_leaves_the_others(desk: Desk) -> None:
    """One part rests already, one is narrower already: neither keeps the other from it."""
    false, true = await merged(desk)
    for client, made in (("partner-app", false), ("other-app", true)):
        await desk.services.create_link_session(desk.call(client), link_for(made))
        await agree(desk, made)
    services, device = desk.services.consents, SourceKind.DEVICE
    query = select(consent.c.customer_id, consent.c.status, consent.c.data_life_days).where(consent.c.source == device)

    async def stand() -> dict[str, tuple[str, int]]:
        async with desk.runtime.database.work() as tx:
            return {str(row.customer_id): (row.status, row.data_life_days) for row in await tx.execute(query)}

    await services.narrow(desk.call("partner-app"), contract.NarrowConsent(false, device, None, None, None, None, 3, None))
    await services.narrow(desk.call("risk-desk"), contract.NarrowConsent(true, device, None, None, None, None, 5, None))
    assert {one: life for one, (_, life) in (await stand()).items()} == {false: 3, true: 5}
    await services.pause(desk.call("partner-app"), contract.PauseConsent(false, device))
    await services.pause(desk.call("risk-desk"), contract.PauseConsent(true, device))
    assert {status for status, _ in (await stand()).values()} == {"PAUSED"}
    with pytest.raises(ConsentMissing):
        await services.pause(desk.call("risk-desk"), contract.PauseConsent(true, device))
    await services.resume(desk.call("partner-app"), contract.ResumeConsent(false, device))
    await services.resume(desk.call("risk-desk"), contract.ResumeConsent(true, device))
    assert {status for status, _ in (await stand()).values()} == {"ACTIVE"}


async def test_parties_of_the_merged_one_can_be_ended(desk: Desk) -> None:
    false, true = await merged(desk)
    party = await party_of(desk, false, "OPERATOR")
    done = await desk.services.identity.end_party(desk.call("risk-desk"), contract.EndParty(true, party, None, "never was"))
    assert done == contract.PartyChanged(true, party)
    async with desk.runtime.database.work() as tx:
        ended = text("SELECT customer_id FROM party WHERE valid_to IS NOT NULL")
        assert (await tx.execute(ended)).scalar() == UUID(false), "the row stays under its own customer"


async def test_who_sees_two_of_one_code_is_told(desk: Desk) -> None:
    """The institution finds what to merge; a partner sees its own and learns nothing of the other."""
    false, true = await make(desk, "partner-app", FALSE), await make(desk, "other-app", SHOP)
    query, found = "query ($id: ID!) { customer(id: $id) { id sameSubject } }", {}
    for when in ("before", "after"):
        for client, asked in (("risk-desk", true), ("risk-desk", false), ("other-app", true), ("partner-app", false)):
            caller = desk.call(client).caller
            found[when, client, asked] = (await ask(desk.runtime.database, query, caller, id=asked))["customer"]
        if when == "before":
            await desk.services.identity.merge_customers(desk.call("admin"), contract.MergeCustomers(false, true, REASON))
    one, alone = {"id": true, "sameSubject": []}, {"id": false, "sameSubject": []}
    assert found == {
        ("before", "risk-desk", true): {"id": true, "sameSubject": [false]}, ("before", "risk-desk", false): {"id": false, "sameSubject": [true]},
        ("before", "other-app", true): one, ("before", "partner-app", false): alone,
        ("after", "risk-desk", true): one, ("after", "risk-desk", false): one, ("after", "other-app", true): one, ("after", "partner-app", false): alone,
    }  # fmt: skip


async def test_a_split_happens_once(desk: Desk) -> None:
    false, true = await merged(desk)
    call, asked = desk.call("admin", "key"), contract.SplitCustomer(false, "two people")
    split = [await desk.services.identity.split_customer(call, asked) for _ in range(2)]
    assert split == [contract.CustomersMerged(false, true)] * 2
    with pytest.raises(InvalidInput, match="not merged"):
        await desk.services.identity.split_customer(desk.call("admin"), asked)
    made = await desk.services.evaluate(desk.call("risk-desk"), contract.Evaluate(false, "S03", "OPERATING", None, None, None))
    assert made.customer_id == false
