"""Dimension P: head-count, contribution base and personal income (domain brief, 4.3)."""

from __future__ import annotations

from decimal import Decimal

from hub.credit.dossier import Dossier
from hub.credit.features.series import employer_months, headcounts, withholding
from hub.credit.maths import dev
from hub.credit.parameters import parameters
from hub.credit.values import FeatureSet
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import EmployerSocialInsuranceMonth, PersonalIncome, SocialInsuranceContribution
from hub.domain.money import ZERO
from hub.domain.periods import Month, window


def head_count(dossier: Dossier) -> Decimal | MissingReason | None:
    """dev of the mean insured and the mean declared head-count over the months both know. NOT_APPLICABLE without employees or business."""
    if not dossier.subject.is_business or _no_employees(dossier):
        return MissingReason.NOT_APPLICABLE
    insured, declared = _insured(dossier), _declared(dossier)
    months = _common(insured, declared)
    if not months:
        return None
    return dev(
        Decimal(sum(insured[month] for month in months)) / len(months), Decimal(sum(declared[month] for month in months)) / len(months)
    )


def contribution_base(dossier: Dossier) -> Decimal | MissingReason | None:
    """max(0, wage - base) / wage over the months both know. Bases below the wage are common: a warning, not fraud."""
    if not dossier.subject.is_business:
        return _own_base(dossier)
    if _no_employees(dossier):
        return MissingReason.NOT_APPLICABLE
    months = window(dossier.as_of, 12)
    wages = {month: one.wage_total for month, one in withholding(dossier, months).items() if one.wage_total is not None}
    bases = {month: _base(rows) for month, rows in employer_months(dossier, months).items()}
    shared = [month for month in months if month in wages and month in bases]
    if len(shared) < _least():
        return None
    wage, base = sum((wages[month] for month in shared), ZERO), sum((bases[month] for month in shared), ZERO)
    return max(ZERO, wage - base) / wage if wage > 0 else None


def _own_base(dossier: Dossier) -> Decimal | MissingReason | None:
    """The same of a person: his declared income, held month by month within the city's floor and ceiling, and his own base."""
    bases, incomes = _bases_of(dossier), _incomes_of(dossier)
    if dossier.readable(SourceKind.SOCIAL_INSURANCE) and not bases:
        return MissingReason.NOT_APPLICABLE
    shared = [month for month in window(dossier.as_of, 12) if month in bases and month in incomes]
    if len(shared) < _least():
        return None
    wage, base = sum((incomes[month] for month in shared), ZERO), sum((bases[month] for month in shared), ZERO)
    return max(ZERO, wage - base) / wage if wage > 0 else None


def _bases_of(dossier: Dossier) -> dict[Month, Decimal]:
    """The person's contribution base by month, from PENSION; of all insurances the largest where there is no PENSION record."""
    person, found = dossier.subject.responsible_hash or dossier.subject.own_hash, dict[Month, Decimal]()
    rows = [one for one in dossier.of(SocialInsuranceContribution) if one.person == person and one.kind != "REFUND"]
    pension = [one for one in rows if one.insurance == "PENSION"]
    for one in pension or rows:
        found[one.period] = max(found.get(one.period, ZERO), one.base)
    return {month: base for month, base in found.items() if dossier.source(SourceKind.SOCIAL_INSURANCE).covers(month)}


def _incomes_of(dossier: Dossier) -> dict[Month, Decimal]:
    """The person's declared income by month, clamped to the bounds of contribution bases where the lender has configured them."""
    person, bounds = dossier.subject.responsible_hash or dossier.subject.own_hash, dossier.reference.insurance_base
    found: dict[Month, Decimal] = {}
    for one in dossier.of(PersonalIncome):
        if one.person == person and dossier.source(SourceKind.TAX).covers(one.month):
            found[one.month] = found.get(one.month, ZERO) + one.amount
    return {month: min(max(amount, bounds[0]), bounds[1]) if bounds else amount for month, amount in found.items()}


def _base(rows: list[EmployerSocialInsuranceMonth]) -> Decimal:
    """Base sum of a month from PENSION, as the head-count is; of all insurances the largest where there is no PENSION record."""
    pension = [row.base_sum for row in rows if row.insurance == "PENSION"]
    return sum(pension, ZERO) if pension else max((row.base_sum for row in rows), default=ZERO)


def personal_income(dossier: Dossier, features: FeatureSet) -> Decimal | MissingReason | None:
    """dev of a year's income as the housing fund implies it and as the payer declared it. NOT_APPLICABLE when the fund knows no account of the person."""
    implied = features["op_hf_implied_income"]
    if implied.number is None:
        return implied.missing
    person = dossier.subject.responsible_hash or dossier.subject.own_hash
    months = window(dossier.as_of, 12)
    covered = [month for month in months if dossier.source(SourceKind.TAX).covers(month)]
    rows = [one for one in dossier.of(PersonalIncome) if one.person == person and one.month in covered]
    if not rows or len(covered) < _least():
        return None
    declared = sum((one.amount for one in rows), ZERO) / len(covered)
    return dev(12 * implied.number, 12 * declared)


def _insured(dossier: Dossier) -> dict[Month, int]:
    return headcounts(dossier, window(dossier.as_of, 12)) if dossier.readable(SourceKind.SOCIAL_INSURANCE) else {}


def _declared(dossier: Dossier) -> dict[Month, int]:
    returns = withholding(dossier, window(dossier.as_of, 12)) if dossier.readable(SourceKind.TAX) else {}
    return {month: one.headcount for month, one in returns.items() if one.headcount is not None}


def _common(one: dict[Month, int], other: dict[Month, int]) -> list[Month]:
    months = [month for month in one if month in other]
    return months if len(months) >= _least() else []


def _no_employees(dossier: Dossier) -> bool:
    """A readable source covers W12, and every one that speaks shows nobody."""
    spoken = [heads for heads in (_insured(dossier), _declared(dossier)) if heads]
    return any(len(heads) >= _least() for heads in spoken) and not any(count for heads in spoken for count in heads.values())


def _least() -> int:
    return parameters().minimum_months[12]
