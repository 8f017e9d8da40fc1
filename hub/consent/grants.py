"""Consents as rows with a history: asked (PENDING), given (ACTIVE), ended (REVOKED, EXPIRED). Every transition is an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.engine import RowMapping

from hub.consent.gate import GivenConsent
from hub.consent.terms import Offer
from hub.domain.enums import ConsentStatus, SourceKind
from hub.domain.identifiers import CustomerId, new_id
from hub.domain.periods import CHINA
from hub.errors import ConsentMissing
from hub.store.database import Read, Write
from hub.store.tables import consent, consent_event

OPEN = (ConsentStatus.PENDING, ConsentStatus.ACTIVE, ConsentStatus.PAUSED)


async def ask(tx: Write, customer_id: CustomerId, connector: str, offer: Offer, now: datetime, actor: str) -> UUID:
    """Records that a consent is asked for, and returns its id. One that was given stays as it is; one that was only asked for is asked anew, so
    that what is shown, what is hashed and what will be given are the same offer."""
    existing = (await tx.execute(_open_one(customer_id, offer.source, offer.grantee, offer.purpose).with_for_update())).mappings().first()
    if existing is not None and existing["status"] != ConsentStatus.PENDING:
        return UUID(str(existing["consent_id"]))
    consent_id = new_id() if existing is None else UUID(str(existing["consent_id"]))
    row = _row(customer_id, consent_id, connector, offer, now)
    if existing is None:
        await tx.execute(insert(consent), row)
    elif existing["text_hash"] == offer.text_hash and existing["connector"] == connector:
        return consent_id
    else:
        await tx.execute(update(consent).where(*_this(customer_id, consent_id)).values(**row))
    was = None if existing is None else ConsentStatus.PENDING
    await _event(tx, customer_id, consent_id, was, ConsentStatus.PENDING, now, actor)
    return consent_id


async def give(tx: Write, customer_id: CustomerId, consent_id: UUID, evidence: Mapping[str, Any], now: datetime) -> None:
    """The customer agrees: PENDING becomes ACTIVE, with the evidence of how. Raises ConsentMissing, also for an offer that has run out meanwhile."""
    changes = {"starts_at": now, "evidence": dict(evidence)}
    ends = (await tx.execute(select(consent.c.expires_at).where(*_this(customer_id, consent_id)))).scalar()
    if ends is not None and ends <= now:
        raise ConsentMissing("This consent was asked for too long ago.", remedy="Ask the customer again.")
    await _move(tx, customer_id, consent_id, (ConsentStatus.PENDING,), ConsentStatus.ACTIVE, now, "customer", changes)


async def withdraw(tx: Write, customer_id: CustomerId, consent_id: UUID, now: datetime, actor: str = "customer") -> None:
    """The customer withdraws. Fetching and reading end with the commit."""
    await _move(tx, customer_id, consent_id, OPEN, ConsentStatus.REVOKED, now, actor, {})


async def expire(tx: Write, customer_id: CustomerId, consent_id: UUID, now: datetime) -> None:
    """The consent has run out."""
    await _move(tx, customer_id, consent_id, OPEN, ConsentStatus.EXPIRED, now, "clock", {"expires_at": now})


async def consents_of(tx: Read | Write, customer_id: CustomerId) -> Sequence[RowMapping]:
    """Every consent of a customer, the newest first."""
    found = await tx.execute(
        select(consent).where(consent.c.customer_id == customer_id).order_by(consent.c.changed_at.desc(), consent.c.consent_id.desc())
    )
    return found.mappings().all()


def as_given(row: RowMapping) -> GivenConsent:
    return GivenConsent(
        source=SourceKind(row["source"]),
        grantee=row["grantee"],
        purpose=row["purpose"],
        scenarios=frozenset(row["scenarios"]),
        status=ConsentStatus(row["status"]),
        data_from=row["data_from"],
        data_to=row["data_to"],
        expires_at=row["expires_at"],
    )


def _open_one(customer_id: CustomerId, source: SourceKind, grantee: str, purpose: str) -> Any:
    return select(consent).where(
        consent.c.customer_id == customer_id,
        consent.c.source == source,
        consent.c.grantee == grantee,
        consent.c.purpose == purpose,
        consent.c.status.in_(OPEN),
    )


def _row(customer_id: CustomerId, consent_id: UUID, connector: str, offer: Offer, now: datetime) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "consent_id": consent_id,
        "source": offer.source,
        "connector": connector,
        "grantee": offer.grantee,
        "purpose": offer.purpose,
        "scenarios": list(offer.scenarios),
        "data_from": offer.data_from,
        "data_to": offer.data_to,
        "status": ConsentStatus.PENDING,
        "expires_at": datetime.combine(offer.expires_on, time.max, CHINA),
        "data_life_days": offer.term["life_days"],
        "written": offer.term["written"],
        "adverse_notice": offer.term["adverse"],
        "text_version": offer.version,
        "text_hash": offer.text_hash,
        "evidence": {},
        "changed_at": now,
    }


async def _move(
    tx: Write,
    customer_id: CustomerId,
    consent_id: UUID,
    before: Sequence[ConsentStatus],
    after: ConsentStatus,
    now: datetime,
    actor: str,
    more: Mapping[str, Any],
) -> None:
    mine = _this(customer_id, consent_id)
    was = (await tx.execute(select(consent.c.status).where(*mine).with_for_update())).scalar()
    if was is None or was not in before:
        raise ConsentMissing(f"A consent that is {was or 'not there'} cannot become {after}.", remedy="Ask the customer again.")
    await tx.execute(update(consent).where(*mine).values(status=after, changed_at=now, **more))
    await _event(tx, customer_id, consent_id, ConsentStatus(was), after, now, actor)


def _this(customer_id: CustomerId, consent_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return consent.c.customer_id == customer_id, consent.c.consent_id == consent_id


async def _event(
    tx: Write, customer_id: CustomerId, consent_id: UUID, before: ConsentStatus | None, after: ConsentStatus, now: datetime, actor: str
) -> None:
    row = {
        "customer_id": customer_id,
        "event_id": new_id(),
        "consent_id": consent_id,
        "from_status": before,
        "to_status": after,
        "actor": actor,
        "at": now,
    }
    await tx.execute(insert(consent_event), row)
