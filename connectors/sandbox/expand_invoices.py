"""The invoices of a persona, one by one (rule E13).

The seller of an input invoice has no taxpayer type in a persona: a rate above the 3 % levy makes him a general payer here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Literal

from connectors.sandbox.expand import Reach, on_day, split, spread
from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import Invoices, InvoiceStream, PartyShare
from hub.domain.enums import SourceKind
from hub.domain.money import CENT, round_money
from hub.domain.periods import Month, add_months, month_of

Side = Literal["OUTPUT", "INPUT"]


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One invoice. ``party`` is a key of the persona's parties: the buyer of an output invoice, the seller of an input one."""

    number: str
    side: Side
    kind: str
    party: str
    issued_on: date
    net: Decimal
    tax: Decimal
    status: str
    original: str | None = None
    reason: str | None = None

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax


def invoices(persona: Persona) -> list[InvoiceRow]:
    """Every invoice the source serves, by number."""
    if persona.invoices is None:
        return []
    reach = Reach(persona, SourceKind.INVOICE)
    rows = _Book(persona, persona.invoices).rows(reach)
    return sorted((row for row in rows if reach.covers(row.issued_on) and reach.exists(row.issued_on)), key=lambda row: row.number)


class _Book:
    """Numbers invoices as they are made: a serial within month and direction."""

    def __init__(self, persona: Persona, section: Invoices) -> None:
        self.section, self.serials = section, Counter[tuple[Month, Side]]()
        self.general = bool(persona.tax and persona.tax.taxpayer_type == "GENERAL")

    def rows(self, reach: Reach) -> list[InvoiceRow]:
        blue = [row for stream in self.section.output for row in self._stream(stream, "OUTPUT")]
        blue += [row for stream in self.section.input for row in self._stream(stream, "INPUT")]
        red = []
        for one in self.section.red:
            original = _first_of(blue, one.party, one.original_month)
            row = self._row("OUTPUT", one.party, one.on, -one.net, one.tax_rate, "RED")
            red.append(replace(row, original=original.number if original else None, reason=one.reason))
            if original and original.net == one.net and one.on <= reach.until and reach.exists(one.on):
                blue[blue.index(original)] = replace(original, status="REVERSED")
        void = [self._row("OUTPUT", one.party, one.on, one.net, one.tax_rate, "VOIDED") for one in self.section.void]
        return [*blue, *red, *void]

    def _stream(self, stream: InvoiceStream, side: Side) -> Iterator[InvoiceRow]:
        for index, net in enumerate(stream.net):
            month, left = add_months(stream.first, index), net
            for share in stream.split:
                part = left if share is stream.split[-1] else (net * share.share).quantize(CENT, ROUND_DOWN)
                left -= part
                for day, amount in _parts(month, share, part):
                    yield self._row(side, share.party, day, amount, stream.tax_rate, "NORMAL")

    def _row(self, side: Side, party: str, day: date, net: Decimal, rate: Decimal, status: str) -> InvoiceRow:
        self.serials[month_of(day), side] += 1
        number = f"{day:%Y%m}{1 if side == 'OUTPUT' else 2}{self.serials[month_of(day), side]:013d}"
        general = self.general if side == "OUTPUT" else rate > Decimal("0.03")
        return InvoiceRow(number, side, "31" if general else "32", party, day, net, round_money(net * rate), status)


def _parts(month: Month, share: PartyShare, amount: Decimal) -> Iterator[tuple[date, Decimal]]:
    """E2 and E3; an amount of 0 makes no invoice (E4)."""
    days = [on_day(month, day) for day in share.days or ()] or [spread(month, i, share.invoices) for i in range(share.invoices)]
    if amount:
        yield from zip(days, split(amount, len(days)), strict=True)


def _first_of(rows: list[InvoiceRow], party: str, month: Month) -> InvoiceRow | None:
    """The party's first output invoice of a month, by date, then number."""
    found = [row for row in rows if row.side == "OUTPUT" and row.party == party and month_of(row.issued_on) == month]
    return min(found, key=lambda row: (row.issued_on, row.number), default=None)
