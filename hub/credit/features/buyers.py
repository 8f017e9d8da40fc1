"""D7 客户消费行为: how the customers of the shop behave (domain brief, section 3).

NOT_APPLICABLE without a shop in a scenario that does not name one. Buyer, address, city and hour need months served order by order; paid orders include those
refunded later.
"""

from __future__ import annotations

from decimal import Decimal

from hub.credit.dossier import OrderMeasures
from hub.credit.features.catalogue import ALL, W3, W6, W12, Null, Reads, Value, formula
from hub.credit.features.reading import Reading, ratio
from hub.credit.maths import entropy
from hub.domain.enums import MissingReason, SourceKind, Unit
from hub.domain.facts import Order, Shop, ShopMonthlySummary, ShopScore

YEAR, QUARTER = (Reads(W12, (Order,)),), (Reads(W3, (Order,)),)
FEWEST_FOR_CITIES, FEWEST_FOR_ADDRESSES = 100, 50


@formula("cb_buyer_count", Unit.COUNT, span=W12, reads=YEAR, business_only=True)
def buyer_count(read: Reading) -> Value:
    """Number of distinct buyers with a paid order. Null when an order carries no buyer."""
    return read.known(_measures(read, 12).buyers)


@formula("cb_repeat_rate", Unit.RATIO, span=W12, reads=YEAR, business_only=True)
def repeat_rate(read: Reading) -> Value:
    """Share of the buyers with paid orders on at least two days. Null when an order carries no buyer."""
    measures = _measures(read, 12)
    return ratio(Decimal(read.known(measures.repeat_buyers)), Decimal(read.known(measures.buyers)))


@formula("cb_orders_per_month", Unit.PER_MONTH, span=W6, reads=[Reads(W6, (Order, ShopMonthlySummary))], business_only=True)
def orders_per_month(read: Reading) -> Value:
    """Paid orders / covered months."""
    read.need_shop()
    months = read.months(SourceKind.SHOP, 6)
    return read.total(SourceKind.SHOP, ["ORDERS"], months) / len(months)


@formula("cb_positive_rate", Unit.RATIO, span=W6, business_only=True)
def positive_rate(read: Reading) -> Value:
    """Positive / (positive + negative) reviews, from 30 reviews on. No connector serves reviews, so it is always null."""
    read.need_shop()
    raise Null(MissingReason.INSUFFICIENT_COVERAGE)


@formula("cb_shop_score", Unit.SCORE, reads=[Reads(ALL, (ShopScore,))], business_only=True)
def shop_score(read: Reading) -> Value:
    """Smallest of the three sub-scores (DSR) of the latest snapshot, 0 to 5; of several shops the smallest."""
    read.need_shop()
    latest: dict[tuple[str, str], ShopScore] = {}
    for one in sorted(read.dossier.of(ShopScore), key=lambda one: one.measured_on):
        latest[one.platform, one.shop_number] = one
    return read.known(min((min(one.description, one.service, one.logistics) for one in latest.values()), default=None))


@formula("cb_sell_through", Unit.RATIO, span=W6, reads=[Reads(ALL, (Shop,))], business_only=True)
def sell_through(read: Reading) -> Value:
    """SKUs sold / SKUs listed (动销率), as the marketplace counts them over six months. Null when it does not say."""
    read.need_shop()
    counts = [(one.skus_sold, one.skus_listed) for one in read.dossier.of(Shop)]
    known = [(sold, listed) for sold, listed in counts if sold is not None and listed is not None]
    if not known:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return ratio(Decimal(sum(sold for sold, _ in known)), Decimal(sum(listed for _, listed in known)))


@formula("cb_city_entropy", Unit.RATIO, span=W3, reads=QUARTER, business_only=True)
def city_entropy(read: Reading) -> Value:
    """-Σ p ln p over receiver cities / ln of their number; one city is 0. Null with fewer than 100 orders."""
    measures = _measures(read, 3)
    if measures.orders_w3 < FEWEST_FOR_CITIES:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return read.known(entropy(list(measures.city_orders.values())))


@formula("cb_address_concentration", Unit.RATIO, span=W3, reads=QUARTER, business_only=True)
def address_concentration(read: Reading) -> Value:
    """Share of the orders that go to the most frequent receiver address. Null with fewer than 50 orders."""
    measures = _measures(read, 3)
    if measures.orders_w3 < FEWEST_FOR_ADDRESSES:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return ratio(Decimal(read.known(measures.top_address_orders)), Decimal(measures.orders_w3))


@formula("cb_off_hours_share", Unit.RATIO, span=W3, reads=QUARTER, business_only=True)
def off_hours_share(read: Reading) -> Value:
    """Share of the orders paid from 01:00 to 05:59."""
    measures = _measures(read, 3)
    return ratio(Decimal(measures.off_hours_orders), Decimal(measures.orders_w3))


@formula("cb_dispute_rate", Unit.RATIO, span=W6, business_only=True)
def dispute_rate(read: Reading) -> Value:
    """Disputes or refunds with intervention of the platform / orders. No connector serves disputes, so it is always null."""
    read.need_shop()
    raise Null(MissingReason.INSUFFICIENT_COVERAGE)


def _measures(read: Reading, count: int) -> OrderMeasures:
    """What single orders say, if enough months of the window are served order by order."""
    read.need_shop()
    measures = read.known(read.dossier.orders)
    state = read.dossier.source(SourceKind.SHOP)
    read.enough((month for month in read.window(count) if month in measures.months and state.covers(month)), count)
    return measures
