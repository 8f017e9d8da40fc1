"""个人信息保护影响评估 (PIPL 55-56): by which assessment of its impact personal information is processed. The record itself is the institution's, and kept there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

LONGEST_RECORD = 128


@dataclass(frozen=True, slots=True)
class Assessment:
    """The record of an assessment, by the institution's own id for it, and its day."""

    id: str
    on: date

    @staticmethod
    def of(value: object) -> Assessment | None:
        """Of ``{"id": "PIPIA-2026-014", "on": "2026-01-05"}``; None for what is none."""
        try:
            match value:
                case {"id": str(record), "on": str(day)} if 0 < len(record.strip()) <= LONGEST_RECORD:
                    return Assessment(record.strip(), date.fromisoformat(day))
        except ValueError:
            pass
        return None
