"""``hub policies``: files are checked, versions and drafts listed; a draft is tried over what was evaluated, and published or discarded."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Table

from hub.app.policies import EVER, PolicySteps
from hub.cli import until
from hub.cli.options import console, emit, paper, plain, settings
from hub.cli.pool import come_to_all
from hub.cli.processes import OPERATOR, with_runtime
from hub.cli.runtime import Runtime
from hub.credit.assessed import stated
from hub.credit.checking import Found, check_file, read_text
from hub.credit.differences import Decision, Differences
from hub.errors import InvalidInput, NotFound
from hub.store.database import Write
from hub.store.evaluations import drafts
from hub.store.evaluations.approvals import approved_on, due_on
from hub.store.evaluations.drafts import Draft
from hub.store.evaluations.policies import in_force, require_scenario, versions

AT_ONCE = 20
UNSTATED = "not stated: published before that was asked"
"""Of the impact assessment of a version; it stays in force."""
Work = Callable[[Runtime], Awaitable[None]]


def check(files: list[Path], *, as_json: bool) -> None:
    """Exit code 1 when a file has a fault."""
    texts = {str(path): _text(path) for path in files}
    found = [(name, *check_file(text)) for name, text in texts.items()]
    if as_json:
        emit(
            [
                {"file": name, "line": one.line, "where": one.where, "wrong": one.wrong, "remedy": one.remedy}
                for name, _, faults in found
                for one in faults
            ]
        )
    else:
        _print_checked(found)
        if bare := [name for name, own, faults in found if not own and not faults and stated(json.loads(texts[name])) is None]:
            console.print(
                f"Without an impact assessment, so not to be published as they are (PIPL 55): {escape(', '.join(bare))}.", soft_wrap=True
            )
    if any(faults for _, _, faults in found):
        raise typer.Exit(1)


def _print_checked(found: list[tuple[str, str | None, list[Found]]]) -> None:
    for name, _, faults in found:
        for one in faults:
            console.print(f"{escape(name)}:{one.line}: {escape(one.where)}: {escape(one.wrong)}. {escape(one.remedy)}", soft_wrap=True)
    if others := [own for _, own, _ in found if own]:
        told = "They come with the hub, and are neither drafted nor published."
        console.print(f"Not policies, but the hub's own documents, checked as such: {', '.join(others)}. {told}", soft_wrap=True)
    wrong = sum(len(faults) for _, _, faults in found)
    policies = "1 policy" if len(found) - len(others) == 1 else f"{len(found) - len(others):,} policies"
    told = "no fault" if not wrong else "1 fault" if wrong == 1 else f"{wrong:,} faults"
    console.print(f"{policies} checked, {told}.")


def show(home: Path | None, *, as_json: bool) -> None:
    """Every version and every draft."""

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            rows, written = await versions(tx), await drafts.drafts(tx)
            days = await approved_on(tx, sorted({row.policy_id for row in rows}), runtime.clock.now())
        applying = {
            scenario: in_force([row for row in rows if row.policy_id == scenario], runtime.clock.today())
            for scenario in {row.policy_id for row in rows}
        }
        told = [
            {**_version(row, in_force=row is applying[row.policy_id]), "approvedUntil": due_on(days[row.policy_id, row.version])}
            for row in rows
        ]
        if as_json:
            emit({"versions": told, "drafts": [_draft(one) for one in written]})
        else:
            shown = [{**one, "assessment": one["assessment"] or UNSTATED} for one in told]
            paper.print(
                _table("Published", shown, ("policy", "version", "from", "until", "applies", "approvedUntil", "assessment", "sha256"))
            )
            paper.print(
                _table(
                    "Drafts",
                    [_draft(one) for one in written],
                    ("draft", "policy", "version", "state", "author", "from", "triedSince", "decidedBy"),
                )
            )

    until.run(with_runtime(settings(home), work))


def show_one(what: str, version: str | None, home: Path | None) -> None:
    """The document goes to stdout, so that it can be kept as a file."""
    found: list[tuple[Any, str]] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            if (draft_id := _uuid(what)) is not None:
                one = await drafts.draft(tx, draft_id)
                decided = f", by {one.decided_by}" if one.decided_by else ""
                found.append(
                    (
                        one.policy.document,
                        f"Draft {one.draft_id} of {one.policy.id} {one.policy.version}, by {one.author}: {one.state}{decided}.",
                    )
                )
            else:
                await require_scenario(tx, what)
                row = _chosen(await versions(tx, what), version, runtime.clock.today())
                until_ = f" until {row.ends_on}" if row.ends_on else ""
                found.append((row.document, f"{row.policy_id} {row.version} applies from {row.effective_from} on{until_}."))

    until.run(with_runtime(settings(home), work))
    ((document, told),) = found
    emit(document)
    console.print(escape(told), soft_wrap=True)


def _chosen(rows: list[Any], version: str | None, today: date) -> Any:
    """Raises NotFound."""
    mine = [row for row in rows if version in (None, row.version)]
    if not mine:
        told = f"Its versions are {', '.join(row.version for row in rows)}."
        raise NotFound("There is no such version of it.", remedy=told)
    return mine[0] if version else in_force(mine, today)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def write(path: Path, home: Path | None, *, as_json: bool) -> None:
    """Keeps a file as a draft."""
    document = read_policy_file(path)

    async def effect(tx: Write, steps: PolicySteps) -> Draft:
        return await steps.draft(tx, acting(), document)

    _decided(home, effect, as_json=as_json)


def publish(draft_id: UUID, home: Path | None, *, as_json: bool) -> None:
    async def effect(tx: Write, steps: PolicySteps) -> Draft:
        return await steps.publish(tx, acting(), draft_id)

    _decided(home, effect, as_json=as_json)


def discard(draft_id: UUID, reason: str, home: Path | None, *, as_json: bool) -> None:
    async def effect(tx: Write, steps: PolicySteps) -> Draft:
        return await steps.discard(tx, acting(), draft_id, reason)

    _decided(home, effect, as_json=as_json)


def end(scenario: str, version: str, on: date | None, reason: str, home: Path | None) -> None:
    """Rollback: the version before applies again."""

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            day, applies = await _steps(runtime).end(tx, acting(), (scenario, version), on, reason)
        console.print(f"{scenario} {version} does not apply from {day} on; {applies.version} does.")

    until.run(with_runtime(settings(home), work))


def approve(scenario: str, version: str, note: str, home: Path | None) -> None:
    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            day = await _steps(runtime).approve(tx, acting(), (scenario, version), note)
        console.print(f"{scenario} {version} is approved until {day}.")

    until.run(with_runtime(settings(home), work))


def try_out(draft_id: UUID, since: datetime | None, home: Path | None, *, stop: bool, as_json: bool) -> None:
    """Begins a trial, comes to everything that is there, and prints what the draft would change."""
    found: list[Differences] = []

    async def work(runtime: Runtime) -> None:
        found.append(await tried(runtime, draft_id, since or EVER, stop=stop, quiet=as_json))

    until.run(with_runtime(settings(home), work, named=True))
    tell(found[0], as_json=as_json)


def acting() -> str:
    """Who is at the machine: the account that this process runs under, whatever its environment says. Two persons need accounts of their own there."""
    return f"{OPERATOR}:{pwd.getpwuid(os.getuid()).pw_name}"


async def tried(runtime: Runtime, draft_id: UUID, since: datetime, *, stop: bool, quiet: bool) -> Differences:
    """The trial itself."""
    async with runtime.database.work() as tx:
        begun = await _steps(runtime).try_out(tx, acting(), draft_id, since)
    trial, grantee, now = drafts.Trial(begun), runtime.settings.grantee, runtime.clock.now()
    await come_to_all(runtime.database, trial, grantee, now, "evaluations", at_once=AT_ONCE, quiet=quiet, reach=runtime.models)
    async with runtime.database.work() as tx:
        found = await drafts.report(tx, draft_id)
        if stop:
            await _steps(runtime).try_out(tx, acting(), draft_id, None)
    return found


async def tried_out(runtime: Runtime, document: Mapping[str, Any], *, quiet: bool) -> Differences:
    """Of a document that is not a draft yet, over everything that was evaluated."""
    async with runtime.database.work() as tx:
        draft = await _steps(runtime).draft(tx, acting(), document)
    return await tried(runtime, draft.draft_id, EVER, stop=True, quiet=quiet)


def report(draft_id: UUID, home: Path | None, *, as_json: bool) -> None:
    """What a trial has found so far."""
    found: list[Differences] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            await drafts.draft(tx, draft_id)
            found.append(await drafts.report(tx, draft_id))

    until.run(with_runtime(settings(home), work))
    tell(found[0], as_json=as_json)


def _steps(runtime: Runtime) -> PolicySteps:
    return PolicySteps(runtime.vault.keys, runtime.clock)


def _decided(home: Path | None, effect: Callable[[Write, PolicySteps], Awaitable[Draft]], *, as_json: bool) -> None:
    """One step of a draft."""
    found: list[Draft] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            found.append(await effect(tx, _steps(runtime)))

    until.run(with_runtime(settings(home), work))
    if as_json:
        emit(_draft(found[0]))
    else:
        console.print(f"Draft {found[0].draft_id}: {found[0].policy.id} {found[0].policy.version} is {found[0].state}.")


def read_policy_file(path: Path) -> Mapping[str, Any]:
    """Raises InvalidInput, and PolicyInvalid with every fault by its line."""
    return read_text(_text(path))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.", remedy="Name a policy file.") from None


def _version(row: Any, *, in_force: bool) -> dict[str, Any]:
    return {
        "policy": row.policy_id, "version": row.version, "from": row.effective_from, "until": row.ends_on, "applies": in_force, "sha256": row.sha256,
        "assessment": row.assessment_id, "assessedOn": row.assessed_on,
    }  # fmt: skip


def _draft(one: Draft) -> dict[str, Any]:
    return {
        "draft": str(one.draft_id), "policy": one.policy.id, "version": one.policy.version, "state": one.state, "author": one.author,
        "from": one.policy.effective_from, "triedSince": one.tried_since, "decidedBy": one.decided_by,
    }  # fmt: skip


def _table(title: str, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> Table:
    table = Table(title=title)
    for name in columns:
        # Folded, never cut: ids are there to be copied.
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(escape("" if row[name] is None else plain(row[name])) for name in columns))
    return table


def tell(found: Differences, *, as_json: bool) -> None:
    """The difference report."""
    if as_json:
        emit(found.document())
        return
    paper.print(f"{found.cases:,} evaluations compared, {found.changed:,} would change.")
    if found.cases:
        paper.print(_moves(found))
        paper.print(
            f"Limits: {found.limit_before:,.0f} yuan before, {found.limit_after:,.0f} after; {found.raised:,} raised, {found.lowered:,} lowered. "
            f"Rates: {found.cheaper:,} lower, {found.dearer:,} higher."
        )
    for word, counts in (("come", found.gained), ("go", found.lost)):
        if counts:
            paper.print(f"Reasons that {word}: {', '.join(f'{code} ({count:,})' for code, count in counts.most_common())}.")
    for why, count in sorted(found.left.items()):
        paper.print(f"Not compared, {count:,}: {why}.")
    for case in found.examples:
        paper.print(f"  {case.name}  {_offer(case.before)}  ->  {_offer(case.after)}")


def _moves(found: Differences) -> Table:
    table = Table("outcome", "under the draft", "evaluations", title="What becomes of what was decided")
    for (before, after), count in sorted(found.moves.items()):
        table.add_row(before, after if after is not before else "the same", f"{count:,}")
    return table


def _offer(one: Decision) -> str:
    amount = "" if one.limit is None else f" {one.limit:,.0f}"
    rate = "" if one.rate is None else f" at {one.rate * 100:.2f} %"
    return f"{one.outcome}{amount}{rate}"
