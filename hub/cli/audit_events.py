"""``hub audit show``: the events of the audit, for people and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.markup import escape
from sqlalchemy import Row, Select, or_, select

from hub.cli import until
from hub.cli.options import emit, paper, plain, settings
from hub.cli.processes import with_runtime
from hub.cli.runtime import Runtime
from hub.store.tables import audit_event


@dataclass(frozen=True, slots=True)
class Wanted:
    """None: whichever."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    limit: int = 50


def show(home: Path | None, wanted: Wanted, *, as_json: bool) -> None:
    found: list[Row[Any]] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            found.extend((await tx.execute(_asked(wanted))).all())

    until.run(with_runtime(settings(home), work))
    # The latest were asked for, and are read in the order in which they happened.
    found.reverse()
    if as_json:
        emit([_document(row) for row in found])
        return
    for row in found:
        paper.print(escape(f"{row.at:%Y-%m-%d %H:%M:%S} UTC  {row.actor}  {row.action}  {row.subject}"), soft_wrap=True)
        for line in _changes(row.before, row.after):
            paper.print(escape(f"    {line}"), soft_wrap=True)
    paper.print("1 event." if len(found) == 1 else f"{len(found):,} events.")


def _asked(wanted: Wanted) -> Select[Any]:
    asked = select(audit_event).order_by(audit_event.c.at.desc(), audit_event.c.sequence.desc()).limit(wanted.limit)
    if wanted.actor is not None:
        asked = asked.where(audit_event.c.actor == wanted.actor)
    if wanted.subject is not None:
        asked = asked.where(audit_event.c.subject == wanted.subject)
    if wanted.action is not None:
        asked = asked.where(
            or_(audit_event.c.action == wanted.action, audit_event.c.action.startswith(f"{wanted.action}.", autoescape=True))
        )
    if wanted.since is not None:
        asked = asked.where(audit_event.c.at >= wanted.since.replace(tzinfo=UTC))
    return asked


def _document(row: Row[Any]) -> dict[str, Any]:
    names = ("at", "actor", "action", "subject", "before", "after", "sequence")
    return {name: getattr(row, name) for name in names}


def _changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[str]:
    """What was and what is, of each member that is told."""
    was, now = before or {}, after or {}
    names = dict.fromkeys((*was, *now))
    return [
        f"{name}: {plain(was[name])} -> {plain(now.get(name))}" if name in was else f"{name}: {plain(now[name])}"
        for name in names
        if name not in was or was[name] != now.get(name)
    ]
