"""What only the lender knows, and what was the case when a loan was granted. Values; :mod:`hub.store.evaluations.watch` loads them.

The lender's book is complete: a customer without a record has no loan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from hub.credit.crosscheck.verdict import Tier
from hub.domain.models import LoanState
from hub.domain.money import ZERO


@dataclass(frozen=True, slots=True)
class Contact:
    """Whether the debtor can be reached, has agreed to marketing, and how often it was contacted for that in the last 30 days. None: the lender has not said."""

    reachable: bool | None = None
    marketing: bool | None = None
    contacts: int | None = None


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan as the lender last said. ``balance`` is what is drawn and not repaid, ``due`` what of it is overdue; yuan. ``status_on`` is the day it speaks of."""

    number: str
    scenario: str
    state: LoanState
    status_on: date
    granted_on: date
    matures_on: date | None
    granted: Decimal
    balance: Decimal
    due: Decimal
    days_past_due: int
    ever_overdue: bool = False
    contact: Contact = Contact()

    @property
    def open(self) -> bool:
        return self.state is LoanState.ACTIVE

    @property
    def owed(self) -> bool:
        return self.state is not LoanState.SETTLED and (self.balance > 0 or self.days_past_due > 0)


@dataclass(frozen=True, slots=True)
class Origin:
    """The evaluation that stood when a loan was granted. ``settlement_accounts``: keyed hashes; None when they are not known."""

    as_of: date
    tier: Tier | None
    features: Mapping[str, Decimal] = field(default_factory=dict)
    settlement_accounts: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """``monitoring``: the consents are for POST_LOAN, so that running loans may be watched. ``connections``: active ones. ``origin`` belongs to the oldest open
    loan of the evaluation's scenario."""

    monitoring: bool = False
    loans: tuple[Loan, ...] = ()
    origin: Origin | None = None
    connections: int = 0

    def of(self, scenario: str) -> tuple[Loan, ...]:
        """The open loans of a scenario, the oldest first."""
        return tuple(sorted((one for one in self.loans if one.open and one.scenario == scenario), key=lambda one: one.granted_on))

    @property
    def owed(self) -> tuple[Loan, ...]:
        return tuple(one for one in self.loans if one.owed)

    @property
    def balance(self) -> Decimal:
        return sum((one.balance for one in self.owed), ZERO)

    @property
    def days_past_due(self) -> int:
        """Of all loans the largest."""
        return max((one.days_past_due for one in self.owed), default=0)

    @property
    def contact(self) -> Contact:
        """As the latest record says."""
        latest = max(self.loans, key=lambda one: one.status_on, default=None)
        return latest.contact if latest else Contact()


NOBODY = Watch()
"""The lender knows nothing of the customer, and nobody watches."""
