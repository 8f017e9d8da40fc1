"""Who may write: a connection is claimed by raising its epoch; whoever holds an older one writes nothing (trust rules, section k).

Expiry is the claim condition, so there is no reaper that could die, and nothing is stuck in "running". Times are the database's.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from hub.domain.enums import Verdict
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import LeaseLost
from hub.store.database import Write
from hub.store.pages import LEASE_SECONDS, Run

_CLAIM = text("""
    UPDATE connection SET epoch = epoch + 1, lease_until = now() + make_interval(secs => :lease)
    WHERE customer_id = :customer AND connection_id = :connection AND status = 'ACTIVE' AND due_at <= now() AND coalesce(lease_until, '-infinity') < now()
    RETURNING epoch
""")
_BEGIN = text(
    "INSERT INTO sync_run (customer_id, run_id, connection_id, epoch, started_at) VALUES (:customer, :run, :connection, :epoch, now())"
)
# Whoever made the connection due while the run went on (a new authorisation, another source consented) is not forgotten by its end.
_END = text("""
    UPDATE connection c SET lease_until = NULL, last_verdict = :verdict, last_fault = :fault, last_fault_detail = :detail,
        due_at = CASE WHEN c.due_at > r.started_at THEN c.due_at ELSE now() + make_interval(secs => CAST(:again AS double precision)) END,
        status = CASE WHEN c.due_at > r.started_at THEN c.status ELSE coalesce(:status, c.status) END
    FROM sync_run r WHERE r.customer_id = c.customer_id AND r.run_id = :run
        AND c.customer_id = :customer AND c.connection_id = :connection AND c.epoch = :epoch
""")
_RENEW = text("""
    UPDATE connection SET lease_until = now() + make_interval(secs => :lease)
    WHERE customer_id = :customer AND connection_id = :connection AND epoch = :epoch
""")
_RELEASE = text("UPDATE connection SET lease_until = NULL WHERE customer_id = :customer AND connection_id = :connection AND epoch = :epoch")
_CLOSE = text(
    "UPDATE sync_run SET ended_at = now(), verdict = :verdict, fault = :fault, fault_detail = :detail WHERE customer_id = :customer AND run_id = :run"
)


async def claim(tx: Write, customer_id: CustomerId, connection_id: UUID, lease: float = LEASE_SECONDS) -> Run | None:
    """A new run, or None when the connection is not due, not active, or another worker's."""
    values = {"customer": customer_id, "connection": connection_id, "lease": lease}
    epoch = (await tx.execute(_CLAIM, values)).scalar()
    if epoch is None:
        return None
    run = Run(customer_id, connection_id, new_id(), epoch, lease)
    await tx.execute(_BEGIN, {"customer": customer_id, "connection": connection_id, "run": run.run_id, "epoch": epoch})
    return run


async def renew(tx: Write, run: Run) -> None:
    """A run that waits for its platform is alive: nobody needs to take over. Raises LeaseLost."""
    values = {"customer": run.customer_id, "connection": run.connection_id, "epoch": run.epoch, "lease": run.lease}
    if (await tx.execute(_RENEW, values)).rowcount != 1:
        raise LeaseLost


async def release(tx: Write, run: Run) -> None:
    """Gives a run up that was told to stop: the connection is still due, another worker may have it at once."""
    await tx.execute(_RELEASE, {"customer": run.customer_id, "connection": run.connection_id, "epoch": run.epoch})


async def finish(
    tx: Write,
    run: Run,
    verdict: Verdict,
    *,
    fault: str | None = None,
    detail: str | None = None,
    again: float | None = None,
    status: str | None = None,
) -> None:
    """Ends a run, fenced like a page. ``again`` is in how many seconds the connection is due; None: not scheduled. Raises LeaseLost."""
    values = {"customer": run.customer_id, "connection": run.connection_id, "epoch": run.epoch, "run": run.run_id}
    said = {"verdict": verdict, "fault": fault, "detail": detail}
    if (await tx.execute(_END, {**values, **said, "again": again, "status": status})).rowcount != 1:
        raise LeaseLost
    await tx.execute(_CLOSE, {"customer": run.customer_id, "run": run.run_id, **said})
