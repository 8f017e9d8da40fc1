"""FeatureEvidence."""

from __future__ import annotations

from datetime import date

import strawberry

from hub.domain.enums import SourceKind
from schema.access import DataKind, access, asked, shown, stored
from schema.types.fact import Fact
from schema.types.pages import First


@strawberry.type(
    description="A set of facts a feature was computed from: all versions of one kind, in a range of days, as known at the evaluation.",
    directives=[access("evidence:read", DataKind.EVIDENCE)],
)
class FeatureEvidence:
    kind: str = shown("Kind of fact.")
    source: SourceKind = shown("Source whose consent covers it.")
    first_day: date | None = shown("First day of the set; null: no lower bound.")
    last_day: date | None = shown("Last day of the set; null: no upper bound.")
    facts: int = shown("Number of fact versions read.")
    digest: str = shown("SHA-256 (hex) over their sorted ids: proves that the set shown today is the set read then.")

    @asked("The latest facts of the set, at most 100, while consent lets them be read.", access("facts:read", DataKind.EVIDENCE))
    def sample(self, first: First = 3) -> list[Fact]:
        return stored()  # type: ignore[no-any-return]
