"""A small shop of our own: three months of orders with every kind of refund, a summary month, a gap."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.persona import Persona

OPERATOR = {
    "name": "周一川",
    "resident_id": "33999919900307001X",
    "residence_city": "台州市",
    "hukou_city": "台州市",
    "hukou_since": "1990-03-07",
}


def document(**changes: Any) -> dict[str, Any]:
    months = [
        {"month": "2025-08", "orders": 40, "unit_price": "25.00", "refunds": 4},
        {"month": "2025-09", "orders": 310, "unit_price": "25.00", "refunds": 10, "refused_refunds": 2, "unpaid": 5},
        {"month": "2025-10", "orders": 0, "unit_price": "25.00", "late_refunds": 3},
        {"month": "2025-11", "orders": 62, "unit_price": "30.50", "refunds": 1},
        {"month": "2025-12", "orders": 4000, "unit_price": "30.50"},
    ]
    place = {"city": "台州市", "lat": 28.656, "lon": 121.42}
    shop = {
        "name": "一川渔具",
        "owner": "operator",
        "opened_on": "2024-02-01",
        "category": "渔具",
        "months": months,
        "fee_rate": "0.033",
        "receiver_cities": ["台州市", "温州市", "丽水市"],
        "ship_from": place,
        "score": {"description": "4.7", "service": "4.9", "logistics": "4.8"},
        "skus": {"listed": 20, "sold": 15},
        "penalties": [{"kind": "IP", "decided_on": "2025-10-10", "points": 2}],
        "buyers": {"distinct": 300, "repeat": 50},
        "top_address_orders": 7,
    }
    business = {
        "uscc": "92331002MA2XXXX04P",
        "name": "台州一川渔具店",
        "industry": "F5292",
        "status": "ACTIVE",
        "established_on": "2024-01-15",
        "responsible": "operator",
        "registered_to": "operator",
        "registered_at": place,
    }
    source = {"from": "2025-08", "orders_from": "2025-09", "gaps": []}
    base: dict[str, Any] = {
        "format": "persona/1",
        "id": "small-shop",
        "title": "A small shop",
        "scenario": "S03",
        "as_of": "2026-01-10",
        "known_at": "2026-01-10T09:00:00+08:00",
        "reference": {"lender": "台州样例银行"},
        "people": {"operator": OPERATOR},
        "business": business,
        "sources": {"SHOP": source, "SETTLEMENT": {"from": "2025-08"}},
        "shop": shop,
    }
    return base | changes


def persona(**changes: Any) -> Persona:
    return Persona.model_validate(document(**changes))
