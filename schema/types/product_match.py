"""ProductMatch: how a product fits a customer, and how a peer's differs from what is offered."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import strawberry

from hub.domain.enums import MatchCriterion, ProductElement, ProductFit, ProductHolder, ProductKind
from schema.access import DataKind, access, shown

_RESULT = access("enhancement:read", DataKind.RESULT)
Fits = Annotated[list[ProductFit] | None, strawberry.argument(description="Only those of these results, for example `[FITS]`.")]
Kinds = Annotated[list[ProductKind] | None, strawberry.argument(description="Only of these kinds.")]
Holder = Annotated[ProductHolder | None, strawberry.argument(description="Only the institution's own, or only those of peers.")]


@strawberry.type(
    description="同业对标: one of the five elements, as the peer's public terms say it at best, beside what this evaluation offers.",
    directives=[_RESULT],
)
class ElementDifference:
    element: ProductElement = shown("Which element.")
    ours: str = shown("What is offered here: yuan, months, a share a year, or a word.")
    theirs: str = shown("What the peer has: its highest limit, longest term, lowest rate, or its words.")
    difference: Decimal | None = shown("Theirs less ours, in yuan, months or a share a year; null of words.")
    same: bool = shown("The peer has what is offered here.")
    text_zh: str = shown("说明 (Chinese).")
    text_en: str = shown("The same in English.")


@strawberry.type(
    description="产品匹配: how a product of the catalogue fits the customer, by what the evaluation found. It offers nothing by itself, and nothing is decided by it. What"
    " nobody can tell never makes a product fit.",
    directives=[_RESULT],
)
class ProductMatch:
    code: str = shown("Code of the product; `products` has it, as long as it is in effect.")
    holder: ProductHolder = shown("Whose it is.")
    kind: ProductKind = shown("产品种类.")
    name_zh: str = shown("名称 (Chinese).")
    name_en: str = shown("The same in English.")
    scenario: str | None = shown("Scenario whose policy decides it. Of a peer's: the scenario whose offers it is compared with.")
    peer: str | None = shown("Of a peer's product: the institution.")
    seen_on: date | None = shown("Of a peer's product: the day on which its public terms were looked at.")
    fit: ProductFit = shown("匹配结果.")
    criteria: list[MatchCriterion] = shown("By what it fits; or by what it does not; or what nobody can tell. Empty: it is for everybody.")
    exclusive: bool = shown(
        "An unsecured operating limit, of which only one may be active: the limits of several are no sum; `Customer.groupLimit` is the largest."
    )
    why_zh: str = shown("说明 (Chinese).")
    why_en: str = shown("The same in English.")
    differences: list[ElementDifference] = shown(
        "Of a peer's loan that may fit, where this evaluation offers something: the five elements compared."
    )
