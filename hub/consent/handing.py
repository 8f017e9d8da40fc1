"""To whom the grantee may hand what a consent brings: one app, one consent of its own (PIPL 23), which the customer gives and takes back by itself.

The record is ``consent_app``; ``consent.apps`` says the same as it stands now, kept in the same transaction, so that the gates look at one row. It ends with its consent.
A renewal that is no wider goes on with the apps of the consent in whose place it is given (:func:`hub.consent.grants.carried`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import RowMapping

from hub.consent.grants import GIVEN, event, this
from hub.consent.terms import Handing
from hub.domain.enums import ConsentStatus, ConsentStep
from hub.domain.identifiers import CustomerId
from hub.errors import ConsentMissing
from hub.store.database import Read, Write
from hub.store.tables import client, consent, consent_app

INSTITUTION = ("INTERNAL", "ADMIN")
"""Audiences that are the grantee itself: nothing is handed to them."""


async def hand_over(
    tx: Write, customer_id: CustomerId, consent_id: UUID, client_id: str, words: Handing, evidence: Mapping[str, Any], now: datetime
) -> None:
    """The customer agrees that an app may be answered with what a given consent brings. Raises ConsentMissing."""
    row = await _locked(tx, customer_id, consent_id)
    if row is None or row["status"] not in GIVEN:
        raise ConsentMissing("There is no consent whose data could be handed to an app.", remedy="Ask the customer again.")
    if client_id in row["apps"]:
        return
    told = {"text_version": words.offer.version, "text_hash": words.text_hash, "evidence": {**evidence, "app": words.app}}
    await tx.execute(
        insert(consent_app), {"customer_id": customer_id, "consent_id": consent_id, "client_id": client_id, "given_at": now, **told}
    )
    await _name(tx, customer_id, row, [*row["apps"], client_id], now)
    await _note(tx, customer_id, row, ConsentStep.APP_ADDED, [None, client_id], now, "customer")


async def take_back(tx: Write, customer_id: CustomerId, consent_id: UUID, client_id: str, now: datetime, actor: str = "customer") -> None:
    """The app is answered with nothing of it any more from the commit on; the consent itself stays. What was taken back already stays so."""
    row = await _locked(tx, customer_id, consent_id)
    if row is None or client_id not in row["apps"]:
        return
    table = consent_app.c
    mine = (table.customer_id == customer_id, table.consent_id == consent_id, table.client_id == client_id, table.ended_at.is_(None))
    await tx.execute(update(consent_app).where(*mine).values(ended_at=now))
    await _name(tx, customer_id, row, [one for one in row["apps"] if one != client_id], now)
    await _note(tx, customer_id, row, ConsentStep.APP_REMOVED, [client_id, None], now, actor)


async def handings(tx: Read | Write, customer_id: CustomerId) -> Mapping[tuple[UUID, str], RowMapping]:
    """Of each consent and app the latest word, with the app's ``name``."""
    joined = consent_app.outerjoin(client, client.c.client_id == consent_app.c.client_id)
    columns = (consent_app, func.coalesce(client.c.name, consent_app.c.client_id).label("name"))
    found = await tx.execute(
        select(*columns).select_from(joined).where(consent_app.c.customer_id == customer_id).order_by(consent_app.c.given_at)
    )
    return {(row["consent_id"], row["client_id"]): row for row in found.mappings()}


async def _locked(tx: Write, customer_id: CustomerId, consent_id: UUID) -> RowMapping | None:
    return (await tx.execute(select(consent).where(*this(customer_id, consent_id)).with_for_update())).mappings().first()


async def _name(tx: Write, customer_id: CustomerId, row: RowMapping, apps: list[str], now: datetime) -> None:
    await tx.execute(update(consent).where(*this(customer_id, row["consent_id"])).values(apps=sorted(apps), changed_at=now))


async def _note(tx: Write, customer_id: CustomerId, row: RowMapping, step: ConsentStep, app: list[Any], now: datetime, actor: str) -> None:
    status = ConsentStatus(row["status"])
    await event(tx, customer_id, row["consent_id"], step, (status, status), now, actor, {"app": app})
