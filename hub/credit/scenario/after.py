"""After a loan was granted: what a later evaluation of the same scenario does to it (domain brief, 5.2 DOWN, 5.4), and what goes with it (5.5).

Nothing that was drawn is ever clawed back; every action is about what is not drawn yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from hub.credit.crosscheck.verdict import Tier
from hub.credit.evaluate import Evaluation
from hub.credit.policies import document
from hub.domain.enums import CustomerType, MissingReason

HEIGHT = (Tier.CONFLICT, Tier.UNVERIFIED, Tier.LOW, Tier.MEDIUM, Tier.HIGH)
ENDED = (MissingReason.CONSENT_REVOKED, MissingReason.CONSENT_EXPIRED)


@dataclass(frozen=True, slots=True)
class Action:
    """What is done, for REDUCE_UNDRAWN by which share, and the condition, tier or source that asks for it."""

    name: str
    why: str
    share: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Companion:
    """A product that goes with the customer's class, and the features that speak for it, those that have a value."""

    product: str
    why: tuple[str, ...]


def actions(before: Tier, now: Evaluation) -> tuple[Action, ...]:
    """The steps of the policy whose condition holds, then what a lower tier and an ended consent ask for."""
    ladder = document("engine")["ladder"]
    found = [Action(one.action, one.when, one.share) for one in now.findings.steps] if now.findings else []
    tier = now.findings.verdict.tier if now.findings else None
    if tier is not None and HEIGHT.index(tier) < HEIGHT.index(before):
        found.append(Action(ladder[tier], tier))
    ended = [kind for kind, state in now.dossier.sources.items() if state.reason in ENDED]
    return (*found, *(Action(ladder["CONSENT_ENDED"], kind) for kind in ended))


def companions(one: Evaluation) -> tuple[Companion, ...]:
    """Products to offer beside the loan; none while the customer's class is unknown."""
    if one.findings is None:
        return ()
    groups, features = one.findings.segments, one.findings.features
    group = "FARMER" if groups.customer_type is CustomerType.FARMER else groups.product_class
    listed = document("engine")["companions"].get(group, [])
    return tuple(Companion(row["product"], tuple(name for name in row["why"] if features[name].missing is None)) for row in listed)


def group_limit(offers: Iterable[Evaluation]) -> Decimal | None:
    """The limit of all scenarios together: the largest, never the sum, since only one unsecured operating limit is active. None without any offer."""
    return max((one.findings.limit.final_limit for one in offers if one.findings and one.findings.limit), default=None)
