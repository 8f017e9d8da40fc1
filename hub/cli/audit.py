"""``hub audit``: the chain of who read what and who changed what, verified and published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hub.access.audit.chain import EVENTS, ChainKeys
from hub.access.audit.diagnose import Finding
from hub.access.audit.heads import Heads, Lost, Published, public_key, read_heads
from hub.access.audit.publish import HeadsFile
from hub.access.audit.publish import publish as publish_heads
from hub.access.audit.verify import Verified, count
from hub.access.audit.verify import verify as verify_chains
from hub.cli import until
from hub.cli.options import console, emit, paper, settings
from hub.cli.processes import with_runtime
from hub.cli.runtime import Runtime
from hub.errors import FixConfiguration, HubError
from hub.store.database import STORE_ERRORS

_MANY = 10_000
"""Rows from which on a rate says something."""


UNVERIFIED = 2
"""Exit code when nothing can be said of the chains: neither that they hold, nor that they do not."""


def verify(home: Path | None, files: Sequence[Path], *, as_json: bool) -> None:
    """Exit code 1 when anything does not hold, :data:`UNVERIFIED` when it could not be verified."""
    try:
        done, seconds = _verified(home, files, as_json=as_json)
    except HubError as error:
        unverified = error.sentence()
    except OSError as error:
        unverified = f"{error.filename}: {error.strerror or error}." if error.filename else f"{error.strerror or error}."
    except STORE_ERRORS:
        unverified = "The database cannot be reached, or refuses to be read. Check HUB_DATABASE_URL and its neighbours."
    else:
        if as_json:
            emit(_document(done, seconds))
        else:
            _show(done, seconds)
        if done.findings:
            raise typer.Exit(1)
        return
    console.print(f"Nothing was verified: {escape(unverified)}", soft_wrap=True)
    raise typer.Exit(UNVERIFIED)


def _verified(home: Path | None, files: Sequence[Path], *, as_json: bool) -> tuple[Verified, float]:
    """What was found, and how many seconds it took."""
    found: list[tuple[Verified, float]] = []

    async def work(runtime: Runtime) -> None:
        keys, database = _keys(runtime), runtime.database
        published = Published.read(keys, _contents(files or _own(runtime)))
        columns = (TextColumn("[progress.description]{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, disable=as_json or not console.is_terminal) as bars:
            task = bars.add_task("rows", total=await count(database, keys))
            began = perf_counter()
            done = await verify_chains(database, keys, published, lambda rows: bars.advance(task, rows))
        found.append((done, perf_counter() - began))

    until.run(with_runtime(settings(home), work))
    return found[0]


def heads(home: Path | None, *, as_json: bool) -> None:
    found: list[tuple[Heads, str]] = []

    async def work(runtime: Runtime) -> None:
        found.append((await read_heads(runtime.database), public_key(_keys(runtime))))

    until.run(with_runtime(settings(home), work))
    ((now, key),) = found
    if as_json:
        emit({"at": now.at, "key": key, "heads": [{"shard": shard, "sequence": at, "hash": head} for shard, (at, head) in now.of.items()]})
        return
    for shard, (sequence, head) in sorted(now.of.items()):
        paper.print(f"{_name(shard):<12} {sequence:>12,}  {head}")
    paper.print(f"Published lines are checked with the Ed25519 key {key}.")


def publish(home: Path | None, *, as_json: bool) -> None:
    found: list[tuple[int | None, Path]] = []

    async def work(runtime: Runtime) -> None:
        file = HeadsFile(runtime.settings.audit_folder)
        found.append((await publish_heads(runtime.database, _keys(runtime), file), file.path))

    until.run(with_runtime(settings(home), work))
    ((number, path),) = found
    if as_json:
        emit({"line": number, "file": str(path)})
    else:
        console.print(f"Line {number} of {path}." if number else "The last line says all there is to say already.")


def _keys(runtime: Runtime) -> ChainKeys:
    return ChainKeys.of(runtime.vault.keys)


def _own(runtime: Runtime) -> list[Path]:
    path = HeadsFile(runtime.settings.audit_folder).path
    return [path] if path.exists() else []


def _contents(files: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    for path in files:
        if not path.is_file():
            raise FixConfiguration(f"There is no file of published heads at {path}.", remedy="Name one with --heads.")
        yield path.name, path.read_bytes()


def _document(done: Verified, seconds: float) -> dict[str, Any]:
    rate = round(done.rows / seconds) if seconds else 0
    counted: dict[str, Any] = {"rows": done.rows, "before_the_chain": done.before, "published_lines": done.lines, "rows_per_second": rate}
    counted["restores"] = [{"line": one.line, "at": one.at, "lost": _rows(one)} for one in done.lost]
    return {"holds": not done.findings, **counted, "findings": [asdict(finding) for finding in done.findings]}


def _show(done: Verified, seconds: float) -> None:
    for finding in done.findings:
        console.print(_sentence(finding), style="red")
    rate = f" ({done.rows / seconds:,.0f} a second)" if done.rows > _MANY else ""
    console.print(f"{done.rows:,} rows hold{rate}, compared with {done.lines:,} published lines.")
    for lost in done.lost:
        console.print(f"Line {lost.line}: a backup was restored by {lost.at}. {_gone(lost)}")
    if done.before:
        console.print(f"{done.before:,} rows are from before there was a chain: they prove nothing.")
    if not done.lines:
        console.print("No published head was compared: that the end of a chain was cut off would not be seen. Run `hub audit publish`.")


def _sentence(finding: Finding) -> str:
    if finding.shard is None:
        return f"{finding.fault}: {finding.detail}{f' Row {finding.row}.' if finding.row else ''}"
    row = f" ({finding.row})" if finding.row else ""
    return f"{_name(finding.shard)}, row {finding.sequence:,}{row}: {finding.fault}. {finding.detail}"


def _rows(lost: Lost) -> list[dict[str, int]]:
    return [{"shard": shard, "first": first, "last": last} for shard, (first, last) in sorted(lost.rows.items())]


def _gone(lost: Lost) -> str:
    rows = ", ".join(f"{_name(shard)} {first:,} to {last:,}" for shard, (first, last) in sorted(lost.rows.items()))
    return f"Rows that were published before went with it: {rows}." if rows else "Nothing that was published before went with it."


def _name(shard: int) -> str:
    return "events" if shard == EVENTS else f"access {shard}"
