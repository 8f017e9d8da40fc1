"""Grants: kept sealed, refreshed by exactly one exchange at a time (trust rules, section a).

The credential row is the lock. That an exchange has begun is committed before the call, the new pair is stored only by who began it, and only an explicit grant error,
seen on the current version, ends a connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from hub.connect import Connector, Context, Grant
from hub.domain.identifiers import CustomerId
from hub.errors import GrantRevoked, HubError, PlatformBusy
from hub.store.database import Write
from hub.store.tables import credential
from hub.sync.calls import Calls
from hub.sync.context import Equipment
from hub.vault import Place

EXCHANGE_LIMIT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Held:
    """A grant and the version it was read at."""

    grant: Grant
    epoch: int


def _place(connection_id: UUID) -> Place:
    return Place("credential", "sealed", str(connection_id))


async def keep(equipment: Equipment, tx: Write, customer_id: CustomerId, connection_id: UUID, grant: Grant) -> None:
    """Stores the grant of a new authorisation, whatever was there before."""
    values = await _values(equipment, tx, customer_id, connection_id, grant)
    statement = upsert(credential).values(customer_id=customer_id, connection_id=connection_id, epoch=1, **values)
    changes = {**values, "epoch": credential.c.epoch + 1, "exchanging_since": None}
    await tx.execute(statement.on_conflict_do_update(index_elements=["customer_id", "connection_id"], set_=changes))


async def read(equipment: Equipment, tx: Write, customer_id: CustomerId, connection_id: UUID) -> Held:
    """The current grant. Raises GrantRevoked when there is none that could be used."""
    row = (await tx.execute(_mine(customer_id, connection_id))).first()
    if row is None or row.state in ("revoked", "reauth_required"):
        raise GrantRevoked("There is no usable authorisation.", remedy="The customer must authorise again.")
    sealer = await equipment.vault.sealer(tx, customer_id)
    return Held(_grant(orjson.loads(sealer.open(_place(connection_id), row.sealed))), row.epoch)


async def refresh(
    equipment: Equipment, calls: Calls, connector: Connector, context: Context, customer_id: CustomerId, connection_id: UUID, stale: int
) -> Held:
    """A grant newer than version ``stale``: someone else's if there is one, else by our own exchange. Raises GrantRevoked, PlatformBusy."""
    for _attempt in range(50):
        async with equipment.database.work() as tx:
            row = (await tx.execute(_mine(customer_id, connection_id).with_for_update())).one()
            if row.state == "valid" and row.epoch != stale:
                return await read(equipment, tx, customer_id, connection_id)
            mine = row.state != "exchanging" or row.exchanging_since + EXCHANGE_LIMIT < datetime.now(UTC)
            if mine:
                held = await read(equipment, tx, customer_id, connection_id)
                await _set(tx, customer_id, connection_id, state="exchanging", epoch=row.epoch + 1, exchanging_since=datetime.now(UTC))
        if mine:
            return await _exchange(
                equipment, calls, connector, replace(context, grant=held.grant), customer_id, connection_id, row.epoch + 1
            )
        await asyncio.sleep(0.2)
    raise PlatformBusy("Another worker has been refreshing this authorisation for too long.")


async def _exchange(
    equipment: Equipment, calls: Calls, connector: Connector, context: Context, customer_id: CustomerId, connection_id: UUID, epoch: int
) -> Held:
    try:
        grant = await calls.converse(connector, replace(context, now=datetime.now(UTC)), connector.authorisation.refresh(context))
    except GrantRevoked:
        async with equipment.database.work() as tx:
            await _set(tx, customer_id, connection_id, state="reauth_required", only=epoch)
        raise
    except HubError:
        async with equipment.database.work() as tx:
            await _set(tx, customer_id, connection_id, state="unknown", only=epoch)
        raise
    async with equipment.database.work() as tx:
        await _set(tx, customer_id, connection_id, only=epoch, **await _values(equipment, tx, customer_id, connection_id, grant))
    return Held(grant, epoch)


async def _values(equipment: Equipment, tx: Write, customer_id: CustomerId, connection_id: UUID, grant: Grant) -> dict[str, Any]:
    sealer = await equipment.vault.sealer(tx, customer_id)
    now = datetime.now(UTC)
    expires = now + timedelta(seconds=grant.expires_in) if grant.expires_in else None
    sealed = sealer.seal(_place(connection_id), orjson.dumps(asdict(grant)))
    return {"sealed": sealed, "state": "valid", "expires_at": expires, "refreshed_at": now, "exchanging_since": None}


async def _set(tx: Write, customer_id: CustomerId, connection_id: UUID, *, only: int | None = None, **values: Any) -> None:
    """Updates the credential, only while it is at version ``only`` if one is named."""
    mine = [credential.c.customer_id == customer_id, credential.c.connection_id == connection_id]
    if only is not None:
        mine.append(credential.c.epoch == only)
    await tx.execute(update(credential).where(*mine).values(**values))


def _mine(customer_id: CustomerId, connection_id: UUID) -> Any:
    return select(credential).where(credential.c.customer_id == customer_id, credential.c.connection_id == connection_id)


def _grant(document: Mapping[str, Any]) -> Grant:
    return Grant(**{**document, "scopes": tuple(document["scopes"])})
