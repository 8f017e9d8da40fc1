"""预授信/审批: what can be offered, before the bureau is asked and after (domain brief, section 6.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from hub.credit import evaluate
from hub.credit.dossier import SourceState
from hub.credit.expressions import Value
from hub.credit.features.catalogue import Null
from hub.credit.models.declare import Case, Given, Produces, figures, model, tried
from hub.credit.policies import document
from hub.domain.enums import MissingReason, Outcome, SourceKind, Unit
from hub.domain.models import ModelSlot
from hub.domain.money import floor_to

DECISIONS: Mapping[Outcome, str] = {
    Outcome.ENHANCED: "APPROVE",
    Outcome.BASE_ONLY: "APPROVE",
    Outcome.REFER_MANUAL: "REFER",
    Outcome.INELIGIBLE: "DECLINE",
}
STRICTER = ("APPROVE", "REFER", "DECLINE")


@model(
    ModelSlot.APPROVAL,
    Produces("approval", Unit.ENUM, "审批建议. A person decides on REFER.", STRICTER),
    Produces("preApproved", Unit.BOOL, "预授信: an indicative limit can be named."),
    Produces("indicativeLimit", Unit.YUAN, "预授信额度: indicative, no promise; null without a pre-approval."),
    Produces("validDays", Unit.DAYS, "Days from `asOf` for which the indicative limit is valid."),
)
def approval(case: Case) -> Given:
    """Approval follows the outcome of the evaluation: ENHANCED and BASE_ONLY APPROVE, REFER_MANUAL REFER, INELIGIBLE DECLINE; INSUFFICIENT_DATA has none, with the
    reason of what is missing. Pre-approval is the same engine without a new inquiry at the bureau: an offered limit is indicative and valid for 30 days. Where nothing
    but the bureau is missing, its rules are left open and the indicative limit, in yuan, is 0.8 x what the rest gives, rounded down to 1,000. Source: domain
    brief, section 6.4."""
    limit = tried(lambda: _indicative(case))
    named = isinstance(limit, Decimal)
    return {
        "approval": DECISIONS.get(case.made.outcome) or _why_none(case),
        "preApproved": named or (False if limit is MissingReason.NOT_APPLICABLE else limit),
        "indicativeLimit": limit,
        "validDays": figures()["approval"]["valid_days"] if named else limit,
    }


def _why_none(case: Case) -> MissingReason:
    reasons = [reason for _, reason in case.made.gate] or [reason for _, reason in case.found.eligibility.unknown]
    return reasons[0] if reasons else MissingReason.INSUFFICIENT_COVERAGE


def _indicative(case: Case) -> Value:
    """NOT_APPLICABLE where the engine offers nothing."""
    if case.made.outcome is Outcome.INSUFFICIENT_DATA:
        return _without_bureau(case)
    if DECISIONS[case.made.outcome] != "APPROVE" or case.found.limit is None:
        raise Null(MissingReason.NOT_APPLICABLE)
    return case.found.limit.final_limit


def _without_bureau(case: Case) -> Decimal:
    dossier, policy, request = case.made.dossier, case.made.policy, case.made.request
    others = [reason for kind, reason in case.made.gate if kind is not SourceKind.BUREAU]
    if others or not case.made.gate:
        raise Null(others[0] if others else _why_none(case))
    open_policy = replace(policy, sources=tuple(need for need in policy.sources if need.kind is not SourceKind.BUREAU))
    skipped = SourceState(SourceKind.BUREAU, MissingReason.NOT_APPLICABLE)
    rules = evaluate.find(replace(dossier, sources={**dossier.sources, SourceKind.BUREAU: skipped}), open_policy, request).eligibility
    found = replace(case.found, eligibility=rules)
    outcome, _ = evaluate.decided(open_policy, found, request)
    if outcome is Outcome.INSUFFICIENT_DATA:
        raise Null(rules.unknown[0][1])
    if DECISIONS[outcome] != "APPROVE" or found.limit is None:
        raise Null(MissingReason.NOT_APPLICABLE)
    share = Decimal(figures()["approval"]["without_bureau"])
    return floor_to(found.limit.final_limit * share, int(document("engine")["limit_step"]))
