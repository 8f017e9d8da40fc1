"""Grants: kept sealed, refreshed by exactly one exchange at a time (trust rules, section a).

The credential row is the lock. That an exchange has begun is committed before the call, the new pair is stored only by who began it, and only an explicit grant error,
seen on the current version, ends a connection. The pair before stays until the new one has worked once. Whoever died in an exchange left the row ``exchanging``: past the
limit it gets one attempt more, then it visibly needs the customer. Times are the database's.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import Row, func, update
from sqlalchemy.dialects.postgresql import insert as upsert

from hub.connect import STUMBLES, Connector, Context, Fault, Grant
from hub.domain.enums import ConnectionStatus
from hub.domain.identifiers import CustomerId
from hub.errors import ContractBroken, GrantRevoked, HubError, PlatformBusy
from hub.http import WHOLE_CALL, PlatformUnreachable
from hub.store.database import STORE_ERRORS, Write
from hub.store.tables import credential, revocation
from hub.sync.calls import Calls, Gate
from hub.sync.context import Equipment
from hub.sync.credentials import Life, change, inherited, later, note, opened, row_of, sealed, values

log = structlog.get_logger("hub.grants")

EXCHANGE_TIME = WHOLE_CALL + 15
"""Seconds an exchange may last, its turn in the platform's quota included."""
EXCHANGE_LIMIT = timedelta(seconds=EXCHANGE_TIME + 15)
"""An exchange that began longer ago was killed: nobody can still be waiting for its answer."""
STORING, AGAIN = 10.0, 0.25
"""Seconds for which what came of an exchange is offered to a database that is away, and between two offers."""
WAITING = 10.0
"""Seconds for which one waits for another's exchange."""
GLANCE, LONGEST_GLANCE = 0.2, 1.0
"""Seconds until one looks whether it has ended, and at most between two looks: they get longer, so that many who wait do not keep the database from the one who works."""
PAUSE, LONGEST_PAUSE = timedelta(minutes=15), timedelta(hours=6)
"""Until a worker refreshes again what could not be refreshed; doubled with each failure in a row."""
INTERRUPTED = "Refreshing it was interrupted twice: the platform may have replaced a token that never arrived."

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Held:
    """A grant and the version it was read at. ``refresh_at``: from when on, on the clock of this process's loop, it is refreshed before a call; None: when it is refused.

    ``proven``: it has worked once, nothing older is kept."""

    grant: Grant
    epoch: int
    refresh_at: float | None = None
    proven: bool = True

    @property
    def ripe(self) -> bool:
        return self.refresh_at is not None and asyncio.get_running_loop().time() >= self.refresh_at


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


@dataclass(frozen=True, slots=True)
class _Begun:
    """An exchange that is ours. ``before`` is the pair that is kept because ``grant`` has never worked yet; ``again``: the attempt after a killed one."""

    epoch: int
    grant: Grant
    before: Grant | None
    again: bool


async def keep(
    equipment: Equipment, tx: Write, customer_id: CustomerId, connection_id: UUID, grant: Grant, *, refreshable: bool = True
) -> None:
    """Stores the grant of a new authorisation, whatever was there before. What was still to be told to the platform of the old one is left: it could end the new one."""
    sealer, life = await equipment.vault.sealer(tx, customer_id), Life.of(grant, refreshable=refreshable)
    fresh = {**values(sealer, connection_id, grant, life), "previous": None}
    statement = upsert(credential).values(customer_id=customer_id, connection_id=connection_id, epoch=1, **fresh)
    changes = {**fresh, "epoch": credential.c.epoch + 1}
    await tx.execute(statement.on_conflict_do_update(index_elements=["customer_id", "connection_id"], set_=changes))
    await note(tx, customer_id, connection_id, ended=True, grant_expires_at=later(life.end), ended_at=None, ended_reason=None)
    due = (revocation.c.customer_id == customer_id, revocation.c.connection_id == connection_id, revocation.c.state == "DUE")
    await tx.execute(update(revocation).where(*due).values(state="SUPERSEDED", sealed=None, ended_at=func.clock_timestamp()))


async def read(equipment: Equipment, tx: Write, customer_id: CustomerId, connection_id: UUID) -> Held:
    """The current grant. Raises GrantRevoked when there is none that could be used."""
    return await _held(equipment, tx, (await tx.execute(row_of(customer_id, connection_id))).first())


async def prove(equipment: Equipment, customer_id: CustomerId, connection_id: UUID, held: Held) -> None:
    """The platform has accepted this grant's access token: the pair before is no longer needed."""
    async with equipment.database.work() as tx:
        await change(tx, customer_id, connection_id, only=held.epoch, previous=None)


def refreshable(connector: Connector, context: Context) -> bool:
    """Whether the connector has anything to refresh this grant with: its dialogue is asked for its first request, which goes nowhere."""
    try:
        next(connector.authorisation.refresh(context))
    except (Fault, StopIteration, *STUMBLES):
        return False
    return True


async def refresh(exchange: Exchange, stale: int) -> Held:
    """A grant newer than version ``stale``: someone else's if there is one, else by our own exchange. Raises GrantRevoked, PlatformBusy."""
    loop, waited, pause = asyncio.get_running_loop(), False, GLANCE
    until = loop.time() + WAITING
    while loop.time() < until or not waited:
        found = await _begin(exchange, stale, waited=waited)
        if isinstance(found, Held):
            return found
        if found is not None:
            return await _undisturbed(_exchange(exchange, found))
        await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 -- spreads load
        waited, pause = True, min(pause * 1.5, LONGEST_GLANCE)
    raise PlatformBusy("Another worker has been refreshing this authorisation for too long.")


async def _begin(exchange: Exchange, stale: int, *, waited: bool) -> Held | _Begun | None:
    """A newer grant, or an exchange that is ours from now on, or None while another's may still be running."""
    async with exchange.equipment.database.work() as tx:
        row = await _seen(tx, exchange)
        # Only who will exchange takes the lock, and then looks again: somebody else may just have done it.
        if row is not None and not _under_way(row) and not _is_newer(row, stale):
            row = await _locked(tx, exchange)
        if row is None or _under_way(row):
            return None
        held = await _held(exchange.equipment, tx, row)
        found = held if _is_newer(row, stale) else await _take(exchange, tx, row, held.grant, waited=waited)
    if isinstance(found, GrantRevoked):
        raise found
    return found


def _under_way(row: Row[Any]) -> bool:
    return bool(row.state == "exchanging" and not row.late)


def _is_newer(row: Row[Any], stale: int) -> bool:
    return bool(row.state == "valid" and row.epoch != stale)


async def _take(exchange: Exchange, tx: Write, row: Row[Any], grant: Grant, *, waited: bool) -> _Begun | GrantRevoked:
    """Marks the locked row as ours; the mark is committed before the call. Raises PlatformBusy, returns what ends the connection: that is committed, too."""
    if row.state == "unknown" and waited:
        raise PlatformBusy("The refresh that was waited for came to nothing.")
    interrupted = row.interrupted + (row.state == "exchanging")
    if interrupted > 1:
        await _lose(tx, exchange, row.epoch, INTERRUPTED)
        return GrantRevoked(INTERRUPTED, remedy="The customer must authorise again.")
    begun = _Begun(row.epoch + 1, grant, await _before(exchange, tx, row, grant), interrupted > 0)
    await _mark(tx, exchange, begun.epoch, interrupted)
    return begun


async def _seen(tx: Write, exchange: Exchange) -> Row[Any] | None:
    """The row as it is. ``late``: the exchange that began in it was killed. Raises GrantRevoked when there is none."""
    return _there((await tx.execute(_with_late(exchange))).first())


async def _locked(tx: Write, exchange: Exchange) -> Row[Any] | None:
    """The row, and nobody else's until this transaction ends. None while it is somebody else's: nobody queues for it."""
    return (await tx.execute(_with_late(exchange).with_for_update(skip_locked=True))).first()


def _with_late(exchange: Exchange) -> Any:
    late = credential.c.exchanging_since + EXCHANGE_LIMIT < func.clock_timestamp()
    return row_of(exchange.customer_id, exchange.connection_id).add_columns(late.label("late"))


async def _mark(tx: Write, exchange: Exchange, epoch: int, interrupted: int) -> None:
    """Committed before the call: whoever finds it knows that the platform may have replaced the token."""
    began: dict[str, Any] = {**_running(), "state": "exchanging", "epoch": epoch, "interrupted": interrupted}
    await change(tx, exchange.customer_id, exchange.connection_id, **began)


async def _prolong(tx: Write, exchange: Exchange, epoch: int) -> bool:
    """The mark as it would be if the exchange began now."""
    return await change(tx, exchange.customer_id, exchange.connection_id, only=epoch, **_running())


def _running() -> dict[str, Any]:
    """Since when it runs, and when a worker looks what has become of it."""
    return {"exchanging_since": func.clock_timestamp(), "keep_alive_at": func.clock_timestamp() + EXCHANGE_LIMIT}


async def _exchange(exchange: Exchange, begun: _Begun) -> Held:
    """The call, and what became of it, stored only while the credential is at our epoch."""
    try:
        answer, used = await _new_grant(exchange, begun)
    except GrantRevoked as error:
        reason = f"After an interrupted refresh: {error.message}" if begun.again else error.message
        if not await _settled(exchange, lambda tx: _lose(tx, exchange, begun.epoch, reason)):
            return await _current(exchange)
        raise
    except (HubError, *STORE_ERRORS) as error:
        kind = type(error).__name__
        await _settled(exchange, lambda tx: _doubt(tx, exchange, begun.epoch, kind))
        raise
    life = Life.of(grant := inherited(answer, used))
    if not await _settled(exchange, lambda tx: _store(tx, exchange, begun.epoch, grant, answer, used, life)):
        return await _current(exchange)
    due = None if life.refresh is None else asyncio.get_running_loop().time() + life.refresh
    return Held(grant, begun.epoch, due, proven=False)


async def _new_grant(exchange: Exchange, begun: _Begun) -> tuple[Grant, Grant]:
    """The answer, and the grant it was got with: the current one, or where that is refused without ever having worked, the one before."""
    try:
        return await _converse(exchange, begun.grant), begun.grant
    except GrantRevoked:
        if begun.before is None or not await _settled(exchange, lambda tx: _prolong(tx, exchange, begun.epoch)):
            raise
    return await _converse(exchange, begun.before), begun.before


async def _converse(exchange: Exchange, grant: Grant) -> Grant:
    connector = exchange.connector
    context = exchange.calls.current(connector, replace(exchange.context, grant=grant))
    try:
        async with asyncio.timeout(EXCHANGE_TIME):
            return await exchange.calls.converse(connector, context, connector.authorisation.refresh(context), exchange.gate)
    except TimeoutError:
        raise PlatformUnreachable("The platform does not answer the refresh of an authorisation.") from None
    except STUMBLES as error:
        raise ContractBroken(f"Reading the refreshed authorisation stumbled ({type(error).__name__}).") from None


async def _store(tx: Write, exchange: Exchange, epoch: int, grant: Grant, answer: Grant, used: Grant, life: Life) -> bool:
    """The new pair, and the one it was got with. Where the platform left the refresh token alone, so does its end stay."""
    mine = (exchange.customer_id, exchange.connection_id)
    sealer = await exchange.equipment.vault.sealer(tx, exchange.customer_id)
    fresh = values(sealer, exchange.connection_id, grant, life)
    ends: dict[str, Any] = {"grant_expires_at": later(life.end)}
    if answer.refresh_token is None and answer.refresh_expires_in is None:
        del fresh["refresh_expires_at"]
        ends = {}
    previous = sealed(sealer, exchange.connection_id, used, "previous")
    stored = await change(tx, *mine, only=epoch, previous=previous, **fresh)
    if stored and ends:
        await note(tx, *mine, **ends)
    return stored


async def _lose(tx: Write, exchange: Exchange, epoch: int, reason: str) -> bool:
    """Only the customer can help. Whether this version is still the current one: if not, a race was lost, not the grant."""
    mine = (exchange.customer_id, exchange.connection_id)
    over: dict[str, Any] = {"refresh_at": None, "keep_alive_at": None, "exchanging_since": None, "previous": None}
    if not await change(tx, *mine, only=epoch, state="reauth_required", reason=reason, **over):
        return False
    ending: dict[str, Any] = {"status": ConnectionStatus.REAUTHORISE, "last_fault": "Reauthorise", "last_fault_detail": reason}
    await note(tx, *mine, due_at=None, grant_expires_at=None, **ending)
    log.warning("grant_lost", connection=str(exchange.connection_id), kind="GrantRevoked")
    return True


async def _doubt(tx: Write, exchange: Exchange, epoch: int, reason: str) -> bool:
    """Nobody knows whether the platform has replaced the token. A worker tries again, later each time; so does the next run."""
    pause = func.least(PAUSE * func.power(2, func.least(credential.c.failures, 10)), LONGEST_PAUSE)
    changes = {"exchanging_since": None, "failures": credential.c.failures + 1, "keep_alive_at": func.clock_timestamp() + pause}
    return await change(tx, exchange.customer_id, exchange.connection_id, only=epoch, state="unknown", reason=reason, **changes)


async def _settled(exchange: Exchange, step: Callable[[Write], Awaitable[bool]]) -> bool:
    """One transaction; offered again while the database is away, since what it would store may be nowhere else."""
    loop = asyncio.get_running_loop()
    until = loop.time() + STORING
    while True:
        try:
            async with exchange.equipment.database.work() as tx:
                return await step(tx)
        except STORE_ERRORS as error:
            if loop.time() > until:
                raise
            log.warning("grant_waits", connection=str(exchange.connection_id), kind=type(error).__name__)
        await asyncio.sleep(AGAIN)


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


async def _held(equipment: Equipment, tx: Write, row: Row[Any] | None) -> Held:
    row = _there(row)
    if row.state in ("revoked", "reauth_required"):
        raise GrantRevoked(row.reason or "There is no usable authorisation.", remedy="The customer must authorise again.")
    sealer = await equipment.vault.sealer(tx, row.customer_id)
    # While an exchange runs the row holds the version before it: whoever reads it now must not take the next one for the same.
    epoch = row.epoch - 1 if row.state == "exchanging" else row.epoch
    due = None if row.refresh_in is None else asyncio.get_running_loop().time() + float(row.refresh_in)
    return Held(opened(sealer, row.connection_id, row.sealed), epoch, due, proven=row.previous is None)


def _there(row: Row[Any] | None) -> Row[Any]:
    if row is None:
        raise GrantRevoked("There is no usable authorisation.", remedy="The customer must authorise again.")
    return row


async def _before(exchange: Exchange, tx: Write, row: Row[Any], current: Grant) -> Grant | None:
    """The pair before, if it is kept and another one."""
    if row.previous is None:
        return None
    kept = opened(await exchange.equipment.vault.sealer(tx, exchange.customer_id), exchange.connection_id, row.previous, "previous")
    return kept if kept.refresh_token not in (None, current.refresh_token) else None
