"""Every cap of a limit; what binds is the lowest of those that have a value (domain brief, 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from hub.credit.crosscheck.observers import Observers
from hub.credit.dossier import Dossier
from hub.credit.expressions import Known, Layers, Missing, Names, amount, features_in
from hub.credit.policies import document
from hub.credit.policy import Policy
from hub.credit.scenario.need import need_cap
from hub.domain.money import ZERO

CAP_CODES = {"PRODUCT": "K01", "REVENUE": "K02", "DEBT": "K03", "CAPACITY": "K04", "NEED": "K05", "REGULATORY": "K06"}
INTEREST_COVER = frozenset({"INTEREST_ONLY", "REVOLVING", "BULLET"})


class Amount(msgspec.Struct, frozen=True, gc=False):
    """An amount in yuan (None: UNAVAILABLE) and the features it comes from."""

    value: Decimal | None
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What a limit is calculated from."""

    dossier: Dossier
    policy: Policy
    names: Names
    observers: Observers
    tau: Decimal
    purpose: str


def valued(expression: str, names: Names) -> Amount:
    found = amount(expression, names)
    return Amount(None if isinstance(found, Missing) else found, features_in(expression, names))


def values_of(caps: Mapping[str, Amount]) -> list[Decimal]:
    return [cap.value for cap in caps.values() if cap.value is not None]


def binding(before: Decimal, caps: Mapping[str, Amount]) -> tuple[str, ...]:
    """The lowest cap or caps, if lower than the amount before caps."""
    values = values_of(caps)
    lowest = min(values) if values else before
    if lowest >= before:
        return ()
    return tuple(CAP_CODES[name] for name in CAP_CODES if name in caps and caps[name].value == lowest)


def caps_at(ground: Ground, term: int, rate: Decimal) -> dict[str, Amount]:
    """Every cap that applies at a term and a rate; a negative one is 0. What a policy says of a cap goes before the engine's own."""
    parameters = document("engine")
    offered = Layers({"term": Known(term, None, numeric=True), "rate": Known(rate, None, numeric=True)}, ground.names)
    found = {
        "DEBT": valued(f"{parameters['debt_multiple']} * verified_revenue - existing_balances", ground.names),
        "CAPACITY": _capacity(ground, term, rate, parameters),
    }
    need = need_cap(ground.dossier, ground.names, ground.observers)
    if need is not None:
        found["NEED"] = Amount(need.value, need.features)
    if ground.purpose == "CONSUMPTION":
        found["REGULATORY"] = Amount(Decimal(parameters["consumption_ceiling"]))
    found |= {name: valued(text, offered) for name, text in ground.policy.caps.items()}
    applying = [name for name in CAP_CODES if name in found and name not in ground.policy.without_caps]
    return {name: _not_negative(found[name]) for name in applying}


def _not_negative(cap: Amount) -> Amount:
    return Amount(None if cap.value is None else max(ZERO, cap.value), cap.features)


def _capacity(ground: Ground, term: int, rate: Decimal, parameters: Mapping[str, Any]) -> Amount:
    """What the operating cash can serve: principal and interest over the term, or the interest of a year."""
    free = valued(f"rr_net_operating_cash / {parameters['coverage_ratio']} - rr_debt_service_12m", ground.names)
    if free.value is None:
        return free
    if ground.policy.repayment[0] in INTEREST_COVER:
        return Amount(free.value / rate, free.features)
    return Amount(free.value * term / 12 / (1 + rate * (term + 1) / 24), free.features)
