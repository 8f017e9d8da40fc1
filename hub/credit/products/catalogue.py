"""Products as values. Five elements (五要素) make a loan: limit, term, rate, repayment and guarantee."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from hub.domain.enums import ProductHolder, ProductKind

OWN, PEERS = "products", "peer_products"
"""Names of the reference documents."""
CURRENT = "2026-01-01"
KINDS = (ProductKind.LOAN, ProductKind.PAYMENT, ProductKind.DEPOSIT, ProductKind.INSURANCE, ProductKind.SERVICE)
"""The order in which products are told."""
AXES = ("customer_types", "overlays", "clusters", "product_classes", "industries")


@dataclass(frozen=True, slots=True)
class Group:
    """Whom a product is for: one value of each axis that is named. An axis that is not named takes everybody; ``industries`` are prefixes of the code."""

    customer_types: frozenset[str] = frozenset()
    overlays: frozenset[str] = frozenset()
    clusters: frozenset[str] = frozenset()
    product_classes: frozenset[str] = frozenset()
    industries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """``limit`` in yuan and ``rate`` in percent a year, all costs included: from, to. ``terms`` in months, ascending. ``purposes`` empty: whatever the money is for.
    ``eligible``: one of these groups; empty: everybody. ``scenario``: whose policy decides it; of a peer's product, what it is compared with. ``seen_on``: the day on
    which a peer's public terms were looked at."""

    code: str
    holder: ProductHolder
    kind: ProductKind
    name_zh: str
    name_en: str
    scenario: str | None = None
    limit: tuple[Decimal, Decimal] | None = None
    terms: tuple[int, ...] = ()
    rate: tuple[Decimal, Decimal] | None = None
    repayment: tuple[str, ...] = ()
    guarantee: tuple[str, ...] = ()
    purposes: frozenset[str] = frozenset()
    eligible: tuple[Group, ...] = ()
    peer: str | None = None
    seen_on: date | None = None


def products_of(documents: Mapping[str, Any]) -> tuple[Product, ...]:
    """The products of reference documents without a fault: the own ones first, loans before what goes with them, then by their codes."""
    found = [
        _product(code, said, holder)
        for name, holder in ((OWN, ProductHolder.OWN), (PEERS, ProductHolder.PEER))
        for code, said in documents.get(name, {}).items()
    ]
    return tuple(sorted(found, key=lambda one: (one.holder is ProductHolder.PEER, KINDS.index(one.kind), one.code)))


def text_of_the_package(version: str = CURRENT) -> str:
    """The reference file with the catalogue that comes with this version of the hub: the scenarios' five elements, and their companions."""
    return (files(__package__) / f"products.{version}.json").read_text("utf-8")


@cache
def of_the_package() -> tuple[Product, ...]:
    return products_of(json.loads(text_of_the_package())["documents"])


def _product(code: str, said: Mapping[str, Any], holder: ProductHolder) -> Product:
    return Product(
        code=code,
        holder=holder,
        kind=ProductKind(said["kind"]),
        name_zh=said["name_zh"],
        name_en=said["name_en"],
        scenario=said.get("scenario"),
        limit=_range(said.get("limit")),
        terms=tuple(said.get("terms", ())),
        rate=_range(said.get("rate")),
        repayment=tuple(said.get("repayment", ())),
        guarantee=tuple(said.get("guarantee", ())),
        purposes=frozenset(said.get("purposes", ())),
        eligible=tuple(_group(one) for one in said.get("eligible", ())),
        peer=said.get("peer"),
        seen_on=date.fromisoformat(said["seen_on"]) if "seen_on" in said else None,
    )


def _range(said: Any) -> tuple[Decimal, Decimal] | None:
    return None if said is None else (Decimal(said[0]), Decimal(said[1]))


def _group(said: Mapping[str, Any]) -> Group:
    named = {name: frozenset(said.get(name, ())) for name in AXES if name != "industries"}
    return Group(industries=tuple(said.get("industries", ())), **named)
