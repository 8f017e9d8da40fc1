"""For each mutation of the contract: who asks it for what, after which preparation, and which rows one effect of it leaves.

A mutation that has no case here fails :mod:`tests.hub.app.once.test_twins`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.kit.ground import id_number
from hub.access.clients import make_client_keys, thumbprint
from hub.credit import policies
from hub.domain.enums import Purpose, SourceKind
from schema import services as contract
from tests.hub.app.conftest import BACK, Desk
from tests.hub.app.test_parties import party_of
from tests.hub.app.test_services import agree
from tests.hub.credit.variants import uscc as with_check

Input = dict[str, Any]
REASON = "the register says so"
SESSION = {
    "sessionNumber": "s1",
    "at": "2026-01-05T20:00:00+08:00",
    "device": "d-1",
    "city": "宁波市",
    "formSeconds": 240,
    "pasteRatio": "0.1",
}


@dataclass(frozen=True)
class Case:
    """``prepare`` makes the ground for a run with a number of its own and answers with the input; ``other`` makes another input of it. ``grows`` is what
    one effect adds to the tables, beside its key and the logs."""

    client: str
    prepare: Callable[[Desk, int], Awaitable[Input]]
    other: Mapping[str, Any]
    grows: Mapping[str, int]


def person(number: int) -> Input:
    return {"name": "甲某", "residentId": id_number(number), "residenceCity": "宁波市"}


def second(number: int) -> Input:
    """Another person than the one of this number."""
    return {"name": "乙某", "residentId": id_number(50_000 + number)}


async def customer(desk: Desk, number: int, client: str = "partner-app", name: str = "甲某") -> str:
    known = contract.PersonInput(name, id_number(number), None)
    return await desk.services.identity.create_customer(desk.call(client), contract.CreateCustomer("PERSON", name, None, known))


async def consented(desk: Desk, number: int) -> str:
    """Who has agreed to DEVICE, which is sent by the partner's own app."""
    made = await customer(desk, number)
    asked = contract.CreateLinkSession(made, (SourceKind.DEVICE,), ("S03",), Purpose.CREDIT_APPROVAL, BACK)
    await desk.services.create_link_session(desk.call(), asked)
    await agree(desk, made)
    return made


async def to_create(desk: Desk, number: int) -> Input:
    return {"kind": "PERSON", "name": None, "uscc": None, "person": person(number)}


async def to_add_party(desk: Desk, number: int) -> Input:
    return {"customerId": await customer(desk, number), "role": "SPOUSE", "person": second(number)}


async def to_end_party(desk: Desk, number: int) -> Input:
    made, spouse = await customer(desk, number), contract.PersonInput("乙某", id_number(50_000 + number), None)
    await desk.services.identity.add_party(desk.call(), contract.AddParty(made, "SPOUSE", spouse, None))
    return {"customerId": made, "partyId": await party_of(desk, made, "SPOUSE"), "reason": REASON}


async def two(desk: Desk, number: int) -> tuple[str, str]:
    """One person under two names."""
    return await customer(desk, number, name="甲某某"), await customer(desk, number)


async def to_merge(desk: Desk, number: int) -> Input:
    left, stays = await two(desk, number)
    return {"fromId": left, "intoId": stays, "reason": REASON}


async def to_split(desk: Desk, number: int) -> Input:
    left, stays = await two(desk, number)
    await desk.services.identity.merge_customers(desk.call("admin"), contract.MergeCustomers(left, stays, REASON))
    return {"customerId": left, "reason": REASON}


async def to_link(desk: Desk, number: int) -> Input:
    made = await customer(desk, number)
    return {"customerId": made, "sources": ["DEVICE"], "scenarios": ["S03"], "purpose": "CREDIT_APPROVAL", "returnUrl": BACK}


async def to_manage(desk: Desk, number: int) -> Input:
    return {"customerId": await customer(desk, number), "returnUrl": BACK}


async def to_record(desk: Desk, number: int) -> Input:
    made = await consented(desk, number)
    return {"customerId": made, "sessions": [SESSION], "completeFrom": "2026-01-01", "completeUntil": "2026-01-19"}


async def to_evaluate(desk: Desk, number: int) -> Input:
    return {"customerId": await customer(desk, number), "scenario": "S03"}


async def to_record_loan(desk: Desk, number: int) -> Input:
    loan = {"number": "L-1", "scenario": "S03", "grantedOn": "2025-06-01", "granted": "100000.00", "balance": "1.00"}
    return {"customerId": await customer(desk, number), **loan}


async def to_record_loans(desk: Desk, number: int) -> Input:
    first = await to_record_loan(desk, number)
    return {"statuses": [first, {**first, "number": "L-2"}]}


async def to_step(desk: Desk, number: int) -> Input:
    return {"customerId": await consented(desk, number), "source": "DEVICE"}


async def to_resume(desk: Desk, number: int) -> Input:
    asked = await to_step(desk, number)
    await desk.services.consents.pause(desk.call(), contract.PauseConsent(asked["customerId"], SourceKind.DEVICE))
    return asked


async def to_narrow(desk: Desk, number: int) -> Input:
    return {**await to_step(desk, number), "dataTo": "2026-06-30"}


async def to_register(desk: Desk, number: int) -> Input:
    jwks = json.dumps(make_client_keys()[1])
    named = {"clientId": f"new-{number}", "name": "New", "audience": "PARTNER", "scopes": ["customers:read"]}
    return {**named, "purposes": ["CREDIT_APPROVAL"], "jwks": jwks, "returnUrls": [BACK]}


async def registered(desk: Desk, number: int) -> str:
    """A client that was registered already, by services that ask nobody for a scope."""
    name, jwks = f"client-{number}", make_client_keys()[1]
    asked = contract.RegisterClient(name, "New", "PARTNER", ("customers:read",), (Purpose.CREDIT_APPROVAL,), jwks, (BACK,), False)
    await desk.services.port().register_client(desk.call("admin"), asked)
    return name


async def to_change_client(desk: Desk, number: int) -> Input:
    return {"clientId": await registered(desk, number), "name": "Renamed"}


async def with_reason(desk: Desk, number: int) -> Input:
    return {"clientId": await registered(desk, number), "reason": REASON}


async def to_enable(desk: Desk, number: int) -> Input:
    asked = await with_reason(desk, number)
    await desk.services.port().disable_client(desk.call("admin"), contract.DisableClient(asked["clientId"], REASON))
    return asked


async def to_add_key(desk: Desk, number: int) -> Input:
    (jwk,) = make_client_keys()[1]["keys"]
    return {"clientId": await registered(desk, number), "jwk": json.dumps(jwk)}


async def to_retire_key(desk: Desk, number: int) -> Input:
    """The second of two."""
    name, (jwk,) = await registered(desk, number), make_client_keys()[1]["keys"]
    await desk.services.port().add_client_key(desk.call("admin"), contract.AddClientKey(name, jwk))
    return {"clientId": name, "thumbprint": thumbprint(jwk)}


async def to_register_document(desk: Desk, number: int) -> Input:
    return {"clientId": await registered(desk, number), "document": "{ customers { totalCount } }"}


PORTFOLIO = json.dumps({
    "id": "P", "version": "1", "effective_from": "2026-01-01", "title": "Some", "purpose": "CREDIT_APPROVAL",
    "branch": {"scenarios": ["S03"], "without_bureau": "0.8"},
})  # fmt: skip


async def to_screen(desk: Desk, number: int) -> Input:
    # Without anybody to screen there is no part of it.
    await customer(desk, number)
    return {"document": PORTFOLIO.replace("Some", f"Some {number}")}


async def to_reveal(desk: Desk, number: int) -> Input:
    return {"customerId": await customer(desk, number), "role": "SUBJECT", "field": "NAME"}


async def to_load_reference(desk: Desk, number: int) -> Input:
    documents = {"lender": f"bank {number}"}
    return {"document": json.dumps({"source": "board", "effective_from": "2026-01-01", "documents": documents})}


async def to_load_relations(desk: Desk, number: int) -> Input:
    ends = [with_check(f"91330203MA{100_000 + 2 * number + n:06}X") for n in range(2)]
    return {"source": "register", "edges": [{"fromUscc": ends[0], "toUscc": ends[1], "type": "SUPPLIES"}]}


async def of_evaluation(desk: Desk, number: int) -> tuple[str, str]:
    made = await customer(desk, number)
    asked = contract.Evaluate(made, "S03", "OPERATING", None, None, None)
    evaluated = await desk.services.evaluate(desk.call("risk-desk"), asked)
    return made, f"Evaluation:{made}:{evaluated.evaluation_id}"


async def to_reproduce(desk: Desk, number: int) -> Input:
    return {"evaluationId": (await of_evaluation(desk, number))[1]}


async def to_raise(desk: Desk, number: int) -> Input:
    made, evaluation = await of_evaluation(desk, number)
    return {"customerId": made, "about": evaluation, "statement": "this is not mine"}


async def to_ask_for_review(desk: Desk, number: int) -> Input:
    made, evaluation = await of_evaluation(desk, number)
    return {"customerId": made, "evaluationId": evaluation, "statement": "a person, please"}


async def raised(desk: Desk, number: int) -> str:
    asked = await to_raise(desk, number)
    said = contract.RaiseDispute(asked["customerId"], asked["about"], None, asked["statement"])
    return (await desk.services.port().raise_dispute(desk.call(), said)).dispute_id


async def to_reveal_dispute(desk: Desk, number: int) -> Input:
    return {"disputeId": await raised(desk, number)}


async def to_resolve(desk: Desk, number: int) -> Input:
    return {"disputeId": await raised(desk, number), "state": "KEPT", "note": "it is right"}


async def to_erase(desk: Desk, number: int) -> Input:
    return {"customerId": await customer(desk, number), "reason": "asked by letter"}


def policy(number: int) -> str:
    """S03 once more, under a version of this number, from a day to come."""
    assessed = {"id": "PIPIA-7", "on": "2026-01-05"}
    return json.dumps(
        {**policies.document("S03"), "version": f"2026-02-01.{number}", "effective_from": "2026-02-01", "assessment": assessed}
    )


async def to_draft(desk: Desk, number: int) -> Input:
    return {"document": policy(number)}


async def drafted(desk: Desk, number: int) -> str:
    """By another client than the one that goes on with it."""
    asked = contract.DraftPolicy(policy(number))
    return (await desk.services.policies.draft(desk.call("risk-desk"), asked)).draft_id


async def of_draft(desk: Desk, number: int) -> Input:
    return {"draftId": await drafted(desk, number)}


async def to_discard(desk: Desk, number: int) -> Input:
    return {**await of_draft(desk, number), "reason": REASON}


async def to_take_back(desk: Desk, number: int) -> Input:
    draft_id = await drafted(desk, number)
    await desk.services.policies.publish(desk.call("partner-app"), contract.PublishPolicyDraft(draft_id))
    return {"scenario": "S03", "version": f"2026-02-01.{number}", "on": "2026-02-02", "reason": REASON}


async def to_approve(desk: Desk, number: int) -> Input:
    draft_id = await drafted(desk, number)
    await desk.services.policies.publish(desk.call("partner-app"), contract.PublishPolicyDraft(draft_id))
    return {"scenario": "S03", "version": f"2026-02-01.{number}", "note": REASON}


ELSEWHERE = {"source": "SHOP"}
NOBODY = "01900000-0000-7000-8000-000000000001"
OTHER_FILE = json.dumps({"source": "another", "effective_from": "2026-01-01", "documents": {"lender": "another"}})
STEP = {"consent_event": 1, "profile_change": 1}
CASES: Mapping[str, Case] = {
    "createCustomer": Case("partner-app", to_create, {"name": "丙某"}, {"customer": 1, "customer_client": 2, "data_key": 1, "party": 1}),
    "addParty": Case("partner-app", to_add_party, {"role": "GUARANTOR"}, {"party": 1, "identity_event": 1, "profile_change": 1}),
    "endParty": Case("partner-app", to_end_party, {"reason": "another one"}, {"identity_event": 1, "profile_change": 1}),
    "mergeCustomers": Case(
        "admin", to_merge, {"reason": "another one"}, {"customer_merge": 1, "identity_event": 1, "audit_event": 1, "profile_change": 2}
    ),
    "splitCustomer": Case(
        "admin", to_split, {"reason": "another one"}, {"customer_merge": -1, "identity_event": 1, "audit_event": 1, "profile_change": 2}
    ),
    "createLinkSession": Case(
        "partner-app", to_link, {"renew": True}, {"link_session": 1, "connection": 1, "consent": 1, "consent_event": 1, "profile_change": 1}
    ),
    "createManageSession": Case("partner-app", to_manage, {"returnUrl": BACK + "/"}, {"link_session": 1}),
    "recordBehaviourSessions": Case(
        "partner-app",
        to_record,
        {"completeFrom": "2026-01-02"},
        {"fact_behaviour_session": 1, "raw_page": 1, "sync_run": 1, "sync_window": 1, "consent_fetch": 1, "profile_change": 1},
    ),
    "evaluate": Case(
        "risk-desk",
        to_evaluate,
        {"requestedAmount": "100000.00"},
        {"evaluation": 1, "evaluation_inputs": 1, "evaluation_reason": 1, "model_result": 6, "profile_change": 1},
    ),
    "recordLoanStatus": Case("partner-app", to_record_loan, {"balance": "2.00"}, {"loan_status": 1, "audit_event": 1}),
    "recordLoanStatuses": Case("partner-app", to_record_loans, {"statuses": []}, {"loan_status": 2, "audit_event": 2}),
    "withdrawConsent": Case("partner-app", to_step, ELSEWHERE, {**STEP, "refusal": 1}),
    "pauseConsent": Case("partner-app", to_step, ELSEWHERE, STEP),
    "resumeConsent": Case("partner-app", to_resume, ELSEWHERE, STEP),
    "narrowConsent": Case("partner-app", to_narrow, {"dataTo": "2026-06-29"}, STEP),
    "registerClient": Case("admin", to_register, {"name": "Another"}, {"client": 1, "audit_event": 1}),
    "updateClient": Case("admin", to_change_client, {"name": "Another"}, {"audit_event": 1}),
    "addClientKey": Case("admin", to_add_key, {"jwk": "{}"}, {"audit_event": 1}),
    "retireClientKey": Case("admin", to_retire_key, {"thumbprint": "another"}, {"audit_event": 1}),
    "disableClient": Case("admin", with_reason, {"reason": "another one"}, {"audit_event": 1}),
    "enableClient": Case("admin", to_enable, {"reason": "another one"}, {"audit_event": 1}),
    "revokeClientTokens": Case("admin", with_reason, {"reason": "another one"}, {"audit_event": 1}),
    "registerDocument": Case(
        "admin", to_register_document, {"document": "{ customers { nodes { id } } }"}, {"trusted_document": 1, "audit_event": 1}
    ),
    "draftPolicy": Case("admin", to_draft, {"document": policy(10_000)}, {"policy_draft": 1, "audit_event": 1}),
    "tryPolicyDraft": Case("admin", of_draft, {"since": "2026-01-02T00:00:00Z"}, {"audit_event": 1}),
    "publishPolicyDraft": Case("admin", of_draft, {"draftId": "another"}, {"policy": 1, "audit_event": 1}),
    "discardPolicyDraft": Case("admin", to_discard, {"reason": "another one"}, {"audit_event": 1}),
    "approvePolicyVersion": Case("admin", to_approve, {"note": "another one"}, {"policy_approval": 1, "audit_event": 1}),
    "endPolicyVersion": Case("admin", to_take_back, {"reason": "another one"}, {"policy_end": 1, "audit_event": 1}),
    "screenPortfolio": Case(
        "admin", to_screen, {"document": PORTFOLIO.replace("S03", "S01")}, {"portfolio_screening": 1, "portfolio_part": 1, "audit_event": 1}
    ),
    "eraseCustomer": Case(
        "admin", to_erase, {"reason": "asked by telephone"}, {"customer_client": -2, "party": -1, "tombstone": 1, "audit_event": 1}
    ),
    "revealPersonalField": Case("risk-desk", to_reveal, {"role": "OPERATOR"}, {}),
    "loadReference": Case("admin", to_load_reference, {"document": OTHER_FILE}, {"reference_version": 1, "audit_event": 1}),
    "loadRelations": Case("admin", to_load_relations, {"source": "another"}, {"relation": 1, "audit_event": 1}),
    "reproduceEvaluation": Case("risk-desk", to_reproduce, {"evaluationId": f"Evaluation:{NOBODY}:{NOBODY}"}, {}),
    "raiseDispute": Case("partner-app", to_raise, {"statement": "another"}, {"dispute": 1}),
    "requestHumanReview": Case("partner-app", to_ask_for_review, {"statement": "another"}, {"dispute": 1}),
    "revealDispute": Case("risk-desk", to_reveal_dispute, {"disputeId": f"Dispute:{NOBODY}:{NOBODY}"}, {}),
    "resolveDispute": Case("admin", to_resolve, {"note": "another"}, {"audit_event": 1}),
}
