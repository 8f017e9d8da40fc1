"""``hub reference`` and ``hub relations``: their commands by name, with the help that teaches them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import Home, Json

reference_app = typer.Typer(
    help="What the lender knows or has configured: check a file, load it as new versions, list them, show what is in effect on a day.",
    no_args_is_help=True,
)
relations_app = typer.Typer(
    help="The relationship graph between businesses: check a file of edges, load it whole or not at all, show what is known of a business.",
    no_args_is_help=True,
)
Files = Annotated[list[Path], typer.Argument(help="Reference files (JSON).", show_default=False)]
EdgeFile = Annotated[Path, typer.Argument(help="Edges: .csv with a head line, or JSON lines.", show_default=False)]
AsOf = Annotated[datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="In effect on this day. Default: today.")]
KnownAt = Annotated[str | None, typer.Option("--known-at", help="As known at this instant, like 2026-01-20T10:00:00+08:00. Default: now.")]


@reference_app.command("check")
def reference_check(files: Files, json: Json = False) -> None:
    """Checks reference files: every fault with its line and path, what is wrong, and the remedy. Exit code 1 when there is one. Needs no database.

    A file says where it is from, the days it is for, and the documents by name:

    {"source": "city notice 2026-7", "effective_from": "2026-07-01", "documents": {"social_insurance_base": {"floor": "4812", "ceiling": "24930"}}}

    Documents: lender (the own name), margin_bands (by industry: lowest and highest), core_enterprises and approved_buyers (codes), prohibited_industries (prefixes),
    social_insurance_base (floor, ceiling), service_area (cities), joint_lending (limits of lending with partners), crops (by name: yield_norm, price, input_cost), products and peer_products (by code: docs/reference/products.md). "effective_to"
    is the last day of one that ends by itself. Here products are held against the policies of this version of the hub; when they are loaded, against those in force.
    """
    from hub.cli.references import check

    check(files, as_json=json)


@reference_app.command("load")
def reference_load(files: Files, home: Home = None, json: Json = False) -> None:
    """Loads files as new versions, all of them or none. A document that says what its last version says stays as it is.

    What was decided stays reproducible: an evaluation goes on naming the versions it was made by.
    """
    from hub.cli.references import load

    load(files, home, as_json=json)


@reference_app.command("list")
def reference_list(
    name: Annotated[str | None, typer.Argument(help="Only this document.", show_default=False)] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Every version of every document: where it is from, its days, who loaded it and when."""
    from hub.cli.references import show_versions

    show_versions(name, home, as_json=json)


@reference_app.command("show")
def reference_show(as_of: AsOf = None, known_at: KnownAt = None, home: Home = None) -> None:
    """The documents in effect on a day, as known at an instant, as JSON: what an evaluation of that day and instant uses."""
    from hub.cli.references import show

    show(as_of and as_of.date(), known_at, home)


@relations_app.command("check")
def relations_check(file: EdgeFile, json: Json = False) -> None:
    """Checks a file of edges: every row with a fault, what is wrong, and the remedy. Exit code 1 when there is one. Needs no database.

    Columns: from, to (unified social credit codes), type, and if need be weight (share of a SHAREHOLDING), since, until (first and last day), evidence, retract.
    A row of the type NONE, without a "to", says that the business was looked at and nothing was found: that is not the same as not having looked.
    """
    from hub.cli.references import check_graph

    check_graph(file, as_json=json)


@relations_app.command("load")
def relations_load(
    file: EdgeFile,
    source: Annotated[str, typer.Option("--source", help="Where the lender has the edges from.", show_default=False)],
    home: Home = None,
    json: Json = False,
) -> None:
    """Loads a file of edges, whole or not at all. They are known from now on; an edge that is there with other values gets a new version.

    `retract` takes back what should never have been said; a relation that ended has `until`.
    """
    from hub.cli.references import load_graph

    load_graph(file, source, home, as_json=json)


@relations_app.command("show")
def relations_show(
    business: Annotated[str, typer.Argument(help="Its unified social credit code.", show_default=False)],
    home: Home = None,
    json: Json = False,
) -> None:
    """Every edge that touches a business, with its versions."""
    from hub.cli.references import show_graph

    show_graph(business, home, as_json=json)
