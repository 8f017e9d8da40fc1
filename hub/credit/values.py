"""The value of a feature: never a bare number, always with what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from hub.credit.dossier import EvidenceSet
from hub.domain.enums import MissingReason, Unit
from hub.domain.periods import Month


class Feature(msgspec.Struct, frozen=True, gc=False):
    """A feature's unrounded value, or why there is none. A struct, as facts are: they come by the hundred for each customer.

    ``value`` is Decimal for amounts and ratios, int for counts, str for enumerations and special values (``NO_DEBT``), bool for flags.
    """

    id: str
    unit: Unit
    value: Decimal | int | str | bool | None
    missing: MissingReason | None
    version: str
    formula: str
    first: Month | None = None
    last: Month | None = None
    covered: int | None = None
    evidence: tuple[EvidenceSet, ...] = ()

    @property
    def number(self) -> Decimal | None:
        """The value as a Decimal; None for missing, textual and boolean ones."""
        if isinstance(self.value, bool) or not isinstance(self.value, Decimal | int):
            return None
        return Decimal(self.value)


FeatureSet = Mapping[str, Feature]
"""Features by id."""
