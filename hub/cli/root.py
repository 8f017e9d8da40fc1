"""Every command by name, with the help that teaches it."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import Home, Json, Port

app = typer.Typer(
    name="hub",
    help="Zengxin Hub (增信): consented platform data becomes a provable credit enhancement, behind one GraphQL schema.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
connectors_app = typer.Typer(
    help="The catalogue of connectors: what can be connected, certification, a new connector's skeleton.", no_args_is_help=True
)
app.add_typer(connectors_app, name="connectors")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hub {version('zengxin-hub')}")
        raise typer.Exit


@app.callback()
def hub(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    """Zengxin Hub (增信): consented platform data becomes a provable credit enhancement, behind one GraphQL schema."""


Persona = Annotated[Path, typer.Option("--persona", help="A persona file (format persona/1).", show_default=False)]


@app.command()
def demo(
    home: Home = None,
    port: Port = 0,
    once: Annotated[bool, typer.Option("--once", help="Stop after the answer instead of serving.")] = False,
    json: Json = False,
) -> None:
    """The main job, end to end, on this machine: simulated platforms, consent, sync, evaluation, one GraphQL question and its answer.

    Everything is real but the platforms: they are simulated on loopback and speak the documented wire formats. Nothing leaves this machine.
    """
    from hub.cli.demo import run

    run(home, port, once=once, as_json=json)


@app.command()
def evaluate(persona: Persona, home: Home = None, json: Json = False) -> None:
    """The same whole path for one persona file; prints the result in the shape of the expected format.

    Without --home the hub works in a directory that is removed afterwards.
    """
    from hub.cli.evaluate import run

    run(persona, home, as_json=json)


@app.command()
def sandbox(
    personas: Annotated[
        Path | None, typer.Option("--personas", help="A directory of persona files, or one file. Default: the demo's persona.")
    ] = None,
    port: Port = 0,
    json: Json = False,
    redirect: Annotated[
        list[str] | None, typer.Option("--redirect", help="A redirect URI to register at every platform. May be repeated.")
    ] = None,
    for_hub: Annotated[
        str | None,
        typer.Option("--for-hub", help="Origin of a hub whose link pages may be redirected to: registers its URI at every platform."),
    ] = None,
    write_connectors: Annotated[
        Path | None, typer.Option("--write-connectors", help="Also write the hub's connectors.json for these platforms.")
    ] = None,
) -> None:
    """Only the simulated platforms, for any client: prints base URLs and what an outside client needs, serves until Ctrl-C."""
    from hub.cli.sandbox import redirects_of, run

    run(personas, port, as_json=json, redirects=redirects_of(redirect or [], for_hub), connectors_file=write_connectors)


@app.command()
def token(
    client: Annotated[str, typer.Option("--client", help="A registered client whose key lies in HOME/clients.")],
    home: Home = None,
    url: Annotated[str | None, typer.Option("--url", help="Origin of the running hub. Default: the one HOME last served.")] = None,
    json: Json = False,
) -> None:
    """An access token of a registered client from a running hub, for scripts."""
    from hub.cli.token import run

    run(client, home, url, as_json=json)


@app.command()
def serve(
    home: Home = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes any free one. Default: HUB_PORT, else 8080.")
    ] = None,
) -> None:
    """The API: GraphQL, the partners' OAuth server and the link pages. Add processes on any host."""
    from hub.cli.processes import serve

    serve(home, port)


@app.command()
def worker(home: Home = None) -> None:
    """A worker: syncs what is due, evaluates what changed. Add processes on any host."""
    from hub.cli.processes import work

    work(home)


@app.command()
def migrate(home: Home = None) -> None:
    """Brings the database to this version. Safe to repeat, and from two hosts at once."""
    from hub.cli.processes import migrate

    migrate(home)


@connectors_app.command("list")
def connectors_list(json: Json = False) -> None:
    """Every connector with its sources."""
    from hub.cli.connectors import print_list

    print_list(as_json=json)


@connectors_app.command("check")
def connectors_check(name: Annotated[str, typer.Argument(help="Name of the connector.")], json: Json = False) -> None:
    """Certifies a connector against its simulated platform and the platform's failure switches."""
    from hub.cli.connectors import check

    check(name, as_json=json)


@connectors_app.command("new")
def connectors_new(
    name: Annotated[str, typer.Argument(help="Name of the new connector: lower case letters, digits and underscores.")],
    root: Annotated[Path, typer.Option("--root", help="The project's root.")] = Path(),
) -> None:
    """Writes the skeleton of a new connector: one folder, one test, one registry line. It passes its checks as it is."""
    from hub.cli.connectors import new

    new(name, root)
