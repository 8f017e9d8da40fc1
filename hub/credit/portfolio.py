"""A portfolio: which customers are pre-screened, and what a branch offers them. A dated document, and what it says of one dossier. Pure.

A pre-approval (预授信) is indicative: the engine without a new inquiry, never a commitment (domain brief, section 6). The branch's policy narrows what the scenarios
give: some of them, a floor and a ceiling, and whom it serves nothing. It never raises a limit above theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from hub.credit import policies
from hub.credit.crosscheck import observe
from hub.credit.differences import Decision
from hub.credit.dossier import Dossier
from hub.credit.evaluate import Evaluation, Request, evaluate
from hub.credit.features.series import industry
from hub.credit.models.score import Scored
from hub.credit.policy import Policy
from hub.credit.portfolio_faults import AXES, faults
from hub.credit.scenario.cost import cost_of
from hub.credit.segments import Clusters, Segments, region_of, segments
from hub.credit.shape import written
from hub.domain.enums import Outcome, SourceKind
from hub.errors import PolicyInvalid

OUTSIDE, EXCLUDED = "OUTSIDE", "EXCLUDED"
"""Why a customer who may be looked at has no result: he is not of this portfolio, or the branch serves nothing to such as him."""
_BETTER = (Outcome.ENHANCED, Outcome.BASE_ONLY, Outcome.REFER_MANUAL, Outcome.INELIGIBLE, Outcome.INSUFFICIENT_DATA)
ZERO = Decimal(0)
NO_CLUSTERS = Clusters()


@dataclass(frozen=True, slots=True)
class Group:
    """Some values of some axes; an axis that is not named takes everybody, one that is named takes nobody of whom it is unknown."""

    customer_types: frozenset[str] = frozenset()
    sizes: frozenset[str] = frozenset()
    industries: tuple[str, ...] = ()
    regions: frozenset[str] = frozenset()
    clusters: frozenset[str] = frozenset()

    @property
    def axes(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in AXES)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """``purpose`` is that of the consents; ``money_for`` OPERATING or CONSUMPTION; ``floor`` and ``ceiling`` in yuan;
    ``without_bureau`` is the share of a limit that is offered where no bureau could be asked."""

    id: str
    version: str
    sha256: str
    effective_from: date
    title: str
    purpose: str
    money_for: str
    chosen: Group
    excluded: Group
    scenarios: tuple[str, ...]
    floor: Decimal
    ceiling: Decimal | None
    without_bureau: Decimal
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Profile:
    """What kind of customer it is; None: nobody can tell."""

    customer_type: str | None
    size: str | None
    industry: str | None
    region: str | None
    clusters: Clusters = NO_CLUSTERS


@dataclass(frozen=True, slots=True)
class Screened:
    """What came of one customer. ``left`` says why there is no result; then the rest is None. ``outcome`` is that of the best scenario; below the floor nothing is
    offered, and ``limit`` is None."""

    left: str | None
    profile: Profile | None = None
    scenario: str | None = None
    decision: Decision | None = None
    tier: str | None = None
    limit: Decimal | None = None
    below_floor: bool = False
    sources: tuple[str, ...] = ()
    all_in_cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A customer of the portfolio, with the evaluations of the scenarios that it is made from."""

    profile: Profile
    made: tuple[Evaluation, ...]


def screen(portfolio: Portfolio, dossiers: Mapping[str, Dossier], rules: Mapping[str, Policy]) -> Screened:
    """What the portfolio offers a customer whom no external model is asked about. ``dossiers`` are by scenario, of those he consented to."""
    found = place(portfolio, dossiers, rules)
    return found if isinstance(found, Screened) else offer(portfolio, found)


def place(portfolio: Portfolio, dossiers: Mapping[str, Dossier], rules: Mapping[str, Policy]) -> Screened | Placed:
    """The evaluations of a customer of the portfolio; of everybody else why there is no result."""
    some = next(iter(dossiers.values()))
    profile = Profile(None, None, industry(some), region_of(some))
    if not _may_be(portfolio.chosen, profile):
        return Screened(OUTSIDE)
    request = Request(portfolio.money_for)
    made = [evaluate(dossiers[name], rules[name], request) for name in portfolio.scenarios if name in dossiers]
    groups = next((one.findings.segments for one in made if one.findings), None) or segments(some, observe(some), None)
    profile = _profile(profile, groups)
    if not _is_of(portfolio.chosen, profile):
        return Screened(OUTSIDE)
    if any(portfolio.excluded.axes) and _is_of(portfolio.excluded, profile):
        return Screened(EXCLUDED)
    return Placed(profile, tuple(made))


def offer(portfolio: Portfolio, found: Placed, scores: Sequence[Scored | None] = ()) -> Screened:
    """What the portfolio offers; ``scores`` are what external score models said of the evaluations, in their order."""
    said = zip_longest(found.made, scores)
    return _best(portfolio, found.profile, [one if score is None else _again(one, score) for one, score in said])


def _again(one: Evaluation, score: Scored) -> Evaluation:
    return evaluate(one.dossier, one.policy, one.request, score)


def _best(portfolio: Portfolio, profile: Profile, made: Sequence[Evaluation]) -> Screened:
    """Of several scenarios the best outcome counts, then the larger limit, then the cheaper one: one unsecured limit, not a sum (domain brief, 5.5)."""
    best = min(made, key=_rank)
    decision, dossier = Decision.of(best), best.dossier
    limit = _offered(portfolio, decision, dossier) if decision.outcome in (Outcome.ENHANCED, Outcome.BASE_ONLY) else None
    below = limit is not None and limit < max(portfolio.floor, Decimal(1))
    return Screened(
        None,
        profile,
        best.policy.id,
        decision,
        best.findings.verdict.tier if best.findings else None,
        None if below else limit,
        below,
        tuple(kind.value for kind, state in dossier.sources.items() if state.readable),
        None if limit is None or below else cost_of(best),
    )


def _rank(one: Evaluation) -> tuple[int, Decimal, Decimal]:
    decision = Decision.of(one)
    return _BETTER.index(decision.outcome), -(decision.limit or ZERO), decision.rate or ZERO


def _offered(portfolio: Portfolio, decision: Decision, dossier: Dossier) -> Decimal | None:
    """The limit within the branch's ceiling; a part of it where no bureau was asked, in whole steps."""
    if decision.limit is None:
        return None
    whole = decision.limit if dossier.readable(SourceKind.BUREAU) else decision.limit * portfolio.without_bureau
    limit = whole if portfolio.ceiling is None else min(whole, portfolio.ceiling)
    return limit // STEP * STEP


STEP = Decimal(policies.document("engine")["limit_step"])


def _profile(known: Profile, groups: Segments) -> Profile:
    return Profile(groups.customer_type, groups.size, known.industry, known.region, groups.clusters)


def _may_be(group: Group, profile: Profile) -> bool:
    """By what is known before anything is computed."""
    by_industry = not group.industries or (profile.industry or " ").startswith(group.industries)
    return by_industry and (not group.regions or profile.region in group.regions)


def _is_of(group: Group, profile: Profile) -> bool:
    by_kind = not group.customer_types or profile.customer_type in group.customer_types
    by_cluster = not group.clusters or not group.clusters.isdisjoint(profile.clusters.known)
    return _may_be(group, profile) and by_kind and by_cluster and (not group.sizes or profile.size in group.sizes)


def read_portfolio(document: Mapping[str, Any]) -> Portfolio:
    """Raises PolicyInvalid, which names every fault."""
    found = list(faults(document))
    if found:
        told = " ".join(f"{written(where)}: {wrong}. {remedy}" for where, wrong, remedy in found)
        raise PolicyInvalid(told, remedy="Nothing was kept.")
    return kept_portfolio(document)


def kept_portfolio(document: Mapping[str, Any]) -> Portfolio:
    """One that was read when it was kept: what is asked of a document today says nothing about those of before."""
    branch = document["branch"]
    ceiling = branch.get("ceiling")
    return Portfolio(
        id=document["id"],
        version=document["version"],
        sha256=policies.sha256(dict(document)),
        effective_from=date.fromisoformat(document["effective_from"]),
        title=document["title"],
        purpose=document["purpose"],
        money_for=document.get("money_for", "OPERATING"),
        chosen=_group(document.get("choose", {})),
        excluded=_group(branch.get("exclude", {})),
        scenarios=tuple(branch["scenarios"]),
        floor=Decimal(branch.get("floor", "0")),
        ceiling=None if ceiling is None else Decimal(ceiling),
        without_bureau=Decimal(branch["without_bureau"]),
        document=document,
    )


def _group(document: Mapping[str, Any]) -> Group:
    named = {name: frozenset(document.get(name, ())) for name in ("customer_types", "sizes", "regions", "clusters")}
    return Group(industries=tuple(document.get("industries", ())), **named)
