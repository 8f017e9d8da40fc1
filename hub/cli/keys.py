"""``hub keys``: which keys what is sealed is under, which keys sign tokens, and their rotation."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import select

from hub.access import keys as signing
from hub.access.audit import audited
from hub.access.audit.events import Values
from hub.cli import until
from hub.cli.options import console, emit, paper, settings
from hub.cli.processes import with_runtime
from hub.cli.runtime import Runtime
from hub.errors import FixConfiguration
from hub.store.database import Database
from hub.store.tables import signing_key
from hub.vault import FileKeys
from hub.vault.rotation import rewrap, under


@dataclass(slots=True)
class Rotated:
    """``left`` by key: what is still sealed under another key than ``current``."""

    current: str = ""
    rewrapped: int = 0
    unreadable: int = 0
    left: dict[str, int] = field(default_factory=dict)
    retired: list[str] = field(default_factory=list)


def show(home: Path | None, *, as_json: bool) -> None:
    found: list[tuple[str, dict[str, int], list[str]]] = []

    async def work(runtime: Runtime) -> None:
        keys = _file(runtime)
        found.append((keys.current, await _sealed_under(runtime.equipment.database), sorted(keys.known)))

    until.run(with_runtime(settings(home), work))
    ((current, sealed, known),) = found
    if as_json:
        emit({"current": current, "known": known, "sealed": sealed})
        return
    for name in sorted({*known, *sealed}):
        marks = [word for word, so in (("current", name == current), ("not in the key file", name not in known)) if so]
        paper.print(f"{name}: {sealed.get(name, 0):,} keys sealed under it{' (' * bool(marks)}{', '.join(marks)}{')' * bool(marks)}")


def prepare(home: Path | None) -> None:
    made: list[str] = []

    async def work(runtime: Runtime) -> None:
        made.append(_file(runtime).prepare())
        await _audit(runtime, "keys.prepare", {"current": _file(runtime).current}, {"following": made[0]})

    until.run(with_runtime(settings(home), work))
    console.print(
        f"{made[0]} is in the key file, and nothing is sealed under it yet. Copy the file to every host, then run `hub keys rotate`."
    )


def rotate(home: Path | None, *, retire: bool, as_json: bool) -> None:
    """Exit code 1 while anything is left under another key."""
    done = Rotated()

    async def work(runtime: Runtime) -> None:
        await _rotate(runtime, done, retire=retire, quiet=as_json)

    until.run(with_runtime(settings(home), work))
    if as_json:
        emit(
            {
                "current": done.current,
                "rewrapped": done.rewrapped,
                "unreadable": done.unreadable,
                "left": done.left,
                "retired": done.retired,
            }
        )
    else:
        _tell(done)
    if done.left:
        raise typer.Exit(1)


async def _rotate(runtime: Runtime, done: Rotated, *, retire: bool, quiet: bool) -> None:
    """A rotation that was cut short is gone on with; else there is a new key. What no key in the file opens keeps nobody from either."""
    keys, database = _file(runtime), runtime.equipment.database
    sealed, was = await _sealed_under(database), keys.current
    before = Counter({name: count for name, count in sealed.items() if name != keys.current and name in keys.known})
    if not before:
        keys.advance()
        before = Counter(sealed)
    columns = (TextColumn("[progress.description]{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=quiet) as bars:
        task = bars.add_task("rotation", total=before.total())
        found = await rewrap(database, keys, lambda rows: bars.advance(task, rows))
        async with database.work() as tx:
            of_the_hub = await signing.rewrap(tx, keys)
        bars.advance(task, of_the_hub)
    done.current, done.rewrapped, done.unreadable = keys.current, found.wrapped + of_the_hub, found.unreadable
    sealed = await _sealed_under(database)
    done.left = {name: count for name, count in sealed.items() if name != keys.current}
    done.retired = keys.retire(sealed) if retire else []
    after = {"current": done.current, "rewrapped": done.rewrapped, "left": done.left, "retired": done.retired}
    await _audit(runtime, "keys.rotate", {"current": was}, after)


async def _audit(runtime: Runtime, action: str, before: Values, after: Values) -> None:
    """Keys by their ids, never the keys."""
    async with runtime.database.work() as tx:
        await audited(tx, runtime.vault.keys, actor="operator", action=action, subject="keys:file", before=before, after=after)


def _tell(done: Rotated) -> None:
    console.print(f"{done.rewrapped:,} keys are sealed under {done.current} now.")
    for name, count in done.left.items():
        console.print(f"{count:,} are left under {name}.")
    if done.unreadable:
        console.print(
            f"{done.unreadable:,} cannot be opened with this key file. Put the key that they are under back into it, from a backup."
        )
    elif done.left:
        console.print("They came meanwhile, or were in use. Run it again.")
    if done.retired:
        console.print(f"Taken out of the key file: {', '.join(done.retired)}. Backups from before need a copy of the file from before.")


def show_signing(home: Path | None, *, as_json: bool) -> None:
    found: list[signing.KnownKey] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            found.extend(await signing.list_keys(tx))

    until.run(with_runtime(settings(home), work))
    if as_json:
        emit([asdict(key) for key in found])
        return
    for key in found:
        until_when = f", signs until {key.retired_at:%Y-%m-%d %H:%M:%S} UTC" if key.state == "SIGNING" and key.retired_at else ""
        paper.print(f"{key.kid}  {key.state:<9}  made {key.created_at:%Y-%m-%d %H:%M} UTC{until_when}")


def rotate_signing(home: Path | None, *, compromised: bool, as_json: bool) -> None:
    done: list[signing.Rotation] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            before = {"keys": {key.kid: key.state for key in await signing.list_keys(tx) if key.state != "RETIRED"}}
            done.append(await signing.rotate(tx, runtime.vault.keys, compromised=compromised))
            after = {**asdict(done[0]), "compromised": compromised}
            await audited(
                tx, runtime.vault.keys, actor="operator", action="keys.rotate_signing", subject="keys:signing", before=before, after=after
            )

    until.run(with_runtime(settings(home), work))
    if as_json:
        emit(asdict(done[0]))
    elif compromised:
        console.print(f"{done[0].kid} signs from now on. The others are not believed any more: every token in use ends within a minute.")
    else:
        console.print(
            f"{done[0].kid} is published, and signs from {done[0].signs_from:%H:%M:%S} UTC on. Tokens in use stay good to their end."
        )


async def _sealed_under(database: Database) -> dict[str, int]:
    """Data keys and signing keys, by key-encryption key."""
    counted = Counter(await under(database))
    async with database.work() as tx:
        counted.update(signing.kek_of(sealed) for sealed in (await tx.execute(select(signing_key.c.sealed))).scalars())
    return dict(counted)


def _file(runtime: Runtime) -> FileKeys:
    """A key service that is no file rotates by its own means."""
    if not isinstance(runtime.vault.keys, FileKeys):
        raise FixConfiguration("The keys are not in a file.", remedy="Rotate them where they are kept.")
    return runtime.vault.keys
