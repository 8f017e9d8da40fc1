"""``hub replay`` and ``hub backfill``: what is known is read again, from the kept pages or from the platform.

Both are audited when they begin, so that one that dies is in the chain, too, and with their figures when they end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from sqlalchemy import text

from hub.access.audit import audited
from hub.cli import until
from hub.cli.options import console, emit, settings
from hub.cli.processes import with_runtime
from hub.cli.runtime import Runtime
from hub.domain.enums import Verdict
from hub.domain.identifiers import CustomerId
from hub.errors import InvalidInput, NotFound
from hub.store.database import Write
from hub.sync.backfill import Backfill, Backfilled, Past
from hub.sync.backfill import Wanted as Range
from hub.sync.replays import Replays, Summary, Wanted

_CONNECTIONS = text("""
    SELECT customer_id, connection_id, connector FROM connection
    WHERE (CAST(:connection AS uuid) IS NULL OR connection_id = :connection) AND (CAST(:customer AS uuid) IS NULL OR customer_id = :customer)
    ORDER BY connection_id
""")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked again at the platform. One of ``customer`` and ``connection`` is named."""

    customer: UUID | None
    connection: UUID | None
    stream: str
    first: date
    last: date


def replay(home: Path | None, wanted: Wanted, *, as_json: bool) -> None:
    """Exit code 1 when a connection was left out or a page could not be read."""
    summary = until.run(_replayed(home, wanted, quiet=as_json))
    _show(summary, wanted, as_json=as_json)
    if summary.left or summary.report.unread:
        raise typer.Exit(1)


def backfill(home: Path | None, asked: Asked, *, as_json: bool) -> None:
    """Exit code 1 unless everything was read."""
    done = until.run(_backfilled(home, asked, quiet=as_json))
    if as_json:
        emit(_backfill_document(done))
    else:
        _tell_windows(done.windows)
        console.print(f"{done.first} to {done.last}: {done.verdict}{f', {done.detail}' if done.detail else ''}.")
    if done.verdict not in (Verdict.COMPLETE, Verdict.EMPTY_EXPECTED):
        raise typer.Exit(1)


async def _replayed(home: Path | None, wanted: Wanted, *, quiet: bool) -> Summary:
    found: list[Summary] = []

    async def work(runtime: Runtime) -> None:
        with bars(quiet) as shown:
            task = shown.add_task("replay", total=None, detail="pages")
            replays = Replays(runtime.equipment, wanted)
            await _told(runtime, wanted, "replay.begin", {**wanted.scope, "resume": wanted.resume})
            found.append(await replays.run(lambda pages: shown.update(task, total=pages), lambda: shown.advance(task)))
        await _told(runtime, wanted, "replay.end", _replay_document(found[0], wanted))

    await with_runtime(settings(home), work, named=True)
    return found[0]


async def _told(runtime: Runtime, wanted: Wanted, action: str, after: Mapping[str, Any]) -> None:
    """A replay that only looks changes nothing, and is not told."""
    if not wanted.dry:
        await _audited(runtime, action, f"connector:{wanted.connector or 'all'}", after)


async def _audited(runtime: Runtime, action: str, subject: str, after: Mapping[str, Any]) -> None:
    async with runtime.database.work() as tx:
        await audited(tx, runtime.vault.keys, actor="operator", action=action, subject=subject, after=after)


async def _backfilled(home: Path | None, asked: Asked, *, quiet: bool) -> Backfilled:
    found: list[Backfilled] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            customer_id, connection_id = await _connection(tx, runtime, asked)
        with bars(quiet) as shown:
            task = shown.add_task(asked.stream, total=None, detail="windows")

            def told(windows: Sequence[Past]) -> None:
                fetched = sum(one.fetched for one in windows)
                shown.update(
                    task, total=len(windows), completed=sum(one.state != "OPEN" for one in windows), detail=f"windows, {fetched:,} records"
                )

            wanted = Range(customer_id, connection_id, asked.stream, asked.first, asked.last)
            subject = f"connection:{connection_id}"
            await _audited(runtime, "backfill.begin", subject, {"stream": asked.stream, "from": asked.first, "to": asked.last})
            found.append(await Backfill(runtime.equipment, runtime.calls, wanted, told=told).run())
        await _audited(runtime, "backfill.end", subject, _figures(found[0]))

    await with_runtime(settings(home), work, named=True)
    return found[0]


async def _connection(tx: Write, runtime: Runtime, asked: Asked) -> tuple[CustomerId, UUID]:
    """The one connection that is meant. Raises NotFound, InvalidInput."""
    rows = (await tx.execute(_CONNECTIONS, {"connection": asked.connection, "customer": asked.customer})).all()
    having = [row for row in rows if asked.stream in {one.name for one in _streams(runtime, row.connector)}]
    if not rows or not having:
        raise NotFound("There is no such connection, or it has no such stream.", remedy="The query `syncConnections` shows both.")
    if len(having) > 1:
        raise InvalidInput("Several connections have this stream.", remedy="Name one with --connection.")
    return having[0].customer_id, having[0].connection_id


def _streams(runtime: Runtime, connector: str) -> Sequence[Any]:
    found = runtime.connectors.get(connector)
    return found.streams if found is not None else ()


@contextmanager
def bars(quiet: bool) -> Iterator[Progress]:
    """Progress on a terminal; each task tells its ``detail``."""
    columns = (TextColumn("{task.description:<18}"), BarColumn(bar_width=32), MofNCompleteColumn(), TextColumn("{task.fields[detail]}"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, disable=quiet or not console.is_terminal) as found:
        yield found


def _show(summary: Summary, wanted: Wanted, *, as_json: bool) -> None:
    if as_json:
        emit(_replay_document(summary, wanted))
        return
    report = summary.report
    for name, kind in sorted(report.kinds.items()):
        console.print(
            f"{name}: {kind.before:,} facts before, {kind.after:,} after; {kind.unchanged:,} unchanged, {kind.changed:,} changed, {kind.added:,} added, "
            f"{kind.retracted:,} retracted, {kind.doubtful:,} left because of a doubt, {kind.rejected:,} left outside of what is consented"
        )
    console.print(
        f"Quarantine: {report.quarantined_before:,} before, {report.resolved:,} resolved, {report.refused:,} newly refused, {report.quarantined_after:,} after."
    )
    if report.rejected:
        console.print(f"Outside of what is consented, and not taken: {report.rejected:,} records.")
    for why, count in (*report.unread.items(), *summary.left.items()):
        console.print(f"Left out, {count:,}: {why}.")
    done = "would be written" if wanted.dry else "written"
    console.print(f"{summary.connections:,} connections, {report.pages:,} pages, {report.versions:,} new versions {done}.")


def _replay_document(summary: Summary, wanted: Wanted) -> dict[str, Any]:
    report = summary.report
    counts = {name: getattr(report, f"quarantined_{name}") for name in ("before", "after")}
    return {
        "scope": wanted.scope,
        "dryRun": wanted.dry,
        "connections": summary.connections,
        "connectionsLeftOut": dict(summary.left),
        "pages": report.pages,
        "pagesUnread": dict(report.unread),
        "facts": {name: dict(vars(kind)) for name, kind in sorted(report.kinds.items())},
        "newVersions": report.versions,
        "recordsRejected": report.rejected,
        "quarantined": {**counts, "resolved": report.resolved, "refused": report.refused},
    }


def _backfill_document(done: Backfilled) -> dict[str, Any]:
    figures = ("state", "fetched", "stored", "unchanged", "quarantined", "rejected", "reason")
    windows = [{"from": one.window.first, "to": one.window.last, **{name: getattr(one, name) for name in figures}} for one in done.windows]
    return {"verdict": done.verdict, "from": done.first, "to": done.last, "detail": done.detail, "windows": windows}


def _figures(done: Backfilled) -> dict[str, Any]:
    """What a backfill came to, in sums."""
    counts = {
        name: sum(getattr(one, name) for one in done.windows) for name in ("fetched", "stored", "unchanged", "quarantined", "rejected")
    }
    return {"verdict": done.verdict, "from": done.first, "to": done.last, "windows": len(done.windows), **counts}


def _tell_windows(windows: Sequence[Past]) -> None:
    for one in windows:
        why = f": {one.reason}" if one.reason else ""
        console.print(
            f"  {one.window.first} to {one.window.last}  {one.state:<10} {one.fetched:>8,} records, {one.stored:,} new or changed, "
            f"{one.unchanged:,} unchanged, {one.quarantined:,} in quarantine, {one.rejected:,} outside of what is consented{why}"
        )
