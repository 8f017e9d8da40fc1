"""The product catalogue: what comes with the hub says what its policies say, and what cannot be meant is told by its place."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from hub.credit import policies
from hub.credit.policy import load_policy
from hub.credit.products.catalogue import of_the_package, text_of_the_package
from hub.credit.products.checking import highest
from hub.credit.reference import check_reference
from hub.domain.enums import ProductKind

OWN: dict[str, Any] = {
    "kind": "LOAN", "name_zh": "电商贷", "name_en": "For sellers", "scenario": "S03", "limit": ["1000", "500000"], "terms": [9, 12],
    "rate": ["3.70", "8.00"], "repayment": ["EQUAL_PRINCIPAL"], "guarantee": ["UNSECURED"], "purposes": ["OPERATING"], "eligible": [],
}  # fmt: skip
PEER: dict[str, Any] = {**OWN, "peer": "某银行", "seen_on": "2026-01-05", "guarantee": ["MORTGAGE"]}


def told(own: Any = OWN, peer: Any = PEER) -> list[str]:
    """Where faults are, in a file of one product each."""
    file = {"source": "board", "effective_from": "2026-01-01", "documents": {"products": {"A": own}, "peer_products": {"B": peer}}}
    return [one.where.removeprefix("documents.") for one in check_reference(json.dumps(file, indent=1))]


def test_the_catalogue_that_comes_with_the_hub() -> None:
    """Twelve loans, whose five elements are those of the twelve policies, and six companions of the engine's document."""
    assert check_reference(text_of_the_package()) == []
    products = {one.code: one for one in of_the_package()}
    loans = {name: one for name, one in products.items() if one.kind is ProductKind.LOAN}
    assert sorted(loans) == policies.names()
    for name, one in loans.items():
        policy = load_policy(name)
        assert (one.scenario, one.repayment, one.guarantee) == (name, policy.repayment, policy.guarantee)
        assert one.limit is not None and one.limit[1] == highest(policy)
        if policy.base_term.isdigit():
            assert (one.terms[0], one.terms[-1]) == (int(policy.base_term), int(policy.base_term) + policy.term_bonus)
    companions = {row["product"] for rows in policies.document("engine")["companions"].values() for row in rows}
    assert companions <= products.keys()
    assert {name: str(products[name].kind) for name in sorted(products.keys() - loans.keys())} == {
        "ACQUIRING": "PAYMENT", "CROP_INSURANCE": "INSURANCE", "DEPOSITS": "DEPOSIT", "IP_SERVICES": "SERVICE", "PAYROLL": "SERVICE",
        "SETTLEMENT_ACCOUNT": "PAYMENT",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("scenario", "amount"), [("S01", 3_000_000), ("S05", 300_000), ("S08", 5_000_000), ("S11", 10_000_000), ("S12", 300_000)]
)
def test_the_most_of_a_product_cap(scenario: str, amount: int) -> None:
    """Of its cases the highest; one that is worked out has no highest."""
    assert highest(load_policy(scenario)) == Decimal(amount)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"kind": "CAR"}, ["kind"]),
        ({"colour": "red"}, ["colour"]),
        ({"peer": "某银行"}, ["peer"]),
        ({"name_zh": " "}, ["name_zh"]),
        ({"limit": ["500000", "1000"]}, ["limit"]),
        ({"limit": [1000, 500000]}, ["limit"]),
        ({"rate": ["3.7", "370"]}, ["rate"]),
        ({"terms": []}, ["terms"]),
        ({"terms": [12, 9]}, ["terms"]),
        ({"terms": [True, 12]}, ["terms"]),
        ({"repayment": ["LATER"]}, ["repayment[0]"]),
        ({"repayment": ["EQUAL_PRINCIPAL", "EQUAL_PRINCIPAL"]}, ["repayment[1]"]),
        ({"guarantee": []}, ["guarantee"]),
        ({"purposes": ["TRAVEL"]}, ["purposes[0]"]),
        ({"eligible": {}}, ["eligible"]),
        ({"eligible": [{}]}, ["eligible[0]"]),
        ({"eligible": [{"clusters": ["SHIPPING"]}]}, ["eligible[0].clusters[0]"]),
        ({"eligible": [{"ages": [18]}]}, ["eligible[0].ages"]),
        ({"eligible": [{"industries": ["52"]}]}, ["eligible[0].industries[0]"]),
        ({"eligible": [{"industries": ["F", "F53"]}]}, ["eligible[0].industries[1]"]),
        ({"eligible": [{"industries": []}]}, ["eligible[0].industries"]),
        ({"limit": ["1000", "500000.01"]}, ["limit[1]"]),
        ({"terms": [9, 13]}, ["terms"]),
        ({"repayment": ["EQUAL_PRINCIPAL", "BULLET"]}, ["repayment[1]"]),
        ({"guarantee": ["MORTGAGE"]}, ["guarantee[0]"]),
        ({"scenario": "S99"}, ["scenario"]),
    ],
)
def test_an_own_product_with_a_fault(changes: dict[str, Any], where: list[str]) -> None:
    assert told() == []
    assert told({**OWN, **changes}) == [f"products.A.{one}" for one in where]


@pytest.mark.parametrize("missing", ["limit", "terms", "rate", "repayment", "guarantee"])
def test_a_loan_has_five_elements_and_a_service_none(missing: str) -> None:
    less = {name: value for name, value in OWN.items() if name != missing}
    assert told(less) == ["products.A"]
    assert told({**less, "kind": "SERVICE"}) == []


@pytest.mark.parametrize(
    ("changes", "where"),
    [({"peer": ""}, "peer"), ({"peer": None}, "peer"), ({"seen_on": "January"}, "seen_on"), ({"scenario": "S99"}, "scenario")],
)
def test_a_peers_product_says_whose_it_is_and_when_it_was_seen(changes: dict[str, Any], where: str) -> None:
    assert told(peer={**PEER, **changes}) == [f"peer_products.B.{where}"]
    assert told(peer={**PEER, "limit": ["1", "99999999"], "terms": [60]}) == [], "it is bound by no policy of the lender's"
