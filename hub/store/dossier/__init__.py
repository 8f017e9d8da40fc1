"""Loads a dossier: everything an evaluation reads, in a handful of set-based statements.

``subject`` and ``holdings`` say who is evaluated and which sources may be used; that is the ``ground``, which an evaluation keeps; ``facts`` brings the facts of readable sources in one
statement, ``orders`` sums and counts single orders where they lie, ``evidence`` digests what the formulas read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from hub.credit.dossier import Dossier, Reference, SourceState
from hub.credit.features.amounts import monthly_amounts
from hub.credit.sources import Use, tax_is_stale, unreadable
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import HouseholdRegistration, Invoice, PaymentTransaction, spec_of
from hub.domain.identifiers import CustomerId
from hub.store.database import Read, Write
from hub.store.dossier.evidence import load_evidence
from hub.store.dossier.facts import load_facts
from hub.store.dossier.ground import Ground
from hub.store.dossier.holdings import load_holdings, load_subject_profile
from hub.store.dossier.moment import Moment
from hub.store.dossier.orders import load_orders, served_months

__all__ = ["Ground", "dossier_on", "load_dossier", "load_ground"]


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
    moment = Moment(customer_id, as_of, known_at)
    ground = await load_ground(tx, moment, Use(grantee, purpose, scenario, as_of, known_at))
    return await dossier_on(tx, moment, ground, reference)


async def load_ground(tx: Read | Write, moment: Moment, use: Use) -> Ground:
    """What the store tells of the customer's sources for one use."""
    holdings = await load_holdings(tx, moment)
    return Ground(holdings.states(use), holdings.allowing(use), served_months(holdings, moment.as_of))


async def dossier_on(tx: Read | Write, moment: Moment, ground: Ground, reference: Reference) -> Dossier:
    """The dossier on a ground: that of now, or that which an evaluation was made on. Raises NotFound."""
    subject = await load_subject_profile(tx, moment)
    states, moment = ground.states, replace(moment, consents=ground.consents)
    facts = await load_facts(tx, moment, readable(states))
    homes = [one.residence_city for one in facts.get(HouseholdRegistration, ()) if one.person in subject.own_hashes]
    shop = await load_orders(tx, moment, ground.served) if states[SourceKind.SHOP].readable else None
    found = Dossier(
        as_of=moment.as_of,
        known_at=moment.known_at,
        subject=replace(subject, residence_city=homes[0] if homes else None),
        reference=reference,
        sources=states,
        facts=facts,
        amounts={**monthly_amounts(facts.get(Invoice, ()), facts.get(PaymentTransaction, ())), **(shop.amounts if shop else {})},
        orders=shop.measures if shop else None,
    )
    found = without_stale_tax(found)
    return replace(found, evidence=await load_evidence(tx, moment, readable(found.sources)))


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
