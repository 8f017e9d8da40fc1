"""Consents as rows with a history: asked (PENDING), given (ACTIVE), paused (PAUSED), ended (REVOKED, EXPIRED, SUPERSEDED). Every transition is an event.

How a consent becomes narrower is told in :mod:`hub.consent.narrowing`, what the clock does to it in :mod:`hub.consent.clock`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select, text, update
from sqlalchemy.engine import RowMapping

from hub.consent.gate import GivenConsent
from hub.consent.terms import Offer
from hub.domain.enums import ConsentMode, ConsentStatus, ConsentStep, FetchType, SourceKind
from hub.domain.identifiers import CustomerId, new_id
from hub.domain.periods import CHINA, china_day
from hub.errors import ConsentMissing
from hub.store.database import Read, Write
from hub.store.tables import consent, consent_event

OPEN = (ConsentStatus.PENDING, ConsentStatus.ACTIVE, ConsentStatus.PAUSED)
GIVEN = (ConsentStatus.ACTIVE, ConsentStatus.PAUSED)
SOON = timedelta(days=30)
"""So long before it runs out a consent is said to end soon, and is asked for anew."""

Changes = Mapping[str, Sequence[Any]]
"""Column -> what was, what became."""
_CARRY = text("""
    INSERT INTO consent_app (customer_id, consent_id, client_id, given_at, text_version, text_hash, evidence)
    SELECT customer_id, :consent, client_id, :now, text_version, text_hash, jsonb_build_object('carried_from', consent_id)
    FROM consent_app WHERE customer_id = :customer AND consent_id = :before AND client_id = ANY (:apps) AND ended_at IS NULL
""")
"""The record of what goes on under a renewal (:mod:`hub.consent.handing`)."""
_COMPARED = ("scenarios", "kinds", "data_from", "data_to", "data_life_days", "expires_at", "text_version", "text_hash")


async def ask(tx: Write, customer_id: CustomerId, connector: str, offer: Offer, now: datetime, actor: str, *, renew: bool = False) -> UUID:
    """Records that a consent is asked for, and returns its id. One that was given stays as it is, unless it ends soon or ``renew`` says so: then another is
    asked for beside it, which takes its place when it is given. One that was only asked for is asked anew, so that what is shown, what is hashed and what
    will be given are the same offer."""
    rows = (await tx.execute(_open_ones(customer_id, offer.source, offer.grantee, offer.purpose).with_for_update())).mappings().all()
    given = next((row for row in rows if row["status"] in GIVEN), None)
    if given is not None and not renew and not ends_soon(given["expires_at"], now):
        return UUID(str(given["consent_id"]))
    existing = next((row for row in rows if row["status"] == ConsentStatus.PENDING), None)
    consent_id = new_id() if existing is None else UUID(str(existing["consent_id"]))
    row = {**_row(customer_id, consent_id, connector, offer, now), "supersedes": given and given["consent_id"]}
    if existing is None:
        await tx.execute(insert(consent), row)
    elif existing["supersedes"] == row["supersedes"] and is_as_offered(existing, connector, offer):
        return consent_id
    else:
        await tx.execute(update(consent).where(*this(customer_id, consent_id)).values(**row))
    was = None if existing is None else ConsentStatus.PENDING
    replaces = {"supersedes": [None, str(given["consent_id"])]} if given else {}
    await event(tx, customer_id, consent_id, ConsentStep.ASKED, (was, ConsentStatus.PENDING), now, actor, replaces)
    return consent_id


def ends_soon(expires_at: datetime | None, now: datetime) -> bool:
    """Whether a consent runs out within :data:`SOON`."""
    return expires_at is not None and expires_at <= now + SOON


def is_as_offered(row: RowMapping, connector: str, offer: Offer) -> bool:
    """Whether what is asked for is what its text says, in every term; the kinds may have been fewer when it was asked for."""
    told = _row(row["customer_id"], row["consent_id"], connector, offer, row["changed_at"])
    same = all(row[name] == told[name] for name in told if name not in ("kinds", "status", "evidence", "offer"))
    return same and row["kinds"] is not None and set(row["kinds"]) <= set(told["kinds"])


async def insist_as_offered(tx: Write, customer_id: CustomerId, consent_id: UUID, connector: str, offer: Offer, now: datetime) -> None:
    """Raises ConsentMissing unless what is about to be given is the offer that was read, made by today. The row is held until the transaction ends: an app may ask for
    something else meanwhile, and what a client's transaction writes of an offer is no more than its word."""
    row = (await tx.execute(select(consent).where(*this(customer_id, consent_id)).with_for_update())).mappings().one()
    if not is_as_offered(row, connector, offer) or offer.today > china_day(now):
        raise ConsentMissing("What is asked for is not what its text says.", remedy="Ask the customer again.")


async def give(tx: Write, customer_id: CustomerId, consent_id: UUID, evidence: Mapping[str, Any], now: datetime) -> None:
    """The customer agrees: PENDING becomes ACTIVE, with the evidence of how; what it was asked for in place of ends with it. Raises ConsentMissing, also for an
    offer that has run out meanwhile."""
    found = (await tx.execute(select(consent).where(*this(customer_id, consent_id)))).mappings().first()
    if found is not None and found["expires_at"] is not None and found["expires_at"] <= now:
        raise ConsentMissing("This consent was asked for too long ago.", remedy="Ask the customer again.")
    apps = await _supersede(tx, customer_id, found, now) if found is not None and found["status"] == ConsentStatus.PENDING else []
    changes = {"starts_at": now, "evidence": dict(evidence), "apps": apps}
    await _move(tx, customer_id, consent_id, ConsentStep.GIVEN, (ConsentStatus.PENDING,), ConsentStatus.ACTIVE, now, "customer", changes)


async def _supersede(tx: Write, customer_id: CustomerId, asked: RowMapping, now: datetime) -> list[str]:
    """What was given for the same source and use ends; its event says what the new one has otherwise. Returns the apps that go on with the new one."""
    apps = list[str]()
    rows = (
        (await tx.execute(_open_ones(customer_id, asked["source"], asked["grantee"], asked["purpose"]).with_for_update())).mappings().all()
    )
    for row in rows:
        if row["status"] in GIVEN:
            changes = {name: [plain(row[name]), plain(asked[name])] for name in _COMPARED if row[name] != asked[name]}
            became = {"consent_id": [str(row["consent_id"]), str(asked["consent_id"])], **changes}
            await _move(
                tx, customer_id, row["consent_id"], ConsentStep.SUPERSEDED, GIVEN, ConsentStatus.SUPERSEDED, now, "customer", {}, became
            )
            apps = carried(row, asked)
            await tx.execute(
                _CARRY, {"customer": customer_id, "consent": asked["consent_id"], "before": row["consent_id"], "apps": apps, "now": now}
            )
    return apps


def carried(before: RowMapping, renewal: RowMapping) -> list[str]:
    """The apps that a renewal goes on with: those of the consent before, unless it is wider in kinds or scenarios (PIPL 14, 23)."""
    kinds = before["kinds"] is None or (renewal["kinds"] is not None and set(renewal["kinds"]) <= set(before["kinds"]))
    return list(before["apps"]) if kinds and set(renewal["scenarios"]) <= set(before["scenarios"]) else []


async def pause(tx: Write, customer_id: CustomerId, consent_id: UUID, now: datetime, actor: str = "customer") -> None:
    """Fetching and reading rest with the commit, until the consent is resumed. Raises ConsentMissing."""
    await _move(tx, customer_id, consent_id, ConsentStep.PAUSED, (ConsentStatus.ACTIVE,), ConsentStatus.PAUSED, now, actor, {})


async def resume(tx: Write, customer_id: CustomerId, consent_id: UUID, now: datetime, actor: str = "customer") -> None:
    """A paused consent is in force again, if it has not run out meanwhile. Raises ConsentMissing."""
    ends = (await tx.execute(select(consent.c.expires_at).where(*this(customer_id, consent_id)))).scalar()
    if ends is not None and ends <= now:
        raise ConsentMissing("This consent has run out while it was paused.", remedy="Ask the customer again.")
    await _move(tx, customer_id, consent_id, ConsentStep.RESUMED, (ConsentStatus.PAUSED,), ConsentStatus.ACTIVE, now, actor, {})


async def withdraw(tx: Write, customer_id: CustomerId, consent_id: UUID, now: datetime, actor: str = "customer") -> None:
    """The customer withdraws. Fetching and reading end with the commit; what was asked for in its place is not asked for any more."""
    await _move(tx, customer_id, consent_id, ConsentStep.WITHDRAWN, OPEN, ConsentStatus.REVOKED, now, actor, {})
    renewals = select(consent.c.consent_id).where(
        consent.c.customer_id == customer_id, consent.c.supersedes == consent_id, consent.c.status == ConsentStatus.PENDING
    )
    for renewal in (await tx.execute(renewals)).scalars().all():
        await _move(tx, customer_id, renewal, ConsentStep.WITHDRAWN, OPEN, ConsentStatus.REVOKED, now, actor, {})


async def expire(tx: Write, customer_id: CustomerId, consent_id: UUID, now: datetime) -> None:
    """The consent has run out: then, or before if it said so."""
    ends = (await tx.execute(select(consent.c.expires_at).where(*this(customer_id, consent_id)))).scalar()
    changes = {"expires_at": now if ends is None else min(ends, now)}
    await _move(tx, customer_id, consent_id, ConsentStep.EXPIRED, OPEN, ConsentStatus.EXPIRED, now, "clock", changes)


async def consents_of(tx: Read | Write, customer_id: CustomerId) -> Sequence[RowMapping]:
    """Every consent of a customer, the newest first."""
    found = await tx.execute(
        select(consent).where(consent.c.customer_id == customer_id).order_by(consent.c.changed_at.desc(), consent.c.consent_id.desc())
    )
    return found.mappings().all()


def as_given(row: RowMapping | Mapping[str, Any]) -> GivenConsent:
    return GivenConsent(
        source=SourceKind(row["source"]),
        grantee=row["grantee"],
        purpose=row["purpose"],
        scenarios=frozenset(row["scenarios"]),
        status=ConsentStatus(row["status"]),
        data_from=row["data_from"],
        data_to=row["data_to"],
        expires_at=row["expires_at"],
        kinds=None if row["kinds"] is None else frozenset(row["kinds"]),
        mode=ConsentMode(row["mode"]),
        fetch=FetchType(row["fetch_type"]),
        per_day=row["fetches_per_day"],
        life=timedelta(days=row["data_life_days"]),
        # The gate that fetches reads no apps, and needs none: what is not known names nobody.
        apps=frozenset(row.get("apps", ())),
    )


def _open_ones(customer_id: CustomerId, source: SourceKind, grantee: str, purpose: str) -> Any:
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
        "kinds": list(offer.kinds),
        "mode": offer.mode,
        "fetch_type": offer.fetch,
        "fetches_per_day": offer.per_day,
        "offer": {"scenarios": list(offer.scenarios), "day": offer.today.isoformat()},
    }


async def _move(
    tx: Write,
    customer_id: CustomerId,
    consent_id: UUID,
    step: ConsentStep,
    before: Sequence[ConsentStatus],
    after: ConsentStatus,
    now: datetime,
    actor: str,
    more: Mapping[str, Any],
    told: Changes | None = None,
) -> None:
    mine = this(customer_id, consent_id)
    was = (await tx.execute(select(consent.c.status).where(*mine).with_for_update())).scalar()
    if was is None or was not in before:
        raise ConsentMissing(f"A consent that is {was or 'not there'} cannot become {after}.", remedy="Ask the customer again.")
    await tx.execute(update(consent).where(*mine).values(status=after, changed_at=now, **more))
    await event(tx, customer_id, consent_id, step, (ConsentStatus(was), after), now, actor, told)


def this(customer_id: CustomerId, consent_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return consent.c.customer_id == customer_id, consent.c.consent_id == consent_id


async def event(
    tx: Write,
    customer_id: CustomerId,
    consent_id: UUID,
    step: ConsentStep,
    states: tuple[ConsentStatus | None, ConsentStatus],
    now: datetime,
    actor: str,
    changes: Changes | None = None,
) -> None:
    """Writes what happened into the history."""
    row = {
        "customer_id": customer_id,
        "event_id": new_id(),
        "consent_id": consent_id,
        "step": step,
        "from_status": states[0],
        "to_status": states[1],
        "actor": actor,
        "at": now,
        "changes": dict(changes or {}),
    }
    await tx.execute(insert(consent_event), row)


def plain(value: Any) -> Any:
    """A column's value as the history tells it."""
    return value.isoformat() if isinstance(value, date | datetime) else value
