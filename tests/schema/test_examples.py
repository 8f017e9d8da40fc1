"""The example operations: valid, within the limits, and answered from a real store through the real endpoint, in one statement each."""

from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse
from hatchling.builders.wheel import WheelBuilder
from sqlalchemy import event

from hub.domain.identifiers import new_id
from hub.store.line import Asked, Line
from schema.contract import HubSchema, build_schema
from schema.examples import UnknownExample, example, names
from schema.plan.cost import MOST
from schema.plan.limits import Limits, check_document
from tests.hub.access.side import Api, Side
from tests.schema.port import Port

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOT = Path(__file__).resolve().parents[2]
SCHEMA: HubSchema = build_schema()
QUERIES = (
    *(
        "AccountOwners",
        "Clients",
        "ConcentrationReport",
        "CustomerEnhancement",
        "CustomerOverview",
        "FairnessReport",
        "FeatureCatalogue",
        "FindCustomers",
        "LatestEvaluations",
    ),
    *(
        "LimitEvidence",
        "LoanWatch",
        "OpenDisputes",
        "OrdersAndPlots",
        "Policies",
        "PolicyDrafts",
        "PortfolioResults",
        "PortfolioScreenings",
    ),
    *("Products", "References", "RelationGraph", "Scenarios", "ShopTrade", "SourceStatus", "SyncHealth"),
)


async def test_each_example_is_one_operation_of_its_name() -> None:
    assert len(names()) == 63 and set(QUERIES) < set(names())
    for name in names():
        (operation,) = parse(example(name)).definitions
        assert isinstance(operation, OperationDefinitionNode) and operation.name is not None
        assert operation.name.value == name
        assert example(name).startswith("# ")


async def test_an_unknown_example_is_named_with_what_there_is() -> None:
    for wrong in ("Nope", "../contract", "", "CustomerEnhancement.graphql"):
        with pytest.raises(UnknownExample, match=r"There is no example operation .* There are: AccountOwners, "):
            example(wrong)


@pytest.mark.parametrize("name", names())
async def test_an_example_is_valid_and_within_the_limits(name: str) -> None:
    document = SCHEMA.documents.of(example(name), introspecting=False)
    assert document.errors == []
    check_document(parse(example(name), max_tokens=2000), Limits())


async def test_an_example_of_yesterday_is_noticed() -> None:
    """Control: a field that is gone."""
    assert SCHEMA.documents.of(example("SourceStatus").replace("lastFault\n", "lastMistake\n"), introspecting=False).errors


async def test_the_wheel_carries_the_examples_and_the_contract(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {f"schema/examples/{name}.graphql" for name in names()} | {"schema/schema.graphql"} <= held


async def answered(side: Side, name: str, **variables: Any) -> dict[str, Any]:
    answer = await side.ask(example(name), variables)
    body = answer.json()
    assert answer.status_code == 200 and "errors" not in body, body
    found: dict[str, Any] = body["data"]
    return found


async def test_a_customer_and_its_enhancement(api: Api) -> None:
    found = (await answered(api.sides["risk-desk"], "CustomerEnhancement", id=api.world.id, scenario="S03"))["customer"]
    assert (found["id"], found["kind"], found["nameMasked"]) == (api.world.id, "ORG", "青*")
    assert len(found["sources"]) == 15
    assert [one["source"] for one in found["sources"] if one["status"] == "AVAILABLE"] == ["SHOP"]
    shop = next(one for one in found["sources"] if one["source"] == "SHOP")
    assert shop["connection"] == {"connector": "market", "status": "ACTIVE", "lastVerdict": "COMPLETE"}
    assert (found["orders"]["totalCount"], [one["paidAmount"] for one in found["orders"]["nodes"]]) == (5, ["50.50", "40.50"])
    assert found["taxReturns"]["nodes"][0]["declaredRevenue"] == "351250.00"
    assert found["socialInsuranceContributions"] == {"totalCount": 0, "nodes": []}
    evaluation = found["evaluation"]
    headline = ("outcome", "tier", "consistency", "score", "finalLimit", "baseLimit", "rate")
    assert [evaluation[key] for key in headline] == ["ENHANCED", "HIGH", "0.9000", 679, "223000.00", None, None]
    assert evaluation["reasons"][0] == {"code": "C06", "textEn": "t", "textZh": "文", "cureEn": "c", "cureZh": "治"}


async def test_the_demo_finds_what_it_tells(api: Api) -> None:
    """``hub demo`` prints these."""
    found = (await answered(api.sides["risk-desk"], "CustomerEnhancement", id=api.world.id, scenario="S03"))["customer"]["evaluation"]
    told = {
        "outcome",
        "consistency",
        "coverage",
        "tier",
        "verifiedRevenue",
        "score",
        "grade",
        "baseLimit",
        "finalLimit",
        "rate",
        "termMonths",
    }
    assert told <= set(found) and "code" in found["reasons"][0]


async def test_a_limit_is_walked_to_the_consent_behind_it(api: Api) -> None:
    found = (await answered(api.sides["risk-desk"], "LimitEvidence", id=api.world.id, scenario="S03"))["customer"]["evaluation"]
    assert found["policy"] == {"id": "S03", "version": "2026-01-01", "sha256": "ef" * 32, "effectiveFrom": "2026-01-01"}
    (part,) = found["limitParts"]
    (feature,) = part["features"]
    assert (part["code"], feature["formulaVersion"], feature["windowFirst"], feature["coveredMonths"]) == ("AVERAGE", "1", "2025-12", 1)
    (fact,) = feature["evidence"][0]["sample"]
    assert (fact["__typename"], fact["orderNumber"], feature["evidence"][0]["digest"]) == ("Order", "N5", "11" * 32)
    behind = fact["evidence"]
    assert (behind["position"], behind["page"]["sha256"], behind["page"]["request"]["path"]) == (5, "cd" * 32, "/router/rest")
    assert (behind["connection"]["connector"], behind["consent"]["textHash"]) == ("market", "ab" * 32)
    none = await answered(api.sides["risk-desk"], "LimitEvidence", id=api.world.id, scenario="S03", parts=["CAP"])
    assert none["customer"]["evaluation"]["limitParts"] == []


async def test_what_is_missing_and_why(api: Api) -> None:
    found = (await answered(api.sides["partner-app"], "SourceStatus", id=api.world.id))["customer"]
    status = {one["source"]: one["status"] for one in found["sources"]}
    assert (status["SHOP"], status["TAX"], status["BUREAU"]) == ("AVAILABLE", "UPSTREAM_ERROR", "NOT_CONNECTED")
    runs = [one["connection"]["runs"] for one in found["sources"] if one["connection"]]
    assert sorted(len(one) for one in runs) == [0, 1]


async def test_the_latest_evaluations(api: Api) -> None:
    found = (await answered(api.sides["partner-app"], "LatestEvaluations"))["customers"]
    assert (found["totalCount"], found["nodes"][0]["id"], found["pageInfo"]["hasNextPage"]) == (1, api.world.id, False)
    assert [one["finalLimit"] for one in found["nodes"][0]["evaluations"]["nodes"]] == ["223000.00"]
    assert (await answered(api.sides["another"], "LatestEvaluations", first=1))["customers"]["nodes"][0]["evaluations"]["nodes"] == []


@pytest.mark.parametrize("name", QUERIES)
async def test_a_read_is_one_statement(api: Api, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"id": api.world.id, "scenario": "S03"}
    given = {key: value for key, value in variables.items() if f"${key}:" in example(name)}
    statements: list[str] = []

    def notice(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    ask_over = Line.ask

    def sent(line: Line, asked: Any, prepare: Any) -> Asked:
        # The log's own, which the hub's role commits, are not the client's.
        if line.libpq.user == b"hub_app":
            statements.extend(statement for statement, _ in asked)
        return ask_over(line, asked, prepare)

    monkeypatch.setattr(Line, "ask", sent)
    engine = api.runtime.database.app.sync_engine
    event.listen(engine, "before_cursor_execute", notice)
    try:
        await answered(
            api.sides[
                "admin"
                if name in ("Clients", "ConcentrationReport", "FairnessReport", "Policies", "PolicyDrafts", "RelationGraph")
                else "risk-desk"
            ],
            name,
            **given,
        )
    finally:
        event.remove(engine, "before_cursor_execute", notice)
    (view,) = [number for number, one in enumerate(statements) if " as body, " in one]
    assert "set_config" in statements[view - 1], "who asks"
    assert statements[view + 1 :] == [], "the access log is a commit of its own"
    assert not any("from customer " in one or "from evaluation " in one for one in statements[: view - 1]), "the token alone"


@pytest.mark.parametrize("name", QUERIES)
async def test_an_example_costs_little(name: str) -> None:
    document = SCHEMA.documents.of(example(name), introspecting=False)
    given = {key: "x" for key in ("id", "scenario") if f"${key}:" in example(name)}
    cost = SCHEMA.documents.price(document, SCHEMA.documents.plan(document, None, dict(given)), given).cost
    print(f"{name} costs {cost}")
    assert 50 < cost < MOST / 2


PERSON = {"name": "青某", "residentId": "330106199001010015", "residenceCity": "330100"}
SESSION = {
    "sessionNumber": "s1",
    "at": "2026-01-19T08:00:00+08:00",
    "device": "d",
    "city": "330100",
    "formSeconds": 40,
    "pasteRatio": "0.1",
}
PURPOSE = "CREDIT_APPROVAL"


def inputs(customer: str) -> dict[str, tuple[str, dict[str, Any], dict[str, Any]]]:
    """Per mutation: who runs it, its input and the payload that comes back."""
    jwks = json.dumps({"keys": []})
    link = {
        "customerId": customer,
        "sources": ["SHOP"],
        "scenarios": ["S03"],
        "purpose": PURPOSE,
        "returnUrl": "https://partner.example/back",
    }
    client = {"clientId": "new-app", "name": "n", "audience": "PARTNER", "scopes": [], "purposes": [PURPOSE], "jwks": jwks}
    sessions = {"customerId": customer, "sessions": [SESSION], "completeFrom": "2026-01-01", "completeUntil": "2026-01-19"}
    loan = {
        "customerId": customer,
        "number": "L-1",
        "scenario": "S03",
        "grantedOn": "2025-06-01",
        "granted": "100000.00",
        "balance": "50000.00",
    }
    made = {"id": customer, "kind": "ORG", "nameMasked": "青*", "uscc": None}
    return {
        "CreateCustomer": ("partner-app", {"kind": "ORG", "name": "青山店", "uscc": None, "person": PERSON}, {"customer": made}),
        "CreateLinkSession": ("partner-app", link, {"linkId": "l-1", "url": f"https://hub.example/link/{customer}"}),
        "CreateManageSession": (
            "partner-app",
            {"customerId": customer, "returnUrl": "https://partner.example/back"},
            {"linkId": "m-1", "url": f"https://hub.example/link/{customer}"},
        ),
        "RecordBehaviourSessions": ("partner-app", sessions, {"stored": 1, "unchanged": 0}),
        "RecordLoanStatus": (
            "partner-app",
            loan,
            {"changed": True, "customer": {"id": customer}},
        ),
        "RecordLoanStatuses": ("partner-app", {"statuses": [loan]}, {"changed": 1, "unchanged": 0}),
        "Evaluate": (
            "risk-desk",
            {"customerId": customer, "scenario": "S03", "asOf": "2026-01-20"},
            {"evaluation": {"outcome": "ENHANCED"}},
        ),
        "WithdrawConsent": ("partner-app", {"customerId": customer, "source": "SHOP"}, {"consent": {"source": "SHOP", "status": "ACTIVE"}}),
        "AddParty": (
            "partner-app",
            {"customerId": customer, "role": "SPOUSE", "person": PERSON},
            {"partyId": "p-1", "customer": {"id": customer}},
        ),
        "EndParty": (
            "partner-app",
            {"customerId": customer, "partyId": "p-1", "reason": "r"},
            {"partyId": "p-1", "customer": {"id": customer}},
        ),
        "MergeCustomers": ("admin", {"fromId": "a", "intoId": "b", "reason": "r"}, {"fromId": "a", "intoId": "b"}),
        "SplitCustomer": ("admin", {"customerId": "a", "reason": "r"}, {"fromId": "a", "intoId": customer}),
        "PauseConsent": ("partner-app", {"customerId": customer, "source": "SHOP"}, {"consent": {"source": "SHOP", "status": "ACTIVE"}}),
        "ResumeConsent": ("partner-app", {"customerId": customer, "source": "SHOP"}, {"consent": {"source": "SHOP", "status": "ACTIVE"}}),
        "NarrowConsent": (
            "partner-app",
            {"customerId": customer, "source": "SHOP", "dataTo": "2026-12-31"},
            {"consent": {"scenarios": ["S03"]}},
        ),
        "RegisterDocument": ("admin", {"clientId": "acme", "document": "{ customers { totalCount } }"}, {"sha256": "ab" * 32}),
        "ScreenPortfolio": ("admin", {"document": "{}"}, {"screeningId": "s-1"}),
        "RegisterClient": ("admin", client, {"clientId": "new-app"}),
        "UpdateClient": ("admin", {"clientId": "new-app", "scopes": ["customers:read"]}, {"clientId": "new-app"}),
        "AddClientKey": ("admin", {"clientId": "new-app", "jwk": "{}"}, {"clientId": "new-app", "thumbprint": "t-1"}),
        "RetireClientKey": ("admin", {"clientId": "new-app", "thumbprint": "t-1"}, {"clientId": "new-app"}),
        "DisableClient": ("admin", {"clientId": "new-app", "reason": "r"}, {"clientId": "new-app"}),
        "EnableClient": ("admin", {"clientId": "new-app", "reason": "r"}, {"clientId": "new-app"}),
        "RevokeClientTokens": ("admin", {"clientId": "new-app", "reason": "r"}, {"clientId": "new-app"}),
        "DraftPolicy": ("admin", {"document": "{}"}, {"draftId": "d-1", "scenario": "S03", "version": "v", "state": "OPEN"}),
        "TryPolicyDraft": ("admin", {"draftId": "d-2"}, {"draftId": "d-2", "state": "TRIED"}),
        "PublishPolicyDraft": ("admin", {"draftId": "d-2"}, {"draftId": "d-2", "state": "PUBLISHED"}),
        "DiscardPolicyDraft": ("admin", {"draftId": "d-2", "reason": "r"}, {"draftId": "d-2", "state": "DISCARDED"}),
        "ApprovePolicyVersion": ("admin", {"scenario": "S03", "version": "v", "note": "n"}, {"approvalDueOn": "2027-01-20"}),
        "EndPolicyVersion": (
            "admin",
            {"scenario": "S03", "version": "v", "reason": "r"},
            {"endsOn": "2026-01-20", "applies": "2026-01-01"},
        ),
        "RevealPersonalField": ("risk-desk", {"customerId": customer, "role": "SUBJECT", "field": "NAME"}, {"value": "plain"}),
        "LoadReference": ("admin", {"document": "{}"}, {"versions": [{"name": "lender", "version": 2, "sha256": "ab" * 32}]}),
        "LoadRelations": (
            "admin",
            {"source": "register", "edges": [{"fromUscc": "a", "type": "NONE"}]},
            {"faults": [{"line": 1, "path": "from", "wrong": "it names no business", "remedy": "Name one."}]},
        ),
        "ReproduceEvaluation": (
            "risk-desk",
            {"evaluationId": f"Evaluation:{customer}:e"},
            {"verdict": "DIFFERENT", "difference": {"where": "evaluation.grade", "kept": "A", "made": None, "cause": "c"}},
        ),
        "RaiseDispute": (
            "partner-app",
            {"customerId": customer, "about": "e", "statement": "not mine"},
            {"disputeId": "d-1", "dueOn": "2026-02-09"},
        ),
        "RequestHumanReview": (
            "partner-app",
            {"customerId": customer, "evaluationId": "e"},
            {"disputeId": "d-1", "dueOn": "2026-02-09"},
        ),
        "RevealDispute": ("risk-desk", {"disputeId": "d-1"}, {"statement": "not mine", "note": None}),
        "ResolveDispute": ("admin", {"disputeId": "d-1", "state": "KEPT", "note": "n"}, {"disputeId": "d-1"}),
        "EraseCustomer": ("admin", {"customerId": customer, "reason": "asked by letter"}, {"customerId": customer, "keysDestroyed": 1}),
    }


def holds(found: Any, wanted: Any) -> bool:
    """``wanted`` is part of ``found``."""
    return all(holds(found[key], value) for key, value in wanted.items()) if isinstance(wanted, dict) else bool(found == wanted)


@pytest.mark.parametrize("name", sorted(set(names()) - set(QUERIES)))
async def test_a_mutation_answers_with_its_payload(api: Api, port: Port, name: str) -> None:
    client, given, payload = inputs(api.world.id)[name]
    key = str(new_id())
    (found,) = (await answered(api.sides[client], name, input=given, key=key)).values()
    assert holds(found, payload), found
    call, _ = port.calls[-1]
    assert (call.caller.client_id, call.key, len(call.request_sha256)) == (client, key, 64)


async def test_the_digest_of_a_request_tells_its_input_apart(api: Api, port: Port) -> None:
    client, given, _ = inputs(api.world.id)["Evaluate"]
    for one in (given, dict(reversed(given.items())), given | {"requestedAmount": "1.00"}, given | {"scenario": "S01"}):
        await answered(api.sides[client], "Evaluate", input=one, key="k")
    digests = [call.request_sha256 for call, _ in port.calls[-4:]]
    assert digests[0] == digests[1] and len(set(digests)) == 3


@pytest.mark.parametrize("key", ["", "k" * 129])
async def test_an_idempotency_key_has_a_length(api: Api, port: Port, key: str) -> None:
    client, given, _ = inputs(api.world.id)["Evaluate"]
    before = len(port.calls)
    (found,) = (await answered(api.sides[client], "Evaluate", input=given, key=key)).values()
    assert found["__typename"] == "InvalidInput" and found["message"] and len(port.calls) == before


async def test_a_cursor_of_the_example_goes_on(api: Api) -> None:
    cursor = (await answered(api.sides["partner-app"], "LatestEvaluations", first=1))["customers"]["pageInfo"]["endCursor"]
    assert api.world.id in base64.b64decode(cursor).decode()
    after = (await answered(api.sides["partner-app"], "LatestEvaluations", first=1, after=cursor))["customers"]
    assert after["nodes"] == [] and after["pageInfo"] == {"hasNextPage": False, "endCursor": None}
