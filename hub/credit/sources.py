"""Which sources may be used for an evaluation, and which days they cover.

A source is readable when it is connected, its consent is ACTIVE for this use and its data are not stale (domain brief, sections 0 and 5.1). What
a source covers follows from its windows, by the kinds of fact they carry:

- a kind covers the union of what its windows cover;
- a source of one connection covers the days that *all* of its recording kinds cover (``RECORDING``), SHOP the days of single orders with
  their refunds or else of monthly summaries. A recording kind that the platform has no stream for, or serves for no day, does not count;
- with several connections a day must be covered by each of them that covers anything: a month one shop does not serve is unknown.

The data end is the last covered day. A source that covers nothing is UPSTREAM_ERROR.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from hub.connect.message import Interval
from hub.consent.gate import Ask, Decision, GivenConsent, decide
from hub.credit.dossier import Dossier, SourceState
from hub.credit.features.series import files_quarterly, files_vat, vat_by_month
from hub.credit.parameters import parameters
from hub.domain.enums import ConnectionStatus, MissingReason, SourceKind
from hub.domain.periods import Month, add_months, first_day, month_of

RECORDING: Mapping[SourceKind, tuple[tuple[str, ...], ...]] = {
    SourceKind.REGISTRATION: (("BusinessRegistration",),),
    SourceKind.TAX: (("TaxReturn", "TaxPayment"),),
    SourceKind.FINANCIALS: (("FinancialStatement",),),
    SourceKind.INVOICE: (("Invoice",),),
    SourceKind.SHOP: (("Order", "Refund"), ("ShopMonthlySummary",)),
    SourceKind.SETTLEMENT: (("Settlement",),),
    SourceKind.PAYMENT: (("PaymentTransaction",),),
    SourceKind.SOCIAL_INSURANCE: (("SocialInsuranceContribution", "EmployerSocialInsuranceMonth"),),
    SourceKind.HOUSING_FUND: (("HousingFundEntry",),),
    SourceKind.BUREAU: (("RepaymentMonth", "CreditInquiry"),),
    SourceKind.IDENTITY: (("IdentityVerification",),),
    SourceKind.DEVICE: (("BehaviourSession",),),
    SourceKind.PUBLIC_RECORD: (("PublicRecord",),),
    SourceKind.PROCUREMENT: (("PurchaseOrder",),),
    SourceKind.FARM: (("FarmPlot",),),
}
"""Kinds whose windows tell what a source covers: alternatives, each of which needs all of its kinds."""

SINGLE_ORDERS = ("Order", "Refund")
"""A month is served order by order when both are complete. A platform without a refund stream is taken at its word on orders."""


@dataclass(frozen=True, slots=True)
class HeldConsent:
    """A consent row. ``changed_at`` decides between several that do not allow it."""

    consent: GivenConsent
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class HeldConnection:
    connection_id: UUID
    sources: frozenset[SourceKind]
    status: ConnectionStatus


@dataclass(frozen=True, slots=True)
class HeldWindow:
    """A window of a stream. ``served`` is False when it is out of the platform's reach; ``covered`` is empty unless it was completed."""

    connection_id: UUID
    source: SourceKind
    kinds: frozenset[str]
    covered: tuple[Interval, ...]
    served: bool = True


@dataclass(frozen=True, slots=True)
class Use:
    """For whom and when a source is read. ``read_at``: when that is, where it is later than what is read was known: a consent must be in force then as well."""

    grantee: str
    purpose: str
    scenario: str | None
    as_of: date
    known_at: datetime
    app: str | None = None
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the sources of a customer are to a use: their states, and the consents that allow it. Uses that the consents do not tell apart share one."""

    states: Mapping[SourceKind, SourceState]
    allowing: Mapping[SourceKind, GivenConsent]


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the store holds about a customer's sources."""

    consents: Sequence[HeldConsent] = ()
    connections: Sequence[HeldConnection] = ()
    windows: Sequence[HeldWindow] = ()
    _memo: dict[Any, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def states(self, use: Use) -> Mapping[SourceKind, SourceState]:
        """The state of every source kind. That of TAX still needs :func:`tax_is_stale` once its facts are loaded."""
        return self.standing(use).states

    def allowing(self, use: Use) -> Mapping[SourceKind, GivenConsent]:
        """The consents that allow this use, by source."""
        return self.standing(use).allowing

    def standing(self, use: Use) -> Standing:
        """Both. Of the scenario a consent asks no more than whether it names it: scenarios that are named alike stand alike."""
        named = tuple(use.scenario is None or use.scenario in one.consent.scenarios for one in self.consents)
        key = (named, use.grantee, use.purpose, use.as_of, use.known_at, use.app, use.read_at)
        if key not in self._memo:
            decided = {kind: self._consent(kind, use) for kind in SourceKind}
            states = {kind: self._state(kind, use, *found) for kind, found in decided.items()}
            self._memo[key] = Standing(states, {kind: consent for kind, (consent, _) in decided.items() if consent is not None})
        return self._memo[key]  # type: ignore[no-any-return]

    def _state(self, kind: SourceKind, use: Use, allowed: GivenConsent | None, decision: Decision) -> SourceState:
        if allowed is None:
            return SourceState(kind, decision.denial)
        linked = [one for one in self.connections if kind in one.sources and one.status in LINKED]
        covered = clipped(self.covered(kind), allowed.data_from, allowed.data_to)
        if not linked:
            return SourceState(kind, MissingReason.NOT_CONNECTED, (), covered[-1].last if covered else None)
        if not covered:
            return SourceState(kind, MissingReason.UPSTREAM_ERROR)
        state = SourceState(kind, None, covered, covered[-1].last)
        return unreadable(state, MissingReason.STALE) if is_stale(state, use.as_of) else state

    def _consent(self, kind: SourceKind, use: Use) -> tuple[GivenConsent | None, Decision]:
        """The consent that allows it, or the denial of the one that changed last."""
        ask = Ask(kind, use.grantee, use.purpose, use.scenario, app=use.app)
        decision = decide(None, ask, use.known_at)
        for one in self._consents().get(kind, ()):
            decision = decide(one.consent, ask, use.known_at)
            if decision.allowed and use.read_at is not None:
                decision = decide(one.consent, ask, use.read_at)
            if decision.allowed:
                return one.consent, decision
        return None, decision

    def _consents(self) -> Mapping[SourceKind, list[HeldConsent]]:
        """By source, those that changed first before the others."""
        if "consents" not in self._memo:
            found = self._memo["consents"] = defaultdict[SourceKind, list[HeldConsent]](list)
            for one in sorted(self.consents, key=lambda one: one.changed_at):
                found[one.consent.source].append(one)
        return self._memo["consents"]  # type: ignore[no-any-return]

    def covered(self, kind: SourceKind) -> tuple[Interval, ...]:
        """The days the source covers over all its connections."""
        if kind not in self._memo:
            self._memo[kind] = self._covered(kind)
        return self._memo[kind]  # type: ignore[no-any-return]

    def _covered(self, kind: SourceKind) -> tuple[Interval, ...]:
        parts = [self.covered_by(one.connection_id, kind) for one in self.connections if kind in one.sources]
        return intersection([part for part in parts if part])

    def covered_by(self, connection_id: UUID, kind: SourceKind) -> tuple[Interval, ...]:
        """The days one connection covers for a source."""
        alternatives = RECORDING.get(kind, ())
        present = frozenset(name for one in self._of(connection_id, kind) if one.served for name in one.kinds)
        if not any(name in present for names in alternatives for name in names):
            alternatives = (tuple(present),)
        return union([self.kinds_covered(connection_id, kind, [name for name in names if name in present]) for names in alternatives])

    def single_orders(self, connection_id: UUID) -> tuple[Interval, ...]:
        """The days one connection serves order by order, with the refunds where its platform tells them apart."""
        served = {name for one in self._of(connection_id, SourceKind.SHOP) if one.served for name in one.kinds}
        names = [name for name in SINGLE_ORDERS if name in served]
        return self.kinds_covered(connection_id, SourceKind.SHOP, names) if "Order" in names else ()

    def kinds_covered(self, connection_id: UUID, kind: SourceKind, names: Iterable[str]) -> tuple[Interval, ...]:
        """The days for which all the named kinds of fact are complete at one connection."""
        windows = self._of(connection_id, kind)
        return intersection([union([one.covered for one in windows if name in one.kinds]) for name in names])

    def _of(self, connection_id: UUID, kind: SourceKind) -> list[HeldWindow]:
        return [one for one in self.windows if one.connection_id == connection_id and one.source is kind]


LINKED = (ConnectionStatus.ACTIVE, ConnectionStatus.REAUTHORISE)
"""A connection that must be authorised again still has what it fetched, until that is stale."""


def unreadable(state: SourceState, reason: MissingReason) -> SourceState:
    """An unreadable source covers nothing; its data end stays known."""
    return replace(state, reason=reason, intervals=())


def is_stale(state: SourceState, as_of: date) -> bool:
    """More days than allowed lie between the data end and the as-of day. TAX has no such number: its periods decide."""
    limit = parameters().staleness.get(state.kind)
    return limit is not None and state.data_end is not None and (as_of - state.data_end).days > limit


def tax_is_stale(dossier: Dossier) -> bool:
    """The latest VAT period whose due date is longer ago than the grace is neither filed nor known as missed.

    A period is known as missed when the data reach to its due date and hold no return of it.
    """
    state, settings = dossier.source(SourceKind.TAX), parameters()
    if not state.readable or not dossier.subject.is_business or not files_vat(dossier):
        return False
    month = _last_period(dossier.as_of, settings.tax_grace_days, quarterly=files_quarterly(dossier))
    begun = bool(state.intervals) and month >= month_of(state.intervals[0].first)
    known = month in vat_by_month(dossier) or (state.data_end is not None and state.data_end >= due_on(month))
    return begun and not known


def due_on(month: Month) -> date:
    """The day the return of the VAT period that ends with this month is due."""
    return first_day(add_months(month, 1)).replace(day=parameters().tax_due_day)


def _last_period(as_of: date, grace: int, *, quarterly: bool) -> Month:
    """The last month of the latest VAT period that was due more than ``grace`` days before ``as_of``."""
    month = month_of(as_of)
    while due_on(month) + timedelta(days=grace) >= as_of or (quarterly and int(month[5:]) % 3):
        month = add_months(month, -1)
    return month


def union(parts: Iterable[Sequence[Interval]]) -> tuple[Interval, ...]:
    """All days of all parts; adjacent and overlapping intervals are one."""
    merged: list[Interval] = []
    for one in sorted((one for part in parts for one in part), key=lambda one: one.first):
        if merged and one.first <= merged[-1].last + timedelta(days=1):
            merged[-1] = Interval(merged[-1].first, max(merged[-1].last, one.last))
        else:
            merged.append(one)
    return tuple(merged)


def intersection(parts: Sequence[Sequence[Interval]]) -> tuple[Interval, ...]:
    """The days that are in every part; none when there are no parts."""
    if not parts:
        return ()
    found = union([parts[0]])
    for part in parts[1:]:
        pairs = ((max(a.first, b.first), min(a.last, b.last)) for a in found for b in part)
        found = union([[Interval(first, last) for first, last in pairs if first <= last]])
    return found


def clipped(intervals: Sequence[Interval], first: date, last: date) -> tuple[Interval, ...]:
    """The part of the intervals within the consented range."""
    return intersection([intervals, [Interval(first, last)]])
