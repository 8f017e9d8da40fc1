"""The commands ``hub audit ...`` by name, with the help that teaches them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import Home, Json

audit_app = typer.Typer(
    help="The audit chain: who read what, who changed what. Look at it; verify that nothing was taken back; publish signed heads outside the database.",
    no_args_is_help=True,
)


@audit_app.command("verify")
def audit_verify(
    home: Home = None,
    heads: Annotated[
        list[Path] | None,
        typer.Option("--heads", help="A file of published heads. May be repeated. Default: heads.jsonl of this home.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Reads every row of the access log and of the events, and checks that each follows the one before, and that published heads are among them.

    Names the first row of each chain that does not hold, and what is wrong with it: edited, missing, reordered, inserted, cut tail, re-chained.
    Exit code 0 when everything holds, 1 when anything does not, 2 when it could not be verified: a setting, a file or the database is not there. Keep copies of heads.jsonl where the database's administrators have no hand, and
    verify against them: a file beside the database can be cut as the database can.
    """
    from hub.cli.audit import verify

    verify(home, heads or [], as_json=json)


@audit_app.command("heads")
def audit_heads(home: Home = None, json: Json = False) -> None:
    """The last row of every chain, and the public key that published lines are checked with."""
    from hub.cli.audit import heads

    heads(home, as_json=json)


@audit_app.command("publish")
def audit_publish(home: Home = None, json: Json = False) -> None:
    """Signs the heads of all chains now and adds them to heads.jsonl, as `hub serve` and `hub worker` do every minute."""
    from hub.cli.audit import publish

    publish(home, as_json=json)


@audit_app.command("show")
def audit_show(
    actor: Annotated[str | None, typer.Option("--actor", help="Only of this client or operator.", show_default=False)] = None,
    action: Annotated[
        str | None,
        typer.Option("--action", help="Only this action, as in policy.publish; or a noun alone, as in policy.", show_default=False),
    ] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Only about this, as in client:acme-app.", show_default=False)] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", help="Only from this day on (UTC).", formats=["%Y-%m-%d"], show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many, the latest ones.")] = 50,
    home: Home = None,
    json: Json = False,
) -> None:
    """Who changed what, when: the latest events of the audit, with what was and what is. Who read what of a customer is in the access log (`Customer.accessLog`)."""
    from hub.cli.audit_events import Wanted, show

    show(home, Wanted(actor, action, subject, since, limit), as_json=json)
