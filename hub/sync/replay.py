"""Folds the raw pages of one connection again with today's code, and writes what differs as new versions.

All pages of the streams in question are folded, whatever part of them is wanted: only so does the newest page that speaks of a key decide about it, and an older
one overwrites nothing. Then what lives is compared with the fold (:mod:`hub.sync.fold`):

- the same content: nothing is written, so that a second replay writes nothing;
- another content, or a key that did not live: a new version with the page it comes from, marked REPLAYED;
- a live fact whose page was read and no longer gives it, and no other page does: closed, marked RETRACTED. That is sound only where every page of its window was read
  without a doubt, so it is done only when whole streams are folded;
- what a page that cannot be read today may have said since is left as it is, and counted as doubtful;
- a record that lies outside of what is consented now is not taken from its page, and counted as rejected: what lives of it is left to its life (ADR 56).

Records in quarantine that can be read are resolved, in the transaction that writes their facts; what is refused now and was not before is put there.
The connection is held meanwhile (:mod:`hub.sync.aside`): no page of a sync comes in between. Each page's changes are one transaction, fenced like a page, so that a
replay that dies is simply started again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from sqlalchemy import text

from hub.connect import Context, Stream
from hub.domain.enums import Verdict
from hub.domain.facts import spec_of, spec_of_name
from hub.domain.identifiers import CustomerId
from hub.errors import ConsentMissing, GrantRevoked
from hub.store.database import Write
from hub.store.facts import Batch, PageScope, write_batch
from hub.store.pages import Run
from hub.sync import grants, mending
from hub.sync.aside import Errand, end, holding
from hub.sync.claim import renew
from hub.sync.context import Equipment, load
from hub.sync.fold import Comparison, Fold, Kind, WindowKey, Winner
from hub.sync.kept import Kept, Opened, Reading, allowed, bodies, pages_of, portions
from hub.sync.mending import Mend
from hub.sync.settings import Patience

Keys = dict[str, set[str]]
"""By kind."""

_HELD = text("""
    SELECT 1 FROM consent c JOIN consent p ON p.customer_id = c.customer_id AND p.source = c.source AND p.grantee = c.grantee AND p.purpose = c.purpose
    WHERE p.customer_id = :customer AND p.consent_id = :consent AND p.status IN ('ACTIVE', 'SUPERSEDED')
        AND c.status = 'ACTIVE' AND (c.expires_at IS NULL OR c.expires_at > :business) AND c.data_from <= :first AND c.data_to >= :last
        AND (c.kinds IS NULL OR c.kinds @> CAST(:kinds AS text[])) FOR SHARE OF c
""")
_COUNT = text("""
    UPDATE sync_run SET windows_done = windows_done + 1, stored = stored + :stored, quarantined = quarantined + :quarantined WHERE customer_id = :customer AND run_id = :run
""")
_MARK = """
INSERT INTO fact_mark (customer_id, fact_id, mark, kind, run_id, at) SELECT f.customer_id, f.fact_id, 'REPLAYED', :kind, :run, :business FROM {table} f
WHERE f.customer_id = :customer AND f.connection_id = :connection AND f.known_to IS NULL AND f.page_id = :page AND f.source_key = ANY(:keys) ON CONFLICT DO NOTHING
"""
_RETRACT = """
WITH closed AS (
    UPDATE {table} f SET known_to = :business WHERE f.customer_id = :customer AND f.fact_id = ANY(:facts) AND f.known_to IS NULL RETURNING f.fact_id
)
INSERT INTO fact_mark (customer_id, fact_id, mark, kind, run_id, at) SELECT :customer, fact_id, 'RETRACTED', :kind, :run, :business FROM closed
"""
_CLOSED = text("UPDATE sync_run SET stored = stored + :closed WHERE customer_id = :customer AND run_id = :run")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which part of what the pages say is wanted. ``first`` and ``last`` are first days of windows; None: all."""

    stream: str | None = None
    first: date | None = None
    last: date | None = None
    quarantined: bool = False

    @property
    def whole_streams(self) -> bool:
        """Only then can be said that no page gives a fact any more."""
        return self.first is None and self.last is None and not self.quarantined

    def covers(self, window: WindowKey) -> bool:
        stream, first_day = window
        dated = (self.first is None or first_day >= self.first) and (self.last is None or first_day <= self.last)
        return dated and self.stream in (None, stream)


@dataclass
class Report:
    """What a replay did, or would do. Pages and records in quarantine are those that the filter covers; ``unread`` counts pages by why, ``rejected`` records."""

    kinds: dict[str, Kind] = field(default_factory=lambda: defaultdict(Kind))
    pages: int = 0
    unread: Counter[str] = field(default_factory=Counter)
    quarantined_before: int = 0
    resolved: int = 0
    refused: int = 0
    rejected: int = 0

    @property
    def quarantined_after(self) -> int:
        return self.quarantined_before - self.resolved + self.refused

    @property
    def versions(self) -> int:
        return sum(kind.added + kind.changed for kind in self.kinds.values())

    def add(self, other: Report) -> None:
        for name, kind in other.kinds.items():
            mine = self.kinds[name]
            for figure, value in vars(kind).items():
                setattr(mine, figure, getattr(mine, figure) + value)
        self.unread += other.unread
        for figure in ("pages", "quarantined_before", "resolved", "refused", "rejected"):
            setattr(self, figure, getattr(self, figure) + getattr(other, figure))


@dataclass
class _Changes:
    """What is to be written: keys by page, facts to close by kind, and per page what becomes of its records in quarantine."""

    keys: dict[int, Keys] = field(default_factory=dict)
    retracted: dict[str, list[UUID]] = field(default_factory=dict)
    mends: dict[int, Mend] = field(default_factory=dict)

    def take(self, compared: Comparison) -> None:
        for winner, key in compared.to_write:
            self.keys.setdefault(winner.serial, {}).setdefault(compared.kind, set()).add(key)
        if compared.to_close:
            self.retracted[compared.kind] = compared.to_close

    def serials(self) -> set[int]:
        return {*self.keys, *(serial for serial, mend in self.mends.items() if mend)}


class Replay:
    """One connection. ``told`` hears of every page that was read."""

    def __init__(
        self, equipment: Equipment, wanted: Filter, customer_id: CustomerId, connection_id: UUID, told: Callable[[], None] | None = None
    ) -> None:
        self.equipment, self.wanted, self.told = equipment, wanted, told or (lambda: None)
        self.customer_id, self.connection_id = customer_id, connection_id
        self.report = Report()

    async def look(self) -> Report:
        """What a replay would do. Writes nothing and holds nothing."""
        await self._compare(await self._reading())
        return self.report

    async def run(self, patience: Patience, batch_id: UUID) -> Report:
        """Raises PlatformBusy when a sync has the connection, LeaseLost when it was taken over, SecretMissing when its customer was erased."""
        errand = Errand(self.customer_id, self.connection_id, "REPLAY", batch_id)
        async with holding(self.equipment.database, patience, errand) as run:
            reading = await self._reading()
            pages, changes = await self._compare(reading)
            touched = changes.serials()
            async for opened in self._open(reading, [page for page in pages if page.serial in touched]):
                await self._write(run, reading, opened, changes)
            await self._retract(run, changes)
            async with self.equipment.database.work() as tx:
                await end(tx, run, Verdict.INCOMPLETE if self.report.unread else Verdict.COMPLETE)
        return self.report

    async def _reading(self) -> Reading:
        equipment = self.equipment
        async with equipment.database.work() as tx:
            subjected = await load(equipment, tx, self.customer_id, self.connection_id)
            try:
                grant = (await grants.read(equipment, tx, self.customer_id, self.connection_id)).grant
            except GrantRevoked:
                # Most connectors read a page without it; one that cannot leaves its pages unread.
                grant = None
            sealer = await equipment.vault.sealer(tx, self.customer_id)
            consents = await allowed(tx, self.customer_id, equipment.clock.now())
        streams = _of_shared_kinds(subjected.connector.streams, self.wanted.stream)
        contexts: dict[str, Context] = {
            name: replace(subjected.for_source(stream.source), grant=grant)
            for name, stream in streams.items()
            if stream in subjected.streams()
        }
        absent = subjected.connector.manifest.absence_means_gone
        return Reading(self.customer_id, self.connection_id, streams, contexts, sealer, equipment.blind, consents, absent)

    async def _compare(self, reading: Reading) -> tuple[list[Kept], _Changes]:
        """Folds every page and compares the outcome with what lives."""
        mine, names = (self.customer_id, self.connection_id), list(reading.streams)
        states = {name for name, stream in reading.streams.items() if stream.window_days == 0}
        async with self.equipment.database.work() as tx:
            pages = await pages_of(tx, *mine, names)
            fold = Fold(await mending.proven(tx, *mine, reading.absent, states))
            waiting = await mending.waiting(tx, *mine, names)
        changes = _Changes()
        async for opened in self._open(reading, pages):
            fold.add(opened)
            self._sort(opened, waiting.get(opened.page.page_id, {}), changes)
            self.told()
        positions = {page.serial: frozenset(waiting.get(page.page_id, {})) for page in pages if page.page_id in waiting}
        for kind in sorted(
            {kind.__name__ for stream in reading.streams.values() for kind in stream.facts if self.wanted.stream in (None, stream.name)}
        ):
            await self._compare_kind(fold, kind, positions, changes)
        return pages, changes

    async def _compare_kind(self, fold: Fold, kind: str, waiting: Mapping[int, frozenset[int]], changes: _Changes) -> None:
        def wants(winner: Winner) -> bool:
            covered = self.wanted.covers(fold.windows[winner.serial])
            return covered and (not self.wanted.quarantined or winner.position in waiting.get(winner.serial, ()))

        compared = Comparison(fold, kind, self.wanted.covers, wants, self.wanted.whole_streams, self.report.kinds[kind])
        async for live in mending.living(self.equipment.database, self.customer_id, self.connection_id, kind):
            compared.lives(live)
        compared.rest()
        changes.take(compared)

    async def _open(self, reading: Reading, pages: Sequence[Kept]) -> AsyncIterator[Opened]:
        for portion in portions(pages):
            async with self.equipment.database.work() as tx:
                found = await bodies(tx, self.customer_id, portion)
            for page in portion:
                yield reading.read(page, found[page.page_id])

    def _sort(self, opened: Opened, waiting: Mapping[int, UUID], changes: _Changes) -> None:
        """What becomes of a page's records in quarantine."""
        if not self.wanted.covers((opened.page.stream, opened.page.first_day)):
            return
        self.report.pages += 1
        self.report.quarantined_before += len(waiting)
        if opened.unread is not None:
            self.report.unread[opened.unread] += 1
            return
        self.report.rejected += len(opened.rejected)
        mended = mending.mend(opened, waiting, only_waiting=self.wanted.quarantined)
        self.report.resolved += len(mended.resolved)
        self.report.refused += len(mended.refused)
        changes.mends[opened.page.serial] = mended

    async def _write(self, run: Run, reading: Reading, opened: Opened, changes: _Changes) -> None:
        """One page's changes, in one transaction."""
        page, business = opened.page, self.equipment.clock.now()
        keys, mended = changes.keys.get(page.serial, {}), changes.mends.get(page.serial, Mend())
        async with self.equipment.database.work() as tx:
            await renew(tx, run)
            bounds = reading.consents[page.consent_id]
            held = {"first": bounds.first, "last": bounds.last, "kinds": None if bounds.kinds is None else sorted(bounds.kinds)}
            values = {"customer": run.customer_id, "consent": page.consent_id, "business": business, **held}
            if (await tx.execute(_HELD, values)).first() is None:
                raise ConsentMissing("The consent ended or became narrower while its pages were replayed.")
            scope = PageScope(run.customer_id, run.connection_id, page.consent_id, page.page_id, business)
            counts = await write_batch(tx, scope, _part_of(opened.batch, keys))
            await self._mark(tx, run, scope, keys)
            await mending.write(tx, reading.sealer, opened, mended, business)
            said = {"stored": counts.stored, "quarantined": len(mended.refused)}
            await tx.execute(_COUNT, {"customer": run.customer_id, "run": run.run_id, **said})

    async def _mark(self, tx: Write, run: Run, scope: PageScope, keys: Keys) -> None:
        mine = {
            "customer": run.customer_id,
            "connection": run.connection_id,
            "run": run.run_id,
            "page": scope.page_id,
            "business": scope.known_from,
        }
        for kind, own in keys.items():
            await tx.execute(text(_MARK.format(table=spec_of_name(kind).table)), {**mine, "kind": kind, "keys": list(own)})

    async def _retract(self, run: Run, changes: _Changes) -> None:
        for kind, facts in changes.retracted.items():
            async with self.equipment.database.work() as tx:
                await renew(tx, run)
                values = {
                    "customer": run.customer_id,
                    "run": run.run_id,
                    "kind": kind,
                    "facts": facts,
                    "business": self.equipment.clock.now(),
                }
                closed = (await tx.execute(text(_RETRACT.format(table=spec_of_name(kind).table)), values)).rowcount
                await tx.execute(_CLOSED, {"customer": run.customer_id, "run": run.run_id, "closed": closed})


def _part_of(batch: Batch, keys: Keys) -> Batch:
    """The rows of these keys."""
    part = Batch()
    for cls, rows in batch.kinds.items():
        part.add(cls, [rows[key] for key in sorted(keys.get(spec_of(cls).name, ()))])
    return part


def _of_shared_kinds(streams: Sequence[Stream], wanted: str | None) -> dict[str, Stream]:
    """The streams to fold: the one that is wanted, and those that bring facts of the same kinds. All if none is named."""
    kinds = {kind for stream in streams if wanted in (None, stream.name) for kind in stream.facts}
    return {stream.name: stream for stream in streams if kinds & set(stream.facts)}
