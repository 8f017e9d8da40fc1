"""Who may write: a connection is claimed by raising its epoch; whoever holds an older one writes nothing (trust rules, section k).

Expiry is the claim condition, so there is no reaper that could die, and nothing is stuck in "running". Times are the database's.
"""

from __future__ import annotations

from dataclasses import dataclass
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
# A run whose worker died has no verdict, and gets none: what it planned goes on. That it is over is seen by whoever claims after it.
_BEGIN = text("""
    WITH abandoned AS (
        UPDATE sync_run SET ended_at = now(), fault = 'LeaseExpired', fault_detail = 'its worker fell silent; the next run went on from its pages'
        WHERE customer_id = :customer AND connection_id = :connection AND ended_at IS NULL AND epoch < :epoch)
    INSERT INTO sync_run (customer_id, run_id, connection_id, epoch, started_at) VALUES (:customer, :run, :connection, :epoch, now())
""")
_WAIT = """
    CASE WHEN CAST(:phase AS float8) IS NOT NULL THEN :again * (0.1 + x.ahead - floor(x.ahead))
        WHEN CAST(:longest AS float8) IS NOT NULL THEN least(:longest, :again * power(2, least(c.failures, 20))) * (0.75 + random() / 2)
        ELSE :again END
"""
# Whoever made the connection due while the run went on (a new authorisation, another source consented) is not forgotten by its end.
_END = text(f"""
    UPDATE connection c SET lease_until = NULL, last_verdict = :verdict, last_fault = :fault, last_fault_detail = :detail,
        failures = CASE WHEN :verdict IN ('COMPLETE', 'EMPTY_EXPECTED') THEN 0 WHEN :verdict = 'PARKED' THEN c.failures ELSE c.failures + 1 END,
        due_at = CASE WHEN c.due_at > r.started_at THEN c.due_at ELSE now() + make_interval(secs => {_WAIT}) END,
        status = CASE WHEN c.due_at > r.started_at THEN c.status ELSE coalesce(:status, c.status) END
    FROM sync_run r, (SELECT :phase - extract(epoch FROM now())::float8 / CAST(:again AS float8) - 0.1 AS ahead) x
    WHERE r.customer_id = c.customer_id AND r.run_id = :run
        AND c.customer_id = :customer AND c.connection_id = :connection AND c.epoch = :epoch
""")  # noqa: S608 -- our own text
_RENEW = text("""
    UPDATE connection SET lease_until = now() + make_interval(secs => :lease)
    WHERE customer_id = :customer AND connection_id = :connection AND epoch = :epoch
""")
_RELEASE = text("""
    WITH mine AS (
        UPDATE connection SET lease_until = NULL WHERE customer_id = :customer AND connection_id = :connection AND epoch = :epoch RETURNING 1)
    UPDATE sync_run SET ended_at = now(), fault = 'HandedBack', fault_detail = 'its worker was told to stop; the next run goes on from its pages'
    WHERE customer_id = :customer AND run_id = :run AND ended_at IS NULL AND EXISTS (SELECT 1 FROM mine)
""")
_CLOSE = text(
    "UPDATE sync_run SET ended_at = now(), verdict = :verdict, fault = :fault, fault_detail = :detail WHERE customer_id = :customer AND run_id = :run"
)


@dataclass(frozen=True, slots=True)
class Again:
    """When a connection is due after a run, in seconds of the database's clock.

    Plain: after ``seconds``. With ``longest``: twice as long after each failure in a row, up to that, give or take a quarter. With ``phase`` (0 to 1,
    a hash of the connection): at the connection's own point in a period of ``seconds``, which is a tenth of a period away at least and 1.1 at most, so
    that what was connected in the same second is spread over the whole period from its first run on.
    """

    seconds: float
    longest: float | None = None
    phase: float | None = None


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
    await tx.execute(_RELEASE, {"customer": run.customer_id, "connection": run.connection_id, "epoch": run.epoch, "run": run.run_id})


async def finish(
    tx: Write,
    run: Run,
    verdict: Verdict,
    *,
    fault: str | None = None,
    detail: str | None = None,
    again: Again | None = None,
    status: str | None = None,
) -> None:
    """Ends a run, fenced like a page. ``again`` says when the connection is due; None: not scheduled. Raises LeaseLost."""
    values = {"customer": run.customer_id, "connection": run.connection_id, "epoch": run.epoch, "run": run.run_id}
    said = {"verdict": verdict, "fault": fault, "detail": detail}
    due = {"again": again and again.seconds, "longest": again and again.longest, "phase": again and again.phase}
    if (await tx.execute(_END, {**values, **said, **due, "status": status})).rowcount != 1:
        raise LeaseLost
    await tx.execute(_CLOSE, {"customer": run.customer_id, "run": run.run_id, **said})
