"""Which products fit, by hand for a seller and for a farmer; and what holds for everybody: nothing is decided by a catalogue, and what nobody can tell makes nothing fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sandbox.persona import load
from hub.credit.evaluate import Evaluation, Request, evaluate
from hub.credit.expected import to_expected
from hub.credit.models.run import complete
from hub.credit.policy import load_policy
from hub.credit.products.catalogue import Group, Product, of_the_package
from hub.credit.products.comparing import Offer
from hub.credit.products.matching import Match, Who, document_of, match, matches, who_of
from hub.credit.segments import Clusters
from hub.domain.enums import CustomerType, IndustryCluster, Outcome, ProductFit, ProductHolder, ProductKind
from tests.hub.credit.dossiers import dossier_of
from tests.hub.credit.scenario_customers import customer
from tests.hub.credit.variants import evaluated
from tests.hub.store.test_portfolios import SELLER

DOSSIER = dossier_of(load(SELLER))
SOLD = evaluate(DOSSIER, load_policy("S03"), Request())
"""An individual business that sells online (F5292, LIGHT_ASSET, a shop of 4.8); offered are 223,000 for 12 months at 3.70 %, EQUAL_PRINCIPAL, unsecured."""
FARM = evaluated(customer("S07"))
PEER = Product(
    "RIVER_SHOP",
    ProductHolder.PEER,
    ProductKind.LOAN,
    "网商贷",
    "Shop loan",
    "S03",
    (Decimal(10_000), Decimal(300_000)),
    (6, 12, 24),
    (Decimal("3.85"), Decimal("14.40")),
    ("EQUAL_INSTALMENT",),
    ("UNSECURED", "MORTGAGE"),
    frozenset({"OPERATING"}),
    (Group(product_classes=frozenset({"LIGHT_ASSET"})),),
    "River Bank",
    date(2026, 1, 5),
)
OWN = of_the_package()


def told(made: Evaluation, *more: Product) -> dict[str, list[tuple[str, str]]]:
    """Codes with their criteria, by fit, in their order."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in matches(made, (*OWN, *more)):
        found.setdefault(str(one.fit), []).append((one.product.code, " ".join(one.criteria)))
    return found


def test_of_an_online_seller() -> None:
    """The loan it was evaluated for, the other loans it may be evaluated for, what goes with them. S02 by QUALITY_TRADE: of its two groups the second holds."""
    assert told(SOLD) == {
        "FITS": [
            ("S03", "PURPOSE CUSTOMER_TYPE PRODUCT_CLASS DECISION"),
            ("S02", "PURPOSE CLUSTER"),
            ("S04", "PURPOSE INDUSTRY"),
            ("S05", "PURPOSE"),
            ("S06", "PURPOSE CUSTOMER_TYPE"),
            ("S08", "PURPOSE CUSTOMER_TYPE"),
            ("S09", "PURPOSE CUSTOMER_TYPE"),
            ("S10", "PURPOSE INDUSTRY"),
            ("ACQUIRING", "CUSTOMER_TYPE PRODUCT_CLASS"),
            ("SETTLEMENT_ACCOUNT", "CUSTOMER_TYPE PRODUCT_CLASS"),
        ],
        "DOES_NOT_FIT": [
            ("S01", "PRODUCT_CLASS"),
            ("S07", "CUSTOMER_TYPE CLUSTER"),
            ("S11", "PRODUCT_CLASS"),
            ("S12", "OVERLAY"),
            ("DEPOSITS", "PRODUCT_CLASS"),
            ("CROP_INSURANCE", "CUSTOMER_TYPE"),
            ("IP_SERVICES", "PRODUCT_CLASS"),
            ("PAYROLL", "PRODUCT_CLASS"),
        ],
    }


def test_of_a_farmer() -> None:
    """A person without a business: what is for businesses does not fit, which is known."""
    found = told(FARM)
    assert found["FITS"] == [("S07", "PURPOSE CUSTOMER_TYPE DECISION"), ("S05", "PURPOSE"), ("CROP_INSURANCE", "CUSTOMER_TYPE")]
    assert "UNKNOWN" not in found
    assert dict(found["DOES_NOT_FIT"])["S03"] == "CUSTOMER_TYPE PRODUCT_CLASS"
    assert dict(found["DOES_NOT_FIT"])["S04"] == "CLUSTER INDUSTRY"


def test_a_peers_loan_is_compared_element_by_element() -> None:
    """300,000 − 223,000 = 77,000; 24 − 12 = 12 months; 3.85 % − 3.70 % = 0.15 points."""
    (one,) = matches(SOLD, (PEER,))
    assert (one.fit, one.exclusive) == (ProductFit.FITS, False)
    assert [(each.element, each.ours, each.theirs, each.difference, each.same) for each in one.differences] == [
        ("LIMIT", "223000", "300000", Decimal(77_000), False),
        ("TERM", "12", "24", Decimal(12), False),
        ("RATE", "0.0370", "0.0385", Decimal("0.0015"), False),
        ("REPAYMENT", "EQUAL_PRINCIPAL", "EQUAL_INSTALMENT", None, False),
        ("GUARANTEE", "UNSECURED", "UNSECURED, MORTGAGE", None, True),
    ]
    assert [each.text_en for each in one.differences][:3] == [
        "It lends up to 300,000 yuan, 77,000 more than here.",
        "Its longest term is 24 months, 12 more than here.",
        "Its lowest rate is 3.85 % a year, 0.15 points more than here.",
    ]
    assert [each.text_zh for each in one.differences] == [
        "最高额度300,000元，比本行多77,000元。",
        "最长期限24个月，比本行长12个月。",
        "最低年利率3.85%，比本行高0.15个百分点。",
        "还款方式为EQUAL_INSTALMENT，不含本行的EQUAL_PRINCIPAL。",
        "担保方式为UNSECURED, MORTGAGE，包含本行的UNSECURED。",
    ]
    other = replace(PEER, limit=(Decimal(1), Decimal(200_000)), terms=(12,), rate=(Decimal("3.6"), Decimal(9)))
    assert [(each.difference, each.same) for each in matches(SOLD, (other,))[0].differences][:3] == [
        (Decimal(-23_000), False),
        (Decimal(0), True),
        (Decimal("-0.001"), False),
    ]


def test_what_is_not_compared() -> None:
    """A loan for others, one that is compared with another scenario's offers, a deposit; and nothing while nothing is offered."""
    assert matches(SOLD, (replace(PEER, scenario="S01"),)) == ()
    assert matches(SOLD, (replace(PEER, eligible=(Group(product_classes=frozenset({"HIGH_TECH"})),)),))[0].differences == ()
    assert matches(SOLD, (replace(PEER, scenario=None, kind=ProductKind.DEPOSIT),))[0].differences == ()
    declined = replace(SOLD, outcome=Outcome.INELIGIBLE)
    assert matches(declined, (PEER,))[0].differences == ()


def test_the_decision_of_the_evaluated_loan() -> None:
    """Declined does not fit; what goes to a person, or cannot be decided, nobody can tell. Behind a closed gate nothing is told at all."""

    def of(outcome: Outcome) -> tuple[str, tuple[str, ...]]:
        found = next(one for one in matches(replace(SOLD, outcome=outcome), OWN) if one.product.code == "S03")
        return found.fit, found.criteria

    assert of(Outcome.INELIGIBLE) == ("DOES_NOT_FIT", ("DECISION",))
    assert of(Outcome.REFER_MANUAL) == of(Outcome.INSUFFICIENT_DATA) == ("UNKNOWN", ("DECISION",))
    assert matches(replace(SOLD, findings=None), OWN) == ()


def test_what_is_asked_for() -> None:
    """Money for consumption: of the twelve loans one. 400,000: less than what is asked is no loan of it, but for the one that was decided."""
    spending = {one.product.code: one for one in matches(replace(SOLD, request=Request("CONSUMPTION")), OWN) if one.product.kind == "LOAN"}
    assert [name for name, one in spending.items() if one.fit is ProductFit.FITS] == ["S05"] and spending["S10"].criteria == ("PURPOSE",)
    much = {one.product.code: one for one in matches(replace(SOLD, request=Request(amount=Decimal(400_000))), OWN)}
    assert (much["S04"].fit, much["S04"].criteria) == (ProductFit.DOES_NOT_FIT, ("AMOUNT",))
    assert much["S06"].fit is much["S03"].fit is ProductFit.FITS


def test_one_unsecured_operating_limit() -> None:
    """Loans that are secured first, and what are no loans, are beside it."""
    found = {one.product.code: one for one in matches(SOLD, OWN)}
    assert [name for name, one in found.items() if not one.exclusive] == [
        *("S08", "S09", "ACQUIRING", "SETTLEMENT_ACCOUNT", "S07", "DEPOSITS", "CROP_INSURANCE", "IP_SERVICES", "PAYROLL")
    ]
    assert found["S06"].why_en == (
        "It fits by: what the money is for, the customer type. Evaluate S06 before it is offered. Only one unsecured operating limit may be active: limits are no sum."
    )
    assert found["S06"].why_zh == "匹配依据：用途、客户类型。须先评估S06。信用类经营额度仅可启用一个，多个额度不相加。"
    assert found["S01"].why_en == "It does not fit by: the product class."


def test_as_it_is_kept() -> None:
    (kept,) = document_of(matches(SOLD, (PEER,)))
    assert {name: kept[name] for name in ("code", "holder", "peer", "seen_on", "fit", "exclusive")} == {
        "code": "RIVER_SHOP", "holder": "PEER", "peer": "River Bank", "seen_on": "2026-01-05", "fit": "FITS", "exclusive": False,
    }  # fmt: skip
    rows: Any = kept["differences"]
    assert rows[2]["difference"] == "0.0015" and rows[3]["difference"] is None


async def test_a_peers_product_changes_no_decision() -> None:
    """Nor what is said of the own products: with a catalogue, without one, and with peers, the same evaluation."""
    policy = load_policy("S03")
    none, own, both = [await complete(DOSSIER, policy, Request(), catalogue=one) for one in (None, OWN, (*OWN, PEER))]
    documents = [to_expected(one.made, "c") for one in (none, own, both)]
    assert documents[0] == documents[1] == documents[2] and none.hints == own.hints == both.hints and none.results == both.results
    assert none.products is None and own.products and both.products and both.products[:-1] == own.products


KNOWN = who_of(SOLD)
assert KNOWN is not None
UNKNOWN: dict[str, Any] = {
    "customer_type": None, "overlays": frozenset(), "overlays_known": False, "product_class": None, "industry": None,
    "clusters": Clusters((), tuple(IndustryCluster)),
}  # fmt: skip


def test_nothing_known_makes_nothing_fit_that_is_not_for_everybody() -> None:
    nobody = replace(KNOWN, **UNKNOWN)
    found = [match(one, nobody) for one in OWN]
    assert {one.product.code for one in found if one.fit is ProductFit.FITS} == {"S05"}
    assert all(one.fit is ProductFit.UNKNOWN for one in found if one.product.eligible)


CLASSES = ("HIGH_TECH", "LIGHT_ASSET", "TRADITIONAL")
CODES = ("A0111", "C3411", "F5292", "H6231")


@st.composite
def customers(draw: st.DrawFn) -> Who:
    """Of any kind, all of it known."""
    clusters = Clusters(tuple(draw(st.sets(st.sampled_from(IndustryCluster)))))
    return Who(
        customer_type=draw(st.sampled_from(CustomerType)),
        overlays=frozenset(draw(st.sets(st.just("NEW_CITIZEN")))),
        overlays_known=True,
        clusters=clusters,
        product_class=draw(st.sampled_from(CLASSES)),
        industry=draw(st.sampled_from(CODES)),
        is_business=True,
        purpose=draw(st.sampled_from(("OPERATING", "CONSUMPTION"))),
        amount=draw(st.none() | st.sampled_from((Decimal(500), Decimal(400_000)))),
        scenario=draw(st.sampled_from(("S03", "S01"))),
        outcome=Outcome.ENHANCED,
        offer=Offer(Decimal(1_000), 12, Decimal("0.04"), "BULLET", "UNSECURED"),
    )


@given(whole=customers(), hidden=st.sets(st.sampled_from(sorted(UNKNOWN))))
@settings(max_examples=60, deadline=None)
def test_what_is_not_known_makes_no_product_fit(whole: Who, hidden: set[str]) -> None:
    """With less known, what fits fits with all known as well; and what does not fit never does. To know less only ever leads to UNKNOWN."""
    names = {*hidden, *({"overlays", "overlays_known"} if hidden & {"overlays", "overlays_known"} else ())}
    less = replace(whole, **{name: UNKNOWN[name] for name in names})
    for product in (*OWN, PEER):
        before: Match = match(product, less)
        assert before.fit in (ProductFit.UNKNOWN, match(product, whole).fit), product.code


@pytest.mark.parametrize("scenario", ["S02", "S04", "S05", "S06", "S07", "S09", "S10", "S12"])
def test_every_customer_of_a_scenario_is_one_of_those_its_product_is_for(scenario: str) -> None:
    """Control of the catalogue: whom a scenario is made for and offers a limit, its product fits."""
    made = evaluated(customer(scenario))
    found = next(one for one in matches(made, OWN) if one.product.code == scenario)
    assert (made.outcome, found.fit) == (Outcome.ENHANCED, ProductFit.FITS)
