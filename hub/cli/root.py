"""Every command by name, with the help that teaches it."""

from __future__ import annotations

from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from hub.cli.audit_commands import audit_app
from hub.cli.client_commands import app as clients_app
from hub.cli.document_commands import documents_app
from hub.cli.evaluate_command import evaluate
from hub.cli.options import Home, Json, Port
from hub.cli.policy_commands import policies_app
from hub.cli.portfolio_commands import portfolio_app
from hub.cli.reference_commands import reference_app, relations_app
from hub.cli.reports import report_app

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
keys_app = typer.Typer(
    help="The key-encryption keys and the keys that sign tokens: which are in use, and their rotation while everything runs.",
    no_args_is_help=True,
)
app.add_typer(keys_app, name="keys")
app.add_typer(audit_app, name="audit")
app.add_typer(policies_app, name="policies")
app.add_typer(portfolio_app, name="portfolio")
customers_app = typer.Typer(help="One customer at a time.", no_args_is_help=True)
app.add_typer(customers_app, name="customers")
app.add_typer(clients_app, name="clients")
app.add_typer(documents_app, name="documents")
app.add_typer(reference_app, name="reference")
app.add_typer(relations_app, name="relations")
app.add_typer(report_app, name="report")
app.command()(evaluate)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hub {version('zengxin-hub')}")
        raise typer.Exit


@app.callback()
def hub(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    """Zengxin Hub (增信): consented platform data becomes a provable credit enhancement, behind one GraphQL schema."""


@app.command()
def demo(
    home: Home = None,
    port: Port = 0,
    once: Annotated[bool, typer.Option("--once", help="Stop after the answer instead of serving.")] = False,
    json: Json = False,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", help="A policy file to try over what was evaluated: what would it change?", show_default=False),
    ] = None,
    portfolio: Annotated[
        Path | None, typer.Option("--portfolio", help="A portfolio file to pre-screen the demo's customers by.", show_default=False)
    ] = None,
) -> None:
    """The main job, end to end, on this machine: simulated platforms, consent, sync, evaluation, one GraphQL question and its answer.

    Everything is real but the platforms: they are simulated on loopback and speak the documented wire formats. Nothing leaves this machine.
    """
    from hub.cli.demo import run

    run(home, port, once=once, as_json=json, policy=policy, portfolio=portfolio)


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
        typer.Option(
            "--for-hub", help="Origin of a hub: registers the URI of its link pages at every platform, and its address for pushes."
        ),
    ] = None,
    write_connectors: Annotated[
        Path | None, typer.Option("--write-connectors", help="Also write the hub's connectors.json for these platforms.")
    ] = None,
) -> None:
    """Only the simulated platforms, for any client: prints base URLs and what an outside client needs, serves until Ctrl-C."""
    from hub.cli.courier import hooks_of
    from hub.cli.sandbox import redirects_of, run

    redirects, hooks = redirects_of(redirect or [], for_hub), hooks_of(for_hub) if for_hub else {}
    run(personas, port, as_json=json, redirects=redirects, hooks=hooks, connectors_file=write_connectors)


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


@app.command()
def replay(
    home: Home = None,
    connector: Annotated[str | None, typer.Option("--connector", help="Only pages of this connector.")] = None,
    stream: Annotated[str | None, typer.Option("--stream", help="Only pages of this stream.")] = None,
    customer: Annotated[UUID | None, typer.Option("--customer", help="Only pages of this customer.")] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Only windows that begin on this day or later.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Only windows that begin on this day or before.")
    ] = None,
    quarantined: Annotated[bool, typer.Option("--quarantined", help="Only records that are in quarantine.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would change and write nothing.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last replay of the same that did not come to its end.")] = False,
    json: Json = False,
) -> None:
    """Reads the kept pages again with today's connectors and writes what differs as new versions. No platform is asked.

    The newest page that speaks of a fact decides about it, whatever part is replayed. A second replay writes nothing.
    """
    from hub.cli.history import replay as run
    from hub.domain.identifiers import CustomerId
    from hub.sync.replay import Filter
    from hub.sync.replays import Wanted

    part = Filter(stream, first and first.date(), last and last.date(), quarantined)
    run(home, Wanted(part, connector, CustomerId(customer) if customer else None, dry_run, resume), as_json=json)


@app.command()
def backfill(
    stream: Annotated[str, typer.Option("--stream", help="The stream to read again.", show_default=False)],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.", show_default=False)],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.", show_default=False)],
    home: Home = None,
    customer: Annotated[UUID | None, typer.Option("--customer", help="Whose connection.", show_default=False)] = None,
    connection: Annotated[UUID | None, typer.Option("--connection", help="Which connection.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Reads a past range of one stream again from its platform, apart from the timetable: live windows, verdict and due time stay as they are.

    Consent and quota apply as to any sync. One that was interrupted goes on where it was.
    """
    from hub.cli.history import Asked
    from hub.cli.history import backfill as run

    if customer is None and connection is None:
        raise typer.BadParameter("Name --customer or --connection.")
    run(home, Asked(customer, connection, stream, first.date(), last.date()), as_json=json)


Folder = Annotated[Path, typer.Argument(help="Directory of the backup's data.", show_default=False)]
KeysFolder = Annotated[
    Path, typer.Option("--keys", help="Directory of its data keys: on another medium, with a shorter life.", show_default=False)
]


@app.command()
def backup(folder: Folder, keys: KeysFolder, home: Home = None, json: Json = False) -> None:
    """Writes a backup in two parts, while everything runs: the data without the data keys, and the data keys apart."""
    from hub.cli.backup import make
    from hub.store.backup import Parts

    make(home, Parts(folder, keys), as_json=json)


@app.command()
def restore(
    folder: Folder,
    keys: KeysFolder,
    home: Home = None,
    replace: Annotated[bool, typer.Option("--replace", help="Drop what the embedded database holds now.")] = False,
    json: Json = False,
) -> None:
    """Restores a backup into an empty database, brings it to this version, and erases again what was destroyed since."""
    from hub.cli.backup import restore as run
    from hub.store.backup import Parts

    run(home, Parts(folder, keys), replace=replace, as_json=json)


@customers_app.command("erase")
def customers_erase(
    customer: Annotated[UUID, typer.Argument(help="The customer.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", help="Why, for the tombstone; nothing personal.", show_default=False)],
    home: Home = None,
    json: Json = False,
) -> None:
    """Erases a subject for good: destroys the data key, then deletes everything that is about whom. No backup brings it back."""
    from hub.cli.customers import erase

    erase(home, customer, reason, as_json=json)


@connectors_app.command("list")
def connectors_list(json: Json = False) -> None:
    """Every connector with its sources."""
    from hub.cli.connectors import print_list

    print_list(as_json=json)


@connectors_app.command("assessments")
def connectors_assessments(home: Home = None, json: Json = False) -> None:
    """The impact assessment (PIPL 55) of every connector that connectors.json enables. Exit code 1 when one lacks it."""
    from hub.cli.assessments import print_assessments

    print_assessments(home, as_json=json)


@connectors_app.command("check")
def connectors_check(name: Annotated[str, typer.Argument(help="Name of the connector.")], json: Json = False) -> None:
    """Certifies a connector against its simulated platform and the platform's failure switches."""
    from hub.cli.connectors import check

    check(name, as_json=json)


@connectors_app.command("resume")
def connectors_resume(name: Annotated[str, typer.Argument(help="Name of the connector.")], home: Home = None, json: Json = False) -> None:
    """Asks a platform again now, though it asked the hub to wait (Retry-After) or its circuit is open. What was parked is due at once."""
    from hub.cli.connectors import resume

    resume(name, home, as_json=json)


@connectors_app.command("new")
def connectors_new(
    name: Annotated[str, typer.Argument(help="Name of the new connector: lower case letters, digits and underscores.")],
    root: Annotated[Path, typer.Option("--root", help="The project's root.")] = Path(),
) -> None:
    """Writes the skeleton of a new connector: one folder, one test, one registry line. It passes its checks as it is."""
    from hub.cli.connectors import new

    new(name, root)


@keys_app.command("list")
def keys_list(home: Home = None, json: Json = False) -> None:
    """Every key-encryption key, and how many keys are sealed under it."""
    from hub.cli.keys import show

    show(home, as_json=json)


@keys_app.command("prepare")
def keys_prepare(home: Home = None) -> None:
    """Puts the next key into the key file without using it: where several hosts have copies of the file, copy it before the rotation."""
    from hub.cli.keys import prepare

    prepare(home)


@keys_app.command("rotate")
def keys_rotate(
    home: Home = None,
    retire: Annotated[bool, typer.Option("--retire", help="Take keys that nothing is sealed under any more out of the key file.")] = False,
    json: Json = False,
) -> None:
    """Seals every data key under a new key-encryption key, while everything runs. One that was interrupted goes on where it was."""
    from hub.cli.keys import rotate

    rotate(home, retire=retire, as_json=json)


@keys_app.command("signing")
def keys_signing(home: Home = None, json: Json = False) -> None:
    """The keys that sign access tokens: NEXT, SIGNING, VERIFYING (tokens of theirs are still good), RETIRED."""
    from hub.cli.keys import show_signing

    show_signing(home, as_json=json)


@keys_app.command("rotate-signing")
def keys_rotate_signing(
    home: Home = None,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="The keys in use are in wrong hands: believe them no more. Ends every token.")
    ] = False,
    json: Json = False,
) -> None:
    """Makes the next key that signs access tokens, while everything runs. It is published for five minutes before it signs; tokens in use stay good to their end."""
    from hub.cli.keys import rotate_signing

    rotate_signing(home, compromised=compromised, as_json=json)
