"""Product: what is offered, by the lender or by others. And the field of Query that lists it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import strawberry

from hub.domain.enums import CustomerType, IndustryCluster, ProductHolder, ProductKind
from schema.access import DataKind, access, asked, shown, stored
from schema.types.enums import LoanPurpose, Overlay, ProductClass

_RESULT = access("enhancement:read", DataKind.RESULT)
Kinds = Annotated[list[ProductKind] | None, strawberry.argument(description="Only of these kinds.")]
Holder = Annotated[ProductHolder | None, strawberry.argument(description="Only the institution's own, or only those of peers.")]
Codes = Annotated[list[str] | None, strawberry.argument(description="Only these.")]
OfScenarios = Annotated[list[str] | None, strawberry.argument(description="Only those of these scenarios, for example `S03`.")]
OnDay = Annotated[date | None, strawberry.argument(description="The catalogue in effect on this day. Default: today.")]


@strawberry.type(
    description="客群: customers whom a product is for. All lists that are not empty must hold; of each one value is enough.",
    directives=[_RESULT],
)
class ProductGroup:
    customer_types: list[CustomerType] = shown("客户类型.")
    overlays: list[Overlay] = shown("What the customer is beside that.")
    clusters: list[IndustryCluster] = shown("产业客群.")
    product_classes: list[ProductClass] = shown("Classes of products.")
    industries: list[str] = shown("Prefixes of the industry code (GB/T 4754-2017), for example `F52`.")


@strawberry.type(
    description="产品: a product of the catalogue in effect. A loan has five elements (五要素): limit, term, rate, repayment, guarantee. It is no offer: what a customer is offered"
    " an evaluation says.",
    directives=[_RESULT],
)
class Product:
    code: str = shown("Its code. One of the institution's own and one of a peer's may have the same.")
    holder: ProductHolder = shown("Whose it is.")
    kind: ProductKind = shown("产品种类.")
    name_zh: str = shown("名称 (Chinese).")
    name_en: str = shown("The same in English.")
    scenario: str | None = shown(
        "Scenario whose policy decides it: evaluate that. Of a peer's product: the scenario whose offers it is compared with; null: those of every scenario."
    )
    lowest_limit: Decimal | None = shown("额度: the least, in yuan.")
    highest_limit: Decimal | None = shown("额度: the most, in yuan.")
    term_months: list[int] = shown("期限: terms in months, ascending.")
    lowest_rate: Decimal | None = shown("利率: lowest annual rate with all costs, 0.037 is 3.7 %.")
    highest_rate: Decimal | None = shown("利率: highest annual rate with all costs.")
    repayment: list[str] = shown("还款方式, for example REVOLVING (随借随还).")
    guarantee: list[str] = shown("担保方式, for example UNSECURED.")
    purposes: list[LoanPurpose] = shown("用途: what the money may be for; empty: whatever it is for.")
    eligible: list[ProductGroup] = shown("适用客群: one of these groups; empty: everybody.")
    peer: str | None = shown("Of a peer's product: the institution.")
    seen_on: date | None = shown("Of a peer's product: the day on which its public terms were looked at.")
    source: str = shown("Where the catalogue is from.")
    version: int = shown("Version of the reference document that it stands in: `products`, or `peer_products`.")
    effective_from: date = shown("First day of that version.")


@strawberry.type
class Products:
    """See the module."""

    @asked(
        "产品库: the products in effect, the institution's own first, loans before what goes with them; at most 200. Which of them fit a customer, `Evaluation.products` tells.",
        _RESULT,
    )
    def products(
        self, kinds: Kinds = None, holder: Holder = None, codes: Codes = None, scenarios: OfScenarios = None, as_of: OnDay = None
    ) -> list[Product]:
        return stored()  # type: ignore[no-any-return]
