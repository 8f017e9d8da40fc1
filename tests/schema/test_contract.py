"""The contract as a text: printed, described, and with an access rule on everything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import strawberry
from graphql import GraphQLObjectType, GraphQLSchema, is_introspection_type, is_specified_scalar_type

from hub.domain.enums import Sensitivity
from hub.domain.facts import FieldType, all_specs
from hub.domain.facts.names import field_name
from hub.store.view import CATALOGUE
from hub.store.view.catalogue import MOST_COUNTED, Column, Many
from schema.access import ANYONE, AUDIENCES, SCOPES, Access, DataKind, access
from schema.contract import HubSchema, Undeclared, build_schema
from schema.mutations.create_customer import CustomerCreated
from schema.mutations.root import Mutation
from schema.plan.prices import COUNTED, LISTS, PER_ITEM, TALLIES
from schema.plan.rules import Rules
from schema.types.interval import Interval

PRINTED = Path(__file__).resolve().parents[2] / "schema" / "schema.graphql"
SCHEMA: HubSchema = build_schema()
RULES = SCHEMA.rules.by_coordinate


def stale(printed: str, sdl: str) -> str | None:
    """What is wrong with the printed contract, and what to do about it."""
    return None if printed == sdl else "schema/schema.graphql is not what the types say: run `make schema` and review the difference"


def test_the_printed_contract_is_current() -> None:
    assert stale(PRINTED.read_text("utf-8"), SCHEMA.sdl()) is None


def test_a_stale_contract_is_noticed() -> None:
    """Control."""
    assert "make schema" in (stale(PRINTED.read_text("utf-8").replace("finalLimit", "lastLimit"), SCHEMA.sdl()) or "")


def test_make_schema_prints_what_the_test_compares() -> None:
    printed = subprocess.run([sys.executable, "-m", "schema.contract"], capture_output=True, check=True, cwd=PRINTED.parents[1])
    assert printed.stdout.decode() == PRINTED.read_text("utf-8")


def undescribed(schema: GraphQLSchema) -> Iterator[str]:
    """Types, fields and arguments without a description. Arguments of generic connections are declared once and checked everywhere."""
    for type_ in schema.type_map.values():
        if is_introspection_type(type_) or is_specified_scalar_type(type_):
            continue
        if not type_.description:
            yield type_.name
        fields: dict[str, Any] = getattr(type_, "fields", {})
        for name, field in fields.items():
            if not field.description:
                yield f"{type_.name}.{name}"
            yield from (f"{type_.name}.{name}({key})" for key, one in getattr(field, "args", {}).items() if not one.description)


def test_everything_is_described() -> None:
    assert list(undescribed(SCHEMA.core)) == []


def test_a_missing_description_is_noticed() -> None:
    """Control."""

    @strawberry.type
    class Query:
        @strawberry.field
        def bare(self, argument: int) -> int:
            return argument

    assert list(undescribed(strawberry.Schema(Query)._schema)) == ["Query", "Query.bare", "Query.bare(argument)"]


def test_every_field_has_an_access_rule() -> None:
    objects = [
        type_ for type_ in SCHEMA.core.type_map.values() if isinstance(type_, GraphQLObjectType) and not is_introspection_type(type_)
    ]
    coordinates = {(type_.name, name) for type_ in objects for name in type_.fields}
    assert len(coordinates) > 600
    assert SCHEMA.rules.undeclared() == []
    assert {coordinate for coordinate in coordinates if RULES[coordinate] is None} == set()


def test_the_contract_is_not_built_when_a_type_loses_its_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control."""
    monkeypatch.setattr(Interval.__strawberry_definition__, "directives", [])  # type: ignore[attr-defined]
    with pytest.raises(Undeclared, match=r"Interval\.first, Interval\.last"):
        build_schema()


def test_the_contract_is_not_built_when_a_mutation_loses_its_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control."""
    evaluate = next(field for field in Mutation.__strawberry_definition__.fields if field.name == "evaluate")  # type: ignore[attr-defined]
    monkeypatch.setattr(evaluate, "directives", [])
    with pytest.raises(Undeclared, match=r"Mutation\.evaluate"):
        build_schema()


@strawberry.type
class SecretEdge:
    node: str


def test_a_borrowed_name_does_not_excuse_from_declaring() -> None:
    """A type that is called like a page is not one."""

    @strawberry.type(directives=[ANYONE])
    class Query:
        edge: SecretEdge

    assert Rules(strawberry.Schema(Query)._schema).undeclared() == ["SecretEdge.node"]


def test_what_declares_nothing_needs_what_nobody_holds() -> None:
    """The run time refuses even what a build would let pass."""
    needed = SCHEMA.rules.needs([("Customer", "id"), ("Nothing", "declared")])
    assert not set(needed) - {"customers:read"} <= set().union(*AUDIENCES.values())


def test_a_rule_names_a_scope_that_exists() -> None:
    assert {rule.scope for rule in RULES.values() if rule} - {ANYONE.scope} <= set(SCOPES)
    with pytest.raises(KeyError):
        access("customers:rule", DataKind.PROFILE)


def stored_rules() -> Iterator[tuple[str, str, Access]]:
    """Rules of the types whose data come from the store, pages aside."""
    named_so = {"PlatformConnection", "WatchedConnection"}
    paging = {name for name in SCHEMA.core.type_map if name == "PageInfo" or name.endswith(("Edge", "Connection"))} - named_so
    outside = {"Mutation", *(type_.name for type_ in SCHEMA.core.type_map.values() if is_result(type_.name))}
    for (owner, name), rule in RULES.items():
        if owner not in paging | outside and rule is not None:
            yield owner, name, rule


def is_result(name: str) -> bool:
    """Members of the unions that mutations answer with, and what they share."""
    unions = [type_ for type_ in SCHEMA.core.type_map.values() if type_.name.endswith("Result") and hasattr(type_, "types")]
    return name in ("Problem", "PolicyFault") or any(name == member.name for union in unions for member in union.types)


def test_nothing_of_a_customer_is_for_anyone() -> None:
    assert [f"{owner}.{name}" for owner, name, rule in stored_rules() if rule.scope == ANYONE.scope] == []


def test_every_mutation_has_a_rule_of_its_own() -> None:
    mutation = SCHEMA.core.mutation_type
    assert mutation is not None
    scopes = {name: RULES["Mutation", name].scope for name in mutation.fields}  # type: ignore[union-attr]
    assert scopes == {
        "createCustomer": "customers:write",
        "addParty": "customers:write",
        "endParty": "customers:write",
        "mergeCustomers": "identity:write",
        "splitCustomer": "identity:write",
        "createLinkSession": "links:write",
        "createManageSession": "links:write",
        "recordBehaviourSessions": "behaviour:write",
        "evaluate": "enhancement:evaluate",
        "recordLoanStatus": "loans:write",
        "recordLoanStatuses": "loans:write",
        "withdrawConsent": "consents:write",
        "pauseConsent": "consents:write",
        "resumeConsent": "consents:write",
        "narrowConsent": "consents:write",
        "registerClient": "clients:write",
        "updateClient": "clients:write",
        "addClientKey": "clients:write",
        "retireClientKey": "clients:write",
        "disableClient": "clients:write",
        "enableClient": "clients:write",
        "revokeClientTokens": "clients:write",
        "registerDocument": "clients:write",
        "draftPolicy": "policies:write",
        "tryPolicyDraft": "policies:write",
        "discardPolicyDraft": "policies:write",
        "publishPolicyDraft": "policies:approve",
        "endPolicyVersion": "policies:approve",
        "approvePolicyVersion": "policies:approve",
        "screenPortfolio": "portfolios:write",
        "eraseCustomer": "customers:erase",
        "revealPersonalField": "personal:reveal",
        "loadReference": "reference:write",
        "loadRelations": "reference:write",
        "reproduceEvaluation": "evidence:read",
        "raiseDispute": "disputes:write",
        "requestHumanReview": "disputes:write",
        "revealDispute": "disputes:read",
        "resolveDispute": "disputes:resolve",
    }


@pytest.mark.law("JR/T 0171: masked")
def test_personal_fields_are_of_class_c2_and_masked() -> None:
    personal = [(spec.name, field) for spec in all_specs() for field in spec.fields if field.sensitivity is not Sensitivity.C1]
    assert len(personal) > 20
    for owner, field in personal:
        rule = RULES[owner, field_name(field)]
        assert rule is not None and (rule.scope, rule.level) == ("facts:read", "C2"), (owner, field.name)
    masked = [(owner, field) for owner, field in personal if field.kind is FieldType.PERSONAL]
    assert all(field_name(field).endswith("Masked") for _, field in masked)
    for owner, name in (("Customer", "nameMasked"), ("Party", "nameMasked"), ("Party", "idMasked")):
        rule = RULES[owner, name]
        assert rule is not None and rule.level == "C2"


def test_partners_never_hold_facts_or_evidence() -> None:
    assert not AUDIENCES["PARTNER"] & {
        "facts:read",
        "evidence:read",
        "operations:read",
        "schema:introspect",
        "clients:read",
        "clients:write",
        "customers:erase",
        "identity:write",
        "personal:reveal",
        "policies:read",
        "policies:write",
        "policies:approve",
        "portfolios:read",
        "portfolios:write",
        "reference:read",
        "reference:write",
        "disputes:read",
        "disputes:resolve",
    }
    assert not AUDIENCES["ADMIN"] - {
        "policies:read",
        "policies:write",
        "policies:approve",
        "clients:read",
        "clients:write",
        "customers:erase",
        "identity:write",
        "operations:read",
        "portfolios:read",
        "portfolios:write",
        "schema:introspect",
        "reference:read",
        "reference:write",
        "disputes:read",
        "disputes:resolve",
    }


def test_every_list_without_a_page_size_has_a_usual_length() -> None:
    """The cost of an operation would otherwise count it once, however long it is."""
    lists = set()
    for type_ in SCHEMA.core.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not is_introspection_type(type_):
            for name, field in type_.fields.items():
                of_objects = "[" in str(field.type) and hasattr(SCHEMA.core.type_map[str(field.type).strip("[]!")], "fields")
                if of_objects and "first" not in field.args and name not in ("nodes", "edges"):
                    lists.add(f"{type_.name}.{name}")
    assert lists == set(LISTS) and set(PER_ITEM) < lists


def test_the_statement_holds_lists_and_counts_to_their_most() -> None:
    """What the price says of a list is what its statement reads at most. What nature bounds is exempt, by name."""
    assert COUNTED == MOST_COUNTED + 1
    by_nature = {
        "Customer.sources",
        "ConsentEvent.changes",
        "FinancialStatement.lines",
        "LimitPart.features",
        "FeatureValue.evidence",
        "ProfileNews.changes",
    }
    by_nature |= {"Customer.series"}
    answers = {"ReferenceLoaded.versions", "ReferenceLoaded.faults", "RelationsLoaded.faults"}
    """What mutations answer with, and no statement reads."""
    for coordinate, rows in LISTS.items():
        owner, name = coordinate.split(".")
        if is_result(owner):
            continue
        if coordinate in answers:
            continue
        member = CATALOGUE[owner].members[name]
        assert isinstance(member, Many) and rows.usual <= rows.most
        if member.default is None:
            assert owner == "Evaluation" or coordinate in by_nature, f"{coordinate} may be of any length"
        else:
            assert member.default == rows.most, coordinate


def test_values_that_are_worked_out_of_other_rows_have_a_price() -> None:
    """A column whose SQL asks another table reads more than its own row."""
    asking = {
        f"{view.name}.{name}"
        for view in CATALOGUE.values()
        for name, member in view.members.items()
        if isinstance(member, Column) and " from " in member.sql and "unnest(" not in member.sql
    }
    assert asking - {"PlatformConnection.owner"} <= set(TALLIES), "say in schema/plan/prices.py how much it reads"


def test_a_payload_declares_what_it_shows() -> None:
    """The customer behind a mutation's answer needs what the customer behind a query needs."""
    assert RULES["CustomerCreated", "customer"] == access("customers:read", DataKind.PROFILE)
    assert CustomerCreated.__strawberry_definition__.directives == [ANYONE]  # type: ignore[attr-defined]
