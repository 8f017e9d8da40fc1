"""Replaying what every connector fetched says that nothing changed: each of them reads its own kept pages again, without a platform."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import text

from hub.cli.stage import Stage
from hub.sync.replay import Filter, Report
from hub.sync.replays import Replays, Wanted
from tests.e2e.case import small_document


async def everything_is_replayed_unchanged(stage: Stage) -> None:
    """On a stage where the small seller, and nobody else, was synced."""
    report = await nothing_changes(stage, small_document(), connections=6)
    assert report.kinds["Order"].before > 300


async def nothing_changes(stage: Stage, document: dict[str, Any], *, connections: int, silent: frozenset[str] = frozenset()) -> Report:
    """On a stage where the document's persona was synced over so many connections. Every platform it authorised is replayed; those that are ``silent`` had no record."""
    pages: list[int] = []
    read: list[None] = []
    replays = Replays(stage.runtime.equipment, Wanted(Filter()))
    summary = await replays.run(pages.append, lambda: read.append(None))
    async with stage.database.work() as tx:
        shapes = (await tx.execute(text("SELECT connector, path FROM record_shape"))).all()
        linked = (await tx.execute(text("SELECT DISTINCT connector FROM connection"))).scalars().all()
        doubles = (await tx.execute(text("SELECT count(*) FROM sync_window WHERE repeated > 0 OR moved OR passes > 1"))).scalar_one()
    report = summary.report
    assert (summary.connections, dict(summary.left), dict(report.unread)) == (connections, {}, {})
    assert (pages, report.pages) == ([len(read)], len(read))
    changed = {name: kind for name, kind in report.kinds.items() if kind.before != kind.unchanged or kind.before != kind.after}
    assert changed == {}
    assert report.versions == 0
    assert doubles == 0, "no simulated platform repeats records"
    assert {row.connector for row in shapes} == (set(stage.runtime.connectors) & set(linked)) - silent
    told = " ".join(row.path for row in shapes)
    assert [value for value in leaves(document) if len(value) > 5 and value in told] == [], "paths, never values"
    return report


def leaves(document: Any) -> Iterator[str]:
    """Every text and number of a document."""
    if isinstance(document, dict | list):
        for inner in document.values() if isinstance(document, dict) else document:
            yield from leaves(inner)
    else:
        yield str(document)
