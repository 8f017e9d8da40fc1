"""Whose facts, up to which day, as known when, and within their life: the condition every statement of the dossier shares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from hub.consent.retention import retention
from hub.domain.facts import FactSpec
from hub.domain.identifiers import CustomerId

LIVE = (
    "customer_id = :customer_id AND known_from <= :known_at AND (known_to IS NULL OR known_to > :known_at) "
    "AND (occurred_on IS NULL OR occurred_on <= :as_of)"
)
"""The fact versions in force at ``known_at`` that are not dated after ``as_of``."""


def of_life(spec: FactSpec) -> str:
    """The facts of a kind that count at this moment: :data:`LIVE`, and of negative items those whose life is not over, whether or not they were erased yet."""
    if retention().kinds[spec.name].name != "NEGATIVE":
        return LIVE
    day = "greatest(CAST(:as_of AS date), (CAST(:known_at AS timestamptz) AT TIME ZONE 'Asia/Shanghai')::date)"
    mine = f"d.customer_id = {spec.table}.customer_id AND d.fact_id = {spec.table}.fact_id AND d.kind = '{spec.name}'"
    return f"{LIVE} AND NOT EXISTS (SELECT 1 FROM item_due d WHERE {mine} AND d.erase_on <= {day})"  # noqa: S608 -- our own names


@dataclass(frozen=True, slots=True)
class Moment:
    customer_id: CustomerId
    as_of: date
    known_at: datetime

    def values(self, **more: Any) -> dict[str, Any]:
        """Parameters of a statement that contains :data:`LIVE`."""
        return {"customer_id": self.customer_id, "as_of": self.as_of, "known_at": self.known_at, **more}
