"""``hub clients``: what an administrator does to clients through the API, done by an operator at the machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from rich.markup import escape
from sqlalchemy import select

from hub.access import client_life
from hub.access.audit import audited
from hub.access.client_life import Change, Changed
from hub.access.clients import NewClient, described, make_client_keys, register_client, thumbprint
from hub.cli import until
from hub.cli.caller import key_file, write_key
from hub.cli.options import console, emit, paper, plain, settings
from hub.cli.processes import OPERATOR, with_runtime
from hub.cli.runtime import Runtime
from hub.errors import FixConfiguration, InvalidInput
from hub.store.database import Write
from hub.store.tables import client
from schema.access import AUDIENCES

EVERYTHING = "all"
Step = Callable[[Write], Awaitable[Changed]]


def show(home: Path | None, *, as_json: bool) -> None:
    found: list[dict[str, Any]] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            found.extend(_shown(row) for row in await tx.execute(select(client).order_by(client.c.created_at.desc(), client.c.client_id)))

    until.run(with_runtime(settings(home), work))
    if as_json:
        emit(found)
        return
    for one in found:
        standing = f"DISABLED {one['disabled_at']:%Y-%m-%d}" if one["disabled_at"] else one["audience"]
        last = f"last token {one['last_token_at']:%Y-%m-%d %H:%M}" if one["last_token_at"] else "no token yet"
        paper.print(f"{one['client_id']} ({one['name']})  {standing}{', bearer' * one['bearer']}, {last} UTC", soft_wrap=True)
        cost = f"{one['cost_per_minute']:,} a minute" if one["cost_per_minute"] else "as its class"
        paper.print(f"  documents: {one['documents']}, cost: {cost}", soft_wrap=True)
        paper.print(f"  {' '.join(one['scopes'])}; purposes: {' '.join(one['purposes']) or 'none'}", soft_wrap=True)
        for kid, print_ in one["keys"].items():
            paper.print(f"  key {kid}: {print_}", soft_wrap=True)


def _shown(row: Any) -> dict[str, Any]:
    known = {str(name): value for name, value in row._mapping.items() if name != "jwks"}
    return {**known, "keys": {str(key["kid"]): thumbprint(key) for key in row.jwks["keys"]}}


def register(home: Path | None, client_id: str, asked: Change, jwks: Path | None, *, as_json: bool) -> None:
    chosen = settings(home)
    private, public = (None, _json(jwks)) if jwks else make_client_keys()
    new = NewClient(client_id=client_id, jwks=public, **asdict(asked) | {"scopes": _scopes(asked)})

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            made = await register_client(tx, new, AUDIENCES)
            keys = runtime.vault.keys
            await audited(tx, keys, actor=OPERATOR, action="client.register", subject=f"client:{made}", after=described(new))

    until.run(with_runtime(chosen, work))
    if private is not None:
        write_key(chosen.home, client_id, private, chosen.public_origin or f"http://{chosen.host}:{chosen.port}")
    if as_json:
        emit({"client_id": client_id, **described(new)})
        return
    kept = f" Its private key lies in {key_file(chosen.home, client_id)}." if private is not None else ""
    console.print(f"{client_id} is registered.{kept}")
    console.print(f"It may ask for {plain(sorted(new.scopes))}; for the purposes {plain(sorted(new.purposes))}.", soft_wrap=True)
    if new.documents == "ONLY":
        console.print(f"It asks with stored documents only: `hub documents add FILE --client {client_id}` stores one.")


def _scopes(asked: Change) -> tuple[str, ...]:
    """A partner may have what its class allows; for the institution's own clients, whose classes allow nearly everything, it is said. Raises InvalidInput."""
    allowed = tuple(sorted(AUDIENCES.get(str(asked.audience), ())))
    if asked.scopes == (EVERYTHING,) or (asked.scopes is None and asked.audience == "PARTNER"):
        return allowed
    if asked.scopes is None and allowed:
        raise InvalidInput(
            f"Say what an {asked.audience} client may ask for, with --scope.",
            remedy=f"Repeat it for several, of: {' '.join(allowed)}. `--scope {EVERYTHING}` means all of them.",
        )
    return asked.scopes or ()


def update(home: Path | None, client_id: str, change: Change) -> None:
    _do(home, client_id, "update", lambda tx: client_life.update_client(tx, client_id, change, AUDIENCES))


def add_key(home: Path | None, client_id: str, file: Path) -> None:
    jwk = _json(file)
    _do(home, client_id, "add_key", lambda tx: client_life.add_key(tx, client_id, jwk))


def retire_key(home: Path | None, client_id: str, retired: str) -> None:
    _do(home, client_id, "retire_key", lambda tx: client_life.retire_key(tx, client_id, retired))


def disable(home: Path | None, client_id: str, reason: str) -> None:
    _do(home, client_id, "disable", lambda tx: client_life.disable_client(tx, client_id), reason)


def enable(home: Path | None, client_id: str, reason: str) -> None:
    _do(home, client_id, "enable", lambda tx: client_life.enable_client(tx, client_id), reason)


def revoke_tokens(home: Path | None, client_id: str, reason: str) -> None:
    _do(home, client_id, "revoke_tokens", lambda tx: client_life.end_tokens(tx, client_id), reason)


def _do(home: Path | None, client_id: str, name: str, step: Step, reason: str = "") -> None:
    """Prints what changed: what was, and what is."""
    done: list[Changed] = []

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            done.append(await step(tx))
            await client_life.told(tx, runtime.vault.keys, OPERATOR, name, client_id, done[0], reason)

    until.run(with_runtime(settings(home), work))
    for what, now in done[0].after.items():
        console.print(escape(f"{client_id}: {what} was {plain(done[0].before.get(what))}, and is {plain(now)}."), soft_wrap=True)
    if not done[0].after:
        console.print(f"{client_id} is so already: nothing changed.")


def _json(file: Path) -> Any:
    try:
        return orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError:
        raise FixConfiguration(f"{file} is no JSON.", remedy="It holds public keys, as a JSON Web Key (Set).") from None
