"""Every root field of the contract is classified: whose it is, and which test asks for it by every role. And what has an id is found by it by whom it may (T17).

A root field that stands in no class fails here, and with it the build: whoever adds one says whose it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio
from graphql import ObjectTypeDefinitionNode, parse
from sqlalchemy import text

from hub.store.database import Database
from hub.store.embedded import Embedded
from hub.store.view.customers import NODES
from schema.access import AUDIENCES
from tests.databases import own
from tests.hub.access.side import Api, open_api
from tests.schema.filled import CUSTOMERS, Standing, fill
from tests.schema.sdl import PRINTED, Contract, read_contract, scope_of
from tests.schema.test_matrix import CONSENTED, ROLES, kind_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
CONTRACT: Contract = read_contract()
CLASSES: Mapping[str, frozenset[str]] = {
    "of one customer, whom an argument names: test_matrix": frozenset({"customer"}),
    "of the customers that the client sees: test_matrix": frozenset({"customers"}),
    "whatever has an id: here": frozenset({"node", "nodes"}),
    "how fetching goes, operators see it of every customer: test_matrix": frozenset({
        "syncConnections", "syncRuns", "platforms", "drift", "identityEvents",
    }),
    "what customers object to, operators see it of every customer: test_matrix, tests/hub/app/test_disputes": frozenset({"disputes"}),
    "what is offered to customers of a portfolio whom the client sees: test_matrix, tests/hub/app/test_portfolios": frozenset({"portfolioResults"}),
    "nobody's, for whoever holds the scope: test_matrix": frozenset({
        "features", "scenarios", "clients", "policies", "policyDrafts", "portfolioScreenings", "products", "references", "fairnessCells", "partnerConcentration",
    }),
    "live, each look is a read of the caller's: tests/hub/app/test_subscriptions, test_profile_changes": frozenset({"syncProgress", "profileChanged"}),
    "has an effect on one customer, seen by the caller: tests/hub/app/test_services, test_consents, test_parties, test_revealing": frozenset({
        "addParty", "endParty", "createLinkSession", "createManageSession", "recordBehaviourSessions", "evaluate", "withdrawConsent", "pauseConsent",
        "resumeConsent", "narrowConsent", "revealPersonalField",
    }),
    "has an effect on one customer, seen by the caller: tests/hub/app/test_lending": frozenset({"recordLoanStatus", "recordLoanStatuses"}),
    "is about one customer, seen by the caller, or by an operator: tests/hub/app/test_disputes, test_reference": frozenset({
        "raiseDispute", "requestHumanReview", "revealDispute", "resolveDispute", "reproduceEvaluation",
    }),
    "has an effect on what the lender knows, as the hub: tests/hub/app/test_reference": frozenset({"loadReference", "loadRelations"}),
    "has an effect on a portfolio, as the hub: tests/hub/app/test_portfolios": frozenset({"screenPortfolio"}),
    "makes a customer known, or says who is one: tests/hub/app/test_claims, test_merging, test_erasing": frozenset({
        "createCustomer", "mergeCustomers", "splitCustomer", "eraseCustomer",
    }),
    "has an effect on clients, as the hub: tests/hub/app/test_clients": frozenset({
        "registerClient", "updateClient", "addClientKey", "retireClientKey", "disableClient", "enableClient", "revokeClientTokens", "registerDocument",
    }),
    "has an effect on policies, as the hub: tests/hub/app/test_policy_services": frozenset({
        "draftPolicy", "tryPolicyDraft", "publishPolicyDraft", "discardPolicyDraft", "endPolicyVersion", "approvePolicyVersion",
    }),
}  # fmt: skip


def roots(printed: str) -> dict[str, str | None]:
    """Every root field with its scope, as the contract prints it."""
    found = {}
    for node in parse(printed).definitions:
        if isinstance(node, ObjectTypeDefinitionNode) and node.name.value in ("Query", "Mutation", "Subscription"):
            for one in node.fields or ():
                found[one.name.value] = scope_of(one.directives) or scope_of(node.directives)
    return found


def unclassified(printed: str) -> set[str]:
    """Root fields in no class, or without a scope; and classes of fields that are not there."""
    classified = {name for names in CLASSES.values() for name in names}
    known = roots(printed)
    return (set(known) ^ classified) | {name for name, scope in known.items() if scope is None}


async def test_every_root_field_is_classified() -> None:
    printed = PRINTED.read_text("utf-8")
    assert unclassified(printed) == set()
    assert sum(map(len, CLASSES.values())) == len(roots(printed)), "in one class each"
    at = printed.index("type Query")
    body = printed.index("{", at) + 1
    assert unclassified(printed[:body] + "\n  surprise: Int\n" + printed[body:]) == {"surprise"}, "control"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(cluster: Embedded, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    database = Database(await cluster.prepare(own("matrix_of_roots"), template="template"))
    async with open_api(database, tmp_path_factory.mktemp("home")) as opened:
        await fill(database, opened.world)
        for side in opened.sides.values():
            await side.login()
        for client in ("risk-desk", "partner-app"):
            await opened.sides[client].ask("query ($id: ID!) { customer(id: $id) { nameMasked } }", {"id": opened.world.id})
        yield opened
    await database.close()


def table_of(kind: str) -> tuple[str, str]:
    return ("customer", "customer_id") if kind == "Customer" else (NODES[kind].table, NODES[kind].key)


async def ids_of(api: Api, standing: Standing) -> dict[str, str]:
    """One id of each kind, of the customer who stands so. A client's own reads are told to whoever reads for all."""
    found, customer = {}, CUSTOMERS[standing]
    async with api.runtime.database.work() as tx:
        for kind in NODES:
            table, key = table_of(kind)
            one = (await tx.execute(text(f"select {key} from {table} where customer_id = '{customer}' order by 1 limit 1"))).scalar()
            if one is not None:
                found[kind] = f"{kind}:{customer}:{one}"
    return found


def may_find(kind: str, audience: str, standing: Standing) -> bool:
    """As the printed contract says: the scope of the type, whose customer it is, and whether a consent must cover it."""
    scope = scope_of(CONTRACT.types[kind].directives)
    (itself,) = (one for one in CONTRACT.types[kind].fields or () if one.name.value == "id")
    # A run tells how much was fetched: it goes with the consent (test_matrix.is_row_of_consented).
    consented = kind == "SyncRun" or kind_of(kind, itself) in CONSENTED
    seen = standing not in (Standing.FOREIGN, Standing.NOT_GRANTED) and not (consented and standing is Standing.NO_CONSENT)
    return scope in AUDIENCES[audience] and seen


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("client", ROLES)
async def test_what_has_an_id_is_found_by_whom_it_may(api: Api, client: str, standing: Standing) -> None:
    """By ``node`` and by ``nodes``; every kind that is a node."""
    ids, audience = await ids_of(api, standing), ROLES[client]
    assert len(ids) >= len(NODES) - 1, "control: there is one of nearly each kind"
    listed = await api.sides[client].ask("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }", {"ids": list(ids.values())})
    if "customers:read" not in AUDIENCES[audience]:
        assert listed.json()["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"
        return
    wanted = {kind: may_find(kind, audience, standing) for kind in ids}
    if audience == "PARTNER" and "AccessRecord" in wanted:
        wanted.pop("AccessRecord")  # Its own reads only: tests/hub/app/test_access_log.
    found = {kind: one is not None for kind, one in zip(ids, listed.json()["data"]["nodes"], strict=True) if kind in wanted}
    wrong = {kind: (found[kind], wanted[kind]) for kind in wanted if found[kind] is not wanted[kind]}
    print(f"\n{client}, {standing}: {sum(found.values())} of {len(found)} kinds found, {len(wrong)} mismatches")
    assert wrong == {}
    for kind in list(wanted)[::7]:
        one = (await api.sides[client].ask("query ($id: ID!) { node(id: $id) { __typename } }", {"id": ids[kind]})).json()["data"]["node"]
        assert (one is not None) is wanted[kind], kind
