"""Industry clusters (domain brief, 1.5): each rule at its edges, by hand; and what nobody can tell is not the same as what is not so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from hub.credit.dossier import Dossier
from hub.credit.features.series import SalesSeries
from hub.credit.portfolio import OUTSIDE
from hub.credit.segments import UNTOLD, Clusters, Trade, clusters
from hub.credit.sources import unreadable
from hub.credit.values import Feature
from hub.domain.enums import IndustryCluster, MissingReason, SourceKind
from hub.domain.facts import BusinessRegistration, Qualification
from hub.domain.periods import window
from hub.store.evaluations.profile import profile_row
from tests.hub.credit.scenario_customers import customer
from tests.hub.credit.variants import evaluated
from tests.hub.store.test_portfolios import offered

MADE = evaluated(customer("S02"))
"""The maker of metal goods, C3311, of 2020; its register names no qualification. As-of is 2026-01-20."""
TITLES = {IndustryCluster.TECH_INNOVATION, IndustryCluster.SPECIALIZED}
SOLD = {month: Decimal(1) for month in window(date(2026, 1, 20), 24)}
FULL = SalesSeries("INVOICE", False, SOLD)


def business(code: str, *held: str, until: date | None = None) -> Dossier:
    """The maker, in another industry and with qualifications."""
    own = replace(MADE.dossier.of(BusinessRegistration)[0], industry_code=code)
    titles = tuple(Qualification(kind=kind, number=kind, valid_from=None, valid_to=until) for kind in held)
    return replace(MADE.dossier, facts={**MADE.dossier.facts, BusinessRegistration: (own,), Qualification: titles})


def known(found: Clusters) -> set[str]:
    return {str(one) for one in found.known}


@pytest.mark.parametrize(
    ("code", "belongs"),
    [
        ("A0111", {"MODERN_AGRICULTURE"}),
        ("B0610", set()),
        ("C3311", set()),
        ("C3399", set()),
        ("C3411", {"ADVANCED_MANUFACTURING"}),
        ("C4090", {"ADVANCED_MANUFACTURING"}),
        ("C4110", set()),
        ("E4710", set()),
        ("G5430", {"MODERN_SERVICE"}),
        ("H6231", {"MODERN_SERVICE"}),
        ("J6620", set()),
        ("K7010", set()),
        ("R8510", {"MODERN_SERVICE"}),
        ("S9200", set()),
    ],
)
def test_by_industry(code: str, belongs: set[str]) -> None:
    """Divisions 34 to 40, and no other of manufacturing; the sections of services as they are listed."""
    assert clusters(business(code), UNTOLD) == Clusters(tuple(IndustryCluster(one) for one in belongs))


def test_a_set_and_titles_that_are_valid() -> None:
    """A maker of metal goods with a technology title belongs to two, with both titles to three; a title that ran out yesterday counts for nothing, one of today does."""
    assert known(clusters(business("C3311", "TECH_SME"), UNTOLD)) == {"ADVANCED_MANUFACTURING", "TECH_INNOVATION"}
    both = clusters(business("C3311", "HIGH_TECH", "LITTLE_GIANT"), UNTOLD)
    assert known(both) == {"ADVANCED_MANUFACTURING", "TECH_INNOVATION", "SPECIALIZED"}
    assert known(clusters(business("C3311", "SPECIALIZED_PROV"), UNTOLD)) == {"SPECIALIZED"}, "no technology title"
    assert known(clusters(business("I6510", "HIGH_TECH"), UNTOLD)) == {"MODERN_SERVICE", "TECH_INNOVATION"}
    assert known(clusters(business("C3311", "TECH_SME", until=date(2026, 1, 19)), UNTOLD)) == set()
    assert TITLES & set(clusters(business("C3311", "TECH_SME", until=date(2026, 1, 20)), UNTOLD).known)


def trade(rating: str | None = None, score: str | None = None, months: int | None = 60, sales: SalesSeries | None = FULL) -> bool | None:
    """Whether a trader belongs to QUALITY_TRADE."""
    said = Trade(rating, None if score is None else Decimal(score), None if months is None else Decimal(months), sales)
    found = clusters(business("F5292"), said)
    return None if found.undecided else bool(found.known)


def test_quality_trade_at_its_edges() -> None:
    assert trade("A") is trade("B") is True
    assert [trade(one, "4.59") for one in ("M", "C", "D")] == [False] * 3
    assert trade("D", "4.6") is True and trade("D", "4.599") is False, "the score alone is enough"
    assert trade("A", "4.5", months=24) is True and trade("A", "4.5", months=23) is False
    quiet = SalesSeries("INVOICE", False, {**SOLD, "2024-01": Decimal(0)})
    assert trade("A", "4.5", sales=quiet) is False, "of 24 months one without a sale"


def test_what_nobody_can_tell_is_left_open() -> None:
    assert trade() is None, "neither rating nor score"
    assert trade("C") is None, "there may be a shop of 4.6"
    assert trade(None, "4.5") is None, "there may be a rating; never rated is not D"
    assert trade("A", "4.5", sales=SalesSeries("INVOICE", False, {one: SOLD[one] for one in list(SOLD)[:-1]})) is None, (
        "a month nobody covers"
    )
    assert trade("A", "4.5", months=None, sales=None) is None
    assert trade(None, "4.5", months=23) is False, "too young, whatever the rating is"
    closed = {**MADE.dossier.sources}
    closed[SourceKind.REGISTRATION] = unreadable(closed[SourceKind.REGISTRATION], MissingReason.CONSENT_REVOKED)
    bare = replace(business("C3311"), sources=closed, facts={})
    assert clusters(bare, UNTOLD) == Clusters((), tuple(clusters(bare, UNTOLD).undecided)) and len(clusters(bare, UNTOLD).undecided) == 6


def test_of_customers_as_they_are() -> None:
    """The cafe is H6231: services. The maker C3311 without a title: none, which is known. A person without a business: none, and not applicable. The technology firm: two."""
    told = {name: evaluated(customer(name)) for name in ("S02", "S04", "S05", "S11")}
    rows = {name: profile_row(one.dossier, one.findings) for name, one in told.items() if one.findings}
    assert {name: (row["clusters"], row["clusters_undecided"], row["missing"].get("clusters")) for name, row in rows.items()} == {
        "S02": ([], [], None),
        "S04": (["MODERN_SERVICE"], [], None),
        "S05": ([], [], "NOT_APPLICABLE"),
        "S11": (["ADVANCED_MANUFACTURING", "TECH_INNOVATION"], [], None),
    }


def test_features_say_what_a_trader_is_worth() -> None:
    """Of features only their values are taken; a missing one is unknown."""
    assert MADE.findings
    read = Trade.of(MADE.findings.features, MADE.findings.sales)
    assert (read.rating, read.shop_score, read.months_in_business) == ("B", None, Decimal(70)), "2020-03-10 to 2026-01-20"
    blank: dict[str, Feature] = {
        name: replace(one, value=None, missing=MissingReason.STALE) for name, one in MADE.findings.features.items()
    }
    assert Trade.of(blank, FULL) == Trade(sales=FULL)


def test_a_portfolio_takes_who_is_known_to_be_of_a_cluster() -> None:
    """The demo's seller has a shop of 4.8: F5292 and at least 4.6."""
    found = offered()
    assert found.profile and found.profile.clusters.known == (IndustryCluster.QUALITY_TRADE,)
    assert offered(choose={"clusters": ["QUALITY_TRADE"]}).left is None
    assert offered(choose={"clusters": ["MODERN_SERVICE"]}).left == OUTSIDE
