"""``hub evaluate``: of a persona, of a customer as known at an instant, or a stored evaluation once more."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from hub.cli.options import Home, Json
from hub.domain.enums import Purpose

Persona = Annotated[Path | None, typer.Option("--persona", help="A persona file (format persona/1).", show_default=False)]
OfCustomer = Annotated[UUID | None, typer.Option("--customer", help="A customer of this hub, with --scenario.", show_default=False)]
OfEvaluation = Annotated[
    str | None,
    typer.Option("--evaluation", help="A stored evaluation: make it once more, and compare byte for byte.", show_default=False),
]


def evaluate(
    persona: Persona = None,
    customer: OfCustomer = None,
    evaluation: OfEvaluation = None,
    scenario: Annotated[str | None, typer.Option("--scenario", help="As in S03.", show_default=False)] = None,
    as_of: Annotated[datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="Day it speaks of. Default: today.")] = None,
    known_at: Annotated[
        str | None, typer.Option("--known-at", help="Instant up to which facts were known, like 2026-01-20T10:00:00+08:00. Default: now.")
    ] = None,
    amount: Annotated[str | None, typer.Option("--amount", help="Amount asked for, in yuan.", show_default=False)] = None,
    money_for: Annotated[str, typer.Option("--money-for", help="OPERATING or CONSUMPTION.")] = "OPERATING",
    purpose: Annotated[Purpose, typer.Option("--purpose", help="Purpose of the consents to read under.")] = Purpose.CREDIT_APPROVAL,
    home: Home = None,
    json: Json = False,
) -> None:
    """Evaluates. With --persona the whole path for one persona file, without --home in a directory that is removed afterwards.

    --customer ID --scenario S03 evaluates a customer of this hub from what was known at an instant (--known-at) for a day (--as-of), and keeps the result; of another
    day than today, or of what was known before, it is a what-if by which nothing is decided. What is read of it is what consents of today allow: a withdrawal holds for
    whoever looks back, too. `forbidden` tells which source was left out, or read in part, since when and whether it was allowed then; exit code 4: one was allowed then.

    --evaluation ID makes a stored evaluation once more from what it was made from, whatever came since, and compares the two byte for byte. Exit code 0: EQUAL; 3: DIFFERENT,
    with the first difference and its cause; 4: it may not be made again, because a consent ended, or what it read was erased.
    """
    if sum(one is not None for one in (persona, customer, evaluation)) != 1:
        raise typer.BadParameter("Name one of --persona, --customer and --evaluation.")
    if persona is not None:
        from hub.cli.evaluate import run

        run(persona, home, as_json=json)
    elif evaluation is not None:
        from hub.cli.reproducing import once_more

        once_more(evaluation, home, as_json=json)
    else:
        from hub.cli.reproducing import Wanted, of_customer

        if scenario is None or customer is None:
            raise typer.BadParameter("Name the --scenario.")
        of_customer(Wanted(customer, scenario, as_of and as_of.date(), known_at, amount, money_for, purpose), home, as_json=json)
