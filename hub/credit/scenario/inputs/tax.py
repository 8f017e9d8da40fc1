"""Inputs about tax: payments, arrears, filings, ratings."""

from __future__ import annotations

from decimal import Decimal

from hub.credit.expressions import Value
from hub.credit.features import Null
from hub.credit.features.series import filed, months_of_return
from hub.credit.scenario.inputs.table import Material, given
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import TaxArrear, TaxCreditRating, TaxPayment
from hub.domain.money import ZERO
from hub.domain.periods import china_day, month_of, window

GOOD_RATINGS = frozenset("AB")


@given("open_tax_arrears")
def open_tax_arrears(material: Material) -> Value:
    """Tax owed and not cleared."""
    material.need(SourceKind.TAX)
    return any(one.cleared_on is None or one.cleared_on > material.dossier.as_of for one in material.dossier.of(TaxArrear))


@given("tax_payments_3m", "NUMBER")
def tax_payments_3m(material: Material) -> Value:
    """Number of payments of tax (no late fees) in W3."""
    material.need(SourceKind.TAX)
    months = set(window(material.dossier.as_of, 3))
    counted = (one for one in material.dossier.of(TaxPayment) if not one.late_fee and one.tax_kind in ("VAT", "CIT", "IIT_BUSINESS"))
    return sum(1 for one in counted if month_of(one.paid_on) in months)


@given("mean_tax_paid", "NUMBER", features=("ss_tax_paid",))
def mean_tax_paid(material: Material) -> Value:
    """Mean of the tax paid in W12 and in the twelve months before, over the covered ones of the two."""
    material.need(SourceKind.TAX)
    years = [total for skip in (0, 12) if (total := _tax_paid(material, skip)) is not None]
    if not years:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return sum(years, ZERO) / len(years)


def _tax_paid(material: Material, skip: int) -> Decimal | None:
    """VAT and the income tax that goes with it, by month of payment; None when the window is not covered enough."""
    reading = material.reading
    try:
        months = set(reading.months(SourceKind.TAX, 12, skip))
    except Null:
        return None
    kinds = ("VAT", "IIT_BUSINESS") if (material.dossier.subject.uscc or "").startswith("92") else ("VAT", "CIT")
    counted = (one for one in material.dossier.of(TaxPayment) if one.tax_kind in kinds and not one.late_fee)
    return sum((one.amount for one in counted if month_of(one.paid_on) in months), ZERO)


@given("zero_filing_run", "NUMBER", features=("ss_zero_filings",))
def zero_filing_run(material: Material) -> Value:
    """Most consecutive months of zero VAT filings in W12; a zero quarter counts three."""
    material.need(SourceKind.TAX)
    zero = {month for one in filed(material.dossier, "VAT") if one.declared_revenue == 0 for month in months_of_return(one)}
    run = longest = 0
    for month in window(material.dossier.as_of, 12):
        run = run + 1 if month in zero else 0
        longest = max(longest, run)
    return longest


@given("two_good_ratings", features=("ss_tax_rating",))
def two_good_ratings(material: Material) -> Value:
    """The two latest published ratings are consecutive years and A or B."""
    material.need(SourceKind.TAX)
    known_on = china_day(material.dossier.known_at)
    ratings = sorted(
        (one for one in material.dossier.of(TaxCreditRating) if one.published_on <= known_on), key=lambda one: one.rating_year
    )[-2:]
    consecutive = len(ratings) == 2 and ratings[1].rating_year - ratings[0].rating_year == 1
    return consecutive and all(one.grade in GOOD_RATINGS for one in ratings)
