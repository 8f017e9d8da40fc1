"""One evaluation: gate, eligibility, cross-check, score, limit, price, outcome, reasons. Pure: the same dossier, policy and request give the same result.

Order of decision: the domain brief, section 5.1. "Cannot decide: X is missing" (INSUFFICIENT_DATA) is apart from "declined" (INELIGIBLE).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from hub.credit.crosscheck import NOBODY, Frame, Observers, Tier, Verdict, judge, observe, run_checks
from hub.credit.crosscheck.checks import SEEN_BY_CHECKS
from hub.credit.disputed import IN_DISPUTE, PERSON_ASKED, is_better, referred, undisputed
from hub.credit.dossier import Dossier
from hub.credit.expressions import Known, Layers
from hub.credit.expressions import evaluate as is_true
from hub.credit.features import compute_features, sales_series
from hub.credit.features.series import SalesSeries
from hub.credit.late_features import after_cross_check, after_offer
from hub.credit.models.score import Score, Scored, score
from hub.credit.policies import document
from hub.credit.policy import Policy, Step
from hub.credit.scenario import eligibility, gate
from hub.credit.scenario.inputs import Material, known_inputs
from hub.credit.scenario.lacking import Lacking, of_limit, of_rules
from hub.credit.scenario.limit import Ground, Limit, Price, calculate, price, uplifts
from hub.credit.scenario.reasons import Reasons, Said, reasons
from hub.credit.segments import Segments, Trade, segments
from hub.credit.values import Feature, FeatureSet
from hub.domain.enums import MissingReason, Outcome, SourceKind

K07 = "K07"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: OPERATING or CONSUMPTION, and perhaps an amount in yuan."""

    purpose: str = "OPERATING"
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was found behind an open gate. ``steps`` are those of the policy's downgrades that would be taken today were the loan already granted."""

    segments: Segments
    features: Mapping[str, Feature]
    observers: Observers
    verdict: Verdict
    eligibility: eligibility.Eligibility
    score: Score
    limit: Limit | None
    price: Price | None
    sales: SalesSeries
    guarantee: str = ""
    steps: tuple[Step, ...] = ()
    lacking: tuple[Lacking, ...] = ()
    fallback: bool = False
    """The score model that the policy names did not answer, so that the scorecard did."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result. ``findings`` is None behind a closed gate; ``gate`` says which sources closed it and why."""

    policy: Policy
    request: Request
    dossier: Dossier
    outcome: Outcome
    reasons: Reasons
    gate: tuple[tuple[SourceKind, MissingReason], ...]
    findings: Findings | None

    @property
    def lacking(self) -> tuple[Lacking, ...]:
        """What kept it from deciding, by name; nothing where it decided."""
        if self.findings is not None:
            return self.findings.lacking
        return tuple(Lacking(kind.value, reason, "GATE") for kind, reason in self.gate)


def evaluate(dossier: Dossier, policy: Policy, request: Request, scored: Scored | None = None) -> Evaluation:
    """See the module. ``scored``: what an external score model said; hard rules and caps apply after it, and where it did not answer a person decides. What is objected
    to (:mod:`hub.credit.objections`) is not used against the customer."""
    made = _made(dossier, policy, request, scored)
    return _settled(made, scored) if dossier.objections else made


def _settled(made: Evaluation, scored: Scored | None) -> Evaluation:
    """What objections leave of an evaluation. An external score was made with what is objected to, so that one without it is asked of the scorecard, too."""
    objections, policy, request, decided_on = made.dossier.objections, made.policy, made.request, made
    if objections.others:
        without = undisputed(made.dossier)
        pairs = [(_made(without, policy, request, scored), made)]
        pairs += [(_made(without, policy, request), _made(made.dossier, policy, request))] if scored else []
        better = next((one for one, full in pairs if is_better(one, full)), None)
        if better is not None:
            decided_on = referred(better, IN_DISPUTE)
        elif not is_better(made, pairs[0][0]):
            decided_on = pairs[0][0]
    if decided_on.outcome is Outcome.INSUFFICIENT_DATA:
        return decided_on
    if objections.summed and IN_DISPUTE not in decided_on.reasons.codes:
        decided_on = referred(decided_on, IN_DISPUTE)
    return referred(decided_on, PERSON_ASKED) if policy.id in objections.decided else decided_on


def _made(dossier: Dossier, policy: Policy, request: Request, scored: Scored | None = None) -> Evaluation:
    closed = gate.closed_by(dossier, policy)
    if closed:
        spoken = reasons(Outcome.INSUFFICIENT_DATA, None, Said(missing=[reason for _, reason in closed]))
        return Evaluation(policy, request, dossier, Outcome.INSUFFICIENT_DATA, spoken, tuple(closed), None)
    findings = find(dossier, policy, request, scored)
    outcome, why = decided(policy, findings, request)
    said = Said([reason for _, reason in findings.eligibility.unknown], why, findings.score.reasons())
    return Evaluation(policy, request, dossier, outcome, reasons(outcome, findings.verdict, said), (), _withheld(findings, outcome))


def find(dossier: Dossier, policy: Policy, request: Request, scored: Scored | None = None) -> Findings:
    """Everything behind the gate, whether or not it is open: a model that watches a loan looks behind a closed one, too."""
    shared = compute_features(dossier, replace(policy.profile, requested=request.amount))
    observers, verdict = _cross_checked(dossier, policy, shared)
    features = dict(shared)
    material = Material(dossier, features, verdict, request.purpose, observers)
    late = after_cross_check(dossier, verdict, material)
    features |= late
    names = names_of(dossier, shared, late, material)
    found = eligibility.judge(policy, names)
    points = score(names, conflict=verdict.tier is Tier.CONFLICT, unverified=verdict.tier is Tier.UNVERIFIED, scored=scored)
    ground = Ground(dossier, policy, names, observers, verdict.tau, request.purpose)
    earned = uplifts(ground)
    offer = price(points.grade, verdict.tau, points.default_probability, enhanced=earned[2] > 0)
    due = offer is not None and verdict.tier is not Tier.CONFLICT
    limit = calculate(ground, offer, earned) if offer and due else None
    lacking = [*(of_rules(policy, names) if found.unknown else ()), *(of_limit(policy, names) if due and limit is None else ())]
    offered = limit is not None and not (found.failed or found.unknown)
    features |= after_offer(dossier, points, offer if offered else None)
    sales = sales_series(dossier, policy.profile)
    groups = segments(dossier, observers, verdict.revenue, Trade.of(features, sales))
    return Findings(
        groups,
        features,
        observers,
        verdict,
        found,
        points,
        limit,
        offer if limit else None,
        sales,
        _guarantee(policy, names),
        tuple(one for one in policy.downgrade if is_true(one.when, names) is True),
        lacking=tuple(lacking),
        fallback=scored is not None and scored.total is None,
    )


def names_of(dossier: Dossier, shared: FeatureSet, late: FeatureSet, material: Material) -> Layers:
    """What an expression may name: features of the dossier and those made after them, and the inputs."""
    found = _known_of(dossier, shared) | {name: Known.of(feature) for name, feature in late.items()}
    return Layers(found, known_inputs(material), memo=dossier.memo)


def _known_of(dossier: Dossier, shared: FeatureSet) -> dict[str, Known]:
    """A feature that several sets have is the same to all. The sets stand in the memo, too: while they do, no others have their places in memory."""
    key, known = (_known_of, id(shared)), dossier.memo.setdefault(Known, {})
    if key not in dossier.memo:
        found = {name: known.get(id(feature)) or known.setdefault(id(feature), Known.of(feature)) for name, feature in shared.items()}
        dossier.memo[key] = found, shared
    return dossier.memo[key][0]  # type: ignore[no-any-return]


def _guarantee(policy: Policy, names: Mapping[str, Known]) -> str:
    """The first guarantee of the policy whose condition, if it has one, holds."""
    conditions = policy.guarantee_when
    holding = (one for one in policy.guarantee if one not in conditions or is_true(conditions[one], names) is True)
    return next(holding, policy.guarantee[-1])


def _cross_checked(dossier: Dossier, policy: Policy, features: Mapping[str, Feature]) -> tuple[Observers, Verdict]:
    """The observers the scenario has, and what the checks say."""
    asked = policy.frame if dossier.subject.is_business else policy.frame_of_persons
    observers = observe(dossier) if asked.has_observers else NOBODY
    frame = asked.settled(observers)
    found = _judged(dossier, features, observers, frame)
    if frame.optional and found[1].tier is Tier.UNVERIFIED:
        # Two observers too few to judge R by are no worse than none: a source that agrees never lowers the tier.
        return _judged(dossier, features, observers, asked.settled(NOBODY))
    return found


def _judged(dossier: Dossier, features: Mapping[str, Feature], observers: Observers, frame: Frame) -> tuple[Observers, Verdict]:
    """Scenarios that frame R alike, and whose checks see the same features, have the same verdict."""
    shown = observers if frame.has_observers else NOBODY
    key = (judge, frame, shown is NOBODY, *(id(features[name]) for name in SEEN_BY_CHECKS))
    if key not in dossier.memo:
        # The features stand beside it: while they do, no other object has their ids.
        verdict = judge(dossier, shown, run_checks(dossier, features, shown, frame), frame)
        dossier.memo[key] = verdict, [features[name] for name in SEEN_BY_CHECKS]
    return shown, dossier.memo[key][0]


def decided(policy: Policy, found: Findings, request: Request) -> tuple[Outcome, Sequence[str]]:
    """The first that applies, and the codes that decided it."""
    conflict, limit = found.verdict.tier is Tier.CONFLICT, found.limit
    if found.eligibility.unknown:
        return Outcome.INSUFFICIENT_DATA, ()
    if found.eligibility.failed:
        return Outcome.INELIGIBLE, found.eligibility.failed
    referred = _referred(found, request)
    if conflict or referred is not None:
        return Outcome.REFER_MANUAL, referred or ()
    if found.score.grade == "E":
        return Outcome.INELIGIBLE, found.score.reasons()
    if limit is None:
        return Outcome.REFER_MANUAL, ()
    if limit.final_limit == 0:
        return Outcome.INELIGIBLE, limit.binding or _zero_code(policy, limit)
    return (Outcome.ENHANCED if limit.effective > 0 else Outcome.BASE_ONLY), ()


def _zero_code(policy: Policy, limit: Limit) -> Sequence[str]:
    """No cap brought the limit to zero, so the leg did that the base is."""
    return [leg.code for leg in policy.legs if leg.id == limit.smallest] or [str(document("engine")["zero_limit_code"])]


def _referred(found: Findings, request: Request) -> Sequence[str] | None:
    """Codes that send the case to a person: a referring rule, K07, a low tier with more asked than the base limit, or a score model that did not answer. None: nothing
    does."""
    if found.eligibility.referred:
        return found.eligibility.referred
    if found.price is not None and found.price.margin < 0:
        return (K07,)
    limit = found.limit
    asked = request.amount is not None and limit is not None and request.amount > limit.base_limit
    return () if (found.verdict.tier is Tier.LOW and asked) or found.fallback else None


def _withheld(found: Findings, outcome: Outcome) -> Findings:
    """Where nothing can be offered, no limit and no price are shown."""
    if outcome is Outcome.INSUFFICIENT_DATA or found.eligibility.failed or found.score.grade == "E":
        return replace(found, limit=None, price=None)
    return found
