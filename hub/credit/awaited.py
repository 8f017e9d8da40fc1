"""What scenarios read and no connector serves yet: confirmed orders (PROCUREMENT) and verified plots (FARM), as plain values of a dossier.

They are no kinds of fact of the hub: nothing fetches or keeps them, so a scenario that needs them says that its source is missing. The connector that will serve
them declares them as facts under these names and fields, with tables of their own (domain brief, 2.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hub.domain.identifiers import PersonalId


@dataclass(frozen=True, slots=True)
class PurchaseOrder:
    """订单: an order that a buyer placed with the customer. ``confirmed`` is the amount the buyer stands by; status OPEN, DELIVERED or CANCELLED."""

    order_number: str
    buyer: str
    government: bool
    amount: Decimal
    confirmed: Decimal
    signed_on: date
    deliver_by: date
    delivered_on: date | None
    paid_on: date | None
    status: str
    invoiced: Decimal

    @property
    def open_amount(self) -> Decimal:
        """What is still to be invoiced of what both sides stand by."""
        return max(Decimal(0), min(self.amount, self.confirmed) - self.invoiced)


@dataclass(frozen=True, slots=True)
class ReceivableAccount:
    """回款账户: whether the account that receives the buyers' money is locked in favour of the lender."""

    locked: bool


@dataclass(frozen=True, slots=True)
class FarmPlot:
    """地块: one plot and season. Areas in mu, the yield in kg per mu; null where the register or the insurer does not know the plot."""

    plot_number: str
    crop: str
    season: str
    claimed_area: Decimal
    verified_area: Decimal
    register_area: Decimal | None
    insured_area: Decimal | None
    claimed_yield: Decimal
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class FarmHolding:
    """农户经营: whom the land register and the crop insurance name, and what is known of the season."""

    register_holder: PersonalId
    policy_holder: PersonalId
    verified_seasons: int
    insured: bool
    purchase_contract: bool
    credit_village: bool
    harvest_on: date
