"""Whose facts, up to which day, as known when: the condition every statement of the dossier shares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from hub.domain.identifiers import CustomerId

LIVE = (
    "customer_id = :customer_id AND known_from <= :known_at AND (known_to IS NULL OR known_to > :known_at) "
    "AND (occurred_on IS NULL OR occurred_on <= :as_of)"
)
"""The fact versions in force at ``known_at`` that are not dated after ``as_of``."""


@dataclass(frozen=True, slots=True)
class Moment:
    customer_id: CustomerId
    as_of: date
    known_at: datetime

    def values(self, **more: Any) -> dict[str, Any]:
        """Parameters of a statement that contains :data:`LIVE`."""
        return {"customer_id": self.customer_id, "as_of": self.as_of, "known_at": self.known_at, **more}
