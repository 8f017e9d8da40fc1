"""综合年化成本: what an offer costs a year with everything that must be paid for it, by the simple method (单利; PBOC announcement 2021-3; 助贷 2025-9).

All that is paid, over the money that is owed on average: the rate, and the fees spread over it. A fee is named by the policy, with who takes it; a platform takes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hub.domain.money import ZERO

if TYPE_CHECKING:
    from hub.credit.evaluate import Evaluation
    from hub.credit.policy import Policy

FEES = ("GUARANTEE", "INSURANCE", "VALUATION", "REGISTRATION")
"""Whom a borrower may have to pay beside the lender."""
_AT_THE_END = frozenset({"INTEREST_ONLY", "REVOLVING", "BULLET"})
Fault = tuple[tuple[str | int, ...], str, str]


def cost_of(made: Evaluation) -> Decimal | None:
    """Of what an evaluation offers; there is one wherever there is a rate."""
    found = made.findings
    if found is None or found.price is None or found.limit is None:
        return None
    return all_in_cost(made.policy, found.price.rate, found.limit.term, found.guarantee)


def all_in_cost(policy: Policy, rate: Decimal, term: int, guarantee: str) -> Decimal:
    """A yearly share of what is owed; ``rate`` where nothing is to be paid beside it. ``term`` in months."""
    fees = sum((_total(one, term) for one in policy.document.get("fees", ()) if one.get("guarantee", guarantee) == guarantee), ZERO)
    return rate + fees / owed_years(policy.repayment[0], rate, term) if fees else rate


def owed_years(repayment: str, rate: Decimal, term: int) -> Decimal:
    """For how many years the whole loan would be owed, if what is owed from month to month were added up. A line that is drawn at will is taken as drawn."""
    if repayment in _AT_THE_END:
        return Decimal(term) / 12
    if repayment == "EQUAL_INSTALMENT" and rate > 0:
        month = rate / 12
        instalment = month / (1 - (1 + month) ** -term)
        return (term * instalment - 1) / rate
    return Decimal(term + 1) / 24


def _total(fee: Mapping[str, Any], term: int) -> Decimal:
    """Of a loan of 1, over its term."""
    return Decimal(fee.get("once", "0")) + Decimal(fee.get("yearly", "0")) * term / 12


def fee_faults(policy: Policy) -> Iterator[Fault]:
    """What a policy may not say of fees."""
    for number, fee in enumerate(policy.document.get("fees", ())):
        where = ("fees", number)
        if fee["kind"] not in FEES:
            said = f"{fee['kind']!r} may not be taken from a borrower: a platform is paid by the lender (助贷 2025-9)"
            yield (*where, "kind"), said, f"Known are {', '.join(FEES)}."
        if not {"once", "yearly"} & set(fee):
            yield where, "a fee is paid once or yearly", 'Write a share of the loan, such as "0.0100".'
        if fee.get("guarantee") not in (None, *policy.guarantee):
            yield (*where, "guarantee"), f"{fee['guarantee']!r} is no guarantee of this policy", f"It has {', '.join(policy.guarantee)}."
