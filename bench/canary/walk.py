"""The way of the made persons, in a process of its own: what it prints is the hub's log, what it needs for a while goes where temporary files go.

python -m bench.canary.walk HOME NOTES PERSONS BREAK
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import date
from pathlib import Path
from unittest import mock

import orjson
import structlog
import uvloop
from sqlalchemy import text

from bench.canary.noting import Notes, noting
from bench.canary.personas import made, shops_of_their_own
from bench.canary.provoke import indiscreet, refused
from connectors.sandbox.persona import Persona
from hub.cli import logs
from hub.cli.journey import Journey
from hub.cli.stage import Stage, open_stage
from hub.errors import HubError
from hub.settings import Settings
from hub.store import rows
from hub.store.embedded import Urls

_SHOP_FROM = text("UPDATE consent SET data_from = :first WHERE customer_id = :customer AND source IN ('SHOP', 'SETTLEMENT')")
_AGAIN = text("UPDATE connection SET due_at = now() WHERE customer_id = :customer AND status = 'ACTIVE'")
ENOUGH, SETTLING = 12, 20.0
"""Questions that indiscreet platforms have answered before it goes on, and the seconds it may take."""


class _Way(Journey):
    """The shop is asked for the months that it has."""

    first = date(2025, 1, 1)

    async def consent(self) -> list[str]:
        unreachable = await super().consent()
        async with self.stage.database.work() as tx:
            await tx.execute(_SHOP_FROM, {"first": self.first, "customer": self.customer_id})
        return unreachable


async def walked(
    home: Path, personas: list[Persona], notes: Notes, *, urls: Urls | None = None, first: date = _Way.first, broken: str | None = None
) -> int:
    """All of them, one after the other; then all that goes wrong. Returns how many requests were refused on purpose."""
    for persona in personas:
        notes.person(persona)
    with noting(notes), shops_of_their_own(), _unsplit() if broken == "split" else contextlib.nullcontext():
        async with open_stage(Settings(home=home, port=0), personas, database="hub", urls=urls) as stage:
            # One of them has a record that nobody can read, at every platform that can make one.
            stage.world.switches |= {name: {"malformed"} for name in stage.connectors}
            for persona in personas:
                journey = _Way(stage, persona)
                journey.first = first
                await journey.walk(quiet=True)
                for name in ("CustomerEnhancement", "LimitEvidence", "SourceStatus"):
                    await journey.ask(name)
                stage.world.switches.clear()
            if broken in ("column", "log"):
                await _planted(stage, personas[0], broken)
            provoked = await refused(stage, notes)
            return provoked + await _told_everything(stage, journey)


async def _told_everything(stage: Stage, journey: Journey) -> int:
    """The last customer's connections are synced, and one is authorised, at platforms that put everything into their errors."""
    asked = asyncio.Semaphore(0)
    with indiscreet(stage, asked) as platforms:
        async with stage.database.work() as tx:
            await tx.execute(_AGAIN, {"customer": journey.customer_id})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLING):
                for _ in range(ENOUGH):
                    await asked.acquire()
        try:
            await journey.consent()
        except HubError as error:
            structlog.get_logger("bench.canary").warning("link_misconfigured", fault=type(error).__name__)
        return sum(one.asked for one in platforms)


def _unsplit() -> contextlib.AbstractContextManager[object]:
    """The control: no number is a natural person's."""
    return mock.patch.object(rows, "persons_number", return_value=None)


async def _planted(stage: Stage, persona: Persona, broken: str) -> None:
    """The other controls: a column in plain text, a line of a log that says too much."""
    owner = persona.responsible
    if broken == "log":
        structlog.get_logger("hub.debug").debug(f"fetched for {owner.name}, {owner.resident_id}")
        return
    async with stage.database.work() as tx:
        await tx.execute(text("UPDATE party SET id_masked = :plain WHERE role <> 'SUBJECT'"), {"plain": owner.resident_id})


def main(home: Path, keep: Path, persons: int, broken: str | None) -> None:
    notes = Notes()
    provoked = uvloop.run(walked(home, [made(number) for number in range(persons)], notes, broken=broken))
    answers = [one.decode("utf-8", "replace") for one in notes.answers]
    keep.write_bytes(orjson.dumps({"canaries": notes.canaries, "answers": answers, "provoked": provoked}))


if __name__ == "__main__":
    logs.configure(10)
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] or None)
