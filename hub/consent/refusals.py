"""That a customer said no, and how long nobody asks him for the same thing again (网络数据安全管理条例 22(5); ADR 58).

A no is said by leaving something unticked at the end of a link, by withdrawing what was given, or by taking it back from one app. It keeps the hub from asking, never the
customer from giving: a link that is open takes his yes, which lifts the no. How long it holds is a number of the terms in force when it was said
(:mod:`hub.consent.terms`), and is written with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, insert, or_, select, update
from sqlalchemy.engine import RowMapping

from hub.consent import grants
from hub.consent.retention import retention
from hub.consent.terms import terms
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import CustomerDeclined
from hub.store.database import Database, Read, Write
from hub.store.merging import parts_of
from hub.store.tables import customer, refusal

AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class No:
    """What was refused. ``client_id`` asked, or passed it on. ``app``: the one that alone shall not ask; None: nobody shall."""

    source: str
    grantee: str
    purpose: str
    client_id: str
    app: str | None = None

    @staticmethod
    def of(consent: RowMapping | Mapping[str, Any], client_id: str, app: str | None = None) -> No:
        """To a consent, or to what ``app`` wants of it."""
        return No(consent["source"], consent["grantee"], consent["purpose"], client_id, app)


@dataclass(frozen=True, slots=True)
class Asking:
    """What a client is about to ask a customer for."""

    sources: Sequence[SourceKind]
    grantee: str
    purpose: str
    client_id: str
    renew: bool = False


def again_at(now: datetime) -> datetime:
    """When a no that is said now has been heard long enough: a whole second, so that what is told of it is exact."""
    until = now + timedelta(hours=terms()["asking"]["again_after_hours"])
    return until if until.microsecond == 0 else until.replace(microsecond=0) + timedelta(seconds=1)


async def note(tx: Write, customer_id: CustomerId, no: No, now: datetime) -> None:
    """The customer said no."""
    said = {"source": no.source, "grantee": no.grantee, "purpose": no.purpose, "client_id": no.client_id, "app": no.app}
    row = {"customer_id": customer_id, "refusal_id": new_id(), **said, "refused_at": now, "again_at": again_at(now)}
    await tx.execute(insert(refusal), row)


async def lift(tx: Write, customer_id: CustomerId, no: No, now: datetime) -> None:
    """He gave it after all: of himself, or of whoever was merged into him, nothing stands against asking any more."""
    mine = refusal.c.customer_id.in_(await parts_of(tx, customer_id))
    same = (*_use(no.grantee, no.purpose), refusal.c.source == no.source, refusal.c.app.is_not_distinct_from(no.app))
    await tx.execute(update(refusal).where(mine, *same, refusal.c.lifted_at.is_(None)).values(lifted_at=now))


async def insist(tx: Read | Write, customer_id: CustomerId, asking: Asking, now: datetime) -> None:
    """Raises CustomerDeclined for what he has just refused, with the ``sources`` and the day ``again_at`` of the last of them. What the transaction does not see
    keeps nobody from asking."""
    anew = await _asked_anew(tx, customer_id, asking, now)
    mine = refusal.c.customer_id.in_(await parts_of(tx, customer_id)) | refusal.c.customer_id.in_(_twins(customer_id))
    stands = (*_use(asking.grantee, asking.purpose), refusal.c.lifted_at.is_(None), refusal.c.again_at > now)
    which = or_(
        refusal.c.app.is_(None) & refusal.c.source.in_(anew),
        (refusal.c.app == asking.client_id) & refusal.c.source.in_(asking.sources),
    )
    found = (await tx.execute(select(refusal.c.source, refusal.c.again_at).where(mine, *stands, which))).all()
    if found:
        sources = tuple(one for one in asking.sources if one in {row.source for row in found})
        until = max(row.again_at for row in found)
        remedy = f"Ask for other sources, or again from {until.isoformat()} on."
        raise CustomerDeclined(remedy=remedy, sources=sources, again_at=until)


async def forget(database: Database, now: datetime) -> int:
    """Deletes what nobody can complain about any more, a batch of it. Returns how many rows."""
    old = select(refusal.c.customer_id, refusal.c.refusal_id).where(refusal.c.refused_at < now - retention().kept("refusal"))
    batch = old.order_by(refusal.c.refused_at).limit(AT_ONCE).with_for_update(skip_locked=True).subquery()
    these = (refusal.c.customer_id == batch.c.customer_id, refusal.c.refusal_id == batch.c.refusal_id)
    async with database.work() as tx:
        return (await tx.execute(delete(refusal).where(*these))).rowcount


def _twins(customer_id: CustomerId) -> Select[tuple[Any]]:
    """Customers of the same code or number, of those that the transaction sees: a name written otherwise makes another customer (ADR 31), of the same person."""
    own = select(customer.c.subject_hash).where(customer.c.customer_id == customer_id).scalar_subquery()
    return select(customer.c.customer_id).where(customer.c.subject_hash == own)


async def _asked_anew(tx: Read | Write, customer_id: CustomerId, asking: Asking, now: datetime) -> list[SourceKind]:
    """The sources whose consent would be asked for: of one that stands, only an app would be asked (:func:`hub.consent.grants.ask`)."""
    use = (asking.grantee, asking.purpose)
    rows = [row for row in await grants.consents_of(tx, customer_id) if (row["grantee"], row["purpose"]) == use]
    stands = {row["source"] for row in rows if row["status"] in grants.GIVEN and not grants.ends_soon(row["expires_at"], now)}
    return [one for one in asking.sources if asking.renew or one not in stands]


def _use(grantee: str, purpose: str) -> tuple[ColumnElement[bool], ...]:
    return refusal.c.grantee == grantee, refusal.c.purpose == purpose
