"""How a mutation takes effect: in one transaction with its idempotency key, and with a line in the access log before it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

from msgspec import structs

from hub.access.audit import AccessLog
from hub.domain.audit import Accessed, AccessOutcome
from hub.domain.clock import Clock
from hub.errors import ConsentMissing, CustomerDeclined
from hub.store.database import Database, Scope, Write
from hub.store.idempotency import Answer, OnceKey, once
from hub.vault import Blind
from schema import services as contract

Effect = Callable[[Write], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Calling:
    """See the module. ``log`` is the process's own: reads are grouped with what mutations note."""

    database: Database
    log: AccessLog
    clock: Clock
    blind: Blind

    async def as_client(self, call: contract.Call, effect: Effect, mutation: str, customer_id: str, purpose: str | None = None) -> Answer:
        """In a transaction of the caller's own, under row-level security. ``purpose`` is that of the consents it is about, where
        it is another one than the caller's."""
        scope = self.scope(call)
        begun = self.database.write(structs.replace(scope, purpose=purpose or scope.purpose))
        return await self._told(call, begun, effect, mutation, customer_id)

    async def for_client(self, call: contract.Call, effect: Effect, mutation: str, customer_id: str) -> Answer:
        """In one of the hub's, for what is kept whether or not the caller may read it. Whether he may do it is asked before, in a transaction of his own
        (:meth:`scope`): nobody waits for one connection while he holds another. His time limits hold."""
        return await self._told(call, self.database.work(self.scope(call)), effect, mutation, customer_id)

    def scope(self, call: contract.Call) -> Scope:
        return Scope.of(call.caller, self.clock.now())

    async def _told(
        self, call: contract.Call, begun: AbstractAsyncContextManager[Write], effect: Effect, mutation: str, customer_id: str
    ) -> Answer:
        """The effect, once; then the line in the log."""
        try:
            async with begun as tx:
                answer = await once(tx, self._key(call), lambda: effect(tx))
        except (ConsentMissing, CustomerDeclined):
            await self.note(call, mutation, customer_id, AccessOutcome.DENIED)
            raise
        await self.note(call, mutation, str(answer.get("customer", customer_id)))
        return answer

    async def as_hub(self, call: contract.Call, effect: Effect) -> Answer:
        """In one of the hub's: what a client's transaction may not see."""
        async with self.database.work() as tx:
            return await once(tx, self._key(call), lambda: effect(tx))

    async def note(self, call: contract.Call, mutation: str, customer_id: str, outcome: AccessOutcome = AccessOutcome.ANSWERED) -> None:
        """That somebody did something about a customer, durable before it is answered. What of the payload is read is logged by who reads it."""
        named = (call.caller.client_id, call.caller.purpose, call.operation, call.document_sha256)
        await self.log.write([Accessed(UUID(customer_id), *named, (f"Mutation.{mutation}",), outcome=outcome)])

    def _key(self, call: contract.Call) -> OnceKey:
        """What is kept of the input is a keyed hash: names and numbers could be guessed from a bare one. ``before`` is what earlier versions kept."""
        kept = self.blind.hash("idempotency.request", call.request_sha256)
        return OnceKey(call.caller.client_id, call.key, kept, before=call.request_sha256)
