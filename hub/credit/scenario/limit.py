"""Base, uplift, caps, price and term (domain brief, 5.1). Limits are rounded down to the step; everything before is exact.

If nothing is earned, the offer is the base offer: base limit, base term, undiscounted rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import msgspec

from hub.credit.expressions import Names, evaluate, features_in
from hub.credit.policies import document
from hub.credit.policy import Policy, Uplift
from hub.credit.scenario.advance import advanced
from hub.credit.scenario.caps import CAP_CODES, INTEREST_COVER, Amount, Ground, binding, caps_at, valued, values_of
from hub.credit.shape import LONGEST_TERM
from hub.domain.money import ZERO, floor_to


class Earned(msgspec.Struct, frozen=True):
    """An uplift, whether it was earned, and the features its conditions use."""

    uplift: Uplift
    earned: bool
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Price:
    """Yearly rates; ``margin`` is the risk-adjusted margin at the offered rate."""

    base_rate: Decimal
    rate: Decimal
    margin: Decimal


@dataclass(frozen=True, slots=True)
class Limit:
    """The whole calculation, unrounded but for the three limits. ``smallest`` is the leg that the base is."""

    legs: Mapping[str, Amount]
    smallest: str
    base: Decimal
    uplifts: tuple[Earned, ...]
    uplift: Decimal
    effective: Decimal
    before_caps: Decimal
    base_caps: Mapping[str, Amount]
    caps: Mapping[str, Amount]
    binding: tuple[str, ...]
    base_limit: Decimal
    final_limit: Decimal
    base_term: int
    term: int

    @property
    def enhancement(self) -> Decimal:
        return self.final_limit - self.base_limit


@dataclass(frozen=True, slots=True)
class _Base:
    """The base and the legs it is the smallest of; what it becomes with an uplift."""

    legs: Mapping[str, Amount]
    smallest: str
    value: Decimal
    raised: Decimal


def price(grade: str, tau: Decimal, default_probability: Decimal, *, enhanced: bool) -> Price | None:
    """None for a grade that is declined."""
    terms = _terms()
    spread = document("engine")["price"]["spreads"].get(grade)
    if spread is None:
        return None
    base = max(terms["floor"], terms["lpr"] + Decimal(spread))
    rate = max(terms["floor"], terms["lpr"] + Decimal(spread) - tau * terms["discount"]) if enhanced else base
    return Price(base, rate, rate - terms["ftp"] - terms["opex"] - default_probability * terms["lgd"])


@cache
def _terms() -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in document("engine")["price"].items() if isinstance(value, str)}


Uplifts = tuple[tuple[Earned, ...], Decimal, Decimal]
"""The uplifts, the sum earned, and what counts of it."""


def uplifts(ground: Ground) -> Uplifts:
    found = tuple(_earned(one, ground.names) for one in ground.policy.uplifts)
    total = sum((one.uplift.share for one in found if one.earned), ZERO)
    return found, total, ground.tau * min(total, ground.policy.uplift_ceiling)


def _earned(uplift: Uplift, names: Names) -> Earned:
    used = tuple(dict.fromkeys(feature for text in uplift.any for feature in features_in(text, names)))
    return Earned(uplift, uplift.enabled and any(evaluate(text, names) is True for text in uplift.any), used)


def calculate(ground: Ground, offer: Price, earned: Uplifts | None = None) -> Limit | None:
    """The limit; None when a leg, the factor or the term has no value."""
    found, total, effective = earned or uplifts(ground)
    base, base_term = _base(ground, effective), _term(ground.policy, ground.names)
    if base is None or base_term is None:
        return None
    term = base_term + (int(ground.tau * ground.policy.term_bonus) if effective else 0)
    base_caps = caps_at(ground, base_term, offer.base_rate)
    caps = caps_at(ground, term, offer.rate)
    base_limit = _floored([base.value, *values_of(base_caps)])
    return Limit(
        legs=base.legs,
        smallest=base.smallest,
        base=base.value,
        uplifts=found,
        uplift=total,
        effective=effective,
        before_caps=base.raised,
        base_caps=base_caps,
        caps=caps,
        binding=binding(base.raised, caps),
        base_limit=base_limit,
        final_limit=_floored([base.raised, *values_of(caps)]) if effective else base_limit,
        base_term=base_term,
        term=term,
    )


def _base(ground: Ground, effective: Decimal) -> _Base | None:
    """The smallest leg; a leg without a value leaves no base, unless the policy does without it."""
    legs = {leg.id: valued(leg.amount, ground.names) for leg in ground.policy.legs}
    if ground.policy.advance:
        legs |= {"ORDERS": Amount(_advanced(ground, ZERO))}
    known = {name: leg.value for name, leg in legs.items() if leg.value is not None}
    needed = set(legs) - {leg.id for leg in ground.policy.legs if leg.if_known}
    factor = valued(ground.policy.factor, ground.names).value if ground.policy.factor else Decimal(1)
    if not known or needed - set(known) or factor is None:
        return None
    smallest = min(known, key=lambda name: known[name])
    value = known[smallest] * factor
    raised = (_advanced(ground, effective) or ZERO) * factor if ground.policy.advance else value * (1 + effective)
    return _Base(legs, smallest, value, raised)


def _advanced(ground: Ground, effective: Decimal) -> Decimal | None:
    terms, product = ground.policy.advance, valued(ground.policy.caps["PRODUCT"], ground.names).value
    return advanced(ground.dossier, terms, effective, product) if terms and product is not None else None


def _term(policy: Policy, names: Names) -> int | None:
    """Whole months of the base term; None when it is unknown or over, when less than one is left, or more than any loan has."""
    found = valued(policy.base_term, names).value
    return int(found) if found is not None and 1 <= found <= LONGEST_TERM - policy.term_bonus else None


def _floored(amounts: list[Decimal]) -> Decimal:
    return max(ZERO, floor_to(min(amounts), int(document("engine")["limit_step"])))


__all__ = ["CAP_CODES", "INTEREST_COVER", "Amount", "Earned", "Ground", "Limit", "Price", "calculate", "price", "uplifts"]
