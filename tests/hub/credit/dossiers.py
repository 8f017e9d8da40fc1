"""A dossier straight from a persona, as the store would load it after a complete sync: for tests of formulas and of the engine.

:func:`dossier_of` follows the same expansion rules as the simulated platforms, but shares no code with connectors, sync or store. A keyed hash
is stood in for by ``h:`` and the plain identifier.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from connectors.sandbox.expand import Reach
from connectors.sandbox.persona import Persona
from hub.connect.message import Interval
from hub.credit.dossier import Crop, Dossier, Reference, Related, SourceState, SubjectProfile
from hub.credit.features.amounts import monthly_amounts
from hub.credit.sources import is_stale, tax_is_stale, unreadable
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import Invoice, PaymentTransaction, spec_of
from hub.domain.identifiers import birth_date
from tests.hub.credit.facts_of import facts_of
from tests.hub.credit.orders_and_plots_of import hashed
from tests.hub.credit.shop_of import order_measures, shop_amounts

CONSENT = {"NEVER": MissingReason.CONSENT_MISSING, "REVOKED": MissingReason.CONSENT_REVOKED, "EXPIRED": MissingReason.CONSENT_EXPIRED}


def dossier_of(persona: Persona) -> Dossier:
    """Everything the persona's connected platforms would have told by ``known_at``, of readable sources only."""
    states = {kind: source_state(persona, kind) for kind in SourceKind}
    found = _dossier(persona, states)
    if tax_is_stale(found):
        found = _dossier(persona, {**states, SourceKind.TAX: unreadable(states[SourceKind.TAX], MissingReason.STALE)})
    return found


def source_state(persona: Persona, kind: SourceKind) -> SourceState:
    source = persona.sources.get(kind)
    if source is None:
        return SourceState(kind, MissingReason.NOT_CONNECTED)
    if source.consent in CONSENT:
        return SourceState(kind, CONSENT[source.consent])
    intervals = tuple(Interval(first, last) for first, last in Reach(persona, kind).intervals())
    if not intervals:
        return SourceState(kind, MissingReason.UPSTREAM_ERROR)
    state = SourceState(kind, None, intervals, intervals[-1].last)
    return unreadable(state, MissingReason.STALE) if is_stale(state, persona.as_of) else state


def reference_of(persona: Persona) -> Reference:
    """What the lender has configured, and the relationship graph when the persona has one."""
    relations, parties = persona.relations, persona.invoices.parties if persona.invoices else {}
    document, base = persona.reference, persona.reference.get("social_insurance_base")
    return Reference(
        lender=document["lender"],
        margin_bands={prefix: (Decimal(low), Decimal(high)) for prefix, (low, high) in document.get("margin_bands", {}).items()},
        core_enterprises=frozenset(document.get("core_enterprises", ())),
        approved_buyers=frozenset(document.get("approved_buyers", ())),
        prohibited_industries=frozenset(document.get("prohibited_industries", ())),
        insurance_base=(Decimal(base["floor"]), Decimal(base["ceiling"])) if base else None,
        crops={
            name: Crop(Decimal(one["yield_norm"]), Decimal(one["price"]), Decimal(one["input_cost"]))
            for name, one in document.get("crops", {}).items()
        },
        related=tuple(Related(parties[row.party].uscc, row.type) for row in relations.related) if relations else None,
    )


def _dossier(persona: Persona, states: dict[SourceKind, SourceState]) -> Dossier:
    facts = by_kind(fact for fact in facts_of(persona) if states[spec_of(type(fact)).source].readable)
    sums: dict[str, Any] = {**monthly_amounts(facts.get(Invoice, ()), facts.get(PaymentTransaction, ()))}
    shop = states[SourceKind.SHOP].readable
    return Dossier(
        as_of=persona.as_of,
        known_at=persona.known_at,
        subject=_subject(persona),
        reference=reference_of(persona),
        sources=states,
        facts=facts,
        amounts={**sums, **shop_amounts(persona)} if shop else sums,
        orders=order_measures(persona) if shop else None,
    )


def by_kind(facts: Iterable[Any]) -> dict[type, tuple[Any, ...]]:
    found: dict[type, list[Any]] = {}
    for fact in facts:
        found.setdefault(type(fact), []).append(fact)
    return {kind: tuple(rows) for kind, rows in found.items()}


def _subject(persona: Persona) -> SubjectProfile:
    person = persona.responsible
    profile = SubjectProfile(
        is_business=persona.business is not None,
        uscc=None,
        own_hash=hashed(person.resident_id),
        responsible_hash=hashed(person.resident_id),
        birth_on=birth_date(person.resident_id),
        residence_city=person.residence_city,
    )
    uscc = persona.business.uscc if persona.business else None
    return replace(profile, uscc=uscc, own_hash=hashed(uscc)) if uscc else profile
