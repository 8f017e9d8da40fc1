"""Customer type, overlays, size class and product class (domain brief, sections 1.3 and 1.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hub.credit.crosscheck.observers import Observers
from hub.credit.dossier import Dossier, once
from hub.credit.features.series import headcounts, industry, withholding
from hub.credit.parameters import parameters
from hub.credit.policies import document
from hub.domain.enums import CustomerType, SourceKind
from hub.domain.facts import BusinessRegistration, FarmPlot, FinancialStatement, HouseholdRegistration, Qualification
from hub.domain.periods import full_months, window

NEW_CITIZEN_MONTHS = 36
TECHNOLOGY = frozenset({"HIGH_TECH", "TECH_SME"})
SPECIALIZED = frozenset({"SPECIALIZED_PROV", "LITTLE_GIANT"})


@dataclass(frozen=True, slots=True)
class Segments:
    """``size`` and ``customer_type`` are None when what decides them is unknown."""

    customer_type: CustomerType | None
    overlays: tuple[str, ...]
    size: str | None
    product_class: str | None


def segments(dossier: Dossier, observers: Observers, verified_revenue: Decimal | None) -> Segments:
    """The segments of a customer."""
    revenue = observers.value("TAX") if observers.value("TAX") is not None else verified_revenue
    size = size_class(dossier, revenue) if dossier.subject.is_business else None
    return Segments(_type(dossier, size), _overlays(dossier), size, _product_class(dossier))


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
    held = {one.kind for one in dossier.of(Qualification) if one.valid_to is None or one.valid_to >= dossier.as_of}
    if held & (TECHNOLOGY | SPECIALIZED):
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
