"""``hub demo``: the whole path for the seller that comes with the project, told step by step; then it serves until Ctrl-C."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import uvloop
from rich.json import JSON
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table

from hub.cli.journey import Journey
from hub.cli.options import console, emit, settings
from hub.cli.progress import State
from hub.cli.sandbox import own_personas
from hub.cli.stage import Stage, open_stage


def run(home: Path | None, port: int, *, once: bool, as_json: bool) -> None:
    chosen = settings(home, port=port)
    if home is None:
        chosen = chosen.model_copy(update={"home": chosen.home / "demo"})
    uvloop.run(_demo(chosen, once, as_json))


async def _demo(chosen: Any, once: bool, as_json: bool) -> None:
    persona, began = own_personas()[0], time.monotonic()
    say = console.print if not as_json else _silent
    say(f"[bold]Zengxin Hub 增信[/bold]  one seller, six platforms, one answer.  Home: {chosen.home}")
    async with open_stage(chosen, [persona], database="demo") as stage:
        journey = Journey(stage, persona)
        with _step(say, "The customer consents and authorises each platform in a browser"):
            await journey.register()
            await journey.consent()
            await journey.send_sessions()
        say("[bold]•[/bold] Workers fetch what was consented, page by page")
        ended = await journey.sync(quiet=as_json)
        with _step(say, "Series, features, cross-checks, score and scenario"):
            await journey.evaluate()
        answer, evidence = await journey.ask("CustomerEnhancement"), await journey.ask("LimitEvidence")
        seconds = time.monotonic() - began
        if as_json:
            emit(
                {
                    "customer": str(journey.customer_id),
                    "answer": answer,
                    "evidence": evidence,
                    "syncs": [_state(state) for state in ended],
                    "seconds": round(seconds, 1),
                }
            )
        else:
            _tell(stage, answer, evidence, seconds)
        if not once:
            await _serve(stage, say)


def _silent(*_: Any) -> None:
    """With --json nothing but the data is printed."""


@contextmanager
def _step(say: Any, title: str) -> Iterator[None]:
    began = time.monotonic()
    say(f"[bold]•[/bold] {title} ...")
    yield
    say(f"  done in {time.monotonic() - began:.1f} s")


def _state(state: State) -> dict[str, Any]:
    return {
        "connector": state.connector,
        "verdict": state.verdict,
        "records": state.fetched,
        "stored": state.stored,
        "requests": state.requests,
        "fault": state.fault,
    }


def _tell(stage: Stage, answer: dict[str, Any], evidence: dict[str, Any], seconds: float) -> None:
    console.print(
        Panel(
            Syntax(stage.example("CustomerEnhancement"), "graphql", theme="ansi_dark"),
            title="The question (GraphQL over HTTP, token from the hub's own OAuth server)",
        )
    )
    console.print(Panel(JSON(orjson.dumps(answer).decode()), title="The answer"))
    console.print(
        Panel(
            JSON(orjson.dumps(evidence).decode()),
            title="Where the limit comes from: policy → feature → facts → raw page → request → connection → consent",
        )
    )
    console.print(_summary(answer["customer"]["evaluation"]))
    console.print(f"The whole took {seconds:.1f} s.")


def _summary(found: dict[str, Any]) -> Table:
    table = Table(title="In short", show_header=False)
    rows = {
        "outcome": found["outcome"],
        "consistency C, coverage K, tier": f"{found['consistency']}, {found['coverage']}, {found['tier']}",
        "verified revenue": f"{found['verifiedRevenue']} yuan",
        "score": f"{found['score']} grade {found['grade']}",
        "limit": f"{found['baseLimit']} → {found['finalLimit']} yuan",
        "rate, term": f"{float(found['rate']) * 100:.2f} %, {found['termMonths']} months" if found["rate"] else "none",
        "reasons": ", ".join(reason["code"] for reason in found["reasons"]),
    }
    for name, value in rows.items():
        table.add_row(name, str(value))
    return table


async def _serve(stage: Stage, say: Any) -> None:
    say(
        f"\nServing at [bold]{stage.origin}/graphql[/bold] until Ctrl-C. A token for scripts: hub token --client risk-desk --home {stage.settings.home}"
    )
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        say("Stopping.")
