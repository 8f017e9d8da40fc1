"""The statements of a persona: balance sheets and yearly profit-and-loss statements, as they stand (rule E19)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from connectors.sandbox.expand import Reach
from connectors.sandbox.persona import Persona
from hub.domain.enums import SourceKind


@dataclass(frozen=True, slots=True)
class Statement:
    """``lines`` by the names of the domain. A balance sheet is of its last day."""

    kind: Literal["BS", "PL"]
    first: date
    last: date
    lines: Mapping[str, Decimal]


def statements(persona: Persona) -> list[Statement]:
    """Every statement whose last day the source covers, by day."""
    if persona.financials is None:
        return []
    reach = Reach(persona, SourceKind.FINANCIALS)
    found = [Statement("BS", date(one.on.year, 1, 1), one.on, one.lines) for one in persona.financials.balance_sheets]
    found += [Statement("PL", date(one.year, 1, 1), date(one.year, 12, 31), one.lines) for one in persona.financials.profit_and_loss]
    return sorted((one for one in found if reach.covers(one.last) and reach.exists(one.last)), key=lambda one: (one.last, one.kind))
