"""Who may read and do what: every role against every field of the printed contract, and ids that are not one's own."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from hub.domain.identifiers import new_id
from hub.errors import NotAllowed
from hub.store.tables import access_log
from schema.access import ANYONE, AUDIENCES, SCOPES
from schema.contract import HubSchema, build_schema
from schema.examples import example, names
from schema.plan.extension import require
from schema.plan.selecting import Plan
from tests.hub.access.side import Api, Side
from tests.schema.port import Port
from tests.schema.sdl import PRINTED, Contract, read_contract
from tests.schema.test_examples import QUERIES, inputs

SCHEMA: HubSchema = build_schema()
CONTRACT: Contract = read_contract()
NOBODY = "NOBODY"
ROLES = {**AUDIENCES, NOBODY: frozenset[str]()}
EXPECTED = {
    "PARTNER": {
        "customers:read",
        "customers:write",
        "links:write",
        "consents:write",
        "behaviour:write",
        "loans:read",
        "loans:write",
        "enhancement:read",
        "enhancement:evaluate",
        "access:read",
        "disputes:write",
    },
    "INTERNAL": set(SCOPES)
    - {"clients:read", "clients:write", "customers:erase", "identity:write", "policies:read", "policies:write", "policies:approve"}
    - {"portfolios:write", "reference:write", "disputes:resolve"},
    "ADMIN": {
        *("clients:read", "clients:write", "customers:erase", "identity:write", "operations:read", "schema:introspect"),
        *("policies:read", "policies:write", "policies:approve"),
        *("portfolios:read", "portfolios:write"),
        *("reference:read", "reference:write", "disputes:read", "disputes:resolve"),
    },
    NOBODY: set(),
}


@pytest.mark.law("助贷 2025-9: head office")
def test_the_roles_hold_what_the_review_agreed() -> None:
    assert {role: set(scopes) for role, scopes in ROLES.items()} == EXPECTED


@cache
def planned(question: str) -> Plan:
    document = SCHEMA.documents.of(question, introspecting=False)
    assert document.errors == [], (question, document.errors)
    return SCHEMA.documents.plan(document, None, {})


def allowed(question: str, scopes: frozenset[str]) -> bool:
    """What is decided before anything is read."""
    try:
        require(planned(question), scopes)
    except NotAllowed:
        return False
    return True


@pytest.mark.parametrize("role", ROLES)
def test_each_role_against_each_field(role: str) -> None:
    """Allowed exactly where the printed contract says so, on the whole way from the root."""
    verdicts = {one: allowed(CONTRACT.question(one), ROLES[role]) for one in CONTRACT.ways}
    expected = {one: CONTRACT.needs(one) - {ANYONE.scope} <= ROLES[role] for one in CONTRACT.ways}
    print(f"{role}: {sum(verdicts.values())} of {len(verdicts)} fields")
    assert verdicts == expected
    assert len(verdicts) > 630 and (sum(verdicts.values()) > 0) is (role != NOBODY)
    admins = {"operations:read", "clients:read", "policies:read", "portfolios:read", "reference:read", "disputes:read", ANYONE.scope}
    admin = {one for one, way in CONTRACT.ways.items() if {step.scope for step in way if step.scope} <= admins}
    assert role != "ADMIN" or {one for one, verdict in verdicts.items() if verdict} == admin, (
        "how fetching goes, who asks, what is decided by, what the lender has configured, what is objected to; nothing of what was fetched"
    )


def test_the_matrix_notices_a_field_that_changes_hands() -> None:
    """Control: the contract of another day, in which amounts need another scope than the running schema asks for."""
    other = read_contract(PRINTED.read_text("utf-8").replace("paidAmount: Decimal!", f"paidAmount: Decimal! {BARRED}", 1))
    changed = [one for one in other.ways if other.needs(one) != CONTRACT.needs(one)]
    assert changed == [("Order", "paidAmount")]
    assert allowed(CONTRACT.question(changed[0]), AUDIENCES["INTERNAL"]) and not other.needs(changed[0]) <= AUDIENCES["INTERNAL"]


def test_a_scope_too_few_is_found_wherever_the_field_hides() -> None:
    """Aliases, fragments, abstract types and flags do not lead around a rule."""
    scopes = AUDIENCES["INTERNAL"] - {"facts:read"}
    for hidden in HIDDEN:
        assert allowed(hidden, AUDIENCES["INTERNAL"]) and not allowed(hidden, scopes), hidden


BARRED = '@access(scope: "clients:write", level: "C1", kind: "SHOP")'
_ORDERS = "orders { totalCount }"
_WALK = 'customer(id: "x") { evaluation(scenario: "S03") { features { evidence { sample { %s } } } } }'
HIDDEN = [
    f'{{ customer(id: "x") {{ kind: {_ORDERS} }} }}',
    f'{{ customer(id: "x") {{ ...F }} }} fragment F on Customer {{ ...G }} fragment G on Customer {{ {_ORDERS} }}',
    f'{{ customer(id: "x") {{ ... {{ ... on Customer {{ {_ORDERS} }} }} }} }}',
    f'{{ node(id: "x") {{ ... on Customer {{ {_ORDERS} }} }} }}',
    f"{{ customers {{ edges {{ node {{ {_ORDERS} }} }} }} }}",
    f"{{ {_WALK % 'id'} }}",
    f"{{ {_WALK % '... on Order { paidAmount }'} }}",
    f'query ($no: Boolean = false) {{ customer(id: "x") {{ id ... @skip(if: $no) {{ {_ORDERS} }} }} }}',
    'mutation ($i: CreateCustomerInput!) { createCustomer(input: $i, idempotencyKey: "k") { ... on CustomerCreated { customer { '
    f"{_ORDERS} }} }} }} }}",
]

KEY = "k" * 20
SCOPES_OF_EXAMPLE = {
    "CustomerEnhancement": {"customers:read", "facts:read", "enhancement:read"},
    "CustomerOverview": {"customers:read", "enhancement:read"},
    "FeatureCatalogue": {"customers:read", "evidence:read"},
    "FindCustomers": {"customers:read", "enhancement:read"},
    "Scenarios": {"customers:read", "enhancement:read"},
    "Products": {"customers:read", "enhancement:read"},
    "OrdersAndPlots": {"customers:read", "evidence:read", "facts:read"},
    "ShopTrade": {"customers:read", "evidence:read", "facts:read"},
    "LatestEvaluations": {"customers:read", "enhancement:read"},
    "LimitEvidence": {"customers:read", "enhancement:read", "evidence:read", "facts:read"},
    "SourceStatus": {"customers:read"},
    "SyncHealth": {"operations:read"},
    "CreateCustomer": {"customers:write", "customers:read"},
    "CreateLinkSession": {"links:write"},
    "CreateManageSession": {"links:write"},
    "RecordBehaviourSessions": {"behaviour:write"},
    "RecordLoanStatus": {"loans:write", "customers:read", "loans:read"},
    "RecordLoanStatuses": {"loans:write"},
    "LoanWatch": {"customers:read", "enhancement:read", "loans:read"},
    "Evaluate": {"enhancement:evaluate", "enhancement:read"},
    "WithdrawConsent": {"consents:write", "customers:read"},
    "PauseConsent": {"consents:write", "customers:read"},
    "ResumeConsent": {"consents:write", "customers:read"},
    "NarrowConsent": {"consents:write", "customers:read"},
    "Clients": {"clients:read"},
    "RegisterClient": {"clients:write"},
    "UpdateClient": {"clients:write"},
    "AddClientKey": {"clients:write"},
    "RetireClientKey": {"clients:write"},
    "DisableClient": {"clients:write"},
    "EnableClient": {"clients:write"},
    "RevokeClientTokens": {"clients:write"},
    "RegisterDocument": {"clients:write"},
    "Policies": {"policies:read"},
    "PolicyDrafts": {"policies:read"},
    "DraftPolicy": {"policies:write"},
    "TryPolicyDraft": {"policies:write"},
    "DiscardPolicyDraft": {"policies:write"},
    "PublishPolicyDraft": {"policies:approve"},
    "EndPolicyVersion": {"policies:approve"},
    "FairnessReport": {"policies:read"},
    "ConcentrationReport": {"policies:read"},
    "ApprovePolicyVersion": {"policies:approve"},
    "ScreenPortfolio": {"portfolios:write"},
    "PortfolioScreenings": {"portfolios:read"},
    "PortfolioResults": {"enhancement:read"},
    "AccountOwners": {"customers:read"},
    "AddParty": {"customers:write", "customers:read"},
    "EndParty": {"customers:write", "customers:read"},
    "MergeCustomers": {"identity:write"},
    "SplitCustomer": {"identity:write"},
    "EraseCustomer": {"customers:erase"},
    "RevealPersonalField": {"personal:reveal"},
    "References": {"reference:read"},
    "LoadReference": {"reference:write"},
    "LoadRelations": {"reference:write"},
    "ReproduceEvaluation": {"evidence:read"},
    "OpenDisputes": {"disputes:read"},
    "RaiseDispute": {"disputes:write"},
    "RequestHumanReview": {"disputes:write"},
    "RevealDispute": {"disputes:read"},
    "ResolveDispute": {"disputes:resolve"},
}
CLIENT_OF = {"partner-app": "PARTNER", "risk-desk": "INTERNAL", "admin": "ADMIN"}


@pytest.mark.asyncio(loop_scope="module")
class TestOverHttp:
    """The same through tokens, endpoint and store."""

    @pytest.mark.parametrize("client", CLIENT_OF)
    @pytest.mark.parametrize("name", names())
    async def test_each_client_runs_what_its_audience_may(self, api: Api, port: Port, client: str, name: str) -> None:
        asked: dict[str, Any] = {"id": api.world.id, "scenario": "S03"} if name in QUERIES else {"key": KEY}
        if name not in QUERIES:
            asked["input"] = inputs(api.world.id)[name][1]
        given = {key: value for key, value in asked.items() if f"${key}:" in example(name)}
        before = len(port.calls)
        answer = (await api.sides[client].ask(example(name), given)).json()
        may = SCOPES_OF_EXAMPLE[name] <= AUDIENCES[CLIENT_OF[client]]
        assert ("data" in answer) is may
        if not may:
            assert answer["errors"][0]["extensions"]["code"] == "NOT_ALLOWED" and len(port.calls) == before, "nothing was run"

    async def test_a_token_holds_only_what_it_asked_for(self, api: Api) -> None:
        narrow = Side(api.sides["risk-desk"].http, api.sides["risk-desk"].client)
        await narrow.login("customers:read purpose:CREDIT_APPROVAL")
        assert "data" in (await narrow.ask(example("SourceStatus"), {"id": api.world.id})).json()
        assert "data" not in (await narrow.ask(example("LatestEvaluations"))).json()

    async def test_without_a_token_nothing_is_told(self, api: Api) -> None:
        http = api.sides["partner-app"].http
        for query in ("{ customers { totalCount } }", "{ __typename }", "{", INTROSPECT):
            answer = await http.post("/graphql", json={"query": query})
            assert answer.status_code == 401 and "data" not in answer.json() and "www-authenticate" in answer.headers

    async def test_foreign_forged_and_absent_ids_answer_alike(self, api: Api) -> None:
        """In what comes back, in the status, and in that no reading of anybody is logged."""
        own = await ids_of(api)
        assert len(own) == 8, "control: there is something to find under these ids"
        stranger, before = api.sides["another"], await logged(api)
        answers = {one: (await stranger.ask(LOOK, {"id": one})) for one in [*own, *forged(api)]}
        assert len({(answer.status_code, answer.content) for answer in answers.values()}) == 1
        assert answers[own[0]].json() == {"data": {"customer": None, "node": None}}
        assert await logged(api) == before

    async def test_parts_of_ids_are_not_mixed(self, api: Api) -> None:
        """An id names its customer; under another customer, or as another type, it finds nothing."""
        own, theirs = await ids_of(api), str(api.world.theirs)
        for one in own:
            for wrong in (one.replace(api.world.id, theirs, 1), one.replace(":", "::", 1) + ":", one.swapcase() + " ", one[:-1]):
                answer = (await api.sides["risk-desk"].ask(LOOK, {"id": wrong})).json()["data"]
                assert answer == {"customer": None, "node": None}, wrong
        kinds = {one.split(":")[0] for one in own if ":" in one}
        for one in own:
            for kind in kinds - {one.split(":")[0]}:
                if ":" in one:
                    mixed = f"{kind}:{one.split(':', 1)[1]}"
                    assert (await api.sides["risk-desk"].ask(LOOK, {"id": mixed})).json()["data"]["node"] is None

    async def test_a_partner_sees_its_own_customers_and_no_others(self, api: Api) -> None:
        seen = {}
        for client in ("partner-app", "risk-desk", "another"):
            found = (await api.sides[client].ask("{ customers { nodes { id } } }")).json()["data"]["customers"]["nodes"]
            seen[client] = [one["id"] for one in found]
        assert seen == {"partner-app": [api.world.id], "risk-desk": [api.world.id], "another": [str(api.world.theirs)]}

    async def test_a_payload_is_read_with_the_caller_s_eyes(self, api: Api, port: Port) -> None:
        """A service that answers with a customer the caller may not see shows nothing of it."""
        given = inputs(api.world.id)["CreateCustomer"][1]
        answer = (await api.sides["another"].ask(example("CreateCustomer"), {"input": given, "key": KEY})).json()
        assert port.calls[-1][0].caller.client_id == "another"
        assert "青" not in orjson.dumps(answer).decode() and api.world.id not in orjson.dumps(answer).decode()


INTROSPECT = "{ __schema { queryType { name } } }"
LOOK = "query Look($id: ID!) { customer(id: $id) { id nameMasked } node(id: $id) { __typename } }"


async def ids_of(api: Api) -> list[str]:
    """Every id of the small world that ``node`` finds for the client it belongs to."""
    query = "query ($id: ID!) { customer(id: $id) { id consents { id } connections { id } evaluations { nodes { id } } parties { role } } }"
    found = (await api.sides["risk-desk"].ask(query, {"id": api.world.id})).json()["data"]["customer"]
    listed = [*found["consents"], *found["connections"], *found["evaluations"]["nodes"]]
    mine = [found["id"], f"Customer:{found['id']}:{found['id']}", *(one["id"] for one in listed), found["id"].upper()]
    for one in mine:
        assert (await api.sides["risk-desk"].ask(LOOK, {"id": one})).json()["data"]["node"] is not None, one
    return mine


def forged(api: Api) -> list[str]:
    """Absent, malformed and cut ids, and attempts on the statement."""
    absent, customer = str(new_id()), api.world.id
    cut = [customer[:length] for length in range(0, 36, 7)]
    made = [absent, f"Customer:{absent}:{absent}", f"Evaluation:{absent}:{api.world.evaluation}", f"Nothing:{customer}:{customer}"]
    tricks = [
        "' or true --",
        "%",
        "%(client)s",
        "{id}",
        "Customer",
        ":::",
        "Customer:" + customer,
        "x" * 5000,
        "\u202e" + customer,
        customer + "\n",
    ]
    return [*cut, *made, *tricks, customer.replace("-", ""), "{" + customer + "}", "urn:uuid:" + customer]


async def logged(api: Api) -> int:
    async with api.runtime.database.work() as tx:
        return len((await tx.execute(select(access_log.c.log_id))).all())
