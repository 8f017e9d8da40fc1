"""Customer type, overlays, size class, product class and industry clusters (domain brief, sections 1.3 and 1.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hub.credit.crosscheck.observers import Observers
from hub.credit.dossier import Dossier, once
from hub.credit.features.series import SalesSeries, headcounts, industry, withholding
from hub.credit.parameters import parameters
from hub.credit.policies import document
from hub.credit.values import Feature
from hub.domain.enums import CustomerType, IndustryCluster, SourceKind
from hub.domain.facts import BusinessRegistration, FarmPlot, FinancialStatement, HouseholdRegistration, Qualification
from hub.domain.periods import full_months, window

NEW_CITIZEN_MONTHS = 36
TECHNOLOGY = frozenset({"HIGH_TECH", "TECH_SME"})
SPECIALIZED = frozenset({"SPECIALIZED_PROV", "LITTLE_GIANT"})


@dataclass(frozen=True, slots=True)
class Clusters:
    """The industry clusters of a customer: those it is known to belong to, and those of which nobody can tell. All others it is known not to belong to."""

    known: tuple[IndustryCluster, ...] = ()
    undecided: tuple[IndustryCluster, ...] = ()


@dataclass(frozen=True, slots=True)
class Trade:
    """What a cluster may ask beside the register: grade of the tax authority, score of the shop, age, sales by month. None: unknown."""

    rating: str | None = None
    shop_score: Decimal | None = None
    months_in_business: Decimal | None = None
    sales: SalesSeries | None = None

    @staticmethod
    def of(features: Mapping[str, Feature], sales: SalesSeries) -> Trade:
        rating = features["ss_tax_rating"].value
        return Trade(
            None if rating is None else str(rating), features["cb_shop_score"].number, features["ss_months_in_business"].number, sales
        )


@dataclass(frozen=True, slots=True)
class Segments:
    """``size`` and ``customer_type`` are None when what decides them is unknown."""

    customer_type: CustomerType | None
    overlays: tuple[str, ...]
    size: str | None
    product_class: str | None
    clusters: Clusters = Clusters()


UNTOLD = Trade()


def segments(dossier: Dossier, observers: Observers, verified_revenue: Decimal | None, trade: Trade = UNTOLD) -> Segments:
    """The segments of a customer."""
    revenue = observers.value("TAX") if observers.value("TAX") is not None else verified_revenue
    size = size_class(dossier, revenue) if dossier.subject.is_business else None
    return Segments(_type(dossier, size), _overlays(dossier), size, _product_class(dossier), clusters(dossier, trade))


def clusters(dossier: Dossier, trade: Trade) -> Clusters:
    """The clusters by the rules of the engine document: one of a rule's conditions holds, or all are known not to. A person without a business belongs to none."""
    if not dossier.subject.is_business:
        return Clusters()
    found = {
        IndustryCluster(rule["cluster"]): some(_holds(one, dossier, trade) for one in rule["any"])
        for rule in document("engine")["clusters"]
    }
    return Clusters(
        tuple(name for name, said in found.items() if said is True), tuple(name for name, said in found.items() if said is None)
    )


def _holds(condition: Mapping[str, Any], dossier: Dossier, trade: Trade) -> bool | None:
    """Whether all that a condition asks is so."""
    return every(_asked(name, wanted, dossier, trade) for name, wanted in condition.items())


def _asked(name: str, wanted: Any, dossier: Dossier, trade: Trade) -> bool | None:
    if name == "industries":
        code = industry(dossier)
        return None if code is None else code.startswith(tuple(wanted))
    if name == "qualifications":
        held = titles(dossier)
        return None if held is None else bool(held & set(wanted))
    if name == "ratings":
        return None if trade.rating is None else trade.rating in wanted
    if name == "shop_score":
        return None if trade.shop_score is None else trade.shop_score >= Decimal(wanted)
    return _sold_for(int(wanted), dossier, trade)


def _sold_for(months: int, dossier: Dossier, trade: Trade) -> bool | None:
    """It sold something in each of the last ``months``. A business that is younger did not; a month that nobody covers leaves it open."""
    if trade.months_in_business is not None and trade.months_in_business < months:
        return False
    if trade.sales is None or trade.sales.missing:
        return None
    sold = trade.sales.months
    return every(None if month not in sold else sold[month] > 0 for month in window(dossier.as_of, months))


def every(said: Iterable[bool | None]) -> bool | None:
    """False when one is, else None when one is."""
    found = list(said)
    return False if False in found else None if None in found else True


def some(said: Iterable[bool | None]) -> bool | None:
    """True when one is, else None when one is."""
    found = list(said)
    return True if True in found else None if None in found else False


def titles(dossier: Dossier) -> frozenset[str] | None:
    """Kinds of the qualifications that are valid on the day; None where the register may not be read."""
    if not dossier.readable(SourceKind.REGISTRATION):
        return None
    return _titles(dossier)


def _titles(dossier: Dossier) -> frozenset[str]:
    return frozenset(one.kind for one in dossier.of(Qualification) if one.valid_to is None or one.valid_to >= dossier.as_of)


def region_of(dossier: Dossier) -> str | None:
    """City in which a business is registered, as the register names it. Where a person lives is nothing to be chosen by."""
    return next((one.city for one in dossier.of(BusinessRegistration) if one.uscc == dossier.subject.uscc), None)


def size_class(dossier: Dossier, revenue: Decimal | None) -> str | None:
    """MICRO, SMALL, MEDIUM or LARGE by the national standard: both lower bounds of a class, otherwise the next lower one."""
    code, heads = industry(dossier), _heads(dossier)
    if code is None or heads is None or revenue is None:
        return None
    table = document("engine")["size"]
    rule = next(one for one in table["classes"] if any(code.startswith(prefix) for prefix in one["prefixes"]))
    unit = Decimal(table["unit"])
    known = {
        "heads": heads,
        "revenue": revenue / unit,
        "assets": None if (assets := _line(dossier, "total_assets")) is None else assets / unit,
    }
    if any(known[name] is None for name in rule["ceiling"]):
        return None
    for name, bounds in (("LARGE", rule["ceiling"]), ("MEDIUM", rule["medium"]), ("SMALL", rule["small"])):
        if _reaches(known, bounds):
            return name
    return "MICRO"


def _reaches(known: Mapping[str, Decimal | None], bounds: Mapping[str, Any]) -> bool:
    return all((value := known[name]) is not None and value >= Decimal(bound) for name, bound in bounds.items())


@once
def _heads(dossier: Dossier) -> Decimal | None:
    """Mean declared head-count of W12, else the mean insured one, each of enough months; a business known to have no employees has none."""
    months = window(dossier.as_of, 12)
    declared = [one.headcount for one in withholding(dossier, months).values() if one.headcount is not None]
    insured = list(headcounts(dossier, months).values())
    least = parameters().minimum_months[12]
    counts = next((one for one in (declared, insured) if len(one) >= least), None)
    return Decimal(sum(counts)) / len(counts) if counts else None


@once
def _line(dossier: Dossier, name: str) -> Decimal | None:
    """A line of the latest balance sheet."""
    sheets = sorted((one for one in dossier.of(FinancialStatement) if one.kind == "BS"), key=lambda one: one.period_end)
    return sheets[-1].lines.get(name) if sheets else None


def _type(dossier: Dossier, size: str | None) -> CustomerType | None:
    uscc = dossier.subject.uscc or ""
    if dossier.subject.is_farmer:
        return CustomerType.FARMER
    if uscc.startswith("91"):
        return None if size is None else CustomerType.MICRO_SMALL_ENTERPRISE if size in ("MICRO", "SMALL") else CustomerType.OTHER
    if uscc.startswith("92"):
        return CustomerType.INDIVIDUAL_BUSINESS
    return CustomerType.FARMER if uscc.startswith("93") or dossier.of(FarmPlot) else CustomerType.OTHER


def _overlays(dossier: Dossier) -> tuple[str, ...]:
    """NEW_CITIZEN: lives where he has no local hukou, or one for less than three years."""
    return ("NEW_CITIZEN",) if is_new_citizen(dossier) else ()


@once
def is_new_citizen(dossier: Dossier) -> bool | None:
    """Whether the person behind the subject is one; None when nobody says where he is registered."""
    person = dossier.subject.responsible_hash or dossier.subject.own_hash
    homes = [one for one in dossier.of(HouseholdRegistration) if one.person == person]
    if not homes:
        return None
    return any(one.hukou_city != one.residence_city or full_months(one.hukou_since, dossier.as_of) < NEW_CITIZEN_MONTHS for one in homes)


@once
def _product_class(dossier: Dossier) -> str | None:
    if _titles(dossier) & (TECHNOLOGY | SPECIALIZED):
        return "HIGH_TECH"
    rule = document("engine")["light_asset"]
    total, fixed = _line(dossier, "total_assets"), _line(dossier, "fixed_assets")
    if total is not None and fixed is not None and total > 0:
        return "LIGHT_ASSET" if fixed / total < Decimal(rule["share"]) else "TRADITIONAL"
    code = industry(dossier)
    if code is None and dossier.subject.is_business and not dossier.readable(SourceKind.REGISTRATION):
        return None
    light = code is not None and (any(code.startswith(prefix) for prefix in rule["industries"]) or code[0] in rule["sections"])
    return "LIGHT_ASSET" if light else "TRADITIONAL"
