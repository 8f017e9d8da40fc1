"""The production processes: ``hub serve``, ``hub worker``, ``hub migrate``. Each stops within 25 seconds of SIGTERM and leaves nothing half done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from connectors.sandbox.serve import Server, bind
from hub.access.audit import ChainKeys, audited
from hub.access.audit.allowed import Allowed, note_allowed
from hub.access.audit.loads import versions_audited
from hub.access.audit.publish import HeadsFile, keep_publishing
from hub.access.audit.region import pin_region, require_region
from hub.access.clients import NewClient, described, make_client_keys, register_client
from hub.cli import until
from hub.cli.assessments import read_assessments, require_assessed
from hub.cli.caller import key_file, write_key, write_origin
from hub.cli.options import console, settings
from hub.cli.runtime import Runtime, open_runtime, store_of
from hub.cli.until import Stop
from hub.errors import FixConfiguration
from hub.settings import Settings
from hub.store.evaluations import keep_reference
from hub.store.evaluations.reference import LENDER, RELATIONS, read_reference_file
from hub.store.guards import require_guarded
from hub.store.migrate import migrate as migrate_store
from hub.store.migrate import require_current
from hub.store.relations import adopt_all
from hub.store.tables import client
from hub.sync.approved import addresses
from hub.worker import look_rarely
from hub.worker import work as run_worker

ADMIN = "admin"
OPERATOR = "operator"
"""Who acts by a command, in the audit."""


def serve(home: Path | None, port: int | None) -> None:
    until.run(with_runtime(settings(home, port=port), _serve, named=True))


def work(home: Path | None) -> None:
    look_rarely()
    until.run(with_runtime(settings(home), _work, named=True))


def migrate(home: Path | None) -> None:
    until.run(_migrate(settings(home)))


async def with_runtime(chosen: Settings, process: Callable[[Runtime], Awaitable[None]], *, named: bool = False) -> None:
    """A process on a migrated store; ``named``: one that acts under consents, which name the institution. Raises FixConfiguration, HubMissing, SchemaBehind when a migration is missing."""
    if named and not chosen.grantee:
        raise FixConfiguration(
            "HUB_GRANTEE is not set.", remedy="Set it to the legal name of the institution: customers consent to it by this name."
        )
    async with store_of(chosen) as urls:
        await require_current(urls)
        async with open_runtime(chosen, urls) as runtime:
            await require_region(runtime.database, chosen.region)
            lacking = await require_assessed(runtime, read_assessments(chosen))
            if lacking and named:
                console.print(f"Enabled without an impact assessment, from before it was asked for: {', '.join(lacking)} (PIPL 55).")
            await note_allowed(runtime.database, runtime.vault.keys, allowed_by(chosen, runtime.equipment.configs))
            await process(runtime)


def allowed_by(chosen: Settings, configs: Mapping[str, Mapping[str, str]]) -> Allowed:
    """Where this process may connect to: the operator's addresses by connector, and the private networks that he named."""
    return {
        **{name: addresses(config) for name, config in configs.items()},
        "private networks": [str(one) for one in chosen.private_networks],
    }


async def _serve(runtime: Runtime) -> None:
    chosen = runtime.settings
    listener = bind(chosen.host, chosen.port)
    origin = chosen.public_origin or "http://{}:{}".format(*listener.getsockname()[:2])
    server = Server(runtime.api(origin), listener)
    stop = Stop()
    await server.start()
    write_origin(chosen.home, origin)
    console.print(f"Serving {origin}/graphql on {chosen.host}:{listener.getsockname()[1]} until Ctrl-C.")
    try:
        async with _publishing(runtime):
            await stop.wait()
    finally:
        await server.stop()


@asynccontextmanager
async def _publishing(runtime: Runtime) -> AsyncIterator[None]:
    """Signed heads of the audit chain leave the database while this process is there."""
    keys, sink = ChainKeys.of(runtime.vault.keys), HeadsFile(runtime.settings.audit_folder)
    duty = asyncio.create_task(keep_publishing(runtime.database, keys, sink, runtime.crowded))
    try:
        yield
    finally:
        duty.cancel()
        await asyncio.wait([duty])


async def _work(runtime: Runtime) -> None:
    stop = Stop()
    names = ", ".join(runtime.connectors) or "none: connectors.json lists no platform"
    console.print(f"Working {runtime.settings.workers} connections of each platform at a time until Ctrl-C. Connectors: {names}.")
    async with _publishing(runtime):
        await _until(stop, asyncio.create_task(run_worker(runtime)))


async def _until(stop: Stop, worker: asyncio.Task[None]) -> None:
    """Told once, the worker finishes its pages; told again, it hands everything back as it stands. Raises what ended it by itself."""
    for told in (stop.wait, stop.hurry):
        waiting = asyncio.create_task(told())
        await asyncio.wait({worker, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        worker.cancel()
    ended = (await asyncio.gather(worker, return_exceptions=True))[0]
    if isinstance(ended, Exception):
        raise ended


async def _migrate(chosen: Settings) -> None:
    async with store_of(chosen, begin=True) as urls:
        await migrate_store(urls)
        await require_guarded(urls)
        async with open_runtime(chosen, urls) as runtime:
            await runtime.publish()
            await _load_reference(runtime)
            await pin_region(runtime.database, runtime.vault.keys, chosen.region)
            made = await _first_admin(runtime)
    console.print("The database is at this version, its policies are published." + (f" The first admin's key: {made}" if made else ""))


async def _load_reference(runtime: Runtime) -> None:
    """What the lender knows, from the files that lie in the home. Audited when it changes something."""
    for name in (LENDER, RELATIONS):
        document = read_reference_file(runtime.settings.home / f"{name}.json")
        if document is not None:
            async with runtime.database.work() as tx:
                changes = await keep_reference(tx, name, document, runtime.clock.now())
                await versions_audited(tx, runtime.vault.keys, OPERATOR, changes)
    async with runtime.database.work() as tx:
        await adopt_all(tx)


async def _first_admin(runtime: Runtime) -> Path | None:
    """A hub without clients gets its first one, so that others can be registered through the API."""
    chosen = runtime.settings
    async with runtime.database.work() as tx:
        if (await tx.execute(client.select().limit(1))).first() is not None:
            return None
        # Imported here because the schema is a third of the start, and only the first migration asks for it.
        from schema.access import AUDIENCES

        private, public = make_client_keys()
        scopes = tuple(sorted(AUDIENCES["ADMIN"]))
        new = NewClient(ADMIN, "First admin", "ADMIN", scopes, (), public, bearer=True)
        await register_client(tx, new, AUDIENCES)
        await audited(tx, runtime.vault.keys, actor=OPERATOR, action="client.register", subject=f"client:{ADMIN}", after=described(new))
    write_key(chosen.home, ADMIN, private, chosen.public_origin or f"http://{chosen.host}:{chosen.port}")
    return key_file(chosen.home, ADMIN)
