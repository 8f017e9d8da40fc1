"""A scenario policy: a dated document, checked whole when it is drafted and published, so that an error shows before the first customer does. What stands in the store
is read without that check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, cast

from hub.credit import policies
from hub.credit.crosscheck.frame import Frame, Revenue
from hub.credit.features import SeriesProfile
from hub.credit.features.series import Observer
from hub.credit.shape import misshapen
from hub.credit.validation import refuse, validate
from hub.domain.enums import SourceKind
from hub.errors import PolicyInvalid


@dataclass(frozen=True, slots=True)
class SourceNeed:
    """A source the scenario cannot do without. ``months`` of history (all of them, or the minimum of that window); the last ``single_orders``
    months order by order. Each of the ``alternatives`` would do as well."""

    kind: SourceKind
    months: int = 0
    all: bool = False
    single_orders: int = 0
    alternatives: tuple[SourceKind, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """``passes`` decides; an unknown input makes it UNKNOWN, or skips it if ``if_known``. ``refer``: such a case goes to a person instead of failing."""

    code: str
    passes: str
    if_known: bool = False
    refer: str | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """``if_known``: without a value there is no such leg, instead of no base. ``code`` speaks when this leg makes the limit zero."""

    id: str
    amount: str
    if_known: bool = False
    code: str = "E08"


@dataclass(frozen=True, slots=True)
class Uplift:
    """Earned when any of its conditions is true; a condition with an unknown input is not. One that is not ``enabled`` keeps its number and is never earned."""

    id: str
    share: Decimal
    any: tuple[str, ...]
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Advance:
    """A base that is advanced on open orders: the share, that of government buyers, the most with uplift, and the most of PRODUCT for one buyer."""

    share: Decimal
    government: Decimal
    ceiling: Decimal
    buyer_share: Decimal


@dataclass(frozen=True, slots=True)
class Step:
    """What is done after a loan was granted when a condition holds: FREEZE_UNDRAWN, REDUCE_UNDRAWN by a share, STOP_DRAWS, REVIEW, LOSE_SUBSIDY, LOWER_CLASS."""

    when: str
    action: str
    share: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """See the module. ``caps`` are expressions by name, which may use ``rate`` and ``term``; the caps of the engine apply beside them, but for ``without_caps``.

    ``frame`` is how a business is judged, ``frame_of_persons`` how a person without one is. ``guarantee_when`` says under which condition a guarantee is offered.
    """

    id: str
    version: str
    sha256: str
    effective_from: date
    title: str
    frame: Frame
    frame_of_persons: Frame
    sales_series: Observer | Literal["NONE"] | None
    sources: tuple[SourceNeed, ...]
    eligibility: tuple[Rule, ...]
    legs: tuple[Leg, ...]
    factor: str | None
    advance: Advance | None
    uplifts: tuple[Uplift, ...]
    uplift_ceiling: Decimal
    caps: Mapping[str, str]
    without_caps: frozenset[str]
    base_term: str
    term_bonus: int
    repayment: tuple[str, ...]
    guarantee: tuple[str, ...]
    guarantee_when: Mapping[str, str]
    downgrade: tuple[Step, ...]
    document: Mapping[str, Any]

    @property
    def profile(self) -> SeriesProfile:
        named = {kind for need in self.sources for kind in (need.kind, *need.alternatives)}
        names_shop = SourceKind.SHOP in named or SourceKind.SHOP in self.document.get("optional_sources", [])
        fixed = None if self.sales_series == "NONE" else self.sales_series
        return SeriesProfile(fixed, names_shop, self.sales_series != "NONE", self.frame.farmer)


def load_policy(scenario: str, version: str = policies.CURRENT) -> Policy:
    """A policy of this package. Raises PolicyInvalid."""
    if scenario not in policies.names():
        raise PolicyInvalid(f"There is no policy for scenario {scenario}.", remedy=f"Known are {', '.join(policies.names())}.")
    return read_policy(policies.document(scenario, version))


def read_policy(document: Mapping[str, Any]) -> Policy:
    """Reads and checks a policy document that is to be drafted or published. Raises PolicyInvalid with the place and the remedy."""
    refuse(str(document.get("id")), misshapen(document))
    policy = unchecked_policy(document)
    validate(policy)
    return policy


def unchecked_policy(document: Mapping[str, Any]) -> Policy:
    """Reads a document that was checked once: what was published stays readable, whatever the check of today would say of it (ADR 64).

    So a member that is new here has a default. Raises PolicyInvalid where a member of always is missing, or is of another type.
    """
    try:
        return _read(document)
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise PolicyInvalid(
            f"The policy document is incomplete or has a wrong type at {error}.", remedy="Compare it with a policy that works."
        ) from None


def _read(document: Mapping[str, Any]) -> Policy:
    name = str(document["id"])
    return Policy(
        id=name,
        version=str(document["version"]),
        sha256=policies.sha256(dict(document)),
        effective_from=date.fromisoformat(document["effective_from"]),
        title=str(document["title"]),
        frame=_frame(document, document["revenue_dimension"]),
        frame_of_persons=_frame(document, document.get("revenue_dimension_of_persons", document["revenue_dimension"])),
        sales_series=cast("Observer | None", document.get("sales_series")),
        sources=tuple(_source(one) for one in document["sources"]),
        eligibility=tuple(Rule(one["code"], one["pass"], one.get("if_known", False), one.get("refer")) for one in document["eligibility"]),
        legs=tuple(Leg(one["id"], one["amount"], one.get("if_known", False), one.get("code", _zero_code())) for one in document["legs"]),
        factor=document.get("factor"),
        advance=Advance(*(Decimal(document["advance"][name]) for name in Advance.__slots__)) if "advance" in document else None,
        uplifts=tuple(
            Uplift(f"{name}.U{number}", Decimal(one["share"]), tuple(one["any"]), one.get("enabled", True))
            for number, one in enumerate(document["uplifts"], 1)
        ),
        uplift_ceiling=Decimal(document["uplift_ceiling"]),
        caps=dict(document["caps"]),
        without_caps=frozenset(document.get("without_caps", ())),
        base_term=str(document["term"]["base"]),
        term_bonus=int(document["term"]["bonus"]),
        repayment=tuple(document["repayment"]),
        guarantee=tuple(document["guarantee"]),
        guarantee_when=dict(document.get("guarantee_when", {})),
        downgrade=tuple(
            Step(one["when"], one["action"], Decimal(one["share"]) if "share" in one else None) for one in document.get("downgrade", ())
        ),
        document=document,
    )


def _frame(document: Mapping[str, Any], revenue: Revenue) -> Frame:
    return Frame(revenue, tuple(document.get("replaced_by", ())), document.get("observers", True), document.get("farmer", False))


def _source(one: Mapping[str, Any]) -> SourceNeed:
    kinds = [SourceKind(kind) for kind in one.get("any", ())] or [SourceKind(one["kind"])]
    return SourceNeed(kinds[0], one.get("months", 0), one.get("all", False), one.get("single_orders", 0), tuple(kinds[1:]))


def _zero_code() -> str:
    code: str = policies.document("engine")["zero_limit_code"]
    return code
