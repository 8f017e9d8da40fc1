"""What mutations do to a consent that was given: end it, let it rest, go on with it, make it narrower."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import func, select, update

from hub.consent import grants
from hub.consent.narrowing import Narrower, narrow
from hub.domain.enums import ConnectionStatus, SourceKind
from hub.domain.identifiers import CustomerId
from hub.errors import ConsentMissing, NotFound
from hub.store.database import Write
from hub.store.idempotency import Answer
from hub.store.tables import connection, consent, customer
from hub.sync.context import Equipment
from schema import services as contract

Once = Callable[[contract.Call, Callable[[Write], Awaitable[Answer]]], Awaitable[Answer]]
Step = Callable[[Write, CustomerId, UUID, datetime], Awaitable[Any]]


class About(Protocol):
    """Whose consent, to which kind of source."""

    @property
    def customer_id(self) -> str: ...

    @property
    def source(self) -> SourceKind: ...


@dataclass(frozen=True, slots=True)
class ConsentServices:
    """``once`` runs an effect in the caller's own transaction, one effect per idempotency key."""

    equipment: Equipment
    once: Once

    async def withdraw(self, call: contract.Call, asked: contract.WithdrawConsent) -> str:
        """Also what is only asked for: the customer does not want it."""
        return await self._change(call, asked, partial(grants.withdraw, actor=call.caller.client_id))

    async def pause(self, call: contract.Call, asked: contract.PauseConsent) -> contract.ConsentChanged:
        return contract.ConsentChanged(await self._change(call, asked, partial(grants.pause, actor=call.caller.client_id)))

    async def resume(self, call: contract.Call, asked: contract.ResumeConsent) -> contract.ConsentChanged:
        """What was not fetched meanwhile is due."""

        async def step(tx: Write, customer_id: CustomerId, consent_id: UUID, now: datetime) -> None:
            await grants.resume(tx, customer_id, consent_id, now, actor=call.caller.client_id)
            await _make_due(tx, customer_id, consent_id)

        return contract.ConsentChanged(await self._change(call, asked, step))

    async def narrow(self, call: contract.Call, asked: contract.NarrowConsent) -> contract.ConsentChanged:
        wanted = Narrower(asked.scenarios, asked.kinds, asked.data_from, asked.data_to, asked.data_life_days, asked.expires_on)

        async def step(tx: Write, customer_id: CustomerId, consent_id: UUID, now: datetime) -> None:
            await narrow(tx, customer_id, consent_id, wanted, now, actor=call.caller.client_id)

        return contract.ConsentChanged(await self._change(call, asked, step))

    async def _change(self, call: contract.Call, asked: About, step: Step) -> str:
        async def effect(tx: Write) -> Answer:
            customer_id = await visible(tx, asked.customer_id)
            consent_id = await self._open(tx, customer_id, asked.source, call.caller.purpose)
            await step(tx, customer_id, consent_id, self.equipment.clock.now())
            return {"consent": str(consent_id)}

        return str((await self.once(call, effect))["consent"])

    async def _open(self, tx: Write, customer_id: CustomerId, source: SourceKind, purpose: str) -> UUID:
        """The consent of this use that was given, else the one that was asked for."""
        use, rows = (source, self.equipment.grantee, purpose), await grants.consents_of(tx, customer_id)
        found = [row for row in rows if (row["source"], row["grantee"], row["purpose"]) == use and row["status"] in grants.OPEN]
        if not found:
            raise ConsentMissing(f"There is no consent to {source} that could be changed.", remedy="It may have ended already.")
        return UUID(str(min(found, key=lambda row: row["status"] not in grants.GIVEN)["consent_id"]))


async def _make_due(tx: Write, customer_id: CustomerId, consent_id: UUID) -> None:
    name = select(consent.c.connector).where(*grants.this(customer_id, consent_id)).scalar_subquery()
    mine = (connection.c.customer_id == customer_id, connection.c.connector == name, connection.c.status == ConnectionStatus.ACTIVE)
    await tx.execute(update(connection).where(*mine, connection.c.due_at.is_(None)).values(due_at=func.clock_timestamp()))


async def visible(tx: Write, text: str) -> CustomerId:
    """The customer, if the asking client may see it. What is absent, foreign or no id is answered alike."""
    try:
        wanted = UUID(text)
    except ValueError:
        wanted = None
    found = None if wanted is None else (await tx.execute(select(customer.c.customer_id).where(customer.c.customer_id == wanted))).scalar()
    if found is None:
        raise NotFound("There is no such customer.", remedy="Use the id that createCustomer gave.")
    return CustomerId(found)
