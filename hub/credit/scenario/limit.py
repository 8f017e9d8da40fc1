"""Base, uplift, caps, price and term (domain brief, 5.1). Limits are rounded down to the step; everything before is exact.

If nothing is earned, the offer is the base offer: base limit, base term, undiscounted rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hub.credit.crosscheck.observers import Observers
from hub.credit.dossier import Dossier
from hub.credit.expressions import Missing, Names, amount, evaluate, features_in
from hub.credit.policies import document
from hub.credit.policy import Policy, Uplift
from hub.credit.scenario.need import need_cap
from hub.domain.money import ZERO, floor_to

CAP_CODES = {"PRODUCT": "K01", "REVENUE": "K02", "DEBT": "K03", "CAPACITY": "K04", "NEED": "K05", "REGULATORY": "K06"}
INTEREST_COVER = frozenset({"INTEREST_ONLY", "REVOLVING", "BULLET"})


@dataclass(frozen=True, slots=True)
class Earned:
    """An uplift, whether it was earned, and the features its conditions use."""

    uplift: Uplift
    earned: bool
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in yuan (None: UNAVAILABLE) and the features it comes from."""

    value: Decimal | None
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """Yearly rates; ``margin`` is the risk-adjusted margin at the offered rate."""

    base_rate: Decimal
    rate: Decimal
    margin: Decimal


@dataclass(frozen=True, slots=True)
class Limit:
    """The whole calculation, unrounded but for the three limits."""

    legs: Mapping[str, Amount]
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
class Ground:
    """What a limit is calculated from."""

    dossier: Dossier
    policy: Policy
    names: Names
    observers: Observers
    tau: Decimal
    purpose: str


def price(grade: str, tau: Decimal, default_probability: Decimal, *, enhanced: bool) -> Price | None:
    """None for a grade that is declined."""
    terms = {name: Decimal(value) for name, value in document("engine")["price"].items() if isinstance(value, str)}
    spread = document("engine")["price"]["spreads"].get(grade)
    if spread is None:
        return None
    base = max(terms["floor"], terms["lpr"] + Decimal(spread))
    rate = max(terms["floor"], terms["lpr"] + Decimal(spread) - tau * terms["discount"]) if enhanced else base
    return Price(base, rate, rate - terms["ftp"] - terms["opex"] - default_probability * terms["lgd"])


def uplifts(ground: Ground) -> tuple[tuple[Earned, ...], Decimal, Decimal]:
    """The uplifts, the sum earned, and what counts of it."""
    found = tuple(_earned(one, ground.names) for one in ground.policy.uplifts)
    total = sum((one.uplift.share for one in found if one.earned), ZERO)
    return found, total, ground.tau * min(total, ground.policy.uplift_ceiling)


def _earned(uplift: Uplift, names: Names) -> Earned:
    used = tuple(dict.fromkeys(feature for text in uplift.any for feature in features_in(text, names)))
    return Earned(uplift, any(evaluate(text, names) is True for text in uplift.any), used)


def calculate(ground: Ground, offer: Price) -> Limit | None:
    """The limit; None when a leg has no value."""
    legs = {leg.id: _amount(leg.amount, ground.names) for leg in ground.policy.legs}
    factor = _amount(ground.policy.factor, ground.names) if ground.policy.factor else Amount(Decimal(1))
    values = [leg.value for leg in legs.values() if leg.value is not None]
    if len(values) < len(legs) or factor.value is None:
        return None
    base = min(values) * factor.value
    found, total, effective = uplifts(ground)
    term = ground.policy.base_term + (int(ground.tau * ground.policy.term_bonus) if effective else 0)
    base_caps = _caps(ground, ground.policy.base_term, offer.base_rate)
    caps = _caps(ground, term, offer.rate)
    before = base * (1 + effective)
    base_limit = _floored([base, *_values(base_caps)])
    final = _floored([before, *_values(caps)]) if effective else base_limit
    binding = _binding(before, caps)
    return Limit(legs, base, found, total, effective, before, base_caps, caps, binding, base_limit, final, ground.policy.base_term, term)


def _amount(expression: str, names: Names) -> Amount:
    found = amount(expression, names)
    return Amount(None if isinstance(found, Missing) else found, features_in(expression, names))


def _values(caps: Mapping[str, Amount]) -> list[Decimal]:
    return [cap.value for cap in caps.values() if cap.value is not None]


def _floored(amounts: list[Decimal]) -> Decimal:
    return max(ZERO, floor_to(min(amounts), int(document("engine")["limit_step"])))


def _binding(before: Decimal, caps: Mapping[str, Amount]) -> tuple[str, ...]:
    """The lowest cap or caps, if lower than the amount before caps."""
    values = _values(caps)
    lowest = min(values) if values else before
    if lowest >= before:
        return ()
    return tuple(CAP_CODES[name] for name in CAP_CODES if name in caps and caps[name].value == lowest)


def _caps(ground: Ground, term: int, rate: Decimal) -> dict[str, Amount]:
    """Every cap that applies; a negative one is 0."""
    parameters = document("engine")
    found = {name: _amount(text, ground.names) for name, text in ground.policy.caps.items()}
    found["DEBT"] = _amount(f"{parameters['debt_multiple']} * verified_revenue - existing_balances", ground.names)
    found["CAPACITY"] = _capacity(ground, term, rate, parameters)
    need = need_cap(ground.dossier, ground.names, ground.observers)
    if need is not None:
        found["NEED"] = Amount(need.value, need.features)
    if ground.purpose == "CONSUMPTION":
        found["REGULATORY"] = Amount(Decimal(parameters["consumption_ceiling"]))
    return {
        name: Amount(max(ZERO, found[name].value or ZERO) if found[name].value is not None else None, found[name].features)
        for name in CAP_CODES
        if name in found
    }


def _capacity(ground: Ground, term: int, rate: Decimal, parameters: Mapping[str, Any]) -> Amount:
    """What the operating cash can serve: principal and interest over the term, or the interest of a year."""
    free = _amount(f"rr_net_operating_cash / {parameters['coverage_ratio']} - rr_debt_service_12m", ground.names)
    if free.value is None:
        return free
    if ground.policy.repayment[0] in INTEREST_COVER:
        return Amount(free.value / rate, free.features)
    return Amount(free.value * term / 12 / (1 + rate * (term + 1) / 24), free.features)
