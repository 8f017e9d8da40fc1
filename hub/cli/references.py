"""``hub reference`` and ``hub relations``: files are checked without a database, loaded whole and audited, and shown."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy import or_, select

from hub.access.audit.loads import edges_audited, versions_audited
from hub.cli import until
from hub.cli.options import console, emit, paper, settings
from hub.cli.policies import acting
from hub.cli.processes import with_runtime
from hub.cli.reproducing import instant
from hub.cli.runtime import Runtime
from hub.credit.checking import Found
from hub.credit.reference import Edge, RowFault, check_reference, edges_of_csv, edges_of_lines, read_reference
from hub.errors import InvalidInput
from hub.store.evaluations.reference import Change, Version, in_effect, load_versions, rules_for, versions_of
from hub.store.relations import EdgesLoaded, load_edges
from hub.store.tables import relation

MOST_EDGES, LONGEST_SOURCE = 200_000, 200


def check(files: list[Path], *, as_json: bool) -> None:
    """Exit code 1 when a file has a fault."""
    found = {str(path): check_reference(_text(path)) for path in files}
    if as_json:
        emit([{"file": name, **_fault(one)} for name, faults in found.items() for one in faults])
    else:
        _print_faults(found)
    if any(found.values()):
        raise typer.Exit(1)


def _print_faults(found: dict[str, list[Found]]) -> None:
    for name, faults in found.items():
        for one in faults:
            console.print(f"{escape(name)}:{one.line}: {escape(one.where)}: {escape(one.wrong)}. {escape(one.remedy)}", soft_wrap=True)
    console.print(f"Files checked: {len(found):,}; faults: {sum(map(len, found.values())):,}.")


def _fault(one: Found) -> dict[str, Any]:
    return {"line": one.line, "path": one.where, "wrong": one.wrong, "remedy": one.remedy}


def load(files: list[Path], home: Path | None, *, as_json: bool) -> None:
    """Exit code 1 when a file has a fault: then nothing is loaded."""
    texts = {str(path): _text(path) for path in files}
    faulty: dict[str, list[Found]] = {}
    changes: list[Change] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            rules = {name: await rules_for(tx, text, runtime.clock.today()) for name, text in texts.items()}
            faulty.update({name: faults for name, text in texts.items() if (faults := check_reference(text, rules[name]))})
            for name, text in () if faulty else texts.items():
                changes.extend(await load_versions(tx, read_reference(text, rules[name]), acting(), runtime.clock.now()))
            await versions_audited(tx, runtime.vault.keys, acting(), changes)

    until.run(with_runtime(settings(home), work))
    if faulty:
        _print_faults(faulty)
        console.print("Nothing was loaded.")
        raise typer.Exit(1)
    if as_json:
        emit([_version(one.after) for one in changes])
        return
    for one in changes:
        console.print(f"{one.after.name}: version {one.after.version} is loaded, in effect {_days(one.after)}.")
    if not changes:
        console.print("Everything was there already.")


def show_versions(name: str | None, home: Path | None, *, as_json: bool) -> None:
    found: list[Version] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            found.extend(await versions_of(tx, name))

    until.run(with_runtime(settings(home), work))
    if as_json:
        emit([{**_version(one), "document": one.document} for one in found])
        return
    table = Table("document", "version", "in effect", "source", "loaded", "by", "sha256", title="Reference documents")
    for one in found:
        loaded = one.loaded_at.isoformat(timespec="seconds")
        table.add_row(one.name, str(one.version), _days(one), escape(one.source), loaded, escape(one.loaded_by), one.sha256[:12])
    paper.print(table)


def show(as_of: date | None, known_at: str | None, home: Path | None) -> None:
    found: list[Version] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            at = instant(known_at) or runtime.clock.now()
            found.extend(await in_effect(tx, as_of or runtime.clock.today(), at))

    until.run(with_runtime(settings(home), work))
    emit({one.name: {**_version(one), "document": one.document} for one in found})


def _version(one: Version) -> dict[str, Any]:
    return {
        "name": one.name, "version": one.version, "sha256": one.sha256, "source": one.source, "from": one.effective_from, "to": one.effective_to,
        "loadedAt": one.loaded_at, "loadedBy": one.loaded_by,
    }  # fmt: skip


def _days(one: Version) -> str:
    return f"from {one.effective_from}" + (f" to {one.effective_to}" if one.effective_to else "")


def check_graph(file: Path, *, as_json: bool) -> None:
    """Exit code 1 when a row has a fault."""
    edges, faults = _edges(file)
    if as_json:
        emit([_row_fault(one) for one in faults])
    else:
        _print_rows(file, faults)
        console.print(f"Edges: {len(edges):,}; faults: {len(faults):,}.")
    if faults:
        raise typer.Exit(1)


def _print_rows(file: Path, faults: list[RowFault]) -> None:
    for one in faults:
        console.print(f"{escape(str(file))}:{one.row}: {escape(one.field)}: {escape(one.wrong)}. {escape(one.remedy)}", soft_wrap=True)


def _row_fault(one: RowFault) -> dict[str, Any]:
    return {"row": one.row, "field": one.field, "wrong": one.wrong, "remedy": one.remedy}


def load_graph(file: Path, source: str, home: Path | None, *, as_json: bool) -> None:
    """Exit code 1 when a row has a fault: then nothing is loaded."""
    if not 0 < len(source.strip()) <= LONGEST_SOURCE:
        raise InvalidInput(f"A source has 1 to {LONGEST_SOURCE} characters.")
    edges, faults = _edges(file)
    if faults:
        _print_rows(file, faults)
        console.print("Nothing was loaded.")
        raise typer.Exit(1)
    found: list[EdgesLoaded] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            found.append(await load_edges(tx, edges, source.strip(), acting(), runtime.clock.now()))
            await edges_audited(tx, runtime.vault.keys, acting(), source.strip(), found[0])

    until.run(with_runtime(settings(home), work))
    if as_json:
        emit(found[0].counts)
        return
    said = found[0]
    console.print(f"New: {said.added:,}; changed: {said.changed:,}; there already: {said.unchanged:,}; taken back: {said.retracted:,}.")


def show_graph(business: str, home: Path | None, *, as_json: bool) -> None:
    found: list[Any] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            touching = or_(relation.c.from_uscc == business, relation.c.to_uscc == business)
            found.extend(await tx.execute(select(relation).where(touching).order_by(relation.c.edge_id)))

    until.run(with_runtime(settings(home), work))
    rows = [{str(name): value for name, value in one._mapping.items() if name != "edge_id"} for one in found]
    if as_json:
        emit([{**row, "weight": None if row["weight"] is None else str(row["weight"])} for row in rows])
        return
    table = Table("from", "type", "to", "weight", "since", "until", "known", "source", title=business)
    for row in rows:
        known = f"{row['known_from']:%Y-%m-%d}" + (f" to {row['known_to']:%Y-%m-%d}" if row["known_to"] else "")
        told_row = (row["from_uscc"], row["type"], row["to_uscc"], row["weight"], row["valid_from"], row["valid_to"], known, row["source"])
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in told_row))
    paper.print(table)


def _edges(file: Path) -> tuple[list[Edge], list[RowFault]]:
    text = _text(file)
    edges, faults = (edges_of_csv if file.suffix.lower() == ".csv" else edges_of_lines)(text)
    if len(edges) > MOST_EDGES:
        raise InvalidInput(f"A file has at most {MOST_EDGES:,} edges.", remedy="Load it in parts.")
    return edges, faults


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.", remedy="Name a file in UTF-8.") from None
