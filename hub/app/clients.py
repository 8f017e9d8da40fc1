"""What administrators do to clients. As the hub, and not as a client: what operators change is nothing that a client's transaction may see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields

from hub.access import client_life
from hub.access.audit import audited
from hub.access.audit.chain import Secrets
from hub.access.client_life import Change, Changed
from hub.access.clients import NewClient, described, register_client, thumbprint
from hub.access.documents import add_document
from hub.app.calling import Calling
from hub.errors import InvalidInput
from hub.store.database import Write
from hub.store.idempotency import Answer
from schema import services as contract
from schema.access import AUDIENCES

LONGEST_REASON = 500
Step = Callable[[Write], Awaitable[Changed]]


@dataclass(frozen=True, slots=True)
class ClientServices:
    """See the module. Each step is in the audit, with what was and what is."""

    secrets: Secrets
    calling: Calling

    async def register(self, call: contract.Call, asked: contract.RegisterClient) -> str:
        new = NewClient(**{one.name: getattr(asked, one.name) for one in fields(NewClient)})

        async def effect(tx: Write) -> Answer:
            made = await register_client(tx, new, AUDIENCES)
            subject, actor = f"client:{made}", call.caller.client_id
            await audited(tx, self.secrets, actor=actor, action="client.register", subject=subject, after=described(new))
            return {"client": made}

        return str((await self.calling.as_hub(call, effect))["client"])

    async def register_document(self, call: contract.Call, asked: contract.RegisterDocument) -> str:
        async def effect(tx: Write) -> Answer:
            subject, actor = f"client:{asked.client_id}", call.caller.client_id
            sha256 = await add_document(tx, asked.client_id, asked.document, actor)
            await audited(tx, self.secrets, actor=actor, action="document.add", subject=subject, after={"sha256": sha256})
            return {"sha256": sha256}

        return str((await self.calling.as_hub(call, effect))["sha256"])

    async def update(self, call: contract.Call, asked: contract.UpdateClient) -> str:
        change = Change(**{one.name: getattr(asked, one.name) for one in fields(Change)})
        return await self._step(
            call, "update", asked.client_id, lambda tx: client_life.update_client(tx, asked.client_id, change, AUDIENCES)
        )

    async def add_key(self, call: contract.Call, asked: contract.AddClientKey) -> str:
        await self._step(call, "add_key", asked.client_id, lambda tx: client_life.add_key(tx, asked.client_id, asked.jwk))
        return thumbprint(asked.jwk)

    async def retire_key(self, call: contract.Call, asked: contract.RetireClientKey) -> str:
        return await self._step(
            call, "retire_key", asked.client_id, lambda tx: client_life.retire_key(tx, asked.client_id, asked.thumbprint)
        )

    async def disable(self, call: contract.Call, asked: contract.DisableClient) -> str:
        return await self._step(call, "disable", asked.client_id, lambda tx: client_life.disable_client(tx, asked.client_id), asked.reason)

    async def enable(self, call: contract.Call, asked: contract.EnableClient) -> str:
        return await self._step(call, "enable", asked.client_id, lambda tx: client_life.enable_client(tx, asked.client_id), asked.reason)

    async def revoke_tokens(self, call: contract.Call, asked: contract.RevokeClientTokens) -> str:
        return await self._step(
            call, "revoke_tokens", asked.client_id, lambda tx: client_life.end_tokens(tx, asked.client_id), asked.reason
        )

    async def _step(self, call: contract.Call, name: str, client_id: str, step: Step, reason: str | None = None) -> str:
        """``reason`` is None where none is asked for."""
        if reason is not None and not 0 < len(reason.strip()) <= LONGEST_REASON:
            raise InvalidInput(f"A reason has 1 to {LONGEST_REASON} characters.")

        async def effect(tx: Write) -> Answer:
            changed = await step(tx)
            await client_life.told(tx, self.secrets, call.caller.client_id, name, client_id, changed, reason or "")
            return {"client": client_id}

        return str((await self.calling.as_hub(call, effect))["client"])
