"""Loads dossiers: everything an evaluation reads, of many customers in a handful of set-based statements.

``subject`` and ``holdings`` say who is evaluated and which sources may be used, ``facts`` brings the facts of readable sources in one
statement, ``orders`` sums and counts single orders where they lie, ``evidence`` digests what the formulas read. Scenarios of a customer that may read the same
share one dossier, and with it everything that is derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from hub.consent.gate import GivenConsent
from hub.credit.dossier import Dossier, Reference, SourceState, SubjectProfile
from hub.credit.features.amounts import monthly_amounts
from hub.credit.sources import Holdings, Use, tax_is_stale, unreadable
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import HouseholdRegistration, Invoice, PaymentTransaction, spec_of
from hub.domain.identifiers import CustomerId
from hub.store.database import Read, Write
from hub.store.dossier.evidence import evidence
from hub.store.dossier.facts import Loaded, load_facts
from hub.store.dossier.holdings import load_holdings, load_subject_profiles
from hub.store.dossier.moment import Moment
from hub.store.dossier.orders import ShopFigures, load_orders

__all__ = ["Wanted", "load_dossier", "load_dossiers"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose dossier, for which use, with what the lender knows of him."""

    customer_id: CustomerId
    use: Use
    reference: Reference


@dataclass(frozen=True, slots=True)
class _Case:
    """What one or several uses may read of a customer: the states of the sources, and the consents."""

    subject: SubjectProfile
    reference: Reference
    states: Mapping[SourceKind, SourceState]
    moment: Moment
    holdings: Holdings

    @property
    def key(self) -> object:
        return (self.moment.customer_id, tuple(self.states.values()), frozenset(self.moment.consents.values()))


async def load_dossier(
    tx: Read | Write,
    customer_id: CustomerId,
    *,
    as_of: date,
    known_at: datetime,
    scenario: str | None,
    grantee: str,
    purpose: str,
    reference: Reference,
) -> Dossier:
    """The dossier of a customer for one use, as of a day and as known at an instant. Raises NotFound.

    Only facts of sources that this grantee may read for this purpose and scenario are loaded.
    """
    return (await load_dossiers(tx, [Wanted(customer_id, Use(grantee, purpose, scenario, as_of, known_at), reference)]))[0]


async def load_dossiers(tx: Read | Write, wanted: Sequence[Wanted]) -> list[Dossier]:
    """:func:`load_dossier` of many, all as of one day and one instant; in the order in which they are wanted."""
    if not wanted:
        return []
    customers, use = list(dict.fromkeys(one.customer_id for one in wanted)), wanted[0].use
    subjects = await load_subject_profiles(tx, customers, use.as_of, use.known_at)
    holdings = await load_holdings(tx, customers, use.known_at)
    cases = [_case(one, subjects[one.customer_id], holdings[one.customer_id]) for one in wanted]
    different = {case.key: case for case in cases}
    made = dict(zip(different, await _made(tx, list(different.values())), strict=True))
    return [made[case.key] for case in cases]


def _case(one: Wanted, subject: SubjectProfile, holdings: Holdings) -> _Case:
    consents: dict[SourceKind, GivenConsent] = holdings.allowing(one.use)
    states = holdings.states(one.use)
    moment = Moment(one.customer_id, one.use.as_of, one.use.known_at, consents, readable(states))
    return _Case(subject, one.reference, states, moment, holdings)


async def _made(tx: Read | Write, cases: Sequence[_Case]) -> list[Dossier]:
    loaded = await load_facts(tx, [case.moment for case in cases])
    selling = [place for place, case in enumerate(cases) if case.states[SourceKind.SHOP].readable]
    figures = await load_orders(tx, [cases[place].moment for place in selling], [cases[place].holdings for place in selling])
    shops = dict(zip(selling, figures, strict=True))
    return [_dossier(case, loaded[place], shops.get(place)) for place, case in enumerate(cases)]


def _dossier(case: _Case, loaded: Loaded, shop: ShopFigures | None) -> Dossier:
    facts, subject = loaded.facts, case.subject
    homes = [one.residence_city for one in facts.get(HouseholdRegistration, ()) if one.person in subject.own_hashes]
    found = Dossier(
        as_of=case.moment.as_of,
        known_at=case.moment.known_at,
        subject=replace(subject, residence_city=homes[0] if homes else None),
        reference=case.reference,
        sources=case.states,
        facts=facts,
        amounts={**monthly_amounts(facts.get(Invoice, ()), facts.get(PaymentTransaction, ())), **(shop.amounts if shop else {})},
        orders=shop.measures if shop else None,
    )
    found = without_stale_tax(found)
    return replace(found, evidence=evidence(loaded.versions, readable(found.sources), found.as_of))


def readable(states: Mapping[SourceKind, SourceState]) -> frozenset[SourceKind]:
    return frozenset(kind for kind, state in states.items() if state.readable)


def without_stale_tax(dossier: Dossier) -> Dossier:
    """Whether TAX is stale shows only in its returns; then its facts are not used."""
    if not tax_is_stale(dossier):
        return dossier
    tax = dossier.source(SourceKind.TAX)
    sources = {**dossier.sources, SourceKind.TAX: unreadable(tax, MissingReason.STALE)}
    facts = {kind: rows for kind, rows in dossier.facts.items() if spec_of(kind).source is not SourceKind.TAX}
    return replace(dossier, sources=sources, facts=facts)
