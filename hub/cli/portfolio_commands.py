"""``hub portfolio``: its commands by name, with the help that teaches them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from hub.cli.options import Home, Json

portfolio_app = typer.Typer(
    help="Portfolios: which customers a branch could pre-approve, counted by segment, industry, region, outcome and tier. Indicative: no decision is made.",
    no_args_is_help=True,
)
CORES = os.cpu_count() or 1
Processes = Annotated[int, typer.Option("--processes", min=1, max=64, help="How many processes work on it.")]
Which = Annotated[UUID, typer.Argument(help="The screening's id.", show_default=False)]


@portfolio_app.command("check")
def portfolio_check(files: Annotated[list[Path], typer.Argument(help="Portfolio files (JSON).", show_default=False)]) -> None:
    """Checks portfolio files: where, what is wrong, and the remedy. Exit code 1 when there is a fault. Needs no database."""
    from hub.cli.portfolio import check

    check(files)


@portfolio_app.command("screen")
def portfolio_screen(
    file: Annotated[Path, typer.Argument(help="A portfolio file (JSON).", show_default=False)],
    processes: Processes = CORES,
    home: Home = None,
    json: Json = False,
) -> None:
    """Pre-screens every customer of a portfolio as of today, and prints the counts.

    Only customers whose consents cover its purpose are looked at; the others are counted, by why. A screening that was interrupted goes on with `hub portfolio resume`, or
    by itself where a `hub worker` runs; each customer is counted once.
    """
    from hub.cli.portfolio import run

    run(file, home, processes, as_json=json)


@portfolio_app.command("resume")
def portfolio_resume(screening: Which, processes: Processes = CORES, home: Home = None, json: Json = False) -> None:
    """Goes on with a screening where it was."""
    from hub.cli.portfolio import resume

    resume(screening, home, processes, as_json=json)


@portfolio_app.command("show")
def portfolio_show(
    screening: Annotated[UUID | None, typer.Argument(help="A screening's id. Default: all of them.", show_default=False)] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Every screening and how far it is; with an id its counts."""
    from hub.cli.portfolio import show

    show(screening, home, as_json=json)
