"""Loads dossiers: everything an evaluation reads, of many customers in a handful of set-based statements.

``subject`` and ``holdings`` say who is evaluated and which sources may be used; that is the ``ground``, which an evaluation keeps. ``facts`` brings the facts of readable
sources in one statement, ``orders`` sums and counts single orders where they lie, ``evidence`` digests what the formulas read, ``pages`` say how far. Scenarios of a customer that may read the same
share one dossier, and with it everything that is derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from hub.credit.dossier import Dossier, Reference, SourceState
from hub.credit.features.amounts import monthly_amounts
from hub.credit.sources import Holdings, Use, tax_is_stale, unreadable
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import HouseholdRegistration, Invoice, PaymentTransaction, spec_of
from hub.domain.identifiers import CustomerId
from hub.store.database import Read, Write
from hub.store.dossier.evidence import evidence
from hub.store.dossier.facts import Loaded, load_facts
from hub.store.dossier.ground import Ground
from hub.store.dossier.holdings import Subject, load_holdings, load_subjects
from hub.store.dossier.moment import Moment
from hub.store.dossier.objections import Open, Opened, of_loaded, open_objections
from hub.store.dossier.orders import ShopFigures, load_orders, served_months
from hub.store.dossier.pages import NOTHING_LATER, Later, Pages, later_than, pages_reached

__all__ = ["Ground", "Open", "Seen", "Wanted", "load_dossier", "load_dossiers", "load_grounds"]

TRIES = 3
"""So often is read once more where pages keep coming."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose dossier, for which use, with what the lender knows of him, on which ground: that of now, or that which an evaluation was made on. ``objected``: what the hub
    knows of his objections, where a client's transaction may not see all of them."""

    customer_id: CustomerId
    use: Use
    reference: Reference
    ground: Ground
    objected: Open | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What an evaluation that is made once more saw, by name: no clock says it. ``parties`` None: it did not keep them, so that they are looked for by its instant."""

    opened: Opened
    parties: Sequence[UUID] | None


@dataclass(frozen=True, slots=True)
class _Case:
    """What one or several uses may read of a customer: the states of the sources, and the consents."""

    subject: Subject
    reference: Reference
    ground: Ground
    moment: Moment
    objected: Open | None

    @staticmethod
    def of(one: Wanted, subject: Subject) -> _Case:
        sources = readable(one.ground.states)
        moment = Moment(one.customer_id, one.use.as_of, one.use.known_at, one.ground.consents, sources)
        return _Case(subject, one.reference, one.ground, moment, one.objected)

    @property
    def key(self) -> object:
        """Cases of a customer with the same one have the same dossier."""
        ground = self.ground
        served = frozenset(ground.served.items())
        return (self.moment.customer_id, tuple(ground.states.values()), frozenset(ground.consents.values()), served)


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
    app: str | None = None,
) -> Dossier:
    """The dossier of a customer for one use, as of a day and as known at an instant. Raises NotFound.

    Only facts of sources that this grantee may read for this purpose and scenario are loaded; where an ``app`` asks, only those that it may be handed.
    """
    use = Use(grantee, purpose, scenario, as_of, known_at, app)
    (ground,) = await load_grounds(tx, [(customer_id, use)])
    return (await load_dossiers(tx, [Wanted(customer_id, use, reference, ground)]))[0]


async def load_grounds(tx: Read | Write, uses: Sequence[tuple[CustomerId, Use]]) -> list[Ground]:
    """What the store tells of the customers' sources for their uses, all as known at one instant; in the order of the uses."""
    if not uses:
        return []
    customers = list(dict.fromkeys(customer_id for customer_id, _ in uses))
    # Pages after windows: facts beyond what a window covers are not counted, and a covered month without its facts would be.
    holdings, pages = await load_holdings(tx, customers, uses[0][1].known_at), await pages_reached(tx, customers)
    return _shared([(holdings[customer_id], use, pages.get(customer_id, {})) for customer_id, use in uses])


def _shared(uses: Sequence[tuple[Holdings, Use, Pages]]) -> list[Ground]:
    """A ground for each; uses that stand alike have the same one."""
    made = dict[int, Ground]()
    standings = [held.standing(use) for held, use, _ in uses]
    for (held, use, pages), standing in zip(uses, standings, strict=True):
        if id(standing) not in made:
            made[id(standing)] = Ground(standing.states, standing.allowing, served_months(held, use.as_of), pages)
    return [made[id(standing)] for standing in standings]


async def load_dossiers(tx: Read | Write, wanted: Sequence[Wanted], seen: Seen | None = None) -> list[Dossier]:
    """Dossiers of many on their grounds, all as of one day and one instant; in the order in which they are wanted. ``seen``: what is not looked for once more by that
    instant. Raises NotFound."""
    if not wanted:
        return []
    customers, use = list(dict.fromkeys(one.customer_id for one in wanted)), wanted[0].use
    subjects = await load_subjects(tx, customers, use.as_of, use.known_at, seen.parties if seen else None)
    # Most scenarios of a customer stand on the very same ground: what they may read is compared once for them.
    grounds = {(one.customer_id, id(one.ground)): one for one in wanted}
    cases = {place: _Case.of(one, subjects[one.customer_id]) for place, one in grounds.items()}
    keys = {place: case.key for place, case in cases.items()}
    different = {keys[place]: case for place, case in cases.items()}
    made = dict(zip(different, await _settled(tx, list(different.values()), seen), strict=True))
    return [made[keys[one.customer_id, id(one.ground)]] for one in wanted]


async def _settled(tx: Read | Write, cases: Sequence[_Case], seen: Seen | None) -> list[Dossier]:
    """What is read was there when the grounds were: facts are read by several statements, and pages go on coming meanwhile."""
    later = await _later(tx, cases) if seen else {}
    made = await _made(tx, cases, seen, later)
    for _ in range(0 if seen else TRIES):
        moved = await _moved(tx, cases)
        if not moved or (found := await _later(tx, moved)) == later:
            break
        later = found
        made = await _made(tx, cases, seen, later)
    return made


async def _moved(tx: Read | Write, cases: Sequence[_Case]) -> list[_Case]:
    """Those of whom a page has come since."""
    reached = await pages_reached(tx, list({one.moment.customer_id for one in cases}))
    return [one for one in cases if one.ground.pages is not None and reached.get(one.moment.customer_id, {}) != one.ground.pages]


async def _later(tx: Read | Write, cases: Sequence[_Case]) -> dict[CustomerId, Later]:
    """By customer what came after the pages of his ground, where those are known."""
    moments = {one.moment.customer_id: (one.moment, one.ground.pages) for one in cases if one.ground.pages is not None}
    found = {name: await later_than(tx, name, pages, at.known_at) for name, (at, pages) in moments.items() if pages is not None}
    return {name: later for name, later in found.items() if any(later)}


async def _made(tx: Read | Write, cases: Sequence[_Case], seen: Seen | None, later: Mapping[CustomerId, Later]) -> list[Dossier]:
    moments = [replace(case.moment, later=later.get(case.moment.customer_id, NOTHING_LATER)) for case in cases]
    loaded = await load_facts(tx, moments)
    selling = [place for place, case in enumerate(cases) if case.ground.states[SourceKind.SHOP].readable]
    figures = await load_orders(tx, [moments[place] for place in selling], [cases[place].ground.served for place in selling])
    shops = dict(zip(selling, figures, strict=True))
    opened = seen.opened if seen else await open_objections(tx, [one.customer_id for one in moments], moments[0].known_at)
    made = [_dossier(case, loaded[place], shops.get(place)) for place, case in enumerate(cases)]
    objected = [(case.objected or Open()) | opened.get(case.moment.customer_id) for case in cases]
    return [replace(one, objections=of_loaded(by, it)) if by else one for one, by, it in zip(made, objected, loaded, strict=True)]


def _dossier(case: _Case, loaded: Loaded, shop: ShopFigures | None) -> Dossier:
    facts, subject = loaded.facts, case.subject.profile
    homes = [one.residence_city for one in facts.get(HouseholdRegistration, ()) if one.person in subject.own_hashes]
    found = Dossier(
        as_of=case.moment.as_of,
        known_at=case.moment.known_at,
        subject=replace(subject, residence_city=homes[0] if homes else None),
        reference=case.reference,
        sources=case.ground.states,
        facts=facts,
        amounts={**monthly_amounts(facts.get(Invoice, ()), facts.get(PaymentTransaction, ())), **(shop.amounts if shop else {})},
        orders=shop.measures if shop else None,
        parties=case.subject.parties,
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
