"""What customers object to: passed on by their client, shown to whoever must answer, answered by an administrator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from hub.app.calling import Calling
from hub.app.identity import visible
from hub.domain.audit import Accessed, AccessOutcome
from hub.domain.enums import DisputeState
from hub.errors import NotFound
from hub.store.database import Scope, Write
from hub.store.disputes import Objection, raise_dispute, resolve_dispute, statement_of, the_dispute
from hub.store.idempotency import Answer
from hub.store.view.binding import bound_node
from hub.sync.context import Equipment
from schema import services as contract

ADMIN = "ADMIN"
NO_REASON = "客户要求人工复核。"
"""What is kept where the customer gives no reason."""


@dataclass(frozen=True, slots=True)
class DisputeServices:
    """See the module."""

    equipment: Equipment
    calling: Calling

    async def raise_dispute(self, call: contract.Call, asked: contract.RaiseDispute) -> contract.DisputeRaised:
        return await self._raise(call, "raiseDispute", asked.customer_id, Objection(asked.about, asked.feature_id, asked.statement))

    async def request_human_review(self, call: contract.Call, asked: contract.RequestHumanReview) -> contract.DisputeRaised:
        """An objection to the result of an evaluation; the next ones of its scenario go to a person (:mod:`hub.credit.disputed`)."""
        said = Objection(asked.evaluation_id, None, NO_REASON if asked.statement is None else asked.statement, decisions_only=True)
        return await self._raise(call, "requestHumanReview", asked.customer_id, said)

    async def _raise(self, call: contract.Call, mutation: str, named: str, said: Objection) -> contract.DisputeRaised:
        async def effect(tx: Write) -> Answer:
            customer_id = await visible(tx, named)
            now, actor = self.equipment.clock.now(), call.caller.client_id
            row = await raise_dispute(tx, self.equipment.vault, customer_id, said, actor, now)
            return {"customer": str(row.customer_id), "dispute": str(row.dispute_id), "due": row.due_on.isoformat()}

        answer = await self.calling.as_client(call, effect, mutation, named)
        return contract.DisputeRaised(f"Dispute:{answer['customer']}:{answer['dispute']}", date.fromisoformat(str(answer["due"])))

    async def reveal_dispute(self, call: contract.Call, asked: contract.RevealDispute) -> contract.DisputeRevealed:
        """The key remembers what was asked, never the text: who asks again is shown it again, and logged again, before the answer leaves."""
        named = _id(asked.dispute_id)

        async def noted(tx: Write) -> Answer:
            return {"dispute": str((await the_dispute(tx, *named)).dispute_id)}

        await self.calling.as_hub(call, noted)
        await self._seen(call, named)
        async with self.equipment.database.work() as tx:
            row = await the_dispute(tx, *named)
            said, answered = await statement_of(tx, self.equipment.vault, row)
        who = (call.caller.client_id, call.caller.purpose, call.operation, call.document_sha256)
        told = Accessed(row.customer_id, *who, ("Dispute.statement",), outcome=AccessOutcome.REVEALED)
        await self.calling.log.write([told])
        return contract.DisputeRevealed(said, answered)

    async def _seen(self, call: contract.Call, named: tuple[UUID, UUID]) -> None:
        """An admin answers those of every customer; anybody else sees his own customers'. Raises NotFound."""
        if call.caller.audience == ADMIN:
            return
        async with self.equipment.database.write(Scope.of(call.caller)) as tx:
            await the_dispute(tx, *named)

    async def resolve_dispute(self, call: contract.Call, asked: contract.ResolveDispute) -> str:
        named, became = _id(asked.dispute_id), (DisputeState(asked.state), asked.note)

        async def effect(tx: Write) -> Answer:
            vault, now = self.equipment.vault, self.equipment.clock.now()
            row = await resolve_dispute(tx, vault, named, became, actor=call.caller.client_id, now=now, secrets=vault.keys)
            return {"customer": str(row.customer_id), "dispute": str(row.dispute_id)}

        answer = await self.calling.as_hub(call, effect)
        await self.calling.note(call, "resolveDispute", str(answer["customer"]))
        return f"Dispute:{answer['customer']}:{answer['dispute']}"


def _id(named: str) -> tuple[UUID, UUID]:
    """Customer and key of a global id. Raises NotFound."""
    kind, customer_id, key = bound_node(named)
    if kind != "Dispute" or customer_id is None or key is None:
        raise NotFound("There is no such dispute.", remedy="`disputes` lists those that there are.")
    return customer_id, key
