"""What a connector may know of a connection: put together from the store and the vault, once per run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select

from hub.connect import Connector, Context, Stream
from hub.connect.oauth import TEXTBOOK
from hub.consent import grants as consent_rows
from hub.consent.gate import Ask, GivenConsent, Use, decide
from hub.domain.clock import Clock
from hub.domain.enums import SourceKind, Verdict
from hub.domain.identifiers import CustomerId
from hub.errors import NotFound, UnknownConnector
from hub.store.customers import load_subject
from hub.store.database import Database, Write
from hub.store.tables import connection, sync_run
from hub.vault import Blind, Vault


def defaulted(connector: Connector, written: Mapping[str, str]) -> dict[str, str]:
    """What an operator wrote, over the manifest's defaults."""
    return {**{one.name: one.default for one in connector.manifest.settings if one.default is not None}, **written}


@dataclass(frozen=True, slots=True)
class Consented:
    """The consent under which a source of a connection is fetched, as it is when a run begins."""

    consent_id: UUID
    given: GivenConsent


@dataclass(frozen=True, slots=True)
class Subjected:
    """A connection with everything its connector needs. ``awaited``: it was just linked, and somebody waits for what it holds."""

    connector: Connector
    context: Context
    consents: Mapping[SourceKind, Consented]
    awaited: bool = False

    def for_source(self, source: SourceKind) -> Context:
        """The context with the range that this source's consent allows, up to today."""
        given = self.consents[source].given
        return replace(self.context, data_from=given.data_from, data_to=min(given.data_to, self.context.today))

    def streams(self) -> list[Stream]:
        """Those whose source is consented to, with all the kinds of fact they bring: nothing is fetched that nobody may see."""
        return [one for one in self.connector.streams if one.source in self.consents and covers(self.consents[one.source].given, one)]


def kinds_of(stream: Stream) -> frozenset[str]:
    return frozenset(kind.__name__ for kind in stream.facts)


def covers(given: GivenConsent, stream: Stream) -> bool:
    """Whether a consent names every kind of fact of a stream."""
    return given.kinds is None or kinds_of(stream) <= given.kinds


@dataclass(frozen=True, slots=True)
class Equipment:
    """What every part of the engine shares."""

    database: Database
    vault: Vault
    blind: Blind
    clock: Clock
    grantee: str
    connectors: Mapping[str, Connector]
    configs: Mapping[str, Mapping[str, str]]

    def connector(self, name: str) -> Connector:
        if name not in self.connectors or name not in self.configs:
            raise UnknownConnector(f"The connector {name!r} is not installed or not configured here.")
        return self.connectors[name]

    def config(self, name: str) -> dict[str, str]:
        """The connector's settings: the operator's over the manifest's defaults."""
        return defaulted(self.connectors[name], self.configs[name])


async def load(equipment: Equipment, tx: Write, customer_id: CustomerId, connection_id: UUID) -> Subjected:
    """Raises NotFound, UnknownConnector."""
    mine = (connection.c.customer_id == customer_id, connection.c.connection_id == connection_id)
    row = (await tx.execute(select(connection.c.connector, ~_was_read(customer_id, connection_id)).where(*mine))).first()
    if row is None:
        raise NotFound("There is no such connection.")
    name, awaited = row
    connector = equipment.connector(name)
    consents = await _consents(equipment, tx, customer_id, name)
    context = Context(
        config=equipment.config(name),
        subject=await load_subject(tx, equipment.vault, customer_id, equipment.clock.today()),
        sources=frozenset(consents),
        data_from=min((one.given.data_from for one in consents.values()), default=equipment.clock.today()),
        data_to=equipment.clock.today(),
        now=datetime.now(UTC),
        today=equipment.clock.today(),
        oauth=connector.manifest.oauth or TEXTBOOK,
    )
    return Subjected(connector, context, consents, awaited)


def _was_read(customer_id: CustomerId, connection_id: UUID) -> ColumnElement[bool]:
    """Whether a run of this connection ever came to its end."""
    run, ends = sync_run.c, (Verdict.COMPLETE, Verdict.EMPTY_EXPECTED, Verdict.INCOMPLETE)
    return exists().where(run.customer_id == customer_id, run.connection_id == connection_id, run.kind == "SYNC", run.verdict.in_(ends))


async def _consents(equipment: Equipment, tx: Write, customer_id: CustomerId, connector: str) -> dict[SourceKind, Consented]:
    """The consents that allow fetching now, by source."""
    found: dict[SourceKind, Consented] = {}
    for row in await consent_rows.consents_of(tx, customer_id):
        given = consent_rows.as_given(row)
        ask = Ask(given.source, equipment.grantee, given.purpose, use=Use.FETCH)
        if row["connector"] == connector and decide(given, ask, equipment.clock.now()).allowed:
            found.setdefault(given.source, Consented(row["consent_id"], given))
    return found
