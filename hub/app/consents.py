"""What mutations do to a consent that was given: end it, let it rest, go on with it, make it narrower."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import func, select, update

from hub.app.calling import Calling
from hub.app.identity import visible
from hub.consent import grants, refusals
from hub.consent.narrowing import Narrower, narrow, narrow_to
from hub.consent.refusals import No
from hub.domain.caller import Caller
from hub.domain.enums import ConnectionStatus, ConsentStatus, SourceKind
from hub.domain.identifiers import CustomerId
from hub.errors import ConsentMissing
from hub.store.database import Write
from hub.store.idempotency import Answer
from hub.store.merging import parts_of
from hub.store.tables import connection, consent
from hub.sync.context import Equipment
from schema import services as contract

Step = Callable[[Write, CustomerId, UUID, datetime], Awaitable[Any]]
States = tuple[ConsentStatus, ...]
"""Those that a step acts on: what has another state already is left by it."""
LEFT = object()
"""What a step returns that found nothing to change."""


class About(Protocol):
    """Whose consent, to which kind of source."""

    @property
    def customer_id(self) -> str: ...

    @property
    def source(self) -> SourceKind: ...


@dataclass(frozen=True, slots=True)
class ConsentServices:
    """See the module. A customer's consents are his own and those of whoever was merged into him: each was given its own, and a step means them all."""

    equipment: Equipment
    calling: Calling

    async def withdraw(self, call: contract.Call, asked: contract.WithdrawConsent) -> contract.ConsentChanged:
        """Also what is only asked for: the customer does not want it. An app that says so of what was never given keeps itself from asking, and nobody else."""

        async def step(tx: Write, customer_id: CustomerId, consent_id: UUID, now: datetime) -> None:
            row = (await tx.execute(select(consent).where(*grants.this(customer_id, consent_id)))).mappings().one()
            await grants.withdraw(tx, customer_id, consent_id, now, actor=call.caller.client_id)
            alone = None if row["status"] in grants.GIVEN else call.caller.app
            await refusals.note(tx, customer_id, No.of(row, call.caller.client_id, alone), now)

        return await self._change(call, asked, "withdrawConsent", step, grants.OPEN)

    async def pause(self, call: contract.Call, asked: contract.PauseConsent) -> contract.ConsentChanged:
        step = partial(grants.pause, actor=call.caller.client_id)
        return await self._change(call, asked, "pauseConsent", step, (ConsentStatus.ACTIVE,))

    async def resume(self, call: contract.Call, asked: contract.ResumeConsent) -> contract.ConsentChanged:
        """What was not fetched meanwhile is due."""

        async def step(tx: Write, customer_id: CustomerId, consent_id: UUID, now: datetime) -> None:
            await grants.resume(tx, customer_id, consent_id, now, actor=call.caller.client_id)
            await _make_due(tx, customer_id, consent_id)

        return await self._change(call, asked, "resumeConsent", step, (ConsentStatus.PAUSED,))

    async def narrow(self, call: contract.Call, asked: contract.NarrowConsent) -> contract.ConsentChanged:
        wanted = Narrower(asked.scenarios, asked.kinds, asked.data_from, asked.data_to, asked.data_life_days, asked.expires_on)

        async def step(tx: Write, customer_id: CustomerId, consent_id: UUID, now: datetime) -> None:
            await narrow(tx, customer_id, consent_id, wanted, now, actor=call.caller.client_id)

        async def of_several(tx: Write, customer_id: CustomerId, consent_id: UUID, now: datetime) -> object:
            """Each as far as it is not narrower already."""
            return None if await narrow_to(tx, customer_id, consent_id, wanted, now, call.caller.client_id) else LEFT

        return await self._change(call, asked, "narrowConsent", step, grants.GIVEN, of_several)

    async def _change(
        self, call: contract.Call, asked: About, mutation: str, step: Step, states: States, of_several: Step | None = None
    ) -> contract.ConsentChanged:
        """The first consent that was changed, and whose it is."""

        async def effect(tx: Write) -> Answer:
            found = await self._open(tx, await visible(tx, asked.customer_id), asked.source, call.caller, states)
            alone = len(found) == 1
            taken = step if alone or of_several is None else of_several
            changed = [one for one in found if await self._took(tx, taken, one, alone=alone)]
            if not changed:
                raise ConsentMissing(f"No consent to {asked.source} could be changed.", remedy="All may be so already, or have ended.")
            return {"customer": str(changed[0][0]), "consent": str(changed[0][1])}

        answer = await self.calling.as_client(call, effect, mutation, asked.customer_id)
        return contract.ConsentChanged(str(answer["consent"]), str(answer.get("customer", asked.customer_id)))

    async def _took(self, tx: Write, step: Step, one: tuple[CustomerId, UUID], *, alone: bool) -> bool:
        """Whether a consent was changed. One of several that has run out is left as it is: steps look before they write."""
        try:
            return await step(tx, *one, self.equipment.clock.now()) is not LEFT
        except ConsentMissing:
            if alone:
                raise
            return False

    async def _open(
        self, tx: Write, customer_id: CustomerId, source: SourceKind, caller: Caller, states: States
    ) -> list[tuple[CustomerId, UUID]]:
        """The consents of this use that the caller may know of: of each part the one that was given, else the one that was asked for."""
        use, found = (source, self.equipment.grantee, caller.purpose), list[tuple[CustomerId, UUID]]()
        for part in await parts_of(tx, customer_id):
            rows = await grants.consents_of(tx, part)
            mine = [row for row in rows if (row["source"], row["grantee"], row["purpose"]) == use and row["status"] in states]
            mine = [row for row in mine if caller.app is None or caller.app in row["apps"] or row["status"] == ConsentStatus.PENDING]
            mine.sort(key=lambda row: row["status"] not in grants.GIVEN)
            found += [(part, UUID(str(row["consent_id"]))) for row in mine[:1]]
        if not found:
            raise ConsentMissing(f"There is no consent to {source} that could be changed.", remedy="It may have ended already.")
        return found


async def _make_due(tx: Write, customer_id: CustomerId, consent_id: UUID) -> None:
    name = select(consent.c.connector).where(*grants.this(customer_id, consent_id)).scalar_subquery()
    mine = (connection.c.customer_id == customer_id, connection.c.connector == name, connection.c.status == ConnectionStatus.ACTIVE)
    await tx.execute(update(connection).where(*mine, connection.c.due_at.is_(None)).values(due_at=func.clock_timestamp()))
