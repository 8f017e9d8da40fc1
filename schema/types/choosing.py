"""The arguments by which customers are chosen, and what each of them reads: whoever may not see a field may not choose by it either."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated

import strawberry

from hub.domain.enums import CustomerCategory, CustomerType, IndustryCluster, Outcome, SourceKind
from schema.types.enums import Overlay, ProductClass, SizeClass, Tier


def _only(doc: str) -> strawberry.types.arguments.StrawberryArgumentAnnotation:
    return strawberry.argument(description=doc)


Categories = Annotated[list[CustomerCategory] | None, _only("Only of these categories.")]
CustomerTypes = Annotated[list[CustomerType] | None, _only("Only those whose `profile` has one of these types.")]
Overlays = Annotated[list[Overlay] | None, _only("Only those whose `profile` has one of these overlays.")]
Clusters = Annotated[list[IndustryCluster] | None, _only("Only those whose `profile` is known to belong to one of these clusters.")]
Sizes = Annotated[list[SizeClass] | None, _only("Only those whose `profile` has one of these sizes.")]
ProductClasses = Annotated[list[ProductClass] | None, _only("Only those whose `profile` has one of these product classes.")]
Industries = Annotated[
    list[str] | None, _only("Only those whose `profile` has one of these industries: a class such as `F5292`, or a section letter.")
]
Regions = Annotated[
    list[str] | None, _only("Only those whose `profile` has one of these regions: cities as the business register names them.")
]
Tiers = Annotated[list[Tier] | None, _only("Only those whose latest decision has one of these tiers.")]
Outcomes = Annotated[list[Outcome] | None, _only("Only those whose latest decision has one of these outcomes.")]
OfScenario = Annotated[
    str | None,
    _only(
        "The scenario whose latest decision `outcomes`, `tiers`, `evaluatedSince` and `evaluatedBefore` mean. Default: whichever is the latest."
    ),
]
Since = Annotated[date | None, _only("Only those whose latest decision speaks of this day or a later one.")]
Before = Annotated[date | None, _only("Only those whose latest decision speaks of an earlier day.")]
Available = Annotated[
    list[SourceKind] | None, _only("Only those of whom all of these sources are AVAILABLE now: connected, consented and fresh.")
]
Stale = Annotated[list[SourceKind] | None, _only("Only those of whom one of these sources is STALE now.")]

READS: Mapping[tuple[str, str], Mapping[str, tuple[str, str]]] = {
    ("Query", "customers"): {
        "categories": ("Customer", "category"),
        "customerTypes": ("Profile", "customerType"),
        "overlays": ("Profile", "overlays"),
        "clusters": ("Profile", "clusters"),
        "sizes": ("Profile", "size"),
        "productClasses": ("Profile", "productClass"),
        "industries": ("Profile", "industry"),
        "regions": ("Profile", "region"),
        "tiers": ("Evaluation", "tier"),
        "outcomes": ("Evaluation", "outcome"),
        "scenario": ("Evaluation", "scenario"),
        "evaluatedSince": ("Evaluation", "asOf"),
        "evaluatedBefore": ("Evaluation", "asOf"),
        "available": ("SourceAccess", "status"),
        "stale": ("SourceAccess", "status"),
    }
}
"""By field and argument, the coordinate that shows what is chosen by: its scope is needed, and the access log names it."""
