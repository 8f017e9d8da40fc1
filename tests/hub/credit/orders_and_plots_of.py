"""Orders of buyers and plots of a persona as facts, for :mod:`tests.hub.credit.facts_of`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.sandbox import expand_farm, expand_orders
from connectors.sandbox.persona import Persona
from hub.domain import facts as kinds
from hub.domain.identifiers import PersonalId


def hashed(identifier: str) -> PersonalId:
    return PersonalId(f"h:{identifier}")


def procurement(persona: Persona) -> Iterator[Any]:
    for one in expand_orders.orders(persona):
        yield kinds.PurchaseOrder(
            order_number=one.number,
            buyer=one.buyer.uscc,
            buyer_name=one.buyer.name,
            government=one.buyer.government,
            amount=one.amount,
            confirmed=one.confirmed,
            verified_by=None,
            signed_on=one.signed_on,
            deliver_by=one.deliver_by,
            delivered_on=one.delivered_on,
            invoiced=one.invoiced,
            received=one.received,
            paid_on=one.paid_on,
            status=one.status,
        )
    if account := expand_orders.account(persona):
        lender = account.locked_for
        yield kinds.ReceivableAccount(account_number=hashed("receivable"), institution=None, locked=lender is not None, locked_for=lender)


def farm(persona: Persona) -> Iterator[Any]:
    for row in expand_farm.plots(persona):
        yield kinds.FarmPlot(
            plot_number=row.id,
            season=row.season,
            crop=row.crop,
            claimed_area=row.claimed_mu,
            verified_area=row.satellite_mu,
            register_area=row.register_mu,
            insured_area=row.insured_mu,
            claimed_yield=row.claimed_yield,
            latitude=float(row.lat),
            longitude=float(row.lon),
        )
    if found := expand_farm.holding(persona):
        yield kinds.FarmHolding(
            holding_number="1",
            register_holder=hashed(found.register_holder),
            policy_holder=hashed(found.policy_holder),
            verified_seasons=found.farm.verified_seasons,
            insured=found.farm.insured,
            purchase_contract=found.farm.purchase_contract,
            credit_village=found.farm.credit_village,
            harvest_on=found.farm.harvest_on,
        )
