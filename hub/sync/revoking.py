"""Ending a connection: at once in the hub, then at the platform, which nobody waits for (trust rules, section a, 7).

``disconnect`` is one update in whatever transaction asks for it. A worker then finds a credential whose connection has ended, or whose last consent is no longer in
force, and turns it into a row "revocation due"; another look tells the platform. What the platform answers is recorded. The token goes with the first answer, or with the last
attempt.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func, insert, text, update
from sqlalchemy.engine import RowMapping

from hub.connect import STUMBLES, Request, Response
from hub.domain.enums import ConnectionStatus
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import ContractBroken, GrantRevoked, HubError, NotFound, SecretMissing
from hub.store.database import Write
from hub.store.tables import connection, revocation
from hub.sync import credentials
from hub.sync.calls import Calls
from hub.sync.context import Equipment, load
from hub.sync.grants import EXCHANGE_LIMIT
from hub.vault import Place

log = structlog.get_logger("hub.revoking")

REQUESTED, CONSENT_ENDED = "REQUESTED", "CONSENT_ENDED"
WAITS = (60, 300, 1800, 7200, 21600)
"""Seconds between the attempts to tell a platform; after one more the hub gives up: the token goes, and a person may look."""
AT_ONCE = 8
"""Revocations of one platform that a worker takes at a time."""

_END = text("""
    UPDATE connection SET status = 'DISCONNECTED', ended_at = clock_timestamp(), ended_reason = :reason, epoch = epoch + 1,
        due_at = NULL, lease_until = NULL, grant_expires_at = NULL, last_fault = NULL, last_fault_detail = NULL
    WHERE customer_id = :customer AND connection_id = :connection AND status <> 'DISCONNECTED'
""")
# An exchange that is under way may bring a token that nobody would ever revoke: its end is waited for.
_ENDED = """
    FROM credential k JOIN connection c ON c.customer_id = k.customer_id AND c.connection_id = k.connection_id
    WHERE (k.state <> 'exchanging' OR k.exchanging_since < now() - make_interval(secs => :limit))
        AND (c.status = 'DISCONNECTED' OR NOT EXISTS (SELECT 1 FROM consent s WHERE s.customer_id = k.customer_id AND s.connector = c.connector
            AND s.status IN ('ACTIVE', 'PAUSED') AND (s.expires_at IS NULL OR s.expires_at > :business)))
"""
_FIND = text(f"SELECT k.customer_id, k.connection_id {_ENDED} LIMIT 200")
_TAKE = text(f"""
    SELECT k.sealed, c.connector, c.status, c.ended_reason {_ENDED} AND k.customer_id = :customer AND k.connection_id = :connection
    FOR UPDATE OF k SKIP LOCKED
""")
_FORGET = text("DELETE FROM credential WHERE customer_id = :customer AND connection_id = :connection")
# The next attempt is set before this one is made: a worker that dies has spent one.
_CLAIM = text("""
    UPDATE revocation SET attempts = attempts + 1,
        due_at = clock_timestamp() + make_interval(secs => (CAST(:waits AS int[]))[least(attempts + 1, cardinality(CAST(:waits AS int[])))])
    WHERE (customer_id, revocation_id) IN (SELECT r.customer_id, r.revocation_id FROM revocation r WHERE r.state = 'DUE' AND r.due_at <= now()
        AND r.connector = :connector ORDER BY r.due_at LIMIT :at_once FOR UPDATE SKIP LOCKED)
    RETURNING customer_id, revocation_id, connection_id, sealed, attempts
""")
_ABANDON = text("""
    UPDATE revocation SET state = 'GAVE_UP', sealed = NULL, ended_at = clock_timestamp(), answer = 'its connector is not configured here any more'
    WHERE state = 'DUE' AND connector <> ALL(:known) AND asked_at < now() - interval '1 day'
""")


async def disconnect(tx: Write, customer_id: CustomerId, connection_id: UUID, reason: str = REQUESTED) -> bool:
    """Ends a connection with the commit: nothing is claimed, fetched or stored for it any more. Whether it was connected. Raises NotFound."""
    values = {"customer": customer_id, "connection": connection_id, "reason": reason}
    if (await tx.execute(_END, values)).rowcount:
        return True
    mine = (connection.c.customer_id == customer_id, connection.c.connection_id == connection_id)
    if (await tx.execute(connection.select().where(*mine))).first() is None:
        raise NotFound("There is no such connection.")
    return False


async def settle_ended(equipment: Equipment) -> int:
    """Takes the grants of connections that have ended out of use. Calls no platform. Returns how many."""
    limits = {"limit": EXCHANGE_LIMIT.total_seconds(), "business": equipment.clock.now()}
    async with equipment.database.work() as tx:
        found = (await tx.execute(_FIND, limits)).all()
        await tx.execute(_ABANDON, {"known": sorted(equipment.connectors.keys() & equipment.configs.keys())})
    return sum([await _settle(equipment, CustomerId(row.customer_id), row.connection_id, limits) for row in found])


async def _settle(equipment: Equipment, customer_id: CustomerId, connection_id: UUID, limits: dict[str, Any]) -> bool:
    """One of them, looked at again under its lock: the customer may just have authorised anew."""
    key = {"customer": customer_id, "connection": connection_id}
    async with equipment.database.work() as tx:
        row = (await tx.execute(_TAKE, {**key, **limits})).first()
        if row is None:
            return False
        if row.status != ConnectionStatus.DISCONNECTED:
            await disconnect(tx, customer_id, connection_id, CONSENT_ENDED)
        reason = row.ended_reason or CONSENT_ENDED
        due = {"customer_id": customer_id, "connection_id": connection_id, "connector": row.connector, "reason": reason}
        await tx.execute(insert(revocation).values(**due, **await _moved(equipment, tx, customer_id, connection_id, row.sealed)))
        await tx.execute(_FORGET, key)
    log.info("disconnected", connection=str(connection_id), kind=reason)
    return True


async def _moved(equipment: Equipment, tx: Write, customer_id: CustomerId, connection_id: UUID, sealed: bytes) -> dict[str, Any]:
    """The grant, bound to its new place. One whose key was destroyed can be told to nobody."""
    revocation_id, now = new_id(), func.clock_timestamp()
    columns = {"revocation_id": revocation_id, "asked_at": now, "due_at": now}
    try:
        sealer = await equipment.vault.sealer(tx, customer_id)
        grant = sealer.open(credentials.place(connection_id), sealed)
    except SecretMissing:
        return {**columns, "state": "GAVE_UP", "ended_at": now, "answer": "the grant is unreadable: its key was destroyed"}
    return {**columns, "state": "DUE", "sealed": sealer.seal(_place(revocation_id), grant)}


@dataclass(frozen=True, slots=True)
class Revoker:
    """Tells platforms that connections have ended."""

    equipment: Equipment
    calls: Calls

    async def look(self, connector: str) -> int:
        """Tells one platform of everything that is due, a few at a time. Returns how many were tried."""
        async with self.equipment.database.work() as tx:
            values = {"connector": connector, "waits": list(WAITS), "at_once": AT_ONCE}
            claimed: Sequence[RowMapping] = (await tx.execute(_CLAIM, values)).mappings().all()
        for row in claimed:
            await self._attempt(row)
        return len(claimed)

    async def _attempt(self, row: RowMapping) -> None:
        try:
            answer, state = await self._tell(row), "DONE"
        except GrantRevoked as error:
            answer, state = f"the grant had ended before: {error.message}", "DONE"
        except HubError as error:
            answer, state = f"{type(error).__name__}: {error.message}", "GAVE_UP" if row["attempts"] > len(WAITS) else "DUE"
        ended = {} if state == "DUE" else {"sealed": None, "ended_at": func.clock_timestamp()}
        mine = (revocation.c.customer_id == row["customer_id"], revocation.c.revocation_id == row["revocation_id"])
        async with self.equipment.database.work() as tx:
            await tx.execute(update(revocation).where(*mine, revocation.c.state == "DUE").values(state=state, answer=answer, **ended))
        log.info("revocation", connection=str(row["connection_id"]), kind=state)

    async def _tell(self, row: RowMapping) -> str:
        """Raises a HubError when the platform could not be told."""
        customer_id = CustomerId(row["customer_id"])
        async with self.equipment.database.work() as tx:
            found = await load(self.equipment, tx, customer_id, row["connection_id"])
            sealer = await self.equipment.vault.sealer(tx, customer_id)
        grant = credentials.as_grant(sealer.open(_place(row["revocation_id"]), row["sealed"]))
        context, heard = self.calls.current(found.connector, replace(found.context, grant=grant)), list[int]()
        try:
            await self.calls.converse(found.connector, context, _overheard(found.connector.authorisation.revoke(context), heard))
        except STUMBLES as error:
            raise ContractBroken(f"Reading the answer stumbled ({type(error).__name__}).") from None
        return f"status {', '.join(map(str, heard))}" if heard else "the platform has no such call"


def _overheard(dialogue: Generator[Request, Response, None], heard: list[int]) -> Generator[Request, Response, None]:
    """The same dialogue; the status of each answer is noted."""
    try:
        request = next(dialogue)
        while True:
            response = yield request
            heard.append(response.status)
            request = dialogue.send(response)
    except StopIteration:
        return


def _place(revocation_id: UUID) -> Place:
    return Place("revocation", "sealed", str(revocation_id))
