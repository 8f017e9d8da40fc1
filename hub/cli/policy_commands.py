"""``hub policies``: its commands by name, with the help that teaches them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from hub.cli.options import Home, Json

policies_app = typer.Typer(
    help="The scenario policies: check files, list versions and drafts, try a draft over what was evaluated, publish it, take a version back.",
    no_args_is_help=True,
)
Draft = Annotated[UUID, typer.Argument(help="The draft's id.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why, for those who look back.", show_default=False)]


@policies_app.command("check")
def policies_check(
    files: Annotated[list[Path], typer.Argument(help="Policy files (JSON).", show_default=False)],
    json: Json = False,
) -> None:
    """Checks policy files: every fault with its line, what is wrong, and the remedy. Exit code 1 when there is one. Needs no database."""
    from hub.cli.policies import check

    check(files, as_json=json)


@policies_app.command("list")
def policies_list(home: Home = None, json: Json = False) -> None:
    """Every published version, which one applies today, and every draft."""
    from hub.cli.policies import show

    show(home, as_json=json)


@policies_app.command("show")
def policies_show(
    what: Annotated[str, typer.Argument(help="A draft's id, or a scenario, as in S03.", show_default=False)],
    version: Annotated[
        str | None, typer.Argument(help="Of a scenario: its version. Default: the one that applies today.", show_default=False)
    ] = None,
    home: Home = None,
) -> None:
    """Prints the document of a draft or of a published version, as JSON on stdout; who wrote it and what became of it, beside it."""
    from hub.cli.policies import show_one

    show_one(what, version, home)


@policies_app.command("draft")
def policies_draft(
    file: Annotated[Path, typer.Argument(help="A policy file (JSON) with a new version.", show_default=False)],
    home: Home = None,
    json: Json = False,
) -> None:
    """Keeps a file as a draft. One with a fault is refused, line by line."""
    from hub.cli.policies import write

    write(file, home, as_json=json)


@policies_app.command("try")
def policies_try(
    draft: Draft,
    since: Annotated[
        datetime | None, typer.Option("--since", help="Only evaluations made from this day on (UTC). Default: all.", formats=["%Y-%m-%d"])
    ] = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="End the trial when everything that is there was tried; by default it goes on with what comes.")
    ] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Makes evaluations once more under a draft, from the inputs they were made from, and prints what would change.

    It simulates the portfolio; then `hub worker` goes on with every new evaluation, beside the version in force (a shadow run), until the draft is published or
    discarded, or --stop. No decision changes. `hub policies report` prints the differences at any time.
    """
    from datetime import UTC

    from hub.cli.policies import try_out

    try_out(draft, since and since.replace(tzinfo=UTC), home, stop=stop, as_json=json)


@policies_app.command("report")
def policies_report(draft: Draft, home: Home = None, json: Json = False) -> None:
    """What a draft on trial would have changed so far."""
    from hub.cli.policies import report

    report(draft, home, as_json=json)


@policies_app.command("publish")
def policies_publish(draft: Draft, home: Home = None, json: Json = False) -> None:
    """Publishes a draft that somebody else wrote (four eyes). It applies from its effective_from on."""
    from hub.cli.policies import publish

    publish(draft, home, as_json=json)


@policies_app.command("discard")
def policies_discard(draft: Draft, reason: Reason, home: Home = None, json: Json = False) -> None:
    """Discards a draft."""
    from hub.cli.policies import discard

    discard(draft, reason, home, as_json=json)


@policies_app.command("approve")
def policies_approve(
    scenario: Annotated[str, typer.Argument(help="Scenario, as in S03.", show_default=False)],
    version: Annotated[str, typer.Argument(help="Its version.", show_default=False)],
    note: Annotated[str, typer.Option("--note", help="What was looked at.", show_default=False)],
    home: Home = None,
) -> None:
    """Approves a published version anew: every year, or the models that it names are not asked any more."""
    from hub.cli.policies import approve

    approve(scenario, version, note, home)


@policies_app.command("end")
def policies_end(
    scenario: Annotated[str, typer.Argument(help="Scenario, as in S03.", show_default=False)],
    version: Annotated[str, typer.Argument(help="Its version.", show_default=False)],
    reason: Reason,
    on: Annotated[
        datetime | None, typer.Option("--on", help="First day on which it does not apply any more. Default: today.", formats=["%Y-%m-%d"])
    ] = None,
    home: Home = None,
) -> None:
    """Takes a published version back: what applied before it applies again. Decisions made under it stay as they are."""
    from hub.cli.policies import end

    end(scenario, version, on.date() if on else None, reason, home)
