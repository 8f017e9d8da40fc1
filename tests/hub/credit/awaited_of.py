"""What a persona says of orders and plots, as the values a dossier carries once somebody serves them. See :mod:`hub.credit.awaited`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.sandbox.persona import Persona
from hub.credit.awaited import FarmHolding, FarmPlot, PurchaseOrder, ReceivableAccount
from hub.domain.enums import SourceKind
from tests.hub.credit.facts_of import hashed


def awaited_of(persona: Persona) -> Iterator[tuple[SourceKind, Any]]:
    """Every value with the source it would come from."""
    yield from ((SourceKind.PROCUREMENT, one) for one in _orders(persona))
    yield from ((SourceKind.FARM, one) for one in _farm(persona))


def _orders(persona: Persona) -> Iterator[Any]:
    section = persona.procurement
    if section is None:
        return
    yield ReceivableAccount(section.account_locked)
    for row in section.orders:
        buyer = section.buyers[row.buyer]
        yield PurchaseOrder(
            order_number=row.id,
            buyer=buyer.uscc,
            government=buyer.government,
            amount=row.amount,
            confirmed=row.confirmed,
            signed_on=row.signed_on,
            deliver_by=row.deliver_by,
            delivered_on=row.delivered_on,
            paid_on=row.paid_on,
            status=row.status,
            invoiced=row.invoiced,
        )


def _farm(persona: Persona) -> Iterator[Any]:
    section = persona.farm
    if section is None:
        return
    yield FarmHolding(
        register_holder=hashed(persona.holder(section.register_holder)[0]),
        policy_holder=hashed(persona.holder(section.policy_holder)[0]),
        verified_seasons=section.verified_seasons,
        insured=section.insured,
        purchase_contract=section.purchase_contract,
        credit_village=section.credit_village,
        harvest_on=section.harvest_on,
    )
    for row in section.plots:
        yield FarmPlot(
            plot_number=row.id,
            crop=row.crop,
            season=row.season,
            claimed_area=row.claimed_mu,
            verified_area=row.satellite_mu,
            register_area=row.register_mu,
            insured_area=row.insured_mu,
            claimed_yield=row.claimed_yield,
            latitude=float(row.lat),
            longitude=float(row.lon),
        )
