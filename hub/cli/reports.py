"""``hub report``: what the institution must know of its own lending, in sums; a table for people, JSON for machines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from hub.cli.options import Home, Json, paper
from hub.domain.periods import Month, month_of

report_app = typer.Typer(help="Reports for the institution: fairness by segment, and what is lent with partners.", no_args_is_help=True)
T = TypeVar("T")


@report_app.command("fairness")
def report_fairness(
    month: Annotated[str, typer.Option("--month", help="The month, such as 2026-01.", show_default=False)],
    scenario: Annotated[str | None, typer.Option("--scenario", help="Only this scenario. Default: all.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Approval rate and mean limit by segment, of what was decided in a month. Cells of few customers are not told."""
    from hub.store.evaluations.policies import require_scenario
    from hub.store.reports import fairness_of

    first = _month(month)

    async def read(tx: Any, _: Any) -> Any:
        if scenario is not None:
            await require_scenario(tx, scenario)
        return await fairness_of(tx, first, scenario)

    cells = _read(home, read)
    rows = [asdict(one) for one in cells]
    _show(f"Fairness, {month}", rows, ("axis", "segment", "decided", "approved", "approval_rate", "mean_limit", "to_all"), as_json=json)


@report_app.command("concentration")
def report_concentration(
    as_of: Annotated[str | None, typer.Option("--as-of", help="The day, such as 2026-01-31. Default: today.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """What is lent jointly by partner, against the limits of the reference document joint_lending. Exit code 1 when one is passed."""
    from hub.store.reports import joint_lending

    day = None if as_of is None else _day(as_of)
    found = _read(home, lambda tx, runtime: joint_lending(tx, day or runtime.clock.today(), runtime.clock.now()))
    rows = [{**asdict(one), "below": ", ".join(one.below)} for one in found.partners]
    if json:
        _emit({"partners": rows, "ours": found.ours, "ofAllLoans": found.of_all_loans, "tooMuch": found.too_much, "kept": found.kept})
    else:
        _show("Lent with partners", rows, ("partner", "loans", "balance", "ours", "of_capital", "too_much", "below"), as_json=False)
        typer.echo(
            f"All together: {found.ours} yuan, {found.of_all_loans if found.of_all_loans is not None else 'no limits are loaded for'} of all loans."
        )
    if not found.kept:
        raise typer.Exit(1)


def _read(home: Path | None, read: Callable[[Any, Any], Awaitable[T]]) -> T:
    from hub.cli import until
    from hub.cli.options import settings
    from hub.cli.processes import with_runtime

    found: list[T] = []

    async def work(runtime: Any) -> None:
        async with runtime.database.work() as tx:
            found.append(await read(tx, runtime))

    until.run(with_runtime(settings(home), work))
    return found[0]


def _show(title: str, rows: list[dict[str, Any]], columns: tuple[str, ...], *, as_json: bool) -> None:
    from rich.table import Table

    if as_json:
        _emit(rows)
        return
    table = Table(*columns, title=title)
    for row in rows:
        told = row.get("told", True)
        table.add_row(*("too few" if not told and name == "decided" else "" if row[name] is None else str(row[name]) for name in columns))
    paper.print(table)


def _emit(document: Any) -> None:
    from hub.cli.options import emit

    emit(_plain(document))


def _plain(value: Any) -> Any:
    """Amounts are text."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Decimal) else value


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a day is written like 2026-01-31", param_hint="--as-of") from None


def _month(text: str) -> Month:
    try:
        return month_of(date.fromisoformat(f"{text}-01"))
    except ValueError:
        raise typer.BadParameter("a month is written like 2026-01", param_hint="--month") from None
