"""Inputs about plots and their harvest (FARM)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hub.credit.dossier import Crop
from hub.credit.expressions import Value
from hub.credit.features import Null
from hub.credit.features.risk_return import months_left
from hub.credit.policies import document
from hub.credit.scenario.inputs.table import Material, given, nobody_says
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import FarmHolding, FarmPlot
from hub.domain.money import ZERO


def _plots(material: Material) -> tuple[FarmPlot, ...]:
    material.need(SourceKind.FARM)
    return material.dossier.of(FarmPlot)


def _cropped(material: Material) -> list[tuple[FarmPlot, Crop]]:
    """The plots with their crops of the lender's table; unknown with a crop that is not in it."""
    crops, plots = material.dossier.reference.crops, _plots(material)
    if any(one.crop not in crops for one in plots):
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return [(one, crops[one.crop]) for one in plots]


def _holding(material: Material) -> FarmHolding:
    material.need(SourceKind.FARM)
    found = material.dossier.of(FarmHolding)
    if not found:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return found[0]


@given("verified_area", "NUMBER")
def verified_area(material: Material) -> Value:
    """Area of all plots as the satellite sees it, in mu."""
    return sum((one.verified_area for one in _plots(material)), ZERO)


@given("area_over_register", "NUMBER")
def area_over_register(material: Material) -> Value:
    """Verified over registered area, of the plots that the land register knows."""
    known = [(one.verified_area, one.register_area) for one in _plots(material) if one.register_area is not None]
    registered = sum((area for _, area in known), ZERO)
    if registered <= 0:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return sum((area for area, _ in known), ZERO) / registered


@given("crops_in_table")
def crops_in_table(material: Material) -> Value:
    """Every crop is in the lender's crop table."""
    return all(one.crop in material.dossier.reference.crops for one in _plots(material))


@given("harvest_value", "NUMBER")
def harvest_value(material: Material) -> Value:
    """Verified area x the smaller of claimed yield and county norm x price, over all plots, in yuan."""
    return sum((one.verified_area * min(one.claimed_yield, crop.yield_norm) * crop.price for one, crop in _cropped(material)), ZERO)


@given("input_cost", "NUMBER")
def input_cost(material: Material) -> Value:
    """Verified area x cost of inputs a mu, over all plots, in yuan."""
    return sum((one.verified_area * crop.input_cost for one, crop in _cropped(material)), ZERO)


@given("verified_seasons", "NUMBER")
def verified_seasons(material: Material) -> Value:
    """Number of seasons in which the plots were verified."""
    return Decimal(_holding(material).verified_seasons)


@given("crop_insured")
def crop_insured(material: Material) -> Value:
    """The crop that stands on the plots is insured."""
    return _holding(material).insured


@given("purchase_contract")
def purchase_contract(material: Material) -> Value:
    """Somebody has contracted to buy the harvest."""
    return _holding(material).purchase_contract


@given("credit_village")
def credit_village(material: Material) -> Value:
    """The village is on the list of credit villages (信用村)."""
    return _holding(material).credit_village


@given("months_to_harvest", "NUMBER")
def months_to_harvest(material: Material) -> Value:
    """Months to 60 days (``days_to_receipt``) after the harvest, a started month counted, at most twelve."""
    return months_left(_holding(material).harvest_on + _until_receipt(), material.dossier.as_of)


def _until_receipt() -> timedelta:
    return timedelta(days=int(document("engine")["days_to_receipt"]))


nobody_says("growth_index", "NUMBER", "Growth of the crop as the satellite sees it over the norm of the county. No source serves it yet.")
