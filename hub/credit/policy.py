"""A scenario policy: a dated document, checked whole when it is loaded, so that an error shows before the first customer does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, cast

from hub.credit import policies
from hub.credit.expressions import check
from hub.credit.features import CATALOGUE, SeriesProfile
from hub.credit.features.series import Observer
from hub.credit.scenario.inputs import INPUTS
from hub.domain.enums import SourceKind
from hub.errors import PolicyInvalid

KNOWN = frozenset(CATALOGUE) | INPUTS


@dataclass(frozen=True, slots=True)
class SourceNeed:
    """A source the scenario cannot do without. ``months`` of history (all of them, or the minimum of that window); the last ``single_orders``
    months order by order."""

    kind: SourceKind
    months: int = 0
    all: bool = False
    single_orders: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """``passes`` decides; an unknown input makes it UNKNOWN, or skips it if ``if_known``. ``refer``: such a case goes to a person instead of failing."""

    code: str
    passes: str
    if_known: bool = False
    refer: str | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    id: str
    amount: str


@dataclass(frozen=True, slots=True)
class Uplift:
    """Earned when any of its conditions is true; a condition with an unknown input is not."""

    id: str
    share: Decimal
    any: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """See the module. ``caps`` are expressions by name; the caps of the engine apply beside them."""

    id: str
    version: str
    sha256: str
    effective_from: date
    title: str
    revenue_dimension: Literal["REQUIRED"]
    sales_series: Observer | None
    sources: tuple[SourceNeed, ...]
    eligibility: tuple[Rule, ...]
    legs: tuple[Leg, ...]
    factor: str | None
    uplifts: tuple[Uplift, ...]
    uplift_ceiling: Decimal
    caps: Mapping[str, str]
    base_term: int
    term_bonus: int
    repayment: tuple[str, ...]
    guarantee: tuple[str, ...]
    document: Mapping[str, Any]

    @property
    def profile(self) -> SeriesProfile:
        names_shop = any(need.kind is SourceKind.SHOP for need in self.sources) or SourceKind.SHOP in self.document.get(
            "optional_sources", []
        )
        return SeriesProfile(self.sales_series, names_shop)


def load_policy(scenario: str, version: str = policies.CURRENT) -> Policy:
    """A policy of this package. Raises PolicyInvalid."""
    if scenario not in policies.names():
        raise PolicyInvalid(f"There is no policy for scenario {scenario}.", remedy=f"Known are {', '.join(policies.names())}.")
    return read_policy(policies.document(scenario, version))


def read_policy(document: Mapping[str, Any]) -> Policy:
    """Reads and checks a policy document. Raises PolicyInvalid with the place and the remedy."""
    try:
        policy = _read(document)
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise PolicyInvalid(
            f"The policy document is incomplete or has a wrong type at {error}.", remedy="Compare it with a policy that works."
        ) from None
    _check(policy)
    return policy


def _read(document: Mapping[str, Any]) -> Policy:
    name = str(document["id"])
    return Policy(
        id=name,
        version=str(document["version"]),
        sha256=policies.sha256(dict(document)),
        effective_from=date.fromisoformat(document["effective_from"]),
        title=str(document["title"]),
        revenue_dimension=document["revenue_dimension"],
        sales_series=cast("Observer | None", document.get("sales_series")),
        sources=tuple(
            SourceNeed(SourceKind(one["kind"]), one.get("months", 0), one.get("all", False), one.get("single_orders", 0))
            for one in document["sources"]
        ),
        eligibility=tuple(Rule(one["code"], one["pass"], one.get("if_known", False), one.get("refer")) for one in document["eligibility"]),
        legs=tuple(Leg(one["id"], one["amount"]) for one in document["legs"]),
        factor=document.get("factor"),
        uplifts=tuple(
            Uplift(f"{name}.U{number}", Decimal(one["share"]), tuple(one["any"])) for number, one in enumerate(document["uplifts"], 1)
        ),
        uplift_ceiling=Decimal(document["uplift_ceiling"]),
        caps=dict(document["caps"]),
        base_term=int(document["term"]["base"]),
        term_bonus=int(document["term"]["bonus"]),
        repayment=tuple(document["repayment"]),
        guarantee=tuple(document["guarantee"]),
        document=document,
    )


def _check(policy: Policy) -> None:
    if policy.revenue_dimension != "REQUIRED":
        raise PolicyInvalid(
            f"{policy.id}: revenue_dimension {policy.revenue_dimension!r} is not known to this engine.", remedy="Use REQUIRED."
        )
    if not (policy.legs and policy.repayment and policy.guarantee and "PRODUCT" in policy.caps):
        raise PolicyInvalid(f"{policy.id}: a policy needs legs, a PRODUCT cap, a repayment and a guarantee.", remedy="Add what is missing.")
    for number, rule in enumerate(policy.eligibility):
        for text in filter(None, (rule.passes, rule.refer)):
            check(text, KNOWN, f"{policy.id}, eligibility[{number}]")
    for leg in policy.legs:
        check(leg.amount, KNOWN, f"{policy.id}, leg {leg.id}")
    for uplift in policy.uplifts:
        for text in uplift.any:
            check(text, KNOWN, f"{policy.id}, uplift {uplift.id}")
    for name, text in [*policy.caps.items(), *([("factor", policy.factor)] if policy.factor else [])]:
        check(text, KNOWN, f"{policy.id}, {name}")
