"""``hub evaluate``: the whole path for one persona file; the result in the shape of the expected format."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from connectors.sandbox.persona import Persona, load
from hub.cli import until
from hub.cli.options import emit, paper, settings
from hub.credit.policy import load_policy
from hub.settings import Settings


def run(path: Path, home: Path | None, *, as_json: bool) -> None:
    persona = load(path)
    load_policy(persona.scenario)
    if home is not None:
        document = until.run(evaluate(persona, settings(home, port=0), quiet=as_json))
    else:
        with tempfile.TemporaryDirectory(prefix="zengxin-hub-") as throwaway:
            document = until.run(evaluate(persona, settings(Path(throwaway), port=0), quiet=as_json))
    if as_json:
        emit(document)
    else:
        paper.print_json(data=document)


async def evaluate(persona: Persona, chosen: Settings, *, quiet: bool = True) -> dict[str, Any]:
    """Connects, syncs and evaluates one persona; returns the expected-format document of its evaluation."""
    # Imported here so that a file that is no persona is refused before the whole hub is loaded.
    from hub.cli.journey import Journey
    from hub.cli.stage import open_stage

    async with open_stage(chosen, [persona], database="evaluate") as stage:
        journey = Journey(stage, persona)
        await journey.walk(quiet=quiet)
        return await stage.document_of(journey.customer_id, persona.id)
