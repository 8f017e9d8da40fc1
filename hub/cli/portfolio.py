"""``hub portfolio``: a portfolio is checked, pre-screened on several cores, gone on with after a crash, and its counts are told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Row

from hub.access.audit import audited
from hub.cli import until
from hub.cli.options import console, emit, paper, settings
from hub.cli.policies import acting
from hub.cli.pool import come_to_all_at_once
from hub.cli.processes import with_runtime
from hub.cli.runtime import Runtime, listed
from hub.credit.checking import Found
from hub.credit.portfolio_faults import check_portfolio
from hub.errors import InvalidInput
from hub.store.evaluations import portfolios
from hub.store.evaluations.portfolios import Screening

AT_ONCE = 50
EVERYBODY = ("ALL", "unknown")
AXES = ("CUSTOMER_TYPE", "CLUSTER", "INDUSTRY", "REGION", "SIZE", "TIER", "SCENARIO")
OUTCOMES = {
    "ENHANCED": "enhanced", "BASE_ONLY": "base only", "BELOW_FLOOR": "below floor", "REFER_MANUAL": "refer", "INELIGIBLE": "not eligible",
    "INSUFFICIENT_DATA": "no data",
}  # fmt: skip


def check(files: list[Path]) -> None:
    """Exit code 1 when a file has a fault."""
    count = sum(len(_told(path, check_portfolio(_text(path))[1])) for path in files)
    console.print(f"{len(files)} checked, {count or 'no'} {'fault' if count < 2 else 'faults'}.")
    if count:
        raise typer.Exit(1)


def _told(path: Path, found: list[Found]) -> list[Found]:
    for one in found:
        console.print(f"{escape(str(path))}:{one.line}: {escape(one.where)}: {escape(one.wrong)}. {escape(one.remedy)}", soft_wrap=True)
    return found


def _text(path: Path) -> str:
    """Raises InvalidInput."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}.", remedy="Name a portfolio file (JSON in UTF-8).") from None


def read_file(path: Path) -> Mapping[str, Any]:
    """The document of a file without a fault; every fault is told, and ends it with exit code 1. Raises InvalidInput."""
    document, found = check_portfolio(_text(path))
    if _told(path, found):
        console.print("Nothing was screened.")
        raise typer.Exit(1)
    return document


def run(path: Path, home: Path | None, processes: int, *, as_json: bool) -> None:
    """Begins a screening and comes to its end."""
    document = read_file(path)

    async def work(runtime: Runtime) -> None:
        await screen_all(runtime, await begin(runtime, document), processes, as_json=as_json)

    until.run(with_runtime(settings(home), work, named=True))


def resume(screening_id: UUID, home: Path | None, processes: int, *, as_json: bool) -> None:
    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            found = await portfolios.screening(tx, screening_id)
        await screen_all(runtime, found, processes, as_json=as_json)

    until.run(with_runtime(settings(home), work, named=True))


def show(screening_id: UUID | None, home: Path | None, *, as_json: bool) -> None:
    """One, or all."""

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            found = await portfolios.screenings(tx) if screening_id is None else [await portfolios.screening(tx, screening_id)]
        told = [await document_of(runtime, one) for one in found]
        if as_json:
            emit(told if screening_id is None else told[0])
        elif screening_id is None:
            paper.print(_list(told))
        else:
            show_counts(told[0])

    until.run(with_runtime(settings(home), work))


async def begin(runtime: Runtime, document: Mapping[str, Any]) -> Screening:
    async with runtime.database.work() as tx:
        found = await portfolios.begin(tx, document, acting(), runtime.clock.now(), runtime.clock.today())
        subject, after = f"portfolio:{found.portfolio.id}", portfolios.told(found)
        await audited(tx, runtime.vault.keys, actor=acting(), action="portfolio.screen", subject=subject, after=after)
    return found


async def screen_all(runtime: Runtime, found: Screening, processes: int, *, as_json: bool) -> None:
    """Comes to the end of it, and tells."""
    if not as_json:
        console.print(f"Screening {found.screening_id}")
    told = await screened_out(runtime, found, processes, quiet=as_json)
    emit(told) if as_json else show_counts(told)


async def screened_out(runtime: Runtime, what: Screening | Mapping[str, Any], processes: int = 1, *, quiet: bool) -> dict[str, Any]:
    """What a screening counted, or that of a document, when it has come to its end."""
    found = what if isinstance(what, Screening) else await begin(runtime, what)
    await come_to_all_at_once(
        runtime.database,
        found,
        found.screening_id,
        runtime.settings.grantee,
        processes=processes,
        at_once=AT_ONCE,
        quiet=quiet,
        models=listed(runtime.settings),
    )
    return await document_of(runtime, found)


def show_counts(told: Mapping[str, Any]) -> None:
    done, customers, results = (f"{told[name]:,}" for name in ("done", "customers", "results"))
    paper.print(f"{escape(told['title'])}, {told['asOf']}: {done} of {customers} customers, {results} with a result.")
    paper.print(_table(told["counts"]))
    for why, count in told["left"].items():
        paper.print(f"No result, {count:,}: {why}.")


async def document_of(runtime: Runtime, found: Screening) -> dict[str, Any]:
    """A screening and its counts, as JSON has it."""
    async with runtime.database.work() as tx:
        done, total = await found.progress(tx)
        rows, results = await portfolios.counts(tx, found.screening_id), await portfolios.results(tx, found.screening_id)
        ended = (await portfolios.screening(tx, found.screening_id)).ended_at
    return {
        "screening": str(found.screening_id), "portfolio": found.portfolio.id, "title": found.portfolio.title, "version": found.portfolio.version, "sha256": found.portfolio.sha256,
        "asOf": found.as_of, "state": "RUNNING" if ended is None else "DONE", "customers": total, "done": done, "results": results,
        "counts": [_cell(row) for row in rows if row.axis != "LEFT"], "left": {row.value: row.customers for row in rows if row.axis == "LEFT"},
    }  # fmt: skip


def _cell(row: Row[Any]) -> dict[str, Any]:
    return {"axis": row.axis, "value": row.value or None, "outcome": row.outcome, "customers": row.customers, "limits": str(row.limits)}


def _table(counts: Sequence[Mapping[str, Any]]) -> Table:
    """A row for everybody, then one for each value of each axis, with its share of everybody; a column for each outcome that occurs."""
    cells: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    limits: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in counts:
        key = (one["axis"], one["value"] or "unknown")
        cells[key][one["outcome"]] = one["customers"]
        limits[key] += Decimal(one["limits"])
    everybody = sum(cells[EVERYBODY].values())
    found = [outcome for outcome in OUTCOMES if outcome in cells[EVERYBODY]]
    table = Table("", "customers", "share", *(OUTCOMES[one] for one in found), "yuan", title="Pre-screened (indicative)")
    for axis in ("ALL", *AXES):
        for key in sorted((key for key in cells if key[0] == axis), key=lambda key: -sum(cells[key].values())):
            row, mine = cells[key], sum(cells[key].values())
            name = "everybody" if key == EVERYBODY else f"{axis.lower().replace('_', ' ')} {key[1]}"
            numbers = (f"{row[one]:,}" if one in row else "" for one in found)
            share = f"{mine / everybody:.1%}" if everybody else ""
            table.add_row(escape(name), f"{mine:,}", share, *numbers, f"{limits[key]:,.0f}", end_section=key == EVERYBODY)
    return table


def _list(told: Sequence[Mapping[str, Any]]) -> Table:
    names = ("screening", "portfolio", "version", "asOf", "state", "done", "customers")
    table = Table(*names)
    for one in told:
        table.add_row(*(escape(str(one[name])) for name in names))
    return table
