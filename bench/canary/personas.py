"""Made persons: each with a name, numbers and a shop of their own, whose buyers and their addresses are nobody else's. Each has invoices to a private buyer, by the resident ID,
and from a sole trader of old, whose tax number is the owner's resident ID and two digits."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files
from typing import Any
from unittest import mock

from connectors.sandbox import expand_shop
from connectors.sandbox.expand_shop import ShopOrder
from connectors.sandbox.persona import Persona
from hub.domain.identifiers import is_resident_id, is_uscc

ORDERS = {1: 26, 2: 22, 3: 30, 4: 29, 5: 32, 6: 42, 7: 28, 8: 29, 9: 31, 10: 34, 11: 52, 12: 35}
"""Paid orders of a month of 2025: few, and nearly each of a buyer of its own."""


def made(number: int) -> Persona:
    """The person of this number."""
    document = json.loads((files("connectors.sandbox") / "personas" / "online-tea-seller.json").read_text("utf-8"))
    owner, business, shop = document["people"]["owner"], document["business"], document["shop"]
    owner |= {"name": _han(f"person {number}", 4), "resident_id": resident_id(number)}
    business |= {"uscc": uscc(number), "name": "宁波" + _han(f"business {number}", 6) + "店"}
    months = {f"2025-{month:02}": orders for month, orders in ORDERS.items()}
    shop["months"] = [
        {"month": month, "orders": orders, "unit_price": f"{4000 + number}.00", "refunds": 2} for month, orders in months.items()
    ]
    shop |= {"name": _han(f"shop {number}", 5), "buyers": {"distinct": 250, "repeat": 85}, "top_address_orders": 1}
    for source in ("SHOP", "SETTLEMENT", "INVOICE"):
        document["sources"][source] = {"from": "2025-01"}
    document["invoices"] = _invoices(number)
    return _traded(Persona.model_validate(copy.deepcopy(document) | {"id": f"canary-{number}"}), number)


def _invoices(number: int) -> dict[str, Any]:
    """Of one month. All parties have a business's number here, or the persona would be refused."""
    names = {
        "private": _han(f"buyer {number}", 4),
        "trader": _han(f"trader {number}", 4),
        "firm": "宁波" + _han(f"firm {number}", 6) + "厂",
    }
    parties = {party: {"name": name, "uscc": uscc(900_000 + number)} for party, name in names.items()}
    flows = {"output": ("private", "firm"), "input": ("trader",)}
    return {"parties": parties} | {
        side: [{"first": "2025-12", "net": ["900.00"], "tax_rate": "0.01", "split": [{"party": party, "share": "1"}]} for party in named]
        for side, named in flows.items()
    }


def _traded(persona: Persona, number: int) -> Persona:
    """With the numbers that natural persons have."""
    assert persona.invoices is not None
    numbers = {"private": resident_id(100_000 + number), "trader": resident_id(200_000 + number) + "01"}
    parties = {name: party.model_copy(update={"uscc": numbers.get(name, party.uscc)}) for name, party in persona.invoices.parties.items()}
    return persona.model_copy(update={"invoices": persona.invoices.model_copy(update={"parties": parties})})


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _han(text: str, count: int) -> str:
    """So many characters that stand together nowhere else."""
    digest = _digest(text)
    return "".join(chr(0x4E00 + int.from_bytes(digest[2 * at : 2 * at + 2], "big") % 0x5000) for at in range(count))


def resident_id(number: int) -> str:
    """Of a region that is none."""
    born = date(1960, 1, 1) + timedelta(days=37 * number % 14_000)
    body = f"339998{born:%Y%m%d}{number % 1000:03}"
    return next(body + last for last in "0123456789X" if is_resident_id(body + last))


def uscc(number: int) -> str:
    body = f"92339998MA{number:07d}"
    return next(body + last for last in "0123456789ABCDEFGHJKLMNPQRTUWXY" if is_uscc(body + last))


def phone(text: str) -> str:
    return f"199{int.from_bytes(_digest(text)[:6], 'big') % 10**8:08d}"


@contextmanager
def shops_of_their_own() -> Iterator[None]:
    """While it lasts, a paid order's buyer and address are told by the order and by the price, which no two shops have in common."""
    paid = expand_shop._paid_orders

    def marked(*values: Any) -> Iterator[ShopOrder]:
        for order in paid(*values):
            whose = f"{order.buyer} {order.address} {order.amount}"
            address = f"宁波市{_han(whose, 6)}路{_digest(whose)[0]}号 {phone(whose)}"
            yield replace(order, buyer=f"BUYER{_digest(whose).hex()[:20]}", address=address)

    with mock.patch.object(expand_shop, "_paid_orders", marked):
        yield
