"""The commands ``hub documents ...`` by name, with the help that teaches them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import Home, Json

documents_app = typer.Typer(
    help="The documents that clients may ask by their digest, and whether they fit the contract.", no_args_is_help=True
)


@documents_app.command("add")
def documents_add(
    files: Annotated[list[Path], typer.Argument(help="GraphQL documents, one operation each.", show_default=False)],
    client: Annotated[str, typer.Option("--client", help="The client that may ask them.", show_default=False)],
    home: Home = None,
    json: Json = False,
) -> None:
    """Store reviewed documents for a client. Their digest is of the file, byte by byte."""
    from hub.cli.documents import add

    add(home, client, files, as_json=json)


@documents_app.command("remove")
def documents_remove(
    sha256: Annotated[str, typer.Argument(help="The document's SHA-256.", show_default=False)],
    client: Annotated[str, typer.Option("--client", help="The client that may ask it.", show_default=False)],
    home: Home = None,
) -> None:
    """Take a stored document away."""
    from hub.cli.documents import remove

    remove(home, client, sha256)


@documents_app.command("list")
def documents_list(
    client: Annotated[str | None, typer.Option("--client", help="Only of this client.", show_default=False)] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Print the stored documents by client and digest."""
    from hub.cli.documents import show

    show(home, client, as_json=json)


@documents_app.command("show")
def documents_show(
    sha256: Annotated[str, typer.Argument(help="The document's SHA-256, or its first digits.", show_default=False)],
    client: Annotated[str | None, typer.Option("--client", help="Only of this client.", show_default=False)] = None,
    home: Home = None,
) -> None:
    """Print a stored document on stdout, byte by byte as its digest is made of it; whose it is, beside it."""
    from hub.cli.documents import show_one

    show_one(home, sha256, client)


@documents_app.command("check")
def documents_check(
    schema: Annotated[
        Path | None, typer.Option("--schema", help="A printed contract that is to come. Default: today's.", show_default=False)
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Validate every stored document against the contract; names document, line and remedy, and exits with 1 when one does not fit."""
    from hub.cli.documents import check

    check(home, schema, as_json=json)
