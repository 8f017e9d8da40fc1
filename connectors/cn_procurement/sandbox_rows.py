"""What the simulated platform knows of a persona, as items in its own words, amounts in ten thousand yuan."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.sandbox import expand_orders
from connectors.sandbox.persona import Persona

Item = Mapping[str, Any]

STATUS = {"OPEN": "履约中", "DELIVERED": "已验收", "CANCELLED": "已解除"}


def contracts(persona: Persona) -> list[Item]:
    return [
        {
            "htbh": one.number,
            "cgrdm": one.buyer.uscc,
            "cgrmc": one.buyer.name,
            "cgrlx": "政府采购人" if one.buyer.government else "核心企业",
            "htje": _wan(one.amount),
            "qqje": _wan(one.confirmed),
            "qqf": "平台核验" if one.buyer.government else "采购人确认",
            "qdrq": _day(one.signed_on),
            "jhqx": _day(one.deliver_by),
            "ysrq": _day(one.delivered_on),
            "kpje": _wan(one.invoiced),
            "hkje": _wan(one.received),
            "hkrq": _day(one.paid_on),
            "htzt": STATUS[one.status],
        }
        for one in expand_orders.orders(persona)
    ]


def accounts(persona: Persona) -> list[Item]:
    found = expand_orders.account(persona)
    if found is None:
        return []
    locked = {"sdzt": "未锁定" if found.locked_for is None else "已锁定", "sdyh": found.locked_for}
    return [{"hkzh": _number(persona), "khyh": None, **locked}]


def _number(persona: Persona) -> str:
    """A stable invented account number: a persona has one such account and does not name it."""
    return f"62{int(hashlib.sha256(persona.id.encode()).hexdigest()[:12], 16) % 10**15:015d}"


def _wan(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount / 10_000:.6f}"


def _day(day: date | None) -> str | None:
    return f"{day:%Y%m%d}" if day else None
