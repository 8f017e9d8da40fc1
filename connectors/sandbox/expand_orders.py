"""Orders of buyers of a persona as a procurement platform knows them (rules E1, E19).

They stand as the persona says, as far as the platform knows: an order signed after the data end does not exist yet, one that was delivered or paid after it still
waits for that. An order is listed as soon as a day of its life is served: from the day of signing to the last of its steps, up to the data end while it is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from connectors.sandbox.expand import Reach
from connectors.sandbox.expand_social import horizon
from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import Buyer, PurchaseOrderRow
from hub.domain.enums import SourceKind


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """``received`` is what the buyer stands by once it has paid in full; before that nobody says."""

    number: str
    buyer: Buyer
    amount: Decimal
    confirmed: Decimal
    invoiced: Decimal
    received: Decimal | None
    signed_on: date
    deliver_by: date
    delivered_on: date | None
    paid_on: date | None
    status: str


@dataclass(frozen=True, slots=True)
class LockedAccount:
    """The account the buyers pay into. ``locked_for`` is the lender, or nobody."""

    locked_for: str | None


def orders(persona: Persona) -> list[ListedOrder]:
    """By day of signing, then number."""
    section, reach = persona.procurement, Reach(persona, SourceKind.PROCUREMENT)
    if section is None or reach.source is None:
        return []
    end = horizon(persona, reach)
    known = [_known(row, section.buyers[row.buyer], end) for row in section.orders if row.signed_on <= end]
    return sorted((one for one in known if _is_served(one, reach, end)), key=lambda one: (one.signed_on, one.number))


def _known(row: PurchaseOrderRow, buyer: Buyer, end: date) -> ListedOrder:
    delivered, paid = (day if day is not None and day <= end else None for day in (row.delivered_on, row.paid_on))
    waits = row.status == "DELIVERED" and row.delivered_on is not None and delivered is None
    return ListedOrder(
        number=row.id,
        buyer=buyer,
        amount=row.amount,
        confirmed=row.confirmed,
        invoiced=row.invoiced,
        received=min(row.amount, row.confirmed) if paid else None,
        signed_on=row.signed_on,
        deliver_by=row.deliver_by,
        delivered_on=delivered,
        paid_on=paid,
        status="OPEN" if waits else row.status,
    )


def _is_served(one: ListedOrder, reach: Reach, end: date) -> bool:
    steps = [day for day in (one.signed_on, one.delivered_on, one.paid_on) if day is not None]
    last = end if one.status == "OPEN" else max(steps)
    return any(reach.covers(one.signed_on + timedelta(days=number)) for number in range((last - one.signed_on).days + 1))


def account(persona: Persona) -> LockedAccount | None:
    """The account as it is at the data end; None before the platform serves anything."""
    reach = Reach(persona, SourceKind.PROCUREMENT)
    if persona.procurement is None or not reach.intervals():
        return None
    return LockedAccount(str(persona.reference["lender"]) if persona.procurement.account_locked else None)
