"""How a pass over a window ends: whether its list moved while it was read, and what a proven full pass says of what it did not bring.

A list that is paged by number shifts when a record is put in or taken out before the place where one reads: a record comes twice, another one not at all, and the
figures may still add up. So the keys of a pass are kept while it lasts (``window_keys``), and at its end the different ones are counted. A pass proves nothing when

- its declared total went down meanwhile, or
- records came twice and the different ones are not as many as the platform declares, unless the pass before brought exactly the same keys and as many twice: then
  nothing moves, the platform serves some records twice.

Such a window is read again at once, :data:`PASSES` times in a row at most; after that it stays visibly unequal, and the next cycle asks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import RowMapping, TextClause, text

from hub.connect import Connector, Stream, Window
from hub.consent.bounds import Bounds
from hub.domain.facts import spec_of
from hub.store.database import Database, Write
from hub.store.driver import pipelined
from hub.store.keys import OF_FACT
from hub.store.pages import Ready, Run, write_page
from hub.sync.scope import UNEQUAL

log = structlog.get_logger("hub.sync")

PASSES = 3
"""How often a window is read in a row while its list moves."""

_MINE = "customer_id = :customer AND connection_id = :connection AND stream = :stream AND first_day = :first"
_KEPT = f"windows = :windows AND {_MINE}"
_WINDOW = """
SELECT pages, fetched, quarantined, rejected, declared_total, repeated, moved, passes, keys_print, coalesce(covered @> daterange(first_day, last_day, '[]'), false) AS covers, {unequal} AS unequal
FROM {windows} WHERE {mine} AND state = 'DONE'
"""
_BROUGHT = text(f"""
    WITH different AS MATERIALIZED (
        SELECT DISTINCT substring(k.records FROM 8 * i + 1 FOR 8) AS bytes FROM window_keys k CROSS JOIN LATERAL generate_series(0, length(k.records) / 8 - 1) AS i WHERE {_KEPT}
    ), counted AS (
        SELECT (SELECT coalesce(sum(length(records) / 8), 0) FROM window_keys WHERE {_KEPT}) AS brought, (SELECT count(*) FROM different) AS different
    )
    SELECT brought, different,
        CASE WHEN brought > different THEN (SELECT bit_xor(('x' || encode(bytes, 'hex'))::bit(64)::bigint) FROM different) END AS print,
        (SELECT min(p.serial) FROM window_keys k JOIN raw_page p ON p.customer_id = k.customer_id AND p.page_id = k.page_id
            WHERE k.customer_id = :customer AND k.connection_id = :connection AND k.windows = :windows AND k.stream = :stream AND k.first_day = :first) AS first_serial
    FROM counted
""")  # noqa: S608 -- our own text
_FORGET = text(f"DELETE FROM window_keys WHERE {_KEPT}")  # noqa: S608
_AGAIN = """
WITH again AS (
    UPDATE {windows} SET state = 'OPEN', cursor = NULL, covered = NULL, completed_at = NULL, declared_total = NULL, pages = 0, fetched = 0, stored = 0, unchanged = 0,
        quarantined = 0, rejected = 0, repeated = 0, moved = false, passes = passes + 1, keys_print = :print, reason = :reason
    WHERE {mine} RETURNING 1
)
UPDATE sync_run SET windows_done = windows_done - 1 WHERE customer_id = :customer AND run_id = :run
"""
_SETTLE = """
UPDATE {windows} SET repeated = :repeated, moved = :moved, keys_print = :print, reason = CASE WHEN :repeated > 0 OR :moved THEN :reason ELSE reason END,
    proven_from = coalesce(:proven, proven_from)
WHERE {mine}
"""
_GONE = """
WITH seen AS (
    SELECT DISTINCT substring(k.facts FROM 8 * i + 1 FOR 8) AS digest FROM window_keys k CROSS JOIN LATERAL generate_series(0, length(k.facts) / 8 - 1) AS i
    WHERE k.customer_id = %(customer)s AND k.connection_id = %(connection)s AND k.windows = %(windows)s AND k.stream = %(stream)s AND k.first_day = %(first)s
), gone AS (
    UPDATE {table} f SET known_to = %(business)s FROM raw_page p
    WHERE f.customer_id = %(customer)s AND f.connection_id = %(connection)s AND f.known_to IS NULL AND p.customer_id = f.customer_id AND p.page_id = f.page_id
        AND p.stream = %(stream)s AND (f.occurred_on IS NULL OR %(from)s::date IS NULL OR f.occurred_on BETWEEN %(from)s::date AND %(to)s::date) AND (%(state)s OR f.occurred_on BETWEEN %(first)s AND %(last)s) AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.digest = {digest})
    RETURNING f.fact_id
)
INSERT INTO fact_mark (customer_id, fact_id, mark, kind, run_id, at) SELECT %(customer)s, fact_id, 'GONE', %(kind)s, %(run)s, %(business)s FROM gone
"""

_FAIL = text("""
    UPDATE sync_window SET state = 'FAILED', reason = :reason WHERE customer_id = :customer AND connection_id = :connection AND stream = :stream
        AND first_day = :first AND state = 'OPEN'
        AND EXISTS (SELECT 1 FROM connection c WHERE c.customer_id = :customer AND c.connection_id = :connection AND c.epoch = :epoch)
""")


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass that has come to its end, in the transaction of its last page. ``bounds``: of what was consented when it was read; what lies outside was not asked for."""

    run: Run
    connector: Connector
    stream: Stream
    window: Window
    business: datetime
    bounds: Bounds | None = None

    @property
    def tells_deletions(self) -> bool:
        """Backfills have another scope than the live windows, so they tell none."""
        return tells_deletions(self.connector, self.stream) and self.run.windows == "sync_window"

    def of(self, statement: str) -> str:
        return statement.format(windows=self.run.windows, mine=_MINE, unequal=UNEQUAL)

    @property
    def values(self) -> dict[str, Any]:
        run = self.run
        names = {"customer": run.customer_id, "connection": run.connection_id, "run": run.run_id, "windows": run.windows}
        return {**names, "stream": self.stream.name, "first": self.window.first, "last": self.window.last}


@dataclass(frozen=True, slots=True)
class _Found:
    """What the keys of a pass say. ``print`` tells one set of keys from another."""

    repeated: int
    print: int | None
    first_serial: int | None
    moved: bool


def tells_deletions(connector: Connector, stream: Stream) -> bool:
    return stream.name in connector.manifest.absence_means_gone


async def write_last(database: Database, page: Ready, ended: Pass) -> bool:
    """The last page of a pass, and what follows from it, in one transaction: see :func:`settle`."""
    async with database.open() as opened:
        await write_page(partial(pipelined, opened.driver), opened.first, page)
        return await settle(opened.tx, ended)


async def settle(tx: Write, ended: Pass) -> bool:
    """Ends a pass. Whether the window is open again, to be read once more from its beginning."""
    window = (await tx.execute(text(ended.of(_WINDOW)), ended.values)).mappings().first()
    if window is None:
        return False
    found = await _found(tx, ended, window)
    if found is None:
        return False
    reason = (
        f"{found.repeated} records came twice"
        if found.repeated
        else "the declared total went down while the list was read"
        if found.moved
        else None
    )
    values = {**ended.values, "print": found.print, "reason": reason}
    if found.moved and window["passes"] < PASSES:
        await tx.execute(text(ended.of(_AGAIN)), values)
        await tx.execute(_FORGET, ended.values)
        log.info("window_moved", connection=str(ended.run.connection_id), stream=ended.stream.name, passes=window["passes"])
        return True
    said = {"repeated": found.repeated, "moved": found.moved, "proven": None}
    await tx.execute(text(ended.of(_SETTLE)), {**values, **said})
    if ended.tells_deletions:
        await _infer(tx, ended, found)
    await tx.execute(_FORGET, ended.values)
    return False


async def _found(tx: Write, ended: Pass, window: RowMapping) -> _Found | None:
    """None where one page held everything and nothing is to be inferred: nothing can have moved."""
    if window["pages"] == 1 and not ended.tells_deletions:
        return None
    brought = (await tx.execute(_BROUGHT, ended.values)).one()
    across = brought.brought - brought.different
    # Only a pass with repetitions can explain those of the next one.
    print_ = None if not across else (brought.print + across) % 2**63
    moved = window["moved"] or (across > 0 and _has_moved(window, across, print_))
    # Until here the window counts the records that came twice on one page.
    return _Found(window["repeated"] + across, print_, brought.first_serial, moved)


def _has_moved(window: RowMapping, across: int, print_: int | None) -> bool:
    """Records came on two pages: that proves a move unless the different ones are all there are, or the pass before brought the same."""
    declared = window["declared_total"]
    if declared is not None and declared == window["fetched"] - window["repeated"] - across:
        return False
    return not (print_ == window["keys_print"] and declared in (None, window["fetched"]))


async def _infer(tx: Write, ended: Pass, found: _Found) -> None:
    """Closes what was live in the scope of a proven full pass and did not come again: GONE. An unproven one says nothing. A record that was rejected came: it is
    among the keys, and no deletion."""
    window = (await tx.execute(text(ended.of(_WINDOW)), ended.values)).mappings().one()
    complete = window["covers"] and not (window["unequal"] or window["quarantined"])
    state = ended.stream.window_days == 0
    if not complete or not (state or window["declared_total"] is not None):
        return
    proven = {
        "repeated": found.repeated,
        "moved": False,
        "proven": found.first_serial,
        "print": found.print,
        "reason": f"{found.repeated} records came twice",
    }
    await tx.execute(text(ended.of(_SETTLE)), {**ended.values, **proven})
    for kind in ended.stream.facts:
        spec = spec_of(kind)
        held = {"from": ended.bounds and ended.bounds.first, "to": ended.bounds and ended.bounds.last}
        values = {**ended.values, **held, "kind": spec.name, "state": state, "business": ended.business}
        gone = (await tx.exec_driver_sql(_GONE.format(table=spec.table, digest=OF_FACT), values)).rowcount
        if gone:
            log.info("facts_gone", connection=str(ended.run.connection_id), stream=ended.stream.name, kind=spec.name, count=gone)


def failing(run: Run) -> TextClause:
    """Ends a pass that failed, of the live windows or of those of a backfill."""
    return _FAIL if run.windows == "sync_window" else text(_FAIL.text.replace("sync_window", run.windows))
