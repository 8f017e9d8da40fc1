"""Grants: kept sealed, refreshed by exactly one exchange at a time (trust rules, section a).

The credential row is the lock. That an exchange has begun is committed before the call, the new pair is stored only by who began it, and only an explicit grant error,
seen on the current version, ends a connection. Times are the database's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from hub.connect import Connector, Context, Grant
from hub.domain.identifiers import CustomerId
from hub.errors import GrantRevoked, HubError, PlatformBusy
from hub.http import WHOLE_CALL, PlatformUnreachable
from hub.store.database import Write
from hub.store.tables import credential
from hub.sync.calls import Calls, Gate
from hub.sync.context import Equipment
from hub.vault import Place

EXCHANGE_TIME = WHOLE_CALL + 15
"""Seconds an exchange may last, its turn in the platform's quota included."""
EXCHANGE_LIMIT = timedelta(seconds=EXCHANGE_TIME + 15)
"""An exchange that began longer ago was killed: nobody can still be waiting for its answer."""
GLANCES, GLANCE = 50, 0.2
"""How often, and after how many seconds each, one looks whether another's exchange has ended."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Held:
    """A grant and the version it was read at."""

    grant: Grant
    epoch: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """Whose grant is refreshed, and how. ``gate`` raises where no request may leave any more."""

    equipment: Equipment
    calls: Calls
    connector: Connector
    context: Context
    customer_id: CustomerId
    connection_id: UUID
    gate: Gate | None = None


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
    # While an exchange runs the row holds the version before it: whoever reads it now must not take the next one for the same.
    epoch = row.epoch - 1 if row.state == "exchanging" else row.epoch
    return Held(_grant(orjson.loads(sealer.open(_place(connection_id), row.sealed))), epoch)


async def refresh(exchange: Exchange, stale: int) -> Held:
    """A grant newer than version ``stale``: someone else's if there is one, else by our own exchange. Raises GrantRevoked, PlatformBusy."""
    for _ in range(GLANCES):
        found = await _begin(exchange, stale)
        if isinstance(found, Held):
            return found
        if found is not None:
            return await _undisturbed(_exchange(*found))
        await asyncio.sleep(GLANCE)
    raise PlatformBusy("Another worker has been refreshing this authorisation for too long.")


async def _begin(exchange: Exchange, stale: int) -> Held | tuple[Exchange, int] | None:
    """A newer grant, or an exchange that is ours from now on and its epoch, or None while another's may still be running."""
    customer_id, connection_id = exchange.customer_id, exchange.connection_id
    async with exchange.equipment.database.work() as tx:
        limit = credential.c.exchanging_since + EXCHANGE_LIMIT < func.clock_timestamp()
        row = (await tx.execute(_mine(customer_id, connection_id).add_columns(limit.label("late")).with_for_update())).first()
        held = await read(exchange.equipment, tx, customer_id, connection_id)
        if row is None or (row.state == "valid" and row.epoch != stale):
            return held
        if row.state == "exchanging" and not row.late:
            return None
        began = {"state": "exchanging", "epoch": row.epoch + 1, "exchanging_since": func.clock_timestamp()}
        await _set(tx, customer_id, connection_id, **began)
    return replace(exchange, context=replace(exchange.context, grant=held.grant, now=datetime.now(UTC))), row.epoch + 1


async def _exchange(exchange: Exchange, epoch: int) -> Held:
    """The call, and what became of it, stored only while the credential is at our epoch."""
    customer_id, connection_id = exchange.customer_id, exchange.connection_id
    try:
        grant = await _converse(exchange)
    except GrantRevoked:
        if not await _settle(exchange, epoch, state="reauth_required"):
            return await _current(exchange)
        raise
    except HubError:
        await _settle(exchange, epoch, state="unknown")
        raise
    async with exchange.equipment.database.work() as tx:
        values = await _values(exchange.equipment, tx, customer_id, connection_id, grant)
        mine = await _set(tx, customer_id, connection_id, only=epoch, **values)
    return Held(grant, epoch) if mine else await _current(exchange)


async def _converse(exchange: Exchange) -> Grant:
    connector = exchange.connector
    try:
        async with asyncio.timeout(EXCHANGE_TIME):
            dialogue = connector.authorisation.refresh(exchange.context)
            return await exchange.calls.converse(connector, exchange.context, dialogue, exchange.gate)
    except TimeoutError:
        raise PlatformUnreachable("The platform does not answer the refresh of an authorisation.") from None


async def _settle(exchange: Exchange, epoch: int, *, state: str) -> bool:
    """Whether the version that was exchanged is still the current one: if not, a race was lost, not the grant."""
    async with exchange.equipment.database.work() as tx:
        return await _set(tx, exchange.customer_id, exchange.connection_id, only=epoch, state=state, exchanging_since=None)


async def _current(exchange: Exchange) -> Held:
    async with exchange.equipment.database.work() as tx:
        return await read(exchange.equipment, tx, exchange.customer_id, exchange.connection_id)


async def _undisturbed(work: Coroutine[Any, Any, T]) -> T:
    """Sees work through even if its caller is cancelled: a rotated token that is not stored is a lost grant. It is bounded by its own time limit."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()
        raise


async def _values(equipment: Equipment, tx: Write, customer_id: CustomerId, connection_id: UUID, grant: Grant) -> dict[str, Any]:
    sealer = await equipment.vault.sealer(tx, customer_id)
    expires = func.now() + timedelta(seconds=grant.expires_in) if grant.expires_in else None
    sealed = sealer.seal(_place(connection_id), orjson.dumps(asdict(grant)))
    return {"sealed": sealed, "state": "valid", "expires_at": expires, "refreshed_at": func.now(), "exchanging_since": None}


async def _set(tx: Write, customer_id: CustomerId, connection_id: UUID, *, only: int | None = None, **values: Any) -> bool:
    """Updates the credential, only while it is at version ``only`` if one is named. Whether it was there."""
    mine = [credential.c.customer_id == customer_id, credential.c.connection_id == connection_id]
    if only is not None:
        mine.append(credential.c.epoch == only)
    return bool((await tx.execute(update(credential).where(*mine).values(**values))).rowcount)


def _mine(customer_id: CustomerId, connection_id: UUID) -> Any:
    return select(credential).where(credential.c.customer_id == customer_id, credential.c.connection_id == connection_id)


def _grant(document: Mapping[str, Any]) -> Grant:
    return Grant(**{**document, "scopes": tuple(document["scopes"])})
