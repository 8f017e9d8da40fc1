"""合作机构集中度: how much is lent jointly with each platform, against the dated limits (互联网贷款 2021-24). Pure.

The limits and the figures they are shares of stand in the reference document ``joint_lending``; without it nothing is judged, and the amounts are told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hub.domain.money import ZERO

LIMITS = ("tier_1_net_capital", "loans_in_all", "most_of_capital_per_partner", "most_of_loans_in_all", "least_funded_by_partner")


@dataclass(frozen=True, slots=True)
class JointLoan:
    """``balance`` is all that is owed; ``partner_share`` of it is the partner's."""

    number: str
    partner: str
    balance: Decimal
    partner_share: Decimal

    @property
    def ours(self) -> Decimal:
        return self.balance * (1 - self.partner_share)


@dataclass(frozen=True, slots=True)
class PartnerSum:
    """``of_capital``: ours, of the tier-1 net capital; None: no limits are loaded. ``below``: loans of which the partner funds less than it must."""

    partner: str
    loans: int
    balance: Decimal
    ours: Decimal
    of_capital: Decimal | None
    too_much: bool
    below: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Concentration:
    partners: tuple[PartnerSum, ...]
    ours: Decimal
    of_all_loans: Decimal | None
    too_much: bool

    @property
    def kept(self) -> bool:
        """No limit is passed."""
        return not self.too_much and not any(one.too_much or one.below for one in self.partners)


def concentration(loans: Sequence[JointLoan], limits: Mapping[str, Any] | None) -> Concentration:
    """By partner, the largest first. ``limits`` is the document, or None."""
    figures = {name: Decimal(limits[name]) for name in LIMITS} if limits else None
    named = sorted({one.partner for one in loans})
    sums = [_sum(partner, [one for one in loans if one.partner == partner], figures) for partner in named]
    ours = sum((one.ours for one in sums), ZERO)
    of_all = ours / figures["loans_in_all"] if figures else None
    over = figures is not None and of_all is not None and of_all > figures["most_of_loans_in_all"]
    return Concentration(tuple(sorted(sums, key=lambda one: (-one.ours, one.partner))), ours, of_all, over)


def _sum(partner: str, loans: Sequence[JointLoan], figures: Mapping[str, Decimal] | None) -> PartnerSum:
    ours = sum((one.ours for one in loans), ZERO)
    balance = sum((one.balance for one in loans), ZERO)
    if figures is None:
        return PartnerSum(partner, len(loans), balance, ours, None, False, ())
    of_capital = ours / figures["tier_1_net_capital"]
    below = tuple(sorted(one.number for one in loans if one.partner_share < figures["least_funded_by_partner"]))
    return PartnerSum(partner, len(loans), balance, ours, of_capital, of_capital > figures["most_of_capital_per_partner"], below)
