"""Profile: what kind of customer it is."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from hub.domain.enums import CustomerType, IndustryCluster, MissingReason
from schema.access import DataKind, access, shown
from schema.types.enums import Overlay, ProductClass, SizeClass, Tier
from schema.types.evaluation import Evaluation

_RESULT = access("enhancement:read", DataKind.RESULT)


@strawberry.type(description="A field of the profile without a value.", directives=[_RESULT])
class MissingAttribute:
    field: str = shown("Name of the field.")
    reason: MissingReason = shown("Why there was no value when it was evaluated. Null is never zero.")


@strawberry.type(
    description="画像: what kind of customer it is, as the newest evaluation found that decides something (no what-if) and whose sources the consents of this use still cover, all of them.",
    directives=[_RESULT],
)
class Profile:
    customer_type: CustomerType | None = shown("客户类型, by code, size and role.")
    overlays: list[Overlay] = shown("What the customer is beside that. Empty: nothing of that, or not known; `missing` tells.")
    size: SizeClass | None = shown("企业规模 of a business.")
    product_class: ProductClass | None = shown("Class of credit products that fit.")
    clusters: list[IndustryCluster] | None = shown(
        "产业客群, a set. Empty: it belongs to none. null: it was evaluated by a version of the hub that did not tell; evaluate again."
    )
    clusters_undecided: list[IndustryCluster] | None = shown(
        "Those of which nobody can tell whether it belongs to them; `missing` tells why, under `clusters`. It is known to belong to no other."
    )
    industry: str | None = shown(
        "Industry of a business: class of GB/T 4754-2017 with its section letter, for example `F5292`. Source: the business register.",
        access("facts:read", DataKind.RESULT),
    )
    region: str | None = shown(
        "City in which a business is registered, as the business register names it, for example `宁波市`.",
        access("facts:read", DataKind.RESULT),
    )
    tier: Tier | None = shown("How far independent sources confirm each other.")
    consistency: Decimal | None = shown("C: weighted agreement of all checks that could be made, 0 to 1.")
    coverage: Decimal | None = shown("K: share of the applicable checks that could be made, 0 to 1.")
    verified_revenue: Decimal | None = shown("VR, 核实收入: 12 months, in yuan, net of returns, excluding VAT, before platform fees.")
    score: int | None = shown("Points of the scorecard.")
    grade: str | None = shown("A (best) to E.")
    flags: list[str] = shown("Hard flags of the cross-validation.", access("evidence:read", DataKind.EVIDENCE))
    as_of: date = shown("Day it speaks of.")
    known_at: datetime = shown("Instant up to which facts were known to it.")
    evaluation: Evaluation = shown("The evaluation that found it.")
    missing: list[MissingAttribute] = shown("Why what is null is null.")
