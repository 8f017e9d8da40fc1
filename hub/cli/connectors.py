"""``hub connectors``: the catalogue, certification, and the skeleton of a new connector."""

from __future__ import annotations

import keyword
import re
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import typer
from rich.table import Table

from connectors import registry
from hub.access.audit import audited
from hub.cli import until
from hub.cli.certify import Candidate, certify
from hub.cli.options import console, emit, paper, settings
from hub.cli.processes import with_runtime
from hub.cli.runtime import Runtime
from hub.errors import InvalidInput
from hub.store.database import Write
from hub.sync import resuming
from hub.sync.resuming import Resumed

SKELETON = {
    "__init__.py.txt": "connectors/{name}/__init__.py",
    "stream.py.txt": "connectors/{name}/stream.py",
    "sandbox.py.txt": "connectors/{name}/sandbox.py",
    "README.md.txt": "connectors/{name}/README.md",
    "quality.toml.txt": "connectors/{name}/quality.toml",
    "test.py.txt": "tests/connectors/test_{name}.py",
}


def print_list(*, as_json: bool) -> None:
    rows = [connector.manifest for connector in registry.load_all().values()]
    if as_json:
        emit([{"name": m.name, "title": m.title, "title_zh": m.title_zh, "sources": list(m.sources), "doc": m.doc} for m in rows])
        return
    table = Table("name", "platform", "sources")
    for manifest in rows:
        table.add_row(manifest.name, f"{manifest.title} {manifest.title_zh}", ", ".join(manifest.sources))
    paper.print(table)


def check(name: str, *, as_json: bool) -> None:
    """Certifies a connector; exit code 1 when a check fails. Raises UnknownConnector."""
    lines = until.run(certify(Candidate.of(name)))
    if as_json:
        emit([asdict(line) for line in lines])
    else:
        table = Table("check", "", "why", title=f"Certification of {name}")
        for line in lines:
            table.add_row(line.check, "[green]ok[/green]" if line.ok else "[red]failed[/red]", line.why)
        console.print(table)
    if not all(line.ok for line in lines):
        raise typer.Exit(1)


def resume(name: str, home: Path | None, *, as_json: bool) -> None:
    """Lets a platform be asked again before the time it asked for. Raises UnknownConnector."""
    registry.load(name)
    found: list[Resumed] = []

    async def work(runtime: Runtime) -> None:
        async def told(tx: Write, done: Resumed) -> None:
            await audited(
                tx, runtime.vault.keys, actor="operator", action="connector.resume", subject=f"connector:{name}", after=done._asdict()
            )

        found.append(await resuming.resume(runtime.equipment.database, name, told))

    until.run(with_runtime(settings(home), work))
    (done,) = found
    if as_json:
        emit({"credentials": done.credentials, "connections": done.connections})
    elif any(done):
        console.print(f"{name}: {done.credentials} credentials are no longer parked, {done.connections} connections are due now.")
    else:
        console.print(f"{name} was not parked.")


def new(name: str, root: Path) -> None:
    """Writes the skeleton and the registry line. Raises InvalidInput before anything is written."""
    lines = root / "connectors" / "registry.py"
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,30}", name) or keyword.iskeyword(name):
        raise InvalidInput(
            f"{name!r} cannot be a connector's name.", remedy="Use lower case letters, digits and underscores, no word of Python."
        )
    if not lines.is_file():
        raise InvalidInput(f"There is no project at {root.resolve()}.", remedy="Run this in the project's root or name it with --root.")
    if name in registry.NAMES or (root / "connectors" / name).exists():
        raise InvalidInput(f"There is a connector called {name} already.", remedy="Choose another name.")
    for template, target in SKELETON.items():
        path = root / target.format(name=name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((files("connectors.sandbox") / "skeleton" / template).read_text("utf-8").replace("NAME", name), "utf-8")
    lines.write_text(_with_line(lines.read_text("utf-8"), name), "utf-8")
    console.print(
        f"connectors/{name}/ is there and registered. Next: `.venv/bin/pytest tests/connectors/test_{name}.py`, then CONTRIBUTING.md."
    )


def _with_line(registry_text: str, name: str) -> str:
    """The registry with one more name, in order."""
    head, names, tail = re.split(r"(?<=NAMES = \(\n)(.*?)(?=^\)\n)", registry_text, maxsplit=1, flags=re.S | re.M)
    return head + "".join(sorted([*names.splitlines(keepends=True), f'    "{name}",\n'])) + tail
