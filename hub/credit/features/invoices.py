"""What formulas take from invoices: valid ones of covered months, by direction and party."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from hub.credit.dossier import Dossier, once
from hub.credit.features.amounts import VALID
from hub.credit.features.reading import Reading
from hub.domain.enums import SourceKind
from hub.domain.facts import Invoice
from hub.domain.money import ZERO
from hub.domain.periods import month_of

BLUE = ("NORMAL", "REVERSED")


@once
def blue_output(dossier: Dossier) -> list[Invoice]:
    """Valid blue output invoices, whenever issued."""
    return [one for one in dossier.of(Invoice) if one.direction == "OUTPUT" and one.status in BLUE]


def covered_invoices(read: Reading, direction: str, count: int, skip: int = 0, *, status: Iterable[str] = VALID) -> list[Invoice]:
    """Invoices of the covered months of a window, if enough are covered."""
    months, wanted = read.months(SourceKind.INVOICE, count, skip), frozenset(status)
    return [one for one in read.dated(Invoice, months, "issued_on") if one.direction == direction and one.status in wanted]


def net_by_party(invoices: Iterable[Invoice]) -> dict[str, Decimal]:
    """Net amount, red ones deducted, by the tax number of the other party."""
    found: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for one in invoices:
        found[one.buyer if one.direction == "OUTPUT" else one.seller] += one.net
    return found


def first_supply(read: Reading) -> dict[str, Invoice]:
    """Each supplier's first valid input invoice in a covered month."""
    state, found = read.dossier.source(SourceKind.INVOICE), dict[str, Invoice]()
    valid = [one for one in read.dossier.of(Invoice) if one.direction == "INPUT" and one.status in VALID]
    for one in sorted(valid, key=lambda one: one.issued_on):
        if state.covers(month_of(one.issued_on)):
            found.setdefault(one.seller, one)
    return found
