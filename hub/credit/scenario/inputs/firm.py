"""Inputs about what a firm is: qualifications, patents, research, start-ups."""

from __future__ import annotations

from decimal import Decimal

from hub.credit.expressions import Value
from hub.credit.features import Null
from hub.credit.features.reading import ratio
from hub.credit.features.statements import profit_and_loss
from hub.credit.scenario.inputs.table import Material, given, nobody_says
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import Qualification

CLASSES = (("LITTLE_GIANT", "LITTLE_GIANT"), ("SPECIALIZED_PROV", "SPECIALIZED"), ("HIGH_TECH", "HIGH_TECH"), ("TECH_SME", "TECH_SME"))
"""Kinds of qualification and the class they give, the highest first."""
RESEARCH = "research_cost"
STARTUP = "STARTUP"


def _held(material: Material) -> list[Qualification]:
    """Qualifications that are valid at as-of."""
    material.need(SourceKind.REGISTRATION)
    day = material.dossier.as_of
    rows = material.dossier.of(Qualification)
    return [one for one in rows if (one.valid_from is None or one.valid_from <= day) and (one.valid_to is None or one.valid_to >= day)]


@given("technology_class", ("LITTLE_GIANT", "SPECIALIZED", "HIGH_TECH", "TECH_SME", "NONE"))
def technology_class(material: Material) -> Value:
    """The highest class of technology firm that a valid qualification gives; NONE without one."""
    kinds = {one.kind for one in _held(material)}
    return next((name for kind, name in CLASSES if kind in kinds), "NONE")


@given("qualification_expired")
def qualification_expired(material: Material) -> Value:
    """A qualification that gave a class of technology firm has expired: the class is that of those which are left."""
    material.need(SourceKind.REGISTRATION)
    kinds, day = {kind for kind, _ in CLASSES}, material.dossier.as_of
    return any(one.kind in kinds and one.valid_to is not None and one.valid_to < day for one in material.dossier.of(Qualification))


@given("patents", "NUMBER")
def patents(material: Material) -> Value:
    """Number of valid patents in the register's list."""
    return sum(1 for one in _held(material) if one.kind == "PATENT")


@given("research_cost", "NUMBER")
def research_cost(material: Material) -> Value:
    """Cost of research and development of the latest yearly profit-and-loss statement that ends in W12, in yuan."""
    return _research(material)[0]


@given("research_share", "NUMBER")
def research_share(material: Material) -> Value:
    """Cost of research and development over the revenue of the same year, by the latest yearly profit-and-loss statement that ends in W12."""
    return ratio(*_research(material))


def _research(material: Material) -> tuple[Decimal, Decimal]:
    """Tax data name it too (研发费用加计扣除, the brief's source): where they are readable and say nothing, there is no record of it, whether or not statements
    are connected. Statements that may not be used keep their own reason."""
    if material.dossier.source(SourceKind.FINANCIALS).reason is MissingReason.NOT_CONNECTED:
        material.need(SourceKind.TAX)
    else:
        material.need(SourceKind.FINANCIALS)
    year = profit_and_loss(material.reading)
    if year is None or RESEARCH not in year:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return year[RESEARCH], year["revenue"]


@given("subsidy_received")
def subsidy_received(material: Material) -> Value:
    """A subsidy of the state was received in a covered month of W12."""
    months = material.reading.months(SourceKind.PAYMENT, 12)
    return any(amount > 0 for amount in material.dossier.series("IN.SUBSIDY", SourceKind.PAYMENT, months).values())


@given("startup_category")
def startup_category(material: Material) -> Value:
    """The register carries a proof that the borrower belongs to a category of the local start-up programme (创业担保贷款). Without one nobody knows."""
    if not any(one.kind.startswith(STARTUP) for one in _held(material)):
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return True


@given("enterprise")
def enterprise(material: Material) -> Value:
    """The borrower is an enterprise (USCC 91), not a person or an individual business."""
    return (material.dossier.subject.uscc or "").startswith("91")


nobody_says("graduate_share", "NUMBER", "Share of the staff with a bachelor's degree or more. No source serves the education of staff.")
nobody_says("months_since_venture_round", "NUMBER", "Months since the last round of venture capital. No source serves rounds.")
