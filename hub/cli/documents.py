"""``hub documents``: which documents a client may ask by their digest, and whether they still fit the contract."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from graphql import GraphQLError, GraphQLSchema

from hub.access.audit import audited
from hub.access.documents import Trusted, add_document, documents, remove_document
from hub.cli import until
from hub.cli.options import console, emit, paper, settings
from hub.cli.processes import OPERATOR, with_runtime
from hub.cli.runtime import Runtime
from hub.errors import FixConfiguration, InvalidInput, NotFound
from schema.contract import build_schema
from schema.trusted import Fault, faults, printed


@dataclass(frozen=True, slots=True)
class Broken:
    """A stored document that does not fit."""

    stored: Trusted
    faults: Sequence[Fault]


def add(home: Path | None, client: str, files: Sequence[Path], *, as_json: bool) -> None:
    """All of them, or none."""
    texts = {path: _text(path) for path in files}
    contract = build_schema().core
    for path, text in texts.items():
        for fault in faults(contract, text):
            raise InvalidInput(f"{path}:{fault.line}: {fault.message}", remedy=fault.remedy)
    made: dict[str, str] = {}

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            for path, text in texts.items():
                made[str(path)] = sha256 = await add_document(tx, client, text, OPERATOR)
                after = {"sha256": sha256}
                await audited(tx, runtime.vault.keys, actor=OPERATOR, action="document.add", subject=f"client:{client}", after=after)

    until.run(with_runtime(settings(home), work))
    if as_json:
        emit(made)
        return
    for name, sha256 in made.items():
        paper.print(f"{sha256}  {name}")


def remove(home: Path | None, client: str, sha256: str) -> None:
    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            await remove_document(tx, client, sha256)
            before = {"sha256": sha256}
            await audited(tx, runtime.vault.keys, actor=OPERATOR, action="document.remove", subject=f"client:{client}", before=before)

    until.run(with_runtime(settings(home), work))
    console.print("Removed. Processes that know it forget it within ten seconds.")


def show(home: Path | None, client: str | None, *, as_json: bool) -> None:
    found = _stored(home, client)
    if as_json:
        emit([{"client": one.client_id, "sha256": one.sha256, "added_by": one.added_by, "added_at": one.added_at} for one in found])
        return
    for one in found:
        paper.print(f"{one.client_id}  {one.sha256}  by {one.added_by} on {one.added_at.date()}")


def show_one(home: Path | None, sha256: str, client: str | None) -> None:
    """Raises NotFound, and InvalidInput for digits that several begin with."""
    asked = sha256.lower()
    found = {one.sha256: one for one in _stored(home, client) if asked and one.sha256.startswith(asked)}
    if not found:
        raise NotFound("No stored document begins with these digits.", remedy="`hub documents list` shows those that are stored.")
    if len(found) > 1:
        raise InvalidInput(f"{len(found)} stored documents begin with these digits.", remedy="Give more of them.")
    ((digest, document),) = found.items()
    owners = sorted({one.client_id for one in _stored(home, client) if one.sha256 == digest})
    sys.stdout.write(document.document)
    sys.stdout.flush()
    console.print(f"{digest}, for {', '.join(owners)}; added by {document.added_by} on {document.added_at.date()}.", soft_wrap=True)


def check(home: Path | None, sdl: Path | None, *, as_json: bool) -> None:
    """Exit code 1 while a stored document does not fit the contract."""
    contract = _contract(sdl)
    stored = _stored(home, None)
    broken = [Broken(one, found) for one in stored if (found := faults(contract, one.document))]
    if as_json:
        emit([_as_json(one.stored, wrong) for one in broken for wrong in one.faults])
    else:
        for line in (_told(one.stored, wrong) for one in broken for wrong in one.faults):
            console.print(line)
        console.print(f"{len(stored)} stored documents, {len(broken)} do not fit.")
    if broken:
        raise typer.Exit(1)


def _as_json(stored: Trusted, fault: Fault) -> dict[str, object]:
    return {"client": stored.client_id, "sha256": stored.sha256, "line": fault.line, "message": fault.message, "remedy": fault.remedy}


def _told(stored: Trusted, fault: Fault) -> str:
    return f"{stored.client_id} {stored.sha256}, line {fault.line}: {fault.message} {fault.remedy}"


def _stored(home: Path | None, client: str | None) -> Sequence[Trusted]:
    found: list[Trusted] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            found.extend(await documents(tx, client))

    until.run(with_runtime(settings(home), work))
    return found


def _contract(sdl: Path | None) -> GraphQLSchema:
    if sdl is None:
        return build_schema().core
    wrong = FixConfiguration(f"{sdl} is not a printed contract.", remedy="`python -m schema.contract` prints one.")
    try:
        found = printed(_text(sdl))
    except (GraphQLError, TypeError):
        raise wrong from None
    if found.query_type is None:
        raise wrong
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise FixConfiguration(f"{path} cannot be read.") from None
