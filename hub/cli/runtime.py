"""Everything wired, on one page: settings -> store, vault, http, engine, link pages, API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Row, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from starlette.types import ASGIApp

from connectors import registry
from hub.access.audit import audited
from hub.access.audit.loads import versions_audited
from hub.cli.place import no_hub, require_begun
from hub.connect import Connector
from hub.credit.assessed import OF_THE_PACKAGE
from hub.credit.models.reach import Listed, Reach, unreachable
from hub.credit.parameters import parameters
from hub.domain.clock import Clock
from hub.errors import FixConfiguration, HubError, SecretMissing
from hub.events.endpoint import Webhooks
from hub.http import Allowed, HostNotAllowed, Http
from hub.link.pages import LinkPages
from hub.link.service import LinkService
from hub.settings import Settings
from hub.store.database import Database, Write
from hub.store.embedded import Embedded, Urls
from hub.store.evaluations import publish_policies
from hub.store.evaluations.policies import documents_of_the_package
from hub.store.evaluations.reference import keep_catalogue
from hub.store.tables import data_key, policy
from hub.store.view import ViewSettings
from hub.sync.approved import addresses, require_approved
from hub.sync.calls import Calls
from hub.sync.context import Equipment, defaulted
from hub.sync.desk import Desks
from hub.sync.dispatch import Dispatcher
from hub.sync.engine import Ended, Engine
from hub.sync.linking import Linking
from hub.sync.quota import Ledger, Limits, configured
from hub.sync.settings import Patience
from hub.vault import Blind, EnvKeys, FileKeys, Register, Vault, wrap_binding
from hub.vault.keys import REGISTER

Configs = Mapping[str, Mapping[str, str]]
ASSESSMENT = "assessment"
"""Of a connector's part of connectors.json: by which impact assessment it is enabled. No setting of the connector's (:mod:`hub.cli.assessments`)."""


@dataclass(frozen=True)
class Runtime:
    """What a process of the hub works with."""

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault
    blind: Blind
    connectors: Mapping[str, Connector]
    equipment: Equipment
    calls: Calls
    dispatcher: Dispatcher
    models: Reach = unreachable
    crowded: asyncio.Event = field(default_factory=asyncio.Event)

    def engine(self, patience: Patience | None = None, ended: Ended | None = None) -> Engine:
        return Engine(self.equipment, self.calls, patience, ended)

    def links(self, origin: str) -> LinkService:
        linking = Linking(self.equipment, self.calls)
        return LinkService(
            self.database,
            linking,
            self.clock,
            grantee=self.settings.grantee,
            origin=origin,
            nudge=self.dispatcher.nudge,
            token_of=lambda link_id: self.blind.hash("link.token", str(link_id)),
        )

    def api(self, origin: str) -> ASGIApp:
        """The whole API under its public origin."""
        # Imported here because the GraphQL schema is a third of the start, and a worker has none.
        from hub.app import AppRuntime, build_app
        from hub.app.services import HubServices

        links = self.links(origin)
        services = HubServices(self.equipment, links, self.models)
        services.log.crowded = self.crowded
        stale = {kind.value: days for kind, days in parameters().staleness.items()}
        return build_app(
            AppRuntime(
                database=self.database,
                keys=self.vault.keys,
                clock=self.clock,
                services=services.port(),
                view=ViewSettings(self.settings.grantee, stale, self.quotas()),
                origin=origin,
                link_app=LinkPages(links, services.log).app(),
                webhooks=Webhooks(self.equipment, self.dispatcher.nudge).routes(),
                log=services.log,
                federated=self.settings.federation,
                explorer=self.settings.explorer,
            )
        )

    def quotas(self) -> dict[str, dict[str, int]]:
        """What each platform allows, for operators to see."""
        found = {}
        for name, connector in self.connectors.items():
            limits = Limits.of(configured(connector.manifest.quota, self.equipment.config(name)))
            allowed = {"in_flight": limits.in_flight, "per_minute": limits.per_minute, "per_day": limits.per_day}
            found[name] = {key: value for key, value in allowed.items() if value is not None}
        return found

    async def publish(self) -> None:
        """Publishes the policies that come with this version of the hub, and its products where the lender has none. What is new is audited."""
        async with self.database.work() as tx:
            before = await _published(tx)
            await publish_policies(tx, documents_of_the_package(), datetime.now(UTC), OF_THE_PACKAGE)
            new = (await _published(tx)).items() - before.items()
            for name, sha256 in sorted(new):
                subject = f"policy:{name}"
                await audited(tx, self.vault.keys, actor="operator", action="policy.publish", subject=subject, after={"sha256": sha256})
            await versions_audited(tx, self.vault.keys, "operator", await keep_catalogue(tx, self.clock.now()))


def listed(settings: Settings) -> Listed:
    """The models that policies may name."""
    return Listed(settings.model_urls, settings.models_dir, settings.private_networks)


async def _published(tx: Write) -> dict[str, str]:
    return {f"{row[0]}:{row[1]}": row[2] for row in await tx.execute(select(policy.c.policy_id, policy.c.version, policy.c.sha256))}


@asynccontextmanager
async def store_of(settings: Settings, *, begin: bool = False, fresh: bool = False) -> AsyncIterator[Urls]:
    """Where the store is: an operator's PostgreSQL, or the embedded one, started here and stopped at the end.

    Only who is to ``begin`` a hub makes an embedded one where there is none; ``fresh`` empties its database first. Raises HubMissing.
    """
    given = (settings.database_url, settings.app_database_url, settings.worker_database_url)
    if any(given):
        if not all(given):
            raise FixConfiguration(
                "HUB_DATABASE_URL, HUB_APP_DATABASE_URL and HUB_WORKER_DATABASE_URL go together.", remedy="Set all three, or none."
            )
        yield _given(settings, *(postgres_url(str(url)) for url in given))
        return
    begin = begin or fresh
    if not begin:
        require_begun(settings)
    embedded = await asyncio.to_thread(Embedded, settings.cluster_dir)
    try:
        if not begin and not await asyncio.to_thread(embedded.has, settings.embedded_database):
            raise no_hub(settings)
        yield await embedded.prepare(settings.embedded_database, fresh=fresh)
    finally:
        await asyncio.to_thread(embedded.stop)


def _given(settings: Settings, owner: str, app: str, worker: str) -> Urls:
    """An operator's own. Raises FixConfiguration for a pooler without a way around it."""
    queue = settings.queue_database_url
    if settings.pooled and not queue:
        raise FixConfiguration(
            "HUB_POOLED needs HUB_QUEUE_DATABASE_URL: workers listen, which a pooler in transaction mode does not carry.",
            remedy="Set it to the URL of hub_worker at PostgreSQL itself.",
        )
    return Urls(owner, app, worker, pooled=settings.pooled, queue=postgres_url(queue) if queue else None)


def postgres_url(url: str) -> str:
    """A URL of PostgreSQL for psycopg. Raises FixConfiguration."""
    try:
        made = make_url(url)
    except ArgumentError:
        made = None
    if made is None or made.get_backend_name() != "postgresql":
        raise FixConfiguration(
            "A database URL is not one of PostgreSQL.", remedy="Write it like postgresql://hub_app:password@db.example:5432/hub."
        )
    return made.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def read_configs(settings: Settings) -> Configs:
    """The operator's connectors.json; nothing may be connected to when there is none."""
    if not settings.connectors_file.exists():
        return {}
    try:
        found = orjson.loads(settings.connectors_file.read_bytes())
        configs = {str(name): {str(key): _as_text(value) for key, value in values.items()} for name, values in found.items()}
    except (orjson.JSONDecodeError, AttributeError):
        raise FixConfiguration(
            f"{settings.connectors_file} is not JSON of the form name -> settings.",
            remedy="Correct it, or remove it to connect to nothing.",
        ) from None
    configs = {name: {key: value for key, value in config.items() if key != ASSESSMENT} for name, config in configs.items()}
    for name, config in configs.items():
        _check_config(settings.connectors_file, name, config)
    return configs


def _as_text(value: object) -> str:
    """A setting may be written as a JSON object, such as a key: connectors get its text."""
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)


def _check_config(file: Path, name: str, config: Mapping[str, str]) -> None:
    """Every setting that has no default is there, and every URL is one that may be called. Raises FixConfiguration, UnknownConnector."""
    manifest = registry.load(name).manifest
    needed = ["base_url", *(one.name for one in manifest.settings if one.default is None)]
    missing = [key for key in needed if not config.get(key)]
    if missing:
        raise FixConfiguration(
            f"{file}: {name} lacks {', '.join(missing)}.", remedy=f"connectors/{name}/README.md says what each setting means."
        )
    for key, value in config.items():
        # Another address of the same platform may be said to be its first one.
        if key.endswith("_url") and value not in ("", "base_url"):
            try:
                Allowed.of(value)
            except HostNotAllowed as error:
                raise FixConfiguration(f"{file}: {key} of {name} is no address to call.", remedy=error.message) from None


async def _keys(settings: Settings, database: Database) -> EnvKeys | FileKeys:
    """The keys of this home. Raises SecretMissing, and writes nothing, when they are not those that the database was filled under."""
    path = settings.keys_dir / "keys.json"
    used = await _wrapped(database)
    if settings.keys is None and used and not path.exists():
        raise SecretMissing(f"{path} is missing, and this database was filled under it.", remedy="Restore the key file from its backup.")
    keys = FileKeys(path) if settings.keys is None else EnvKeys(settings.keys.get_secret_value(), Register(path.with_name(REGISTER)))
    for row in used:
        binding = wrap_binding(row.customer_id, row.key_id)
        # A row that a backup brought back, of a key that was destroyed, says nothing of the file.
        if not keys.register.destroyed(binding):
            keys.unwrap(row.wrapped, row.kek_id, binding)
            break
    return keys


async def _wrapped(database: Database) -> Sequence[Row[Any]]:
    """Some of the data keys."""
    async with database.work() as tx:
        return (await tx.execute(select(data_key).where(data_key.c.wrapped.is_not(None)).limit(20))).all()


@asynccontextmanager
async def open_runtime(
    settings: Settings, urls: Urls, *, clock: Clock | None = None, configs: Configs | None = None
) -> AsyncIterator[Runtime]:
    """A wired hub on a migrated store."""
    clock = clock or (Clock.frozen(settings.clock) if settings.clock else Clock.system())
    configs = configs if configs is not None else read_configs(settings)
    connectors = {name: registry.load(name) for name in configs}
    for name, connector in connectors.items():
        require_approved(connector, configs[name], defaulted(connector, configs[name]))
    database = Database(urls)
    try:
        keys = await _keys(settings, database)
    except HubError:
        await database.close()
        raise
    vault, blind = Vault(keys), Blind(keys.blind)
    equipment = Equipment(database, vault, blind, clock, settings.grantee, connectors, configs)
    http = Http({name: addresses(config) for name, config in configs.items()}, private=settings.private_networks)
    models = listed(settings).outside()
    dispatcher = Dispatcher(database)
    calls = Calls(http, Desks(Ledger(database, blind)))
    try:
        async with dispatcher.app.open_async():
            yield Runtime(settings, clock, database, vault, blind, connectors, equipment, calls, dispatcher, models)
    finally:
        await calls.desks.close()
        await http.close()
        await models.http.close()
        await database.close()
