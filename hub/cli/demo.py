"""``hub demo``: the whole path for the seller that comes with the project, told step by step; then it serves until Ctrl-C."""

from __future__ import annotations

import logging
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from rich.json import JSON
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.tree import Tree

from hub.cli import until
from hub.cli.journey import Journey
from hub.cli.logs import configure
from hub.cli.options import console, emit, paper, settings
from hub.cli.place import demo_settings, write_demo_settings
from hub.cli.policies import read_policy_file, tell, tried_out
from hub.cli.portfolio import read_file, screened_out, show_counts
from hub.cli.progress import State
from hub.cli.sandbox import own_personas, write_connectors
from hub.cli.stage import RISK, Stage, open_stage
from hub.cli.until import Stop
from hub.credit.differences import Differences
from hub.settings import Settings

QUESTION, EVIDENCE = "CustomerEnhancement", "LimitEvidence"
DATABASE = "demo"
_HUB = Path(sys.executable).parent / "hub"


def run(home: Path | None, port: int, *, once: bool, as_json: bool, policy: Path | None = None, portfolio: Path | None = None) -> None:
    document = None if policy is None else read_policy_file(policy)
    chosen_ones = None if portfolio is None else read_file(portfolio)
    chosen = settings(home, port=port)
    if home is None and chosen.embedded_database != DATABASE:
        chosen = chosen.model_copy(update={"home": chosen.home / "demo"})
    if not as_json:
        # What it tells step by step is for people wherever it goes; log lines between that tell them nothing.
        configure(logging.WARNING)
    until.run(_Demo(chosen, as_json, document, chosen_ones).run(once=once))


@dataclass(frozen=True)
class _Demo:
    """``quiet``: nothing but the data, as JSON on stdout. ``policy`` is one to be tried over what was evaluated, ``portfolio`` one to be pre-screened."""

    settings: Settings
    quiet: bool
    policy: Mapping[str, Any] | None = None
    portfolio: Mapping[str, Any] | None = None

    async def run(self, *, once: bool) -> None:
        persona, began = own_personas()[0], time.monotonic()
        async with open_stage(self.settings, [persona], database=DATABASE) as stage:
            stop = None if once else Stop()
            self.say(f"[bold]Zengxin Hub 增信[/bold]: one seller, six platforms, one answer. Home: {self.settings.home}")
            journey = Journey(stage, persona)
            ended = await self._walk(journey)
            answer, evidence = await journey.ask(QUESTION), await journey.ask(EVIDENCE)
            seconds, left = time.monotonic() - began, _leave(stage)
            changes = None if self.policy is None else await tried_out(stage.runtime, self.policy, quiet=self.quiet)
            counted = None if self.portfolio is None else await screened_out(stage.runtime, self.portfolio, quiet=self.quiet)
            if self.quiet:
                document = _document(stage, journey, ended, answer, evidence) | {"seconds": round(seconds, 1), "settings": str(left)}
                more = ({} if changes is None else {"policy": changes.document()}) | ({} if counted is None else {"portfolio": counted})
                emit(document | more)
            else:
                _tell(stage, answer, evidence)
                self.say(f"The whole took {seconds:.1f} s.")
                _tell_trials(changes, counted)
            self._how_to_go_on(left, evidence["customer"]["evaluation"]["id"])
            if stop is not None:
                self.say(
                    f"\nServing {stage.origin}/graphql until Ctrl-C, on the persona's day, {stage.clock.today()}. A token for scripts:"
                )
                self.say(f"  {_HUB} token --client {RISK} --home {self.settings.home}")
                await stop.wait()

    def _how_to_go_on(self, left: Path, evaluation: str) -> None:
        self.say("\nThe other commands work on this, now and after its end, in a shell that has read its settings:")
        self.say(f"  . {shlex.quote(str(left))}")
        for command in ("policies list", "audit show", f"evaluate --evaluation {evaluation}"):
            self.say(f"  {_HUB} {command}")

    async def _walk(self, journey: Journey) -> list[State]:
        with self._step("The customer consents and authorises each platform in a browser"):
            await journey.register()
            await journey.consent()
            await journey.send_sessions()
        self.say("[bold]•[/bold] Workers fetch what was consented to, page by page")
        ended = await journey.sync(quiet=self.quiet)
        with self._step("Series, features, cross-checks, score and scenario"):
            await journey.evaluate()
        return ended

    def say(self, text: str) -> None:
        if not self.quiet:
            console.print(text, soft_wrap=True)

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        began = time.monotonic()
        self.say(f"[bold]•[/bold] {title} ...")
        yield
        self.say(f"  done in {time.monotonic() - began:.1f} s")


def _leave(stage: Stage) -> Path:
    """What the other commands need to work on the demo's hub: a file of settings, the platforms' addresses, and heads of this hub's own chain. Returns the first."""
    home = stage.settings.home.resolve()
    folder = demo_settings(home).parent
    # The hub of the demo before is gone, and so is what was published of it.
    shutil.rmtree(folder, ignore_errors=True)
    connectors = folder / "connectors.json"
    write_connectors(connectors, stage.sandbox)
    values = {
        "HUB_HOME": str(home),
        "HUB_EMBEDDED_DATABASE": stage.settings.embedded_database,
        "HUB_GRANTEE": stage.settings.grantee,
        "HUB_CLOCK": stage.clock.now().isoformat(),
        "HUB_CONNECTORS": str(connectors),
        "HUB_AUDIT_DIR": str(folder / "audit"),
    }
    return write_demo_settings(home, values)


def _document(stage: Stage, journey: Journey, ended: list[State], answer: dict[str, Any], evidence: dict[str, Any]) -> dict[str, Any]:
    return {
        "origin": stage.origin,
        "customer": str(journey.customer_id),
        "answer": answer,
        "evidence": evidence,
        "syncs": [_state(state) for state in ended],
    }


def _state(state: State) -> dict[str, Any]:
    return {
        "connector": state.connector,
        "verdict": state.verdict,
        "records": state.fetched,
        "stored": state.stored,
        "requests": state.requests,
        "fault": state.fault,
    }


def _tell(stage: Stage, answer: dict[str, Any], evidence: dict[str, Any]) -> None:
    question = Syntax(stage.example(QUESTION), "graphql", theme="ansi_dark", background_color="default")
    paper.print(Panel(question, title="The question, by GraphQL over HTTP with a token of the hub's own OAuth server"))
    paper.rule("The answer")
    paper.print(JSON(orjson.dumps(answer).decode()), soft_wrap=True)
    paper.print(_walk_of(evidence["customer"]["evaluation"]))
    paper.print(_summary(answer["customer"]["evaluation"]))


def _tell_trials(changes: Differences | None, counted: dict[str, Any] | None) -> None:
    if changes is not None:
        paper.rule("What the other policy would change")
        tell(changes, as_json=False)
    if counted is not None:
        paper.rule("What the portfolio's branch could pre-approve")
        show_counts(counted)


def _walk_of(said: dict[str, Any]) -> Tree:
    """The evidence of the limit as a tree: the legs of the base, down to one page of each set of facts."""
    policy = said["policy"]
    tree = Tree(
        f"[bold]Where {said['finalLimit']} yuan come from[/bold]: policy {policy['id']} {policy['version']}, {policy['sha256'][:12]}…"
    )
    for part in said["limitParts"]:
        if part["part"] == "LEG":
            leg = tree.add(f"leg {part['code']}: {part['amount']} yuan" + ("  [bold]the smaller one[/bold]" if part["binding"] else ""))
            for feature in part["features"]:
                _feature(leg, feature)
        elif part["part"] == "UPLIFT":
            tree.add(f"uplift {part['code']}: {float(part['share']):+.0%} of it, {'earned' if part['earned'] else 'not earned'}")
        elif part["part"] == "CAP":
            tree.add(f"cap {part['code']}: at most {part['amount']} yuan" + ("  [bold]binds[/bold]" if part["binding"] else ""))
    tree.add(f"down to the thousand: {said['finalLimit']} yuan")
    return tree


def _feature(leg: Tree, feature: dict[str, Any]) -> None:
    window = f"{feature['windowFirst']} to {feature['windowLast']}, {feature['coveredMonths']} months covered"
    branch = leg.add(f"{feature['id']} v{feature['formulaVersion']} = {feature['number']} {feature['unit']}  ({window})")
    for found in feature["evidence"]:
        facts = branch.add(f"{found['facts']:,} {found['kind']} facts of {found['source']}, digest {found['digest'][:12]}…")
        for sample in found["sample"][:1]:
            proof = sample["evidence"]
            page, asked = proof["page"], proof["page"]["request"]
            facts.add(
                f"such as record {proof['position']} of page {page['sha256'][:12]}… ({page['size']:,} bytes): {asked['method']} {asked['path']},"
                f" connection {proof['connection']['connector']}, consent of {proof['consent']['grantee']}"
            )


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
