"""A base that is advanced order by order: a share of each open amount, raised by the uplift up to a ceiling, and cut for any one buyer (domain brief, 5.2, S09)."""

from __future__ import annotations

from decimal import Decimal

from hub.credit.crosscheck.orders import open_amount, open_orders
from hub.credit.dossier import Dossier
from hub.credit.policy import Advance
from hub.domain.money import ZERO


def advanced(dossier: Dossier, terms: Advance, uplift: Decimal, product: Decimal) -> Decimal | None:
    """What is advanced on the open orders with an effective uplift, in yuan; None without open orders. ``product`` is the PRODUCT cap."""
    by_buyer: dict[str, Decimal] = {}
    for one in open_orders(dossier):
        share = terms.government if one.government else terms.share
        raised = min(terms.ceiling, share * (1 + uplift))
        by_buyer[one.buyer] = by_buyer.get(one.buyer, ZERO) + open_amount(one) * raised
    most = terms.buyer_share * product
    return sum((min(most, part) for part in by_buyer.values()), ZERO) if by_buyer else None
