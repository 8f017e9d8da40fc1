"""What monitoring looks at beside features and inputs, and the twelve triggers of the dated document (domain brief, section 6.5).

``@seen`` declares a name that the document's conditions may use: a small pure function of a :class:`Sight`, which returns a value or raises Null with the reason.
A trigger has parts, which are told apart (in the brief by a semicolon); of a part's steps (by a slash) the gravest that holds counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hub.credit.crosscheck.verdict import Tier
from hub.credit.expressions import Known, Layers, Names, Value, names_in
from hub.credit.features.catalogue import Null
from hub.credit.features.reading import ratio
from hub.credit.features.standing import missed_periods
from hub.credit.models.declare import Case, Condition, decided, figures, together
from hub.credit.models.lender import Origin
from hub.credit.parameters import parameters
from hub.credit.scenario.inputs import Material
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import BusinessRegistration, CreditAccount, Invoice, PaymentAccount, PublicRecord, RepaymentMonth
from hub.domain.money import ZERO
from hub.domain.periods import Month, window

HEIGHT = (Tier.CONFLICT, Tier.UNVERIFIED, Tier.LOW, Tier.MEDIUM, Tier.HIGH)
BROKEN = frozenset({MissingReason.NOT_CONNECTED, MissingReason.UPSTREAM_ERROR, MissingReason.STALE})
STATUS = {**{str(number): number for number in range(8)}, **dict.fromkeys("DZGB", 7), **dict.fromkeys("NCM", 0)}
"""Months in arrears that a repayment status stands for; ``*`` and ``#`` say nothing."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What such a function looks at: the case, its dossier through the rules that inputs share, and the evaluation that stood when the loan was granted."""

    case: Case
    material: Material

    @staticmethod
    def of(case: Case) -> Sight:
        found = case.found
        return Sight(case, Material(case.made.dossier, found.features, found.verdict, case.made.request.purpose, found.observers))

    @property
    def as_of(self) -> date:
        return self.case.made.dossier.as_of

    @property
    def since(self) -> date:
        """The day on which the oldest open loan of the scenario was granted. Raises Null."""
        loans = self.case.watch.of(self.case.made.policy.id)
        if not loans:
            raise Null(MissingReason.NOT_APPLICABLE)
        return loans[0].granted_on

    @property
    def origin(self) -> Origin:
        """Raises Null where no evaluation from then is known."""
        if self.case.watch.origin is None:
            raise Null(MissingReason.INSUFFICIENT_COVERAGE)
        return self.case.watch.origin


Seen = Callable[[Sight], Value]
SEEN: dict[str, Seen] = {}


def seen(function: Seen) -> Seen:
    """Declares a name by its function."""
    SEEN[function.__name__] = function
    return function


@seen
def latest_sales_ratio(sight: Sight) -> Value:
    """S of M0 over the mean of the six months before it; that mean is moved by the season where last year tells: S of M-12 over the mean of the six months before
    that one. Of six months as many must be covered as a window of that length asks for."""
    sales, months = sight.case.found.sales, window(sight.as_of, 19)
    if sales.missing:
        raise Null(sales.missing)
    expected = _mean(sales.months, months[12:18])
    if months[18] not in sales.months or expected is None:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    before = _mean(sales.months, months[:6])
    last_year = sales.months.get(months[6])
    season = last_year / before if before and before > 0 and last_year is not None and last_year > 0 else Decimal(1)
    return ratio(sales.months[months[18]], expected * season)


def _mean(amounts: Mapping[Month, Decimal], months: list[Month]) -> Decimal | None:
    found = [amounts[month] for month in months if month in amounts]
    return sum(found, ZERO) / len(found) if len(found) >= parameters().minimum_months[len(months)] else None


@seen
def days_without_activity(sight: Sight) -> Value:
    """Days from the last paid order, or the last sales receipt or payout, to the end of the source's data: of the readable sources the smaller. Without one the reason
    of the accounts."""
    days = [found for found in (_days_without_orders(sight), _days_without_receipts(sight)) if found is not None]
    if not days:
        raise Null(sight.material.dossier.source(SourceKind.PAYMENT).reason or MissingReason.INSUFFICIENT_COVERAGE)
    return min(days)


def _days_without_orders(sight: Sight) -> int | None:
    state, orders = sight.material.dossier.source(SourceKind.SHOP), sight.material.dossier.orders
    if not state.readable or state.data_end is None or orders is None or orders.last_paid_on is None:
        return None
    return max(0, (state.data_end - orders.last_paid_on).days)


def _days_without_receipts(sight: Sight) -> int | None:
    days = sight.case.names["days_without_receipts"].value
    return int(days) if days is not None and not isinstance(days, str) else None


@seen
def days_without_invoice(sight: Sight) -> Value:
    """Days from the last blue output invoice to the end of the invoice data. A business that never invoiced (a shop) has none: NOT_APPLICABLE."""
    state = sight.material.dossier.source(SourceKind.INVOICE)
    if state.reason is MissingReason.NOT_CONNECTED:
        raise Null(MissingReason.NOT_APPLICABLE)
    sight.material.need(SourceKind.INVOICE)
    issued = [
        one.issued_on for one in sight.material.dossier.of(Invoice) if one.direction == "OUTPUT" and one.status in ("NORMAL", "REVERSED")
    ]
    if not issued or state.data_end is None:
        raise Null(MissingReason.NOT_APPLICABLE)
    return max(0, (state.data_end - max(issued)).days)


@seen
def missed_filings_since(sight: Sight) -> Value:
    """VAT periods of W24 that were due since the loan was granted, and not filed by the end of the tax data."""
    since = sight.since
    return sum(1 for _, due in missed_periods(sight.material.reading) if due >= since)


@seen
def fund_unpaid_months(sight: Sight) -> Value:
    """Covered months of W3 without a housing-fund deposit; NOT_APPLICABLE to who has no account in use."""
    if sight.case.names["op_hf_streak"].missing is MissingReason.NOT_APPLICABLE:
        raise Null(MissingReason.NOT_APPLICABLE)
    return sight.case.number("fund_missed_months")


@seen
def new_lenders_60d(sight: Sight) -> Value:
    """Distinct lenders, but for the hub's own, of accounts opened within the 60 days before as-of."""
    return len({one.lender for one in _accounts_elsewhere(sight) if timedelta(0) <= sight.as_of - one.opened_on <= timedelta(days=60)})


def _accounts_elsewhere(sight: Sight) -> list[CreditAccount]:
    sight.material.need(SourceKind.BUREAU)
    debtors, own = sight.material.reading.debtors, sight.material.dossier.reference.lender
    return [one for one in sight.material.dossier.of(CreditAccount) if one.borrower in debtors and one.lender != own]


@seen
def worst_status_elsewhere(sight: Sight) -> Value:
    """Months in arrears at another lender: of each account the latest month of W3 that says something, of all accounts the worst. Null where none says anything;
    NOT_APPLICABLE without an account elsewhere."""
    numbers = {one.account_number for one in _accounts_elsewhere(sight)}
    if not numbers:
        raise Null(MissingReason.NOT_APPLICABLE)
    months, latest = set(window(sight.as_of, 3)), dict[str, tuple[str, int]]()
    for one in sight.material.dossier.of(RepaymentMonth):
        if one.account_number in numbers and one.month in months and one.status in STATUS:
            latest[one.account_number] = max(latest.get(one.account_number, ("", 0)), (one.month, STATUS[one.status]))
    if not latest:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return max(status for _, status in latest.values())


def _cases(sight: Sight, kind: str) -> tuple[str, ...]:
    """Numbers of the cases against the customer filed since the loan was granted."""
    since = sight.since
    sight.material.need(SourceKind.PUBLIC_RECORD)
    rows = (one for one in sight.material.dossier.of(PublicRecord) if one.kind == kind and one.role == "DEFENDANT")
    return tuple(sorted(one.case_number for one in rows if one.filed_on >= since))


@seen
def new_defendant(sight: Sight) -> Value:
    """Lawsuits as defendant, filed since the loan was granted."""
    return len(_cases(sight, "LITIGATION"))


@seen
def new_enforcement(sight: Sight) -> Value:
    """Enforcement cases since the loan was granted."""
    return len(_cases(sight, "ENFORCEMENT"))


@seen
def new_dishonest(sight: Sight) -> Value:
    """Entries on the list of dishonest debtors since the loan was granted."""
    return len(_cases(sight, "DISHONEST"))


def _origin(feature: str) -> Seen:
    def found(sight: Sight) -> Value:
        value = sight.origin.features.get(feature)
        if value is None:
            raise Null(MissingReason.INSUFFICIENT_COVERAGE)
        return value

    found.__doc__ = f"{feature} of the evaluation that stood when the loan was granted."
    return found


SEEN |= {f"origin_{feature}": _origin(feature) for feature in ("ps_low_balance_days", "ss_refund_rate")}


@seen
def tier_fell_to(sight: Sight) -> Value:
    """The tier of the cross-check where it is lower than when the loan was granted, else SAME."""
    before, now = sight.origin.tier, sight.case.found.verdict.tier
    if before is None:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return str(now) if HEIGHT.index(now) < HEIGHT.index(before) else "SAME"


@seen
def legal_rep_changed(sight: Sight) -> Value:
    """The legal representative or operator holds the role since a day after the loan was granted."""
    since, dossier = sight.since, sight.material.dossier
    sight.material.need(SourceKind.REGISTRATION)
    own = [one for one in dossier.of(BusinessRegistration) if one.uscc == dossier.subject.uscc]
    if not own:
        raise Null(MissingReason.NOT_APPLICABLE if not dossier.subject.is_business else MissingReason.INSUFFICIENT_COVERAGE)
    return own[0].responsible_since is not None and own[0].responsible_since > since


@seen
def settlement_account_changed(sight: Sight) -> Value:
    """The account that receives the sales money is none of those that did when the loan was granted."""
    before = sight.origin.settlement_accounts
    sight.material.need(SourceKind.PAYMENT)
    now = settlement_accounts(sight.case)
    if not before or not now:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return not now & before


def settlement_accounts(case: Case) -> frozenset[str]:
    return frozenset(str(one.account_number) for one in case.made.dossier.of(PaymentAccount) if one.role == "SETTLEMENT")


@seen
def broken_days(sight: Sight) -> Value:
    """Days since the data of a required source ended that is not connected any more, does not answer or is stale: the longest of them; 0 where all can be read."""
    dossier, days, unknown = sight.material.dossier, [0], list[MissingReason]()
    for need in sight.case.made.policy.sources:
        states = [dossier.source(kind) for kind in (need.kind, *need.alternatives)]
        if any(state.readable for state in states):
            continue
        ends = [state.data_end for state in states if state.reason in BROKEN and state.data_end]
        days += [(sight.as_of - max(ends)).days] if ends else []
        unknown += [] if ends else [reason for state in states[:1] if (reason := state.reason)]
    if unknown and max(days) == 0:
        raise Null(unknown[0])
    return max(days)


@dataclass(frozen=True, slots=True)
class Fired:
    """A part of a trigger. ``step`` counts from 0, the gravest first; None: it did not fire. ``missing``: that cannot be told, and why. ``outcomes``: what each of its
    conditions gave."""

    trigger: str
    part: int
    step: int | None
    points: int
    missing: MissingReason | None
    outcomes: Mapping[str, bool | MissingReason] = field(default_factory=dict)
    condition: str = ""
    cause: str = ""
    evidence: tuple[tuple[str, Known], ...] = ()

    @property
    def key(self) -> str:
        return f"{self.trigger}.{self.part}"


def looked(case: Case) -> list[Fired]:
    """Every part of every trigger."""
    sight = Sight.of(case)
    names = Layers(case.names, {name: _known(function, sight) for name, function in SEEN.items()})
    return [_part(one["id"], number, steps, names, sight) for one in figures()["triggers"] for number, steps in enumerate(one["parts"], 1)]


def _known(function: Seen, sight: Sight) -> Known:
    try:
        value = function(sight)
    except Null as null:
        return Known(None, null.reason, numeric=True)
    return Known(value, None, numeric=not isinstance(value, str | bool))


def _part(trigger: str, number: int, steps: list[dict[str, Any]], names: Names, sight: Sight) -> Fired:
    outcomes = {_text(one): together(one, names) for step in steps for one in step["any"]}
    reasons = [found for found in (decided(one["any"], names) for one in steps) if isinstance(found, MissingReason)]
    for step, one in enumerate(steps):
        condition = next((_text(found) for found in one["any"] if outcomes[_text(found)] is True), None)
        if condition is not None:
            evidence = tuple((name, names[name]) for name in names_in(condition))
            return Fired(trigger, number, step, one["points"], None, outcomes, condition, _cause(condition, sight), evidence)
    known = [reason for reason in reasons if reason is not MissingReason.NOT_APPLICABLE]
    missing = known[0] if known else reasons[0] if len(reasons) == len(steps) else None
    return Fired(trigger, number, None, 0, missing, outcomes)


def _text(condition: Condition) -> str:
    return condition if isinstance(condition, str) else " and ".join(condition)


_CASES = {"new_defendant": "LITIGATION", "new_enforcement": "ENFORCEMENT", "new_dishonest": "DISHONEST"}


def _cause(condition: str, sight: Sight) -> str:
    """What tells one occurrence from the next while the condition goes on to hold: the condition itself, and of lawsuits which they are. Hex SHA-256."""
    cases = [number for name in names_in(condition) if name in _CASES for number in _cases(sight, _CASES[name])]
    return hashlib.sha256("|".join([condition, *cases]).encode()).hexdigest()


def names_of_triggers() -> Iterator[str]:
    """Every name that a condition of the document uses."""
    for one in figures()["triggers"]:
        for steps in one["parts"]:
            yield from (name for step in steps for found in step["any"] for name in names_in(_text(found)))
